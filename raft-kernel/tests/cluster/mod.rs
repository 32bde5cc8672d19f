//! A cluster in memory that adds nothing to what it measures.
//!
//! It keeps no history, reuses its buffers and takes no decisions: what it allocates and
//! how long it takes is the engine's doing and that of `MemoryStorage`. Every run is the
//! same, call by call. `benches/costs` measures it and `allocations.rs` bounds it.
//!
//! A cluster begins with a *past*: a log that all nodes hold and have applied, so that a
//! long log need not be proposed entry by entry.

#![allow(dead_code, unused_imports)] // The benches and the tests each use a part of it.

mod backlog;
mod commands;
mod node;
mod storage;

use raft_kernel::{Bytes, ConfChange, Message, NodeId, Role, StorageWrites};

pub(crate) use backlog::Backlog;
pub(crate) use commands::{carved, owned};
pub(crate) use node::{Node, Past, write};
pub(crate) use storage::Tally;

/// What a cluster is made of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    /// How many voters.
    pub(crate) nodes: u64,
    pub(crate) writes: StorageWrites,
    /// How many entries every node holds and has applied.
    pub(crate) log: u64,
}

impl Shape {
    pub(crate) fn synchronous(nodes: u64) -> Self {
        Shape {
            nodes,
            writes: StorageWrites::Synchronous,
            log: 1,
        }
    }

    pub(crate) fn asynchronous(nodes: u64) -> Self {
        Shape {
            writes: StorageWrites::Asynchronous,
            ..Shape::synchronous(nodes)
        }
    }

    pub(crate) fn with_log(self, log: u64) -> Self {
        Shape { log, ..self }
    }
}

/// Nodes 1 to n, the messages between them, and no time.
pub(crate) struct Cluster {
    pub(crate) nodes: Vec<Node>,
    /// How many configuration changes were made.
    pub(crate) changes: u64,
    outbox: Vec<Message>,
    in_delivery: Vec<Message>,
}

impl Cluster {
    /// A cluster whose node 1 leads.
    pub(crate) fn start(shape: Shape) -> Self {
        let past = Past::applied(shape.log);
        let node = |id| Node::start(id, shape.nodes, shape.writes, &past);
        let mut cluster = Cluster::of((1..=shape.nodes).map(node).collect());
        cluster.leader().raft.campaign().expect("a campaign");
        cluster.settle();
        assert_eq!(cluster.leader().raft.role(), Role::Leader);
        cluster
    }

    /// A cluster of these nodes, numbered from 1 in this order. Nobody leads yet.
    pub(crate) fn of(nodes: Vec<Node>) -> Self {
        Cluster {
            nodes,
            changes: 0,
            outbox: Vec::new(),
            in_delivery: Vec::new(),
        }
    }

    /// Node 1.
    pub(crate) fn leader(&mut self) -> &mut Node {
        self.nodes.first_mut().expect("a cluster has a first node")
    }

    /// Proposes one command at the leader.
    pub(crate) fn propose(&mut self, command: impl Into<Bytes>) {
        let proposed = self.leader().raft.propose(command);
        proposed.expect("the leader takes it");
    }

    /// Proposes the commands in batches, each of which every node applies before the next.
    pub(crate) fn commit<C: Into<Bytes>>(
        &mut self,
        commands: impl ExactSizeIterator<Item = C>,
        batch: usize,
    ) {
        for (place, command) in (1..).zip(commands) {
            self.propose(command);
            if place % batch == 0 {
                self.settle();
            }
        }
        self.settle();
    }

    /// Changes the configuration, on every node.
    pub(crate) fn change(&mut self, change: ConfChange) {
        let proposed = self.leader().raft.propose_conf_change(change);
        proposed.expect("the leader takes it");
        self.changes += 1;
        self.settle();
    }

    /// Turns all loops and delivers all messages until there is nothing to do.
    pub(crate) fn settle(&mut self) {
        while self.turn() {}
    }

    /// Turns every node's loop until it has nothing to do, then delivers what was sent, and
    /// says whether there was anything.
    pub(crate) fn turn(&mut self) -> bool {
        let mut busy = false;
        for node in &mut self.nodes {
            busy |= node.work(&mut self.outbox);
        }
        std::mem::swap(&mut self.outbox, &mut self.in_delivery);
        for message in self.in_delivery.drain(..) {
            busy = true;
            // A node that a configuration names need not exist.
            if let Some(node) = self.nodes.get_mut(place_of(message.to)) {
                node.raft.step(message).expect("a valid message");
            }
        }
        busy
    }

    /// Time passes for the leader: a round of heartbeats and their answers.
    pub(crate) fn heartbeat(&mut self) {
        self.leader().raft.tick().expect("a tick");
        self.settle();
    }

    /// How many commands each node has applied.
    pub(crate) fn applied(&self) -> impl Iterator<Item = u64> + '_ {
        self.nodes.iter().map(|node| node.commands)
    }

    /// Compacts every node's log to this length.
    pub(crate) fn compact_to(&mut self, length: u64) {
        for node in &mut self.nodes {
            node.compact_to(length);
        }
    }

    /// What all nodes asked of their storages so far.
    pub(crate) fn storage(&self) -> Tally {
        self.nodes.iter().map(|node| node.storage.tally()).sum()
    }
}

fn place_of(id: NodeId) -> usize {
    usize::try_from(id - 1).expect("few nodes")
}
