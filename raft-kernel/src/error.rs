//! What can go wrong, in words that say what to do.

use std::fmt;

use crate::conf_change::ConfChangeError;
use crate::entry::Payload;
use crate::message::Message;
use crate::{Index, NodeId};

/// What the engine answers instead of doing what it was asked.
///
/// Unless [`Error::is_fatal`] says otherwise, the node goes on as if the call had not
/// been made.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// A setting is impossible; the text says which and why.
    InvalidConfig(String),
    /// The proposal was not taken. Nothing of it is in any log; it may be made again.
    ProposalDropped {
        /// Why.
        reason: DropReason,
        /// What was proposed, given back.
        payloads: Vec<Payload>,
    },
    /// A read, or the wish to move leadership, was not taken; it may be asked again.
    RequestDropped(DropReason),
    /// A message answers as a node that takes no part in the configuration.
    UnknownPeer(NodeId),
    /// A message that no node following the protocol sends, or none to this node.
    InvalidMessage {
        /// What is wrong with it.
        why: &'static str,
        /// The sender that it names.
        from: NodeId,
        /// Its name in the protocol.
        message: &'static str,
    },
    /// A leader says that entries are committed which this node does not have, although
    /// it acknowledged them once: its storage has lost its end. Replace the node.
    LostEntries {
        /// What the leader says is committed.
        committed: Index,
        /// Where this node's log ends.
        last_index: Index,
    },
    /// The configuration change cannot be applied.
    ConfChange(ConfChangeError),
    /// A node that has a log or a term already cannot found a cluster.
    AlreadyBootstrapped,
    /// A [`Ready`](crate::Ready) is still to be advanced; see
    /// [`StorageWrites::Synchronous`](crate::StorageWrites::Synchronous).
    NotAdvanced,
    /// What was acknowledged was handed out by that other node.
    ForeignAcknowledgement(NodeId),
    /// The node cannot move leadership to that node.
    CannotTransfer(NodeId),
    /// The storage failed, or contradicts what was written to it. The node has stopped.
    Storage(Box<dyn std::error::Error + Send + Sync>),
    /// An invariant of the engine broke: a bug, or two nodes' disks mixed up. The node
    /// has stopped before it could do harm.
    Invariant(&'static str),
    /// The node stopped earlier; the text says why.
    Stopped(String),
}

impl Error {
    /// Whether the node has stopped for good and must be made anew from its storage.
    pub fn is_fatal(&self) -> bool {
        matches!(
            self,
            Error::Storage(_) | Error::Invariant(_) | Error::Stopped(_)
        )
    }

    pub(crate) fn invalid(why: &'static str, message: &Message) -> Self {
        Error::InvalidMessage {
            why,
            from: message.from,
            message: message.body.name(),
        }
    }
}

/// Why a proposal or a read was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DropReason {
    /// The node leads nobody and knows no leader. Wait for an election.
    NoLeader,
    /// The leader is no member of the configuration any more.
    NotAMember,
    /// Leadership is being moved to another node. Ask that one.
    TransferInProgress,
    /// Too many bytes wait to be committed. Wait until some are.
    TooMuchUncommitted,
    /// The node does not lead and was told not to forward.
    NotForwarding,
    /// Too many reads wait already. Wait until some are answered.
    TooManyReads,
    /// There was nothing in the proposal.
    Nothing,
    /// The log can hold no more entries, or the term is the last one that can be counted.
    Exhausted,
}

impl fmt::Display for DropReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            DropReason::NoLeader => "there is no leader yet",
            DropReason::NotAMember => "this leader has been removed from the cluster",
            DropReason::TransferInProgress => "leadership is being transferred",
            DropReason::TooMuchUncommitted => "too many bytes wait to be committed",
            DropReason::NotForwarding => "this node is not the leader and does not forward",
            DropReason::TooManyReads => "too many reads wait for an answer",
            DropReason::Nothing => "it is empty",
            DropReason::Exhausted => "the log or the term can grow no further",
        })
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::InvalidConfig(what) => write!(f, "invalid configuration: {what}"),
            Error::ProposalDropped { reason, .. } => write!(f, "proposal dropped: {reason}"),
            Error::RequestDropped(reason) => write!(f, "request dropped: {reason}"),
            Error::UnknownPeer(id) => {
                write!(
                    f,
                    "node {id} is not in the configuration; its message is ignored"
                )
            }
            Error::InvalidMessage { why, from, message } => {
                write!(f, "invalid {message} from node {from}: {why}")
            }
            Error::LostEntries {
                committed,
                last_index,
            } => write!(
                f,
                "the leader has committed up to index {committed}, but this node's log ends at \
                 {last_index}: its storage has lost entries that it acknowledged"
            ),
            Error::ConfChange(error) => error.fmt(f),
            Error::AlreadyBootstrapped => {
                f.write_str("this node has state already; only a node without any can bootstrap")
            }
            Error::NotAdvanced => {
                f.write_str("the last Ready must be advanced before the next can be taken")
            }
            Error::ForeignAcknowledgement(id) => {
                write!(
                    f,
                    "what is acknowledged was handed out by node {id}, not by this one"
                )
            }
            Error::CannotTransfer(id) => {
                write!(f, "leadership cannot move to node {id}: it is not a voter")
            }
            Error::Storage(error) => write!(f, "storage: {error}"),
            Error::Invariant(what) => write!(f, "broken invariant: {what}"),
            Error::Stopped(why) => write!(f, "the node has stopped: {why}"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Storage(error) => Some(error.as_ref()),
            Error::ConfChange(error) => Some(error),
            _ => None,
        }
    }
}

impl From<ConfChangeError> for Error {
    fn from(error: ConfChangeError) -> Self {
        Error::ConfChange(error)
    }
}
