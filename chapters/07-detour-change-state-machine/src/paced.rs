//! A node that compacts its log at a pace of its own.
//!
//! The rule: a node's log is its own affair. Nobody is asked before it is compacted, and
//! no two nodes need do it at the same entry. What must stay is what is not applied yet.

use std::fmt;

use ch01_single_node_cluster::{Result, Turn};
use ch05_two_node_cluster::{Post, Promise, Proposal, Replica};
use ch06_two_node_snapshot::{Node, StateMachine};
use raft_kernel::{Message, Status, Storage};

/// Chapter 6's node, which compacts its log whenever enough entries were applied.
// ANCHOR: paced
pub struct Paced<M> {
    node: Node<M>,
    /// How many entries are applied between two snapshots, at least.
    every: u64,
}

impl<M: StateMachine> Paced<M> {
    /// Lets `node` compact its log after every so many applied entries.
    ///
    /// # Errors
    /// When `every` is 0: nothing happens every 0 entries.
    pub fn new(node: Node<M>, every: u64) -> Result<Self> {
        if every == 0 {
            return Err("a log can be compacted every 1 entry or less often, not every 0".into());
        }
        Ok(Paced { node, every })
    }
    // ANCHOR_END: paced

    /// The node itself.
    pub fn node(&self) -> &Node<M> {
        &self.node
    }

    /// Ends the node, as a crash would, and leaves what it had stored.
    pub fn into_storage(self) -> raft_kernel::MemoryStorage {
        self.node.into_storage()
    }
}

impl<M: StateMachine> Replica for Paced<M> {
    type Command = M::Command;

    // ANCHOR: turn
    fn turn(&mut self, post: &mut dyn Post) -> Result<Option<Turn>> {
        let turn = self.node.turn(post)?;
        if let Some(applied) = turn.as_ref().and_then(|turn| turn.committed.last()) {
            // The last snapshot may be the leader's. It counts like one of its own.
            let snapshot = self.node.storage().snapshot()?.index;
            if applied.index - snapshot >= self.every {
                self.node.compact()?;
            }
        }
        Ok(turn)
    }
    // ANCHOR_END: turn

    fn tick(&mut self) -> Result<()> {
        self.node.tick()
    }

    fn step(&mut self, message: Message) -> Result<()> {
        self.node.step(message)
    }

    fn propose(&mut self, proposal: Proposal<M::Command>, promise: Promise) -> Result<()> {
        self.node.propose(proposal, promise)
    }

    fn status(&self) -> Status {
        self.node.status()
    }
}

impl<M: StateMachine> fmt::Display for Paced<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.node.fmt(f)
    }
}
