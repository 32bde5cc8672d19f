//! Chapter 4's node, with others around it.
//!
//! The rule stays: *persist before send, send before apply*. The node knows of no thread
//! and no channel, only of somebody who takes its messages.

use std::fmt;

use ch01_single_node_cluster::{Result, Turn};
use ch02_single_node_proposals::CommandList;
use raft_kernel::{Config, MemoryStorage, Message, NodeId, Payload, RawNode, Status};

use crate::narration::told_status;
use crate::{Post, Promise, Proposal, Proposals, Replica};

/// One node with all that belongs to it.
// ANCHOR: node
pub struct Node {
    raft: RawNode<MemoryStorage>,
    storage: MemoryStorage,
    machine: CommandList,
    proposals: Proposals,
}

impl Node {
    /// A node that founds a cluster of one.
    pub fn found(id: NodeId, seed: u64) -> Result<Self> {
        let mut node = Node::join(id, seed)?;
        node.raft.bootstrap([(id, "")])?;
        Ok(node)
    }

    /// A node that knows nothing, and waits until a leader speaks to it.
    pub fn join(id: NodeId, seed: u64) -> Result<Self> {
        let storage = MemoryStorage::new();
        Ok(Node {
            raft: RawNode::new(&config(id, seed), storage.clone())?,
            storage,
            machine: CommandList::default(),
            proposals: Proposals::default(),
        })
    }
    // ANCHOR_END: node

    /// What the node remembers.
    pub fn storage(&self) -> &MemoryStorage {
        &self.storage
    }

    /// What the node's commands have come to.
    pub fn machine(&self) -> &CommandList {
        &self.machine
    }
}

/// The node's settings.
// ANCHOR: config
pub fn config(id: NodeId, seed: u64) -> Config {
    Config {
        seed,
        election_ticks: 10,
        heartbeat_ticks: 1,
        // A follower that passed a proposal on could not say what became of it.
        forward_proposals: false,
        ..Config::new(id)
    }
}
// ANCHOR_END: config

/// Gives the engine a message that another node sent.
///
/// # Errors
/// What stops the node. A message that makes no sense is ignored: its sender may be mad,
/// and this node is not.
// ANCHOR: step
pub fn step(raft: &mut RawNode<MemoryStorage>, message: Message) -> Result<()> {
    match raft.step(message) {
        Err(error) if error.is_fatal() => Err(error.into()),
        _ => Ok(()),
    }
}
// ANCHOR_END: step

impl Replica for Node {
    type Command = u8;

    fn tick(&mut self) -> Result<()> {
        Ok(self.raft.tick()?)
    }

    fn step(&mut self, message: Message) -> Result<()> {
        step(&mut self.raft, message)
    }

    // ANCHOR: propose
    fn propose(&mut self, proposal: Proposal<u8>, promise: Promise) -> Result<()> {
        let proposal = proposal.encoded(|byte| vec![*byte]);
        Ok(self.proposals.propose(&mut self.raft, proposal, promise)?)
    }
    // ANCHOR_END: propose

    // ANCHOR: turn
    fn turn(&mut self, post: &mut dyn Post) -> Result<Option<Turn>> {
        if !self.raft.has_ready() {
            return Ok(None);
        }
        let mut ready = self.raft.ready()?;
        let turn = Turn::of(&ready);

        // Persist: the entries, then the promises.
        self.storage.append(&ready.append.entries)?;
        if let Some(hard_state) = ready.append.hard_state {
            self.storage.set_hard_state(hard_state);
        }

        // Send: what cannot be delivered is dropped, and the engine is told.
        for message in ready.take_messages() {
            if let Err(undelivered) = post.send(message) {
                self.raft.report_unreachable(undelivered.to());
            }
        }

        // Apply: each entry goes to whom it is for, and its proposer gets an answer.
        for entry in &ready.apply.entries {
            match &entry.payload {
                Payload::Command(command) => self.machine.apply(command)?,
                Payload::ConfChange(change) => {
                    let changed = self.raft.apply_conf_change(change);
                    self.proposals.changed(entry, changed)?;
                }
                Payload::Empty => {}
            }
            self.proposals.applied(entry);
        }

        self.raft.advance(ready)?;
        Ok(Some(turn))
    }
    // ANCHOR_END: turn

    fn status(&self) -> Status {
        self.raft.status()
    }
}

/// How the node stands, in one line.
impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        told_status(&self.status(), &self.storage, f)?;
        write!(f, ", {}", self.machine)
    }
}
