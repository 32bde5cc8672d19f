//! What nodes say to each other over a connection.
//!
//! A connection begins with a [`Hello`] and the answer to it. After that, the one who
//! connected sends [`Frame`]s, and the other side answers on the same connection what belongs
//! to the connection itself: pings, pieces of a snapshot, requests to join.

use std::collections::BTreeSet;

use bytes::Bytes;
use raft_kernel::{ConfChange, Index, Message, NodeId, Term};
use serde::{Deserialize, Serialize};

use crate::address::Address;
use crate::identity::{ClusterId, Incarnation};
use crate::machine::Peer;
use crate::outcome::Refusal;

/// The first bytes of every connection: whoever sends others speaks another protocol.
pub const MAGIC: [u8; 4] = *b"RSR1";

/// The version of the frames. Changes whenever one of them does.
pub const VERSION: u16 = 1;

/// The first frame of a connection. [`MAGIC`] and [`VERSION`] stand before it, so that they
/// can be read whatever the rest has become.
// ANCHOR: hello
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// The cluster of the node that connects; none for one that wants to join.
    pub cluster: Option<ClusterId>,
    /// The node that connects.
    pub from: NodeId,
    /// The node that it means to reach.
    pub to: NodeId,
}

/// What the other side says to a [`Hello`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum HelloAnswer {
    /// Go on.
    Welcome,
    /// The connection ends here; this is why.
    Refused(String),
}
// ANCHOR_END: hello

/// Everything that follows the hello.
// ANCHOR: frame
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Frame {
    /// A message of the engine, from the one who connected.
    Raft(Message),
    /// A message for a third node, whose address the sender does not know.
    Relay(Message),
    /// Asks the leader to propose something.
    Propose {
        /// The asking node's number for the request.
        request: u64,
        /// What to propose, in this order.
        proposals: Vec<Proposal>,
    },
    /// The answer to [`Frame::Propose`], on the answering node's own connection.
    Proposed {
        /// The number of the request.
        request: u64,
        /// For each proposal its place in the leader's log, or why it has none.
        places: Vec<Result<Place, Refusal>>,
    },
    /// Asks for a place in the cluster.
    Join(JoinRequest),
    /// The answer to [`Frame::Join`].
    JoinAnswer(JoinAnswer),
    /// Is anybody there?
    Ping,
    /// Yes.
    Pong,
    /// A snapshot, in pieces.
    Snapshot(SnapshotFrame),
    /// Where the one who connected can be reached, and who it is. Without this, whoever has
    /// moved could be heard and not be answered.
    Here(Peer),
    /// Asks who the members are.
    Members,
    /// The answer to [`Frame::Members`].
    MembersAre(Members),
}
// ANCHOR_END: frame

/// What a client wants in the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Proposal {
    /// A command for the state machine.
    Command(Bytes),
    /// A change of the configuration.
    Change(ConfChange),
}

impl Proposal {
    /// Its size in bytes, as the limits of this crate count it.
    pub fn len(&self) -> usize {
        match self {
            Proposal::Command(bytes) => bytes.len(),
            Proposal::Change(change) => change.context.len() + 16 * change.changes.len(),
        }
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A place in the log. Two entries with the same term and index are the same entry (the Log
/// Matching Property), so this is all that is needed to recognise one's own proposal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The leader's term.
    pub term: Term,
    /// The entry's index.
    pub index: Index,
}

/// What a node says about itself that wants to join.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JoinRequest {
    /// Its number.
    pub id: NodeId,
    /// Where it can be reached.
    pub address: Address,
    /// Which life of it this is.
    pub incarnation: Incarnation,
    /// Whether a member passed this on. It is not passed on again.
    pub forwarded: bool,
}

/// What becomes of a [`JoinRequest`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum JoinAnswer {
    /// The node is a member of this cluster now.
    Welcome(ClusterId),
    /// Not now, for this reason; ask again.
    Later(String),
    /// Never, for this reason.
    Refused(String),
}

/// The members of the cluster, as one of them sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Members {
    /// How far that one has applied the log: what comes later it does not know.
    pub applied: Index,
    /// Their numbers.
    pub ids: BTreeSet<NodeId>,
}

/// A snapshot's way: it begins, its pieces follow, each is acknowledged.
// ANCHOR: snapshot_frames
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum SnapshotFrame {
    /// A snapshot of so many bytes follows.
    Begin {
        /// The sender's number for it.
        transfer: u64,
        /// The message that carries it, without its data.
        message: Message,
        /// The length of the data.
        length: u64,
    },
    /// The next piece.
    Piece {
        /// Of which snapshot.
        transfer: u64,
        /// The bytes.
        data: Bytes,
    },
    /// So much has arrived; with all of it, the snapshot was handed to the engine.
    Arrived {
        /// Of which snapshot.
        transfer: u64,
        /// How many bytes.
        length: u64,
    },
    /// No more of it, please.
    Refused {
        /// Of which snapshot.
        transfer: u64,
        /// Why.
        why: String,
    },
}
// ANCHOR_END: snapshot_frames
