//! What must not cost more when a storage is slow: an asynchronous leader that has many
//! writes under way.

use raft_kernel::{Bytes, Message};

use crate::cluster::{Backlog, Cluster, Shape, Tally};
use crate::options::Options;
use crate::table::{Case, Table};

struct Behind {
    backlog: Backlog,
    operations: u64,
}

impl Case for Behind {
    fn prepare(&mut self, operations: u64) {
        self.operations = operations;
        self.backlog.compact();
    }

    fn run(&mut self) {
        for _ in 0..self.operations {
            self.backlog.shift();
        }
    }

    fn storage(&self) -> Tally {
        self.backlog.storage()
    }
}

/// A follower catches up on entries that its leader's storage does not hold yet: they go
/// in messages of 1 MiB.
struct CatchUp {
    cluster: Cluster,
    entries: u64,
    outbox: Vec<Message>,
}

impl CatchUp {
    /// The messages between the leader and its follower, while the leader's storage and
    /// the other follower do nothing.
    fn turn(&mut self) -> bool {
        let [leader, follower, _] = &mut self.cluster.nodes[..] else {
            return false;
        };
        if leader.raft.has_ready() {
            leader.hand_out(&mut self.outbox);
        }
        let sent = self.outbox.drain(..).filter(|message| message.to == 2);
        for message in sent {
            follower.raft.step(message).expect("a valid message");
        }
        let mut answers = Vec::new();
        let busy = follower.work(&mut answers);
        for answer in answers {
            leader.raft.step(answer).expect("a valid answer");
        }
        busy
    }
}

impl Case for CatchUp {
    fn prepare(&mut self, operations: u64) {
        self.cluster = Cluster::start(Shape::asynchronous(3));
        for _ in 0..operations {
            self.cluster.propose(Bytes::from_static(&[0; 4096]));
            self.cluster.leader().hand_out(&mut self.outbox);
        }
        // None of it arrived.
        self.outbox.clear();
        let leader = &mut self.cluster.leader().raft;
        leader.report_unreachable(2);
        leader.tick().expect("a tick");
    }

    fn run(&mut self) {
        while self.turn() {}
        let received = self.cluster.nodes[1].storage.memory.len() as u64;
        assert!(received > self.entries, "the follower has caught up");
    }

    fn storage(&self) -> Tally {
        self.cluster.storage()
    }
}

pub(crate) fn table(options: &Options) -> Table {
    let about = "a leader whose storage has many writes under way. A proposal is handed out, and \
                 the oldest write done and applied (1 node); an entry of 4096 B is sent to a \
                 follower that lacks all (3 nodes). All are to be flat";
    let mut table = Table::new("backlog", about);
    let depths = options.lengths().filter(|depth| *depth <= 100_000);
    for depth in [1, 10, 100].into_iter().chain(depths) {
        let name = format!("a proposal to commit, {depth} under way");
        table.line(name, options.operations(64), move || Behind {
            backlog: Backlog::of(depth),
            operations: 0,
        });
    }
    for entries in options.lengths().filter(|entries| *entries <= 10_000) {
        let name = format!("an entry to a late follower, of {entries}");
        table.line(name, entries, move || {
            let cluster = Cluster::start(Shape::asynchronous(3));
            CatchUp {
                cluster,
                entries,
                outbox: Vec::new(),
            }
        });
    }
    table
}
