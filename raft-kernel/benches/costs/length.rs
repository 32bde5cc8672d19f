//! What must not cost more in a longer log.

use raft_kernel::{Config, Message, MessageBody, RawNode, StorageWrites};

use crate::cluster::{Cluster, Node, Past, Shape, Tally};
use crate::options::Options;
use crate::table::{Case, Table};

/// Something that a running cluster does once.
type Operation = fn(&mut Cluster);

/// A cluster that does it.
struct Running {
    cluster: Cluster,
    length: u64,
    operations: u64,
    operation: Operation,
}

impl Case for Running {
    fn prepare(&mut self, operations: u64) {
        // The log stays as long as it was.
        self.cluster.compact_to(self.length);
        self.operations = operations;
    }

    fn run(&mut self) {
        for _ in 0..self.operations {
            (self.operation)(&mut self.cluster);
        }
    }

    fn storage(&self) -> Tally {
        self.cluster.storage()
    }
}

/// A command in memory that nobody counts.
const COMMAND: &[u8] = b"sixteen bytes...";

fn commit(cluster: &mut Cluster) {
    cluster.propose(COMMAND);
    cluster.settle();
}

fn commit_batch(cluster: &mut Cluster) {
    (0..64).for_each(|_| cluster.propose(COMMAND));
    cluster.settle();
}

fn read(cluster: &mut Cluster) {
    cluster.leader().raft.read_index("").expect("a read");
    cluster.settle();
}

/// A follower refuses an append of another term: it looks for where the logs may match.
struct Rejection {
    follower: Node,
    message: Message,
    outbox: Vec<Message>,
    operations: u64,
}

impl Rejection {
    fn new(length: u64) -> Self {
        let past = Past {
            applied: length / 2,
            open: length / 2,
            open_term: 2,
        };
        let message = Message {
            from: 1,
            to: 2,
            term: 9,
            body: MessageBody::AppendEntries {
                prev_index: length,
                prev_term: 1,
                commit: 0,
                entries: raft_kernel::Entries::default(),
            },
        };
        let follower = Node::start(2, 3, StorageWrites::Synchronous, &past);
        Rejection {
            follower,
            message,
            outbox: Vec::new(),
            operations: 0,
        }
    }
}

impl Case for Rejection {
    fn prepare(&mut self, operations: u64) {
        self.operations = operations;
    }

    fn run(&mut self) {
        for _ in 0..self.operations {
            self.follower
                .raft
                .step(self.message.clone())
                .expect("a valid message");
            self.follower.work(&mut self.outbox);
            self.outbox.clear();
        }
    }

    fn storage(&self) -> Tally {
        self.follower.storage.tally()
    }
}

/// A node starts from what its storage holds.
struct Start {
    node: Node,
    /// Where the state machine begins again.
    applied: u64,
    operations: u64,
}

impl Case for Start {
    fn prepare(&mut self, operations: u64) {
        self.operations = operations;
    }

    fn run(&mut self) {
        let config = Config {
            applied: self.applied,
            ..Config::new(1)
        };
        for _ in 0..self.operations {
            RawNode::new(&config, self.node.storage.clone()).expect("a node");
        }
    }

    fn storage(&self) -> Tally {
        self.node.storage.tally()
    }
}

pub(crate) fn table(options: &Options) -> Table {
    let about = "operations on logs of different lengths; 3 nodes, 16 B, synchronous. All are to be \
                 flat, but a rejection halves the log and a replay reads it";
    let mut table = Table::new("length", about);
    let running: [(&str, Operation); 4] = [
        ("a proposal to commit", commit),
        ("a batch of 64 to commit", commit_batch),
        ("a round of heartbeats", Cluster::heartbeat),
        ("a read", read),
    ];
    for (name, operation) in running {
        for length in options.lengths() {
            table.line(
                format!("{name}, {length} entries"),
                options.operations(128),
                move || {
                    let cluster = Cluster::start(Shape::synchronous(3).with_log(length));
                    Running {
                        cluster,
                        length,
                        operations: 0,
                        operation,
                    }
                },
            );
        }
    }
    for length in options.lengths() {
        let name = format!("an append rejected, {length} entries");
        table.line(name, options.operations(128), move || {
            Rejection::new(length)
        });
    }
    let node = |past| Node::start(1, 3, StorageWrites::Synchronous, &past);
    for length in options.lengths() {
        let name = format!("a start after a snapshot, {length} entries");
        table.line(name, options.operations(16), move || Start {
            node: node(Past::applied(length)),
            applied: 0,
            operations: 0,
        });
    }
    for length in options.lengths() {
        let name = format!("a start that replays changes, {length} entries");
        table.line(name, 1, move || {
            let past = Past {
                applied: 0,
                open: length,
                open_term: 1,
            };
            Start {
                node: node(past),
                applied: length,
                operations: 0,
            }
        });
    }
    table
}
