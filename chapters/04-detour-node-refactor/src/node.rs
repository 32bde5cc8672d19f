//! A node: the engine that decides, the storage that remembers, the state machine that
//! acts.
//!
//! The rule it keeps: nobody but the node touches the three. Then what the loop promises,
//! *persist before send, send before apply*, can be read in one place.

use ch01_single_node_cluster::{Result, Turn, start};
use ch02_single_node_proposals::CommandList;
use raft_kernel::{ConfChange, Error, MemoryStorage, Payload, Proposed, RawNode, Status};

/// One node with all that belongs to it.
// ANCHOR: node
pub struct Node {
    raft: RawNode<MemoryStorage>,
    storage: MemoryStorage,
    machine: CommandList,
}

impl Node {
    /// A node that founds a cluster of one.
    pub fn start(seed: u64) -> Result<Self> {
        let (raft, storage) = start(seed)?;
        Ok(Node {
            raft,
            storage,
            machine: CommandList::default(),
        })
    }
    // ANCHOR_END: node

    /// Lets one unit of time pass.
    // ANCHOR: inputs
    pub fn tick(&mut self) -> Result<()> {
        Ok(self.raft.tick()?)
    }

    /// Proposes a command of one byte.
    ///
    /// # Errors
    /// [`Error::ProposalDropped`] with the reason, for as long as there is no leader.
    pub fn propose(&mut self, command: u8) -> std::result::Result<Proposed, Error> {
        self.raft.propose(vec![command])
    }
    // ANCHOR_END: inputs

    /// Proposes a change of the configuration.
    ///
    /// # Errors
    /// [`Error::ProposalDropped`] with the reason, for as long as there is no leader.
    pub fn propose_conf_change(
        &mut self,
        change: ConfChange,
    ) -> std::result::Result<Proposed, Error> {
        self.raft.propose_conf_change(change)
    }

    /// One turn of the loop, if there is anything to do.
    // ANCHOR: turn
    pub fn turn(&mut self) -> Result<Option<Turn>> {
        if !self.raft.has_ready() {
            return Ok(None);
        }
        let ready = self.raft.ready()?;
        let turn = Turn::of(&ready);

        // Persist: the entries, then the promises.
        self.storage.append(&ready.append.entries)?;
        if let Some(hard_state) = ready.append.hard_state {
            self.storage.set_hard_state(hard_state);
        }

        // Send: skipped. There is nobody to send to.

        // Apply: each entry goes to whom it is for.
        for entry in &ready.apply.entries {
            match &entry.payload {
                Payload::Command(command) => self.machine.apply(command)?,
                Payload::ConfChange(change) => drop(self.raft.apply_conf_change(change)?),
                Payload::Empty => {}
            }
        }

        self.raft.advance(ready)?;
        Ok(Some(turn))
    }
    // ANCHOR_END: turn

    /// How the engine stands.
    // ANCHOR: views
    pub fn status(&self) -> Status {
        self.raft.status()
    }

    /// What the node remembers.
    pub fn storage(&self) -> &MemoryStorage {
        &self.storage
    }

    /// What the node's commands have come to.
    pub fn machine(&self) -> &CommandList {
        &self.machine
    }
    // ANCHOR_END: views
}
