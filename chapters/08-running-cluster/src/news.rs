//! What is worth telling of a run, in words.

use std::fmt;

use ch05_two_node_cluster::narration::told_message;
use raft_kernel::{Index, Message, NodeId, Term};

use crate::{Cut, Fate};

/// Something that happened.
#[derive(Clone, Debug)]
pub enum News {
    /// A node was elected.
    Elected(NodeId, Term),
    /// Some nodes can no longer reach each other.
    CutOff(Cut),
    /// All nodes can reach each other again.
    Healed,
    /// A node stopped.
    Stopped(NodeId),
    /// A node started again.
    Started(NodeId),
    /// A node took a snapshot in the place of its log.
    Installed(NodeId, Index),
    /// A number was in a log, and another entry took its place.
    Replaced(u64, NodeId),
    /// Nobody can tell what became of a number.
    Unknown(u64, NodeId),
    /// The weather is calm from now on.
    Calm,
    /// A message was sent.
    Message(Message, Fate),
}

impl fmt::Display for News {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            News::Elected(id, term) => write!(f, "node {id} leads term {term}"),
            News::CutOff(cut) => cut.fmt(f),
            News::Healed => f.write_str("all ways are open again"),
            News::Stopped(id) => write!(f, "node {id} stops"),
            News::Started(id) => write!(f, "node {id} starts again"),
            News::Installed(id, index) => {
                write!(f, "node {id} installs a snapshot of entries 1 to {index}")
            }
            News::Replaced(number, id) => write!(
                f,
                "{number} has lost its place in node {id}'s log, and is proposed again"
            ),
            News::Unknown(number, id) => {
                write!(f, "node {id} will never say what became of {number}")
            }
            News::Calm => f.write_str("the weather calms down: nothing goes wrong any more"),
            News::Message(message, fate) => write!(f, "  {}{fate}", told_message(message)),
        }
    }
}
