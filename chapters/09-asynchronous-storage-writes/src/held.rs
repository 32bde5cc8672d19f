//! Asynchronous nodes driven by hand: nobody writes and nobody applies unless told to.
//!
//! With threads, a write ends when it ends. Here it ends when the story or a test says
//! so, and every order of events can be played.

use std::collections::BTreeMap;

use ch01_single_node_cluster::Result;
use ch05_two_node_cluster::by_hand::ByHand;
use ch05_two_node_cluster::{Post, Proposal, Replica, Ticket, Undelivered};
use ch06_two_node_snapshot::StateMachine;
use raft_kernel::{MemoryStorage, Message, NodeId, Role};

use crate::{Asynchronous, Hands, SlowDisk, append, apply};

/// So many ticks are enough for any election.
const ENOUGH: usize = 1000;

/// Nodes whose disks and state machines are held.
pub struct Held<M: StateMachine> {
    cluster: ByHand<Asynchronous<M>>,
    hands: BTreeMap<NodeId, Hands<M, SlowDisk>>,
    /// Whom nothing reaches, and who reaches nobody.
    isolated: Option<NodeId>,
}

/// Collects what is sent.
#[derive(Default)]
struct Outbox(Vec<Message>);

impl Post for Outbox {
    fn send(&mut self, message: Message) -> std::result::Result<(), Undelivered> {
        self.0.push(message);
        Ok(())
    }
}

impl<M: StateMachine> Held<M> {
    /// A cluster of these voters, each with a new storage, of which node 1 leads.
    pub fn led_by_1(voters: &[NodeId], seed: u64, every: u64) -> Result<Self> {
        let mut held = Held {
            cluster: ByHand::default(),
            hands: BTreeMap::new(),
            isolated: None,
        };
        for id in voters {
            let storage = MemoryStorage::new();
            let node = Asynchronous::found(*id, voters, seed, storage.clone())?;
            held.add(node, storage, every)?;
        }
        held.elect(&[1])?;
        Ok(held)
    }

    /// Adds a node on `storage`, or puts it in the place of the one with its id.
    pub fn add(&mut self, node: Asynchronous<M>, storage: MemoryStorage, every: u64) -> Result<()> {
        let delay = std::time::Duration::ZERO;
        let hands = Hands::new(SlowDisk { storage, delay }, every)?;
        self.hands.insert(node.status().id, hands);
        self.cluster.add(node);
        Ok(())
    }

    /// Lets time pass for these nodes alone until one of them leads, and says which.
    ///
    /// # Errors
    /// When none does after a thousand ticks.
    pub fn elect(&mut self, ids: &[NodeId]) -> Result<NodeId> {
        self.settle()?;
        for _ in 0..ENOUGH {
            for id in ids {
                self.node(*id).tick()?;
                self.settle()?;
                if self.node(*id).status().soft_state.role == Role::Leader {
                    return Ok(*id);
                }
            }
        }
        Err(format!("none of the nodes {ids:?} leads after {ENOUGH} ticks").into())
    }

    /// Cuts one node off from the others, or none.
    pub fn isolate(&mut self, id: Option<NodeId>) {
        self.isolated = id;
    }

    /// The node `id`.
    pub fn node(&mut self, id: NodeId) -> &mut Asynchronous<M> {
        self.cluster.node(id)
    }

    /// The disk and the state machine of the node `id`.
    ///
    /// # Panics
    /// When there is none: whoever asks has added it.
    pub fn hands(&mut self, id: NodeId) -> &mut Hands<M, SlowDisk> {
        self.hands.get_mut(&id).expect("a node that was added")
    }

    /// Proposes to the node `id`.
    pub fn propose(&mut self, id: NodeId, proposal: Proposal<M::Command>) -> Result<Ticket> {
        self.cluster.propose(id, proposal)
    }

    /// Everything that the nodes' loops have sent by now.
    pub fn sent(&mut self) -> Result<Vec<Message>> {
        let mut messages = Vec::new();
        while let Some(message) = self.cluster.next_message()? {
            messages.push(message);
        }
        Ok(messages)
    }

    /// Hands a message to its destination, and lets that take its `Ready`s.
    pub fn deliver(&mut self, message: Message) -> Result<()> {
        self.cluster.deliver(message)?;
        self.cluster.turn()
    }

    /// Lets the disk of the node `id` finish everything that it was given, in one write,
    /// and tells the node. Returns what is sent after the write.
    // ANCHOR: write
    pub fn write(&mut self, id: NodeId) -> Result<Vec<Message>> {
        let jobs = self.node(id).append_jobs().collect();
        let mut outbox = Outbox::default();
        for written in append(&mut self.hands(id).disk, jobs, &mut outbox)? {
            self.node(id).written(written)?;
        }
        self.cluster.turn()?;
        Ok(outbox.0)
    }
    // ANCHOR_END: write

    /// Lets the state machine of the node `id` do everything that it was given, and tells
    /// the node.
    pub fn apply(&mut self, id: NodeId) -> Result<()> {
        let jobs: Vec<_> = self.node(id).apply_jobs().collect();
        for job in jobs {
            let applied = apply(&mut self.hands(id).machine, job)?;
            self.node(id).applied(applied)?;
        }
        self.cluster.turn()
    }

    /// Lets everything happen until nothing is left to do.
    ///
    /// # Errors
    /// What a node fails with; and when something is left after a thousand rounds.
    pub fn settle(&mut self) -> Result<()> {
        let ids: Vec<NodeId> = self.hands.keys().copied().collect();
        for _ in 0..ENOUGH {
            let mut messages = self.sent()?;
            let mut rests = messages.is_empty();
            for id in &ids {
                let node = self.node(*id);
                rests = rests && node.to_append.is_empty() && node.to_apply.is_empty();
                messages.extend(self.write(*id)?);
                self.apply(*id)?;
            }
            for message in messages {
                let cut_off = [message.from, message.to]
                    .map(Some)
                    .contains(&self.isolated);
                if self.hands.contains_key(&message.to) && !cut_off {
                    self.deliver(message)?;
                }
            }
            if rests {
                return Ok(());
            }
        }
        let states: Vec<String> = ids.iter().map(|id| self.node(*id).to_string()).collect();
        let states = states.join("\n");
        Err(format!("after {ENOUGH} rounds the nodes have found no end:\n{states}").into())
    }
}
