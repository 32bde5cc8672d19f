//! Chapter 5's node, with snapshots.
//!
//! The rules: a snapshot is made of what is applied, and of nothing else; the
//! configuration as of that entry is part of it; and whoever sends one says what became
//! of it, or a lost one is never sent again (section 7 of the paper).

use std::fmt;

use ch01_single_node_cluster::{Result, Turn};
use ch05_two_node_cluster::narration::told_status;
use ch05_two_node_cluster::{Post, Promise, Proposal, Proposals, Replica, config, step};
use raft_kernel::{
    ConfState, Index, MemoryStorage, Message, MessageBody, NodeId, Payload, RawNode, Snapshot,
    SnapshotOutcome, Status, Storage,
};

use crate::StateMachine;

/// One node with all that belongs to it.
// ANCHOR: node
pub struct Node<M> {
    raft: RawNode<MemoryStorage>,
    storage: MemoryStorage,
    machine: M,
    /// The configuration as of the last entry that is applied.
    conf_state: ConfState,
    proposals: Proposals,
}

impl<M: StateMachine> Node<M> {
    /// A node that founds a cluster of these voters, itself among them. Every one of
    /// them must be given the same ones.
    pub fn found(id: NodeId, voters: &[NodeId], seed: u64) -> Result<Self> {
        let mut node = Node::start(id, seed, MemoryStorage::new())?;
        node.raft.bootstrap(voters.iter().map(|id| (*id, "")))?;
        Ok(node)
    }

    /// A node that knows nothing, and waits until a leader speaks to it.
    pub fn join(id: NodeId, seed: u64) -> Result<Self> {
        Node::start(id, seed, MemoryStorage::new())
    }
    // ANCHOR_END: node

    /// A node that goes on from what its storage holds: the snapshot, and the entries
    /// after it, which it will be handed to apply again.
    // ANCHOR: start
    pub fn start(id: NodeId, seed: u64, storage: MemoryStorage) -> Result<Self> {
        let snapshot = storage.snapshot()?;
        let machine = if snapshot.is_empty() {
            M::default()
        } else {
            M::restore(&snapshot.data)?
        };
        Ok(Node {
            raft: RawNode::new(&config(id, seed), storage.clone())?,
            storage,
            machine,
            conf_state: snapshot.conf_state,
            proposals: Proposals::default(),
        })
    }
    // ANCHOR_END: start

    /// Writes down what the state machine has come to, forgets the entries that led
    /// there, and says up to which. Does nothing if no entry was applied since.
    // ANCHOR: compact
    pub fn compact(&mut self) -> Result<Index> {
        let applied = self.raft.status().applied;
        if applied > self.storage.snapshot()?.index {
            let (conf_state, data) = (self.conf_state.clone(), self.machine.snapshot());
            self.storage.create_snapshot(applied, conf_state, data)?;
            self.storage.compact(applied)?;
        }
        Ok(applied)
    }
    // ANCHOR_END: compact

    /// Starts over from a snapshot that the leader sent.
    // ANCHOR: install
    fn install(&mut self, snapshot: &Snapshot) -> Result<()> {
        // Read first, then stored: bytes that no state machine can be made of must not
        // take the place of a log.
        let machine = M::restore(&snapshot.data)?;
        self.storage.apply_snapshot(snapshot.clone())?;
        self.machine = machine;
        self.conf_state = snapshot.conf_state.clone();
        self.proposals.covered(snapshot.index);
        Ok(())
    }
    // ANCHOR_END: install

    /// What the node remembers.
    pub fn storage(&self) -> &MemoryStorage {
        &self.storage
    }

    /// What the node's commands have come to.
    pub fn machine(&self) -> &M {
        &self.machine
    }

    /// Ends the node, as a crash would, and leaves what it had stored.
    pub fn into_storage(self) -> MemoryStorage {
        self.storage
    }
}

impl<M: StateMachine> Replica for Node<M> {
    type Command = M::Command;

    fn tick(&mut self) -> Result<()> {
        Ok(self.raft.tick()?)
    }

    fn step(&mut self, message: Message) -> Result<()> {
        step(&mut self.raft, message)
    }

    fn propose(&mut self, proposal: Proposal<M::Command>, promise: Promise) -> Result<()> {
        let proposal = proposal.encoded(M::encode);
        Ok(self.proposals.propose(&mut self.raft, proposal, promise)?)
    }

    // ANCHOR: turn
    fn turn(&mut self, post: &mut dyn Post) -> Result<Option<Turn>> {
        if !self.raft.has_ready() {
            return Ok(None);
        }
        let mut ready = self.raft.ready()?;
        let turn = Turn::of(&ready);

        // Persist: the snapshot, then the entries after it, then the promises.
        if let Some(snapshot) = &ready.append.snapshot {
            self.install(snapshot)?;
        }
        self.storage.append(&ready.append.entries)?;
        if let Some(hard_state) = ready.append.hard_state {
            self.storage.set_hard_state(hard_state);
        }

        // Send: what cannot be delivered is dropped, and the engine is told.
        for message in ready.take_messages() {
            send(&mut self.raft, post, message);
        }

        // Apply: each entry goes to whom it is for, and its proposer gets an answer.
        for entry in &ready.apply.entries {
            match &entry.payload {
                Payload::Command(command) => self.machine.apply(command)?,
                Payload::ConfChange(change) => {
                    let changed = self.raft.apply_conf_change(change);
                    if let Some(conf_state) = self.proposals.changed(entry, changed)? {
                        self.conf_state = conf_state;
                    }
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

/// Sends a message and tells the engine what became of it. A snapshot has arrived when it
/// is in the inbox. If it gets lost after that, the follower refuses the entries that
/// come next, and the engine sends another.
// ANCHOR: send
pub fn send(raft: &mut RawNode<MemoryStorage>, post: &mut dyn Post, message: Message) {
    let to = message.to;
    let is_snapshot = matches!(message.body, MessageBody::InstallSnapshot { .. });
    let sent = post.send(message);
    if sent.is_err() {
        raft.report_unreachable(to);
    }
    if is_snapshot {
        raft.report_snapshot(
            to,
            match sent {
                Ok(()) => SnapshotOutcome::Arrived,
                Err(_) => SnapshotOutcome::Failed,
            },
        );
    }
}
// ANCHOR_END: send

/// How the node stands, in one line.
impl<M: StateMachine> fmt::Display for Node<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        told_status(&self.status(), &self.storage, f)?;
        if let Ok(snapshot) = self.storage.snapshot()
            && !snapshot.is_empty()
        {
            write!(f, ", snapshot up to {}", snapshot.index)?;
        }
        write!(f, ", {}", self.machine)
    }
}
