//! What becomes of a proposal, in words that do not promise too much.
//!
//! The rule it keeps: "not committed" is said only where it is certain. Where it is not, the
//! answer is [`Outcome::Unknown`], and nobody proposes again by itself: twice would be wrong.

use std::fmt;

use raft_kernel::{DropReason, Error, Index, NodeId, Term};
use serde::{Deserialize, Serialize};

/// The end of a proposal's story, as far as this node can tell.
// ANCHOR: outcome
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Committed, and applied by this node.
    Applied {
        /// The entry's index.
        index: Index,
        /// Its term.
        term: Term,
        /// The sum after it.
        sum: u128,
    },
    /// Committed, and it changes nothing on any node.
    WithoutEffect {
        /// The entry's index.
        index: Index,
        /// Why.
        why: String,
    },
    /// Not committed, now or ever. It may be proposed again.
    NotCommitted(Refusal),
    /// Nobody here knows. It may be committed already, or later, or never.
    Unknown(Doubt),
}
// ANCHOR_END: outcome

/// Why a proposal was not committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Refusal {
    /// There is no leader yet.
    NoLeader,
    /// The node that was asked does not lead any more.
    NotTheLeader(NodeId),
    /// The leader could not be reached: nothing was sent.
    Unreachable(NodeId),
    /// Another leader's entry took its place in the log.
    Overwritten,
    /// Too much waits to be committed already.
    TooMuchWaiting,
    /// It is larger than a proposal may be.
    TooLarge,
    /// The leader takes nothing at the moment: it moves its leadership, or was removed.
    NotNow,
    /// It is no member that asks.
    NotAMember,
    /// The node has stopped.
    Stopped,
    /// The node waits to be let in, or to find the others again.
    NotJoined,
}

impl Refusal {
    /// Whether the same proposal may be taken a moment later.
    pub fn will_pass(self) -> bool {
        !matches!(self, Refusal::TooLarge | Refusal::Stopped)
    }
}

/// Why nobody knows what became of a proposal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// The connection to the leader was lost after it was sent.
    ConnectionLost(NodeId),
    /// No answer came in time.
    NoAnswer,
    /// A snapshot took the place of the entries among which it may be.
    Snapshot,
    /// The node stopped before an answer came.
    Stopped,
}

impl From<&Error> for Refusal {
    fn from(error: &Error) -> Self {
        match error {
            Error::ProposalDropped { reason, .. } => match reason {
                DropReason::NoLeader | DropReason::NotForwarding => Refusal::NoLeader,
                DropReason::TooMuchUncommitted => Refusal::TooMuchWaiting,
                _ => Refusal::NotNow,
            },
            _ => Refusal::Stopped,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::NoLeader => f.write_str("there is no leader"),
            Refusal::NotTheLeader(id) => write!(f, "node {id} does not lead any more"),
            Refusal::Unreachable(id) => write!(f, "the leader, node {id}, cannot be reached"),
            Refusal::Overwritten => f.write_str("another leader's entry took its place in the log"),
            Refusal::TooMuchWaiting => f.write_str("too many proposals wait to be committed"),
            Refusal::TooLarge => f.write_str("it is too large"),
            Refusal::NotNow => f.write_str("the leader takes no proposals at the moment"),
            Refusal::NotAMember => f.write_str("this node is no member of the cluster"),
            Refusal::Stopped => f.write_str("the node has stopped"),
            Refusal::NotJoined => f.write_str("this node has not found its cluster yet"),
        }
    }
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Doubt::ConnectionLost(id) => {
                write!(f, "the connection to the leader, node {id}, was lost")
            }
            Doubt::NoAnswer => f.write_str("no answer came in time"),
            Doubt::Snapshot => f.write_str("a snapshot took the place of its entry"),
            Doubt::Stopped => f.write_str("the node stopped"),
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Outcome::Applied { index, sum, .. } => {
                write!(f, "applied at index {index}, the sum is {sum}")
            }
            Outcome::WithoutEffect { index, why } => {
                write!(f, "committed at index {index} without effect: {why}")
            }
            Outcome::NotCommitted(why) => write!(f, "not committed: {why}"),
            Outcome::Unknown(why) => {
                write!(f, "unknown: {why}; it may or may not be committed")
            }
        }
    }
}
