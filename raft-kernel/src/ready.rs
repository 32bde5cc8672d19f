//! What a node wants done: one turn of the loop that this crate is about.
//!
//! The caller takes a [`Ready`], writes what is to be written, sends what is to be
//! sent, applies what is committed, and says that it is done. The order is the
//! protocol: *persist, then send, then apply*.

use crate::entry::{Entries, EntryId};
use crate::message::{Message, ReadState};
use crate::state::{HardState, Snapshot, SoftState};
use crate::{Index, NodeId, Term};

/// What a node wants done. Nothing in it changes after it was handed out.
///
/// A synchronous caller does all of it in this order and then calls
/// [`RawNode::advance`](crate::RawNode::advance):
///
/// 1. write [`append`](Ready::append): the snapshot, the entries and the hard state;
/// 2. send what [`take_messages`](Ready::take_messages) gives;
/// 3. apply the entries of [`apply`](Ready::apply).
///
/// An asynchronous caller sends [`messages`](Ready::messages) at once, hands `append`
/// and `apply` each to a thread, and takes the next `Ready` meanwhile; see
/// [`StorageWrites::Asynchronous`](crate::StorageWrites::Asynchronous).
#[derive(Debug)]
#[must_use = "what a Ready asks for must be done, and then be acknowledged"]
pub struct Ready {
    /// The leader and the role, where they changed. For information; nothing needs to be
    /// done about it.
    pub soft_state: Option<SoftState>,
    /// Reads that may be answered once their index is applied.
    pub read_states: Vec<ReadState>,
    /// Messages that promise nothing. While writes are asynchronous they may go at once,
    /// before the write too (section 10.2.1 of the dissertation). A synchronous caller sends
    /// them after it, with [`take_messages`](Ready::take_messages): a candidate may speak of
    /// entries that are only now being written.
    pub messages: Vec<Message>,
    /// What is to be written to storage.
    pub append: AppendWork,
    /// What is to be applied to the state machine.
    pub apply: ApplyWork,
}

impl Ready {
    /// Every message that is to be sent to other nodes, those that wait for the write
    /// among them: call it after the write.
    pub fn take_messages(&mut self) -> impl Iterator<Item = Message> {
        self.messages
            .drain(..)
            .chain(self.append.messages().cloned())
    }

    /// Moves what [`take_messages`](Ready::take_messages) would give to the end of `outbox`.
    /// Whoever gathers messages in a list does so faster this way: whole lists are moved.
    pub fn move_messages(&mut self, outbox: &mut Vec<Message>) {
        outbox.append(&mut self.messages);
        let (node, responses) = (self.append.node, &mut self.append.responses);
        if responses.iter().all(|message| message.to != node) {
            outbox.append(responses);
        } else {
            outbox.extend(responses.extract_if(.., |message| message.to != node));
        }
    }
}

/// What is to be written to storage, and the promises that depend on it.
///
/// In storage that survives a crash: the snapshot first if there is one, since it
/// replaces the log, then the entries, then the hard state; all of it durable, where
/// [`must_sync`](AppendWork::must_sync) is set, before any of
/// [`messages`](AppendWork::messages) goes out.
#[derive(Debug)]
#[must_use = "what it asks for must be written, and then be acknowledged"]
pub struct AppendWork {
    /// A snapshot that takes the place of the whole log. Boxed, because it is rare and
    /// much larger than the rest of a `Ready`.
    pub snapshot: Option<Box<Snapshot>>,
    /// Entries to append. The first may replace one that is stored; then all that
    /// follow it go too.
    pub entries: Entries,
    /// The promises, where they changed.
    pub hard_state: Option<HardState>,
    /// Whether the write must reach the disk before anything depends on it. If not, only
    /// the commit index changed: it is to be written all the same, but a crash may take it
    /// away.
    pub must_sync: bool,
    pub(crate) responses: Vec<Message>,
    pub(crate) node: NodeId,
    pub(crate) term: Term,
    pub(crate) last: Option<EntryId>,
}

impl AppendWork {
    /// Whether there is nothing to write, to send or to acknowledge.
    pub fn is_empty(&self) -> bool {
        self.snapshot.is_none()
            && self.entries.is_empty()
            && self.hard_state.is_none()
            && self.responses.is_empty()
            && self.last.is_none()
    }

    /// Everything that waits for the write, in order: messages to other nodes, and those
    /// of the node to itself, which [`done`](AppendWork::done) takes care of.
    pub fn responses(&self) -> &[Message] {
        &self.responses
    }

    /// The index and term of the last entry that the acknowledgement will vouch for.
    pub fn last_entry(&self) -> Option<(Index, Term)> {
        self.last.map(|last| (last.index, last.term))
    }

    /// The node's term when the work was handed out.
    pub fn term(&self) -> Term {
        self.term
    }

    /// The messages to other nodes that may go once the write is durable.
    pub fn messages(&self) -> impl Iterator<Item = &Message> {
        self.responses
            .iter()
            .filter(|message| message.to != self.node)
    }

    /// The write is durable. Hand the result to
    /// [`RawNode::appended`](crate::RawNode::appended), in the order of the works.
    pub fn done(mut self) -> AppendAck {
        self.acknowledge()
    }

    /// The same without moving the work, which is large.
    pub(crate) fn acknowledge(&mut self) -> AppendAck {
        let mut to_self = std::mem::take(&mut self.responses);
        to_self.retain(|message| message.to == self.node);
        AppendAck {
            node: self.node,
            term: self.term,
            to_self,
            last: self.last,
            snapshot: self.snapshot.as_ref().map(|snapshot| snapshot.index),
        }
    }
}

/// Says that an [`AppendWork`] is done.
#[derive(Debug)]
#[must_use = "a node that is not told of a write waits for it"]
pub struct AppendAck {
    pub(crate) node: NodeId,
    pub(crate) term: Term,
    /// The node's votes for itself and its acknowledgements of its own entries.
    pub(crate) to_self: Vec<Message>,
    /// The last entry of the log when the work was handed out. All up to it was handed
    /// out by then, so all of it is stored by now; unless something else took its place.
    pub(crate) last: Option<EntryId>,
    pub(crate) snapshot: Option<Index>,
}

impl AppendAck {
    /// The same in pieces, to be acknowledged in this order: first each message of the
    /// node to itself, then the write. For a caller that keeps them in one queue with
    /// the messages of other nodes, and for tests that print them.
    pub fn into_parts(mut self) -> Vec<AppendAck> {
        let to_self = std::mem::take(&mut self.to_self);
        let (node, term) = (self.node, self.term);
        let mut parts: Vec<AppendAck> = to_self
            .into_iter()
            .map(|message| AppendAck {
                node,
                term,
                to_self: vec![message],
                last: None,
                snapshot: None,
            })
            .collect();
        if self.last.is_some() || self.snapshot.is_some() {
            parts.push(self);
        }
        parts
    }

    /// The messages of the node to itself: its votes for itself, its acknowledgements of
    /// its own entries.
    pub fn to_self(&self) -> &[Message] {
        &self.to_self
    }

    /// The index and term of the last entry that this vouches for, if for any.
    pub fn last_entry(&self) -> Option<(Index, Term)> {
        self.last.map(|last| (last.index, last.term))
    }

    /// The index of the snapshot that this vouches for, if for any.
    pub fn snapshot_index(&self) -> Option<Index> {
        self.snapshot
    }

    /// The node's term when the write was handed out.
    pub fn term(&self) -> Term {
        self.term
    }
}

/// Committed entries to be applied, in order.
#[derive(Debug)]
#[must_use = "committed entries must be applied, and then be acknowledged"]
pub struct ApplyWork {
    /// The entries. Each is handed out once in the life of a [`RawNode`](crate::RawNode).
    pub entries: Entries,
    pub(crate) node: NodeId,
    /// The size of the entries, and of their payloads alone, in bytes.
    pub(crate) bytes: u64,
    pub(crate) payload_bytes: u64,
}

impl ApplyWork {
    /// Whether there is nothing to apply.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The entries are applied. Hand the result to
    /// [`RawNode::applied`](crate::RawNode::applied), in the order of the works.
    pub fn done(self) -> ApplyAck {
        self.acknowledge()
    }

    /// The same without moving the work, which is large.
    pub(crate) fn acknowledge(&self) -> ApplyAck {
        ApplyAck {
            node: self.node,
            index: self.entries.last().map(|entry| entry.index),
            bytes: self.bytes,
            payload_bytes: self.payload_bytes,
        }
    }
}

/// Says that an [`ApplyWork`] is done.
#[derive(Debug)]
#[must_use = "a node that is not told of what was applied waits for it"]
pub struct ApplyAck {
    pub(crate) node: NodeId,
    pub(crate) index: Option<Index>,
    pub(crate) bytes: u64,
    pub(crate) payload_bytes: u64,
}
