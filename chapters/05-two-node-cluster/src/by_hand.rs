//! A cluster driven by hand: one thread, one message at a time, no clock.
//!
//! What a node does depends on what it is given and on nothing else. So the exchange of
//! messages that threads carry out in microseconds, and never twice at quite the same
//! moments, can be watched here step by step, the same in every run.

use std::collections::{BTreeMap, VecDeque};

use ch01_single_node_cluster::Result;
use raft_kernel::{Message, NodeId};

use crate::{Post, Proposal, Replica, Ticket, Undelivered};

/// Nodes, and the messages that are on their way between them.
// ANCHOR: by_hand
#[derive(Debug)]
pub struct ByHand<N> {
    nodes: BTreeMap<NodeId, N>,
    on_the_way: VecDeque<Message>,
}

/// Puts messages at the end of a queue, if there is somebody to take them.
struct Queue<'a> {
    nodes: &'a [NodeId],
    on_the_way: &'a mut VecDeque<Message>,
}

impl Post for Queue<'_> {
    fn send(&mut self, message: Message) -> std::result::Result<(), Undelivered> {
        if !self.nodes.contains(&message.to) {
            return Err(Undelivered::NobodyThere(message.to));
        }
        self.on_the_way.push_back(message);
        Ok(())
    }
}
// ANCHOR_END: by_hand

impl<N: Replica> Default for ByHand<N> {
    fn default() -> Self {
        ByHand {
            nodes: BTreeMap::new(),
            on_the_way: VecDeque::new(),
        }
    }
}

impl<N: Replica> ByHand<N> {
    /// Adds a node, or puts it in the place of the one with its id.
    pub fn add(&mut self, node: N) {
        self.nodes.insert(node.status().id, node);
    }

    /// Takes the node `id` out, if it is there. What is on its way to it is lost.
    pub fn remove(&mut self, id: NodeId) -> Option<N> {
        self.on_the_way.retain(|message| message.to != id);
        self.nodes.remove(&id)
    }

    /// The node `id`.
    ///
    /// # Panics
    /// When there is none: whoever asks has added it.
    pub fn node(&mut self, id: NodeId) -> &mut N {
        self.nodes.get_mut(&id).expect("a node that was added")
    }

    /// Lets one unit of time pass for the node `id`.
    pub fn tick(&mut self, id: NodeId) -> Result<()> {
        self.node(id).tick()
    }

    /// Proposes to the node `id`.
    pub fn propose(&mut self, id: NodeId, proposal: Proposal<N::Command>) -> Result<Ticket> {
        let (promise, ticket) = Ticket::new();
        self.node(id).propose(proposal, promise)?;
        Ok(ticket)
    }

    /// Turns every node's loop until none has anything to do. What they send is on its
    /// way then, and has not arrived.
    pub fn turn(&mut self) -> Result<()> {
        let ids: Vec<NodeId> = self.nodes.keys().copied().collect();
        for node in self.nodes.values_mut() {
            let mut queue = Queue {
                nodes: &ids,
                on_the_way: &mut self.on_the_way,
            };
            while node.turn(&mut queue)?.is_some() {}
        }
        Ok(())
    }

    /// Takes the message that has been on its way for longest. To lose it, drop it.
    pub fn next_message(&mut self) -> Result<Option<Message>> {
        self.turn()?;
        Ok(self.on_the_way.pop_front())
    }

    /// Hands a message to its destination. If it is not there any more, the message is
    /// lost.
    pub fn deliver(&mut self, message: Message) -> Result<()> {
        match self.nodes.get_mut(&message.to) {
            Some(node) => node.step(message),
            None => Ok(()),
        }
    }

    /// Delivers messages until there are none, and shows each to `watch` before.
    pub fn settle(&mut self, mut watch: impl FnMut(&Message) -> Result<()>) -> Result<()> {
        while let Some(message) = self.next_message()? {
            watch(&message)?;
            self.deliver(message)?;
        }
        Ok(())
    }
}
