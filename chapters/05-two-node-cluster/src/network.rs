//! How a message gets from one node to another.
//!
//! The rule: sending never waits. A node that waited for a full inbox would stop
//! answering everybody else, and two that waited for each other would stand still for
//! ever. What cannot be delivered at once is dropped, and the sender is told. Raft is made
//! for networks that lose messages (section 5.1 of the paper).

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use raft_kernel::{Message, NodeId};

/// How many messages an inbox holds. A node that is so far behind gains nothing from more.
pub const INBOX: usize = 1024;

/// Takes messages to where they should go.
// ANCHOR: post
pub trait Post {
    /// Takes a message to the inbox of its destination. Never waits.
    fn send(&mut self, message: Message) -> Result<(), Undelivered>;
}
// ANCHOR_END: post

/// Why a message was dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Undelivered {
    /// No node of that id is there.
    NobodyThere(NodeId),
    /// The node has more messages waiting than it can take.
    InboxFull(NodeId),
}

impl Undelivered {
    /// Whom the message was for.
    pub fn to(self) -> NodeId {
        match self {
            Undelivered::NobodyThere(to) | Undelivered::InboxFull(to) => to,
        }
    }
}

impl fmt::Display for Undelivered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Undelivered::NobodyThere(to) => write!(f, "node {to} is not there"),
            Undelivered::InboxFull(to) => write!(f, "node {to} has its inbox full"),
        }
    }
}

/// Every node's inbox, by its id. Whoever has a clone can send to all of them.
// ANCHOR: network
#[derive(Clone, Debug, Default)]
pub struct Network {
    inboxes: Arc<RwLock<BTreeMap<NodeId, Sender<Message>>>>,
}

impl Network {
    /// Opens an inbox for the node `id`. An earlier one of that id is closed.
    pub fn open(&self, id: NodeId) -> Receiver<Message> {
        let (sender, inbox) = bounded(INBOX);
        let mut inboxes = self.inboxes.write().unwrap_or_else(PoisonError::into_inner);
        inboxes.insert(id, sender);
        inbox
    }

    /// Closes the inbox of the node `id`.
    pub fn close(&self, id: NodeId) {
        let mut inboxes = self.inboxes.write().unwrap_or_else(PoisonError::into_inner);
        inboxes.remove(&id);
    }
}

// ANCHOR: deliver
impl Post for Network {
    fn send(&mut self, message: Message) -> Result<(), Undelivered> {
        let to = message.to;
        let inboxes = self.inboxes.read().unwrap_or_else(PoisonError::into_inner);
        let inbox = inboxes.get(&to).ok_or(Undelivered::NobodyThere(to))?;
        inbox.try_send(message).map_err(|error| match error {
            TrySendError::Full(_) => Undelivered::InboxFull(to),
            TrySendError::Disconnected(_) => Undelivered::NobodyThere(to),
        })
    }
}
// ANCHOR_END: deliver
// ANCHOR_END: network

#[cfg(test)]
mod tests {
    use super::*;
    use raft_kernel::MessageBody;

    fn message(to: NodeId) -> Message {
        Message {
            from: 1,
            to,
            term: 1,
            body: MessageBody::TimeoutNow,
        }
    }

    #[test]
    fn a_message_arrives_where_it_is_sent_to_and_nowhere_else() {
        let mut network = Network::default();
        let (two, three) = (network.open(2), network.open(3));
        network.send(message(2)).expect("node 2 is there");
        assert_eq!(two.try_recv(), Ok(message(2)));
        assert!(three.try_recv().is_err());
    }

    #[test]
    fn a_message_to_nobody_is_dropped_and_the_sender_is_told() {
        let mut network = Network::default();
        assert_eq!(network.send(message(2)), Err(Undelivered::NobodyThere(2)));
        let inbox = network.open(2);
        drop(inbox);
        assert_eq!(network.send(message(2)), Err(Undelivered::NobodyThere(2)));
    }

    #[test]
    fn a_full_inbox_takes_no_more_and_nobody_waits() {
        let mut network = Network::default();
        let inbox = network.open(2);
        for _ in 0..INBOX {
            network.send(message(2)).expect("there is room");
        }
        assert_eq!(network.send(message(2)), Err(Undelivered::InboxFull(2)));
        assert_eq!(inbox.len(), INBOX);
    }

    #[test]
    fn a_closed_inbox_says_so_to_who_reads_it() {
        let network = Network::default();
        let inbox = network.open(2);
        network.close(2);
        assert!(inbox.recv().is_err(), "nothing will come any more");
    }
}
