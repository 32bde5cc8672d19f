//! What the simulation needs to know of a node.

use ch01_single_node_cluster::Result;
use ch05_two_node_cluster::Replica;
use ch06_two_node_snapshot::Node;
use ch07_detour_change_state_machine::{Paced, Sum};
use raft_kernel::{MemoryStorage, NodeId};

/// A node that adds numbers, can be stopped, and starts again from what it had stored.
///
/// There is one such node, chapter 7's. The tests have others, which are broken: the
/// simulation has to find out how.
// ANCHOR: simulated
pub trait Simulated: Replica<Command = u64> + Sized {
    /// Founds a cluster of these voters, itself among them. The node compacts its log
    /// after every `pace` entries.
    fn found(id: NodeId, voters: &[NodeId], seed: u64, pace: u64) -> Result<Self>;
    /// Goes on from what an earlier run has stored.
    fn start(id: NodeId, seed: u64, pace: u64, storage: MemoryStorage) -> Result<Self>;
    /// What the node remembers.
    fn storage(&self) -> &MemoryStorage;
    /// What its numbers add up to.
    fn total(&self) -> u64;
    /// Ends the node, as a crash would, and leaves what it had stored.
    fn stop(self) -> MemoryStorage;
}

impl Simulated for Paced<Sum> {
    fn found(id: NodeId, voters: &[NodeId], seed: u64, pace: u64) -> Result<Self> {
        Paced::new(Node::found(id, voters, seed)?, pace)
    }

    fn start(id: NodeId, seed: u64, pace: u64, storage: MemoryStorage) -> Result<Self> {
        Paced::new(Node::start(id, seed, storage)?, pace)
    }
    // ANCHOR_END: simulated

    fn storage(&self) -> &MemoryStorage {
        self.node().storage()
    }

    fn total(&self) -> u64 {
        self.node().machine().total()
    }

    fn stop(self) -> MemoryStorage {
        self.into_storage()
    }
}
