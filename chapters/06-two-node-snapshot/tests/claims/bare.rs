//! A node without a state machine, which can be told to keep to itself what became of a
//! snapshot.

use std::fmt;

use ch01_single_node_cluster::{Result, Turn};
use ch05_two_node_cluster::{Post, Promise, Proposal, Proposals, Replica, config, step};
use ch06_two_node_snapshot::send;
use raft_kernel::{MemoryStorage, Message, NodeId, RawNode, Status};

use crate::nodes::SEED;

/// Whether a node says what became of the snapshots that it sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reports {
    Yes,
    No,
}

pub(crate) struct Bare {
    raft: RawNode<MemoryStorage>,
    storage: MemoryStorage,
    proposals: Proposals,
    reports: Reports,
}

impl Bare {
    /// A node that goes on from what is stored.
    pub(crate) fn start(id: NodeId, storage: MemoryStorage, reports: Reports) -> Result<Self> {
        Ok(Bare {
            raft: RawNode::new(&config(id, SEED), storage.clone())?,
            storage,
            proposals: Proposals::default(),
            reports,
        })
    }

    pub(crate) fn storage(&self) -> &MemoryStorage {
        &self.storage
    }
}

impl Replica for Bare {
    type Command = u8;

    fn tick(&mut self) -> Result<()> {
        Ok(self.raft.tick()?)
    }

    fn step(&mut self, message: Message) -> Result<()> {
        step(&mut self.raft, message)
    }

    fn propose(&mut self, proposal: Proposal<u8>, promise: Promise) -> Result<()> {
        let proposal = proposal.encoded(|byte| vec![*byte]);
        Ok(self.proposals.propose(&mut self.raft, proposal, promise)?)
    }

    fn turn(&mut self, post: &mut dyn Post) -> Result<Option<Turn>> {
        if !self.raft.has_ready() {
            return Ok(None);
        }
        let mut ready = self.raft.ready()?;
        let turn = Turn::of(&ready);
        if let Some(snapshot) = ready.append.snapshot.as_deref() {
            self.storage.apply_snapshot(snapshot.clone())?;
        }
        self.storage.append(&ready.append.entries)?;
        if let Some(hard_state) = ready.append.hard_state {
            self.storage.set_hard_state(hard_state);
        }
        for message in ready.take_messages() {
            match self.reports {
                Reports::Yes => send(&mut self.raft, post, message),
                Reports::No => drop(post.send(message)),
            }
        }
        for entry in &ready.apply.entries {
            if let Some(change) = entry.conf_change() {
                self.raft.apply_conf_change(change)?;
            }
            self.proposals.applied(entry);
        }
        self.raft.advance(ready)?;
        Ok(Some(turn))
    }

    fn status(&self) -> Status {
        self.raft.status()
    }
}

impl fmt::Display for Bare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.status())
    }
}
