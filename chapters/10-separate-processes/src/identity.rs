//! Who a node is: its number, its cluster, and which life of it this is.

use std::fmt;

use raft_kernel::NodeId;
use serde::{Deserialize, Serialize};

/// The smallest node id; the engine keeps 0 for "nobody".
pub const MIN_ID: NodeId = 1;

/// The largest node id: a node proposes `1 << id` when it joins, and that must fit into a
/// command, with room for the sum of all of them.
pub const MAX_ID: NodeId = 62;

/// A cluster's number, drawn at random when it is founded. Nodes of different clusters
/// refuse each other, whatever addresses they are given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ClusterId(pub u64);

impl ClusterId {
    /// A new one.
    pub fn random() -> Self {
        ClusterId(rand::random())
    }
}

impl fmt::Display for ClusterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// The number of a node's life, drawn at random when it starts without any memory.
///
/// A node that comes back without its memory has forgotten its votes, so it must not pass
/// for the one that gave them. The id is the same then, and perhaps the address; this is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Incarnation(pub u64);

impl Incarnation {
    /// A new one.
    pub fn random() -> Self {
        Incarnation(rand::random())
    }
}

/// All that a node must know about itself to take part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Its number.
    pub id: NodeId,
    /// The cluster that it belongs to.
    pub cluster: ClusterId,
    /// Which life of it this is.
    pub incarnation: Incarnation,
}
