//! The messages that nodes exchange: figure 2 of the paper and what later chapters
//! of the dissertation add to it.

use bytes::Bytes;

use crate::entry::{Entries, Payload};
use crate::state::Snapshot;
use crate::{Index, NodeId, Term};

/// A message from one node to another.
///
/// The engine makes them and takes them; how they travel is the caller's business.
/// They may be lost, delayed, duplicated and reordered.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Message {
    /// The sender.
    pub from: NodeId,
    /// The node that it is for.
    pub to: NodeId,
    /// The sender's term; for a pre-vote, the term that it would begin. Zero in a
    /// request that a follower forwards ([`MessageBody::Propose`] and
    /// [`MessageBody::ReadIndex`]), which says nothing about terms.
    pub term: Term,
    /// What it says.
    pub body: MessageBody,
}

/// What a [`Message`] says. The names are those of the protocol.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum MessageBody {
    /// A candidate asks for a vote (paper, section 5.2).
    RequestVote {
        /// The index of the candidate's last entry.
        last_index: Index,
        /// The term of that entry.
        last_term: Term,
        /// Whether a leader told the candidate to stand (dissertation, section 3.10), so
        /// that a voter does not refuse for the sake of that leader.
        transfer: bool,
    },
    /// The answer to [`MessageBody::RequestVote`].
    RequestVoteResponse {
        /// Whether the vote was given.
        granted: bool,
    },
    /// A node asks whether it would get a vote (dissertation, section 9.6).
    RequestPreVote {
        /// The index of the node's last entry.
        last_index: Index,
        /// The term of that entry.
        last_term: Term,
    },
    /// The answer to [`MessageBody::RequestPreVote`].
    RequestPreVoteResponse {
        /// Whether the vote would be given.
        granted: bool,
    },
    /// A leader replicates entries, or probes where a follower's log ends, or tells it
    /// what is committed (paper, section 5.3).
    AppendEntries {
        /// The index of the entry before `entries`.
        prev_index: Index,
        /// The term of that entry.
        prev_term: Term,
        /// The leader's commit index.
        commit: Index,
        /// Consecutive entries from `prev_index + 1` on; may be empty.
        entries: Entries,
    },
    /// The answer to [`MessageBody::AppendEntries`] and to [`MessageBody::InstallSnapshot`].
    AppendEntriesResponse(AppendOutcome),
    /// A leader says that it is there (paper, section 5.2).
    Heartbeat {
        /// What the leader knows to be committed, no further than what it knows this
        /// follower to hold.
        commit: Index,
        /// The newest read that waits for this heartbeat's answer (dissertation, section 6.4).
        read: Option<ReadId>,
    },
    /// The answer to [`MessageBody::Heartbeat`].
    HeartbeatResponse {
        /// The read that the heartbeat named.
        read: Option<ReadId>,
    },
    /// A leader sends a follower the state that its log no longer leads up to (paper,
    /// section 7).
    InstallSnapshot {
        /// The snapshot, whole. A transport may send it in pieces. Boxed, because
        /// it is rare and much larger than the other bodies.
        snapshot: Box<Snapshot>,
    },
    /// A leader tells a follower to stand for election at once (dissertation, section 3.10).
    TimeoutNow,
    /// A follower forwards proposals to its leader.
    Propose {
        /// What to append, in this order.
        payloads: Vec<Payload>,
    },
    /// A follower forwards the wish to move leadership to `transferee`.
    TransferLeader {
        /// The node that is to lead.
        transferee: NodeId,
    },
    /// A follower asks its leader for an index that is safe to read at (dissertation,
    /// section 6.4).
    ReadIndex {
        /// The follower's own number for the request.
        read: ReadId,
    },
    /// The answer to [`MessageBody::ReadIndex`].
    ReadIndexResponse {
        /// The number that the follower gave.
        read: ReadId,
        /// A state machine that has applied this index may answer the read.
        index: Index,
    },
}

/// What became of an [`MessageBody::AppendEntries`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum AppendOutcome {
    /// The follower's log is the leader's up to `match_index`, and that is durable.
    Accepted {
        /// The last index known to match.
        match_index: Index,
    },
    /// The follower has no entry with the index and term that the leader named.
    Rejected {
        /// The `prev_index` that did not match.
        prev_index: Index,
        /// The largest index at which the logs could match, as far as the follower can tell.
        hint_index: Index,
        /// The follower's term at `hint_index`; 0 if it has none there.
        hint_term: Term,
    },
}

/// A number that a node gives to a read request. It is unique to the node, so an
/// answer to an earlier request is never taken for an answer to a later one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ReadId(pub u64);

/// A read that may now be answered: its answer is linearizable once the state machine
/// has applied `index`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadState {
    /// The index to wait for.
    pub index: Index,
    /// What the caller gave to [`RawNode::read_index`](crate::RawNode::read_index).
    pub context: Bytes,
}

impl MessageBody {
    /// The message's name in the protocol.
    pub fn name(&self) -> &'static str {
        match self {
            MessageBody::RequestVote { .. } => "RequestVote",
            MessageBody::RequestVoteResponse { .. } => "RequestVoteResponse",
            MessageBody::RequestPreVote { .. } => "RequestPreVote",
            MessageBody::RequestPreVoteResponse { .. } => "RequestPreVoteResponse",
            MessageBody::AppendEntries { .. } => "AppendEntries",
            MessageBody::AppendEntriesResponse(_) => "AppendEntriesResponse",
            MessageBody::Heartbeat { .. } => "Heartbeat",
            MessageBody::HeartbeatResponse { .. } => "HeartbeatResponse",
            MessageBody::InstallSnapshot { .. } => "InstallSnapshot",
            MessageBody::TimeoutNow => "TimeoutNow",
            MessageBody::Propose { .. } => "Propose",
            MessageBody::TransferLeader { .. } => "TransferLeader",
            MessageBody::ReadIndex { .. } => "ReadIndex",
            MessageBody::ReadIndexResponse { .. } => "ReadIndexResponse",
        }
    }
}
