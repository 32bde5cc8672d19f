//! A cluster driven by hand: one thread, one message at a time, no clock.
//!
//! What a node does depends on what it is given and on nothing else. So the exchange of
//! messages that threads carry out in microseconds, and never twice at quite the same
//! moments, can be watched here step by step, the same in every run.

use std::collections::{BTreeMap, VecDeque};

use ch01_single_node_cluster::Result;
use raft_kernel::{Message, NodeId};

use crate::{Post, Proposal, Replica, Ticket, Undelivered};

/// How many messages [`ByHand::settle`] delivers at most. Without a tick, nodes have an
/// end long before; those that answer each other for ever are broken.
pub const ENOUGH: usize = 100_000;

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

    /// The messages that are on their way, in the order in which they arrive.
    pub fn on_the_way(&self) -> impl ExactSizeIterator<Item = &Message> {
        self.on_the_way.iter()
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
    ///
    /// # Errors
    /// What `watch` or a node fails with; and when there are more than [`ENOUGH`], with
    /// how each node stands.
    pub fn settle(&mut self, mut watch: impl FnMut(&Message) -> Result<()>) -> Result<()> {
        let mut delivered = 0;
        while let Some(message) = self.next_message()? {
            if delivered == ENOUGH {
                return Err(self.no_end());
            }
            watch(&message)?;
            self.deliver(message)?;
            delivered += 1;
        }
        Ok(())
    }

    fn no_end(&self) -> Box<dyn std::error::Error + Send + Sync> {
        let nodes: Vec<String> = self.nodes.values().map(N::to_string).collect();
        let nodes = nodes.join("\n");
        format!("after {ENOUGH} messages the nodes have found no end:\n{nodes}").into()
    }
}

#[cfg(test)]
mod tests {
    use std::fmt;

    use super::*;
    use crate::{Node, Promise};
    use ch01_single_node_cluster::Turn;
    use raft_kernel::{MessageBody, Status};

    /// Sends back whatever it hears.
    struct Echo {
        status: Status,
        heard: Vec<Message>,
    }

    impl Replica for Echo {
        type Command = u8;

        fn tick(&mut self) -> Result<()> {
            Ok(())
        }

        fn step(&mut self, message: Message) -> Result<()> {
            self.heard.push(message);
            Ok(())
        }

        fn propose(&mut self, _: Proposal<u8>, _: Promise) -> Result<()> {
            Ok(())
        }

        fn turn(&mut self, post: &mut dyn Post) -> Result<Option<Turn>> {
            for heard in self.heard.drain(..) {
                let (from, to) = (heard.to, heard.from);
                let sent = post.send(Message { from, to, ..heard });
                sent.map_err(|undelivered| undelivered.to_string())?;
            }
            Ok(None)
        }

        fn status(&self) -> Status {
            self.status.clone()
        }
    }

    impl fmt::Display for Echo {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "echo {}", self.status.id)
        }
    }

    #[test]
    fn nodes_that_answer_each_other_for_ever_are_told_of_and_not_waited_for() {
        let mut nodes = ByHand::default();
        for id in [1, 2] {
            let status = Node::join(id, 1).expect("a new node").status();
            let heard = Vec::new();
            nodes.add(Echo { status, heard });
        }
        let first = Message {
            from: 1,
            to: 2,
            term: 1,
            body: MessageBody::TimeoutNow,
        };
        nodes.deliver(first).expect("node 2 is there");
        let mut watched = 0;
        let settled = nodes.settle(|_| {
            watched += 1;
            Ok(())
        });
        assert_eq!(
            settled.unwrap_err().to_string(),
            format!("after {ENOUGH} messages the nodes have found no end:\necho 1\necho 2")
        );
        assert_eq!(watched, ENOUGH);
    }
}
