//! A state machine, and how committed entries change it.
//!
//! Both loops of this chapter apply entries by this code. The one calls it itself, the
//! other lets a thread do so.

use ch01_single_node_cluster::Result;
use ch06_two_node_snapshot::StateMachine;
use raft_kernel::{ApplyWork, Bytes, Index, MemoryStorage, Payload, Snapshot, Storage};

use crate::Disk;

/// A state machine that is written down after every so many entries.
// ANCHOR: machine
#[derive(Debug)]
pub struct Machine<M> {
    state: M,
    every: u64,
    /// The last entry that a snapshot holds.
    kept: Index,
}

impl<M: StateMachine> Machine<M> {
    /// The state machine as of the storage's snapshot.
    pub fn start(storage: &MemoryStorage, every: u64) -> Result<Self> {
        let snapshot = storage.snapshot()?;
        let mut machine = Machine {
            state: M::default(),
            every,
            kept: 0,
        };
        if !snapshot.is_empty() {
            machine.restore(&snapshot)?;
        }
        Ok(machine)
    }

    /// Applies the commands of `work`. Every so often, what they have come to is
    /// returned as bytes, for a snapshot.
    pub fn apply(&mut self, work: &ApplyWork) -> Result<Option<Bytes>> {
        for entry in &work.entries {
            if let Payload::Command(command) = &entry.payload {
                self.state.apply(command)?;
            }
        }
        let Some(last) = work.entries.last() else {
            return Ok(None);
        };
        if last.index < self.kept.saturating_add(self.every) {
            return Ok(None);
        }
        self.kept = last.index;
        Ok(Some(self.state.snapshot().into()))
    }
    // ANCHOR_END: machine

    /// Begins again with a snapshot that a leader sent.
    pub fn restore(&mut self, snapshot: &Snapshot) -> Result<()> {
        self.state = M::restore(&snapshot.data)?;
        self.kept = snapshot.index;
        Ok(())
    }

    /// What the commands have come to.
    pub fn state(&self) -> &M {
        &self.state
    }
}

/// Those who do a node's work: a disk that writes, a state machine that applies.
// ANCHOR: hands
#[derive(Debug)]
pub struct Hands<M, D> {
    /// Writes.
    pub disk: D,
    /// Applies.
    pub machine: Machine<M>,
}

impl<M: StateMachine, D: Disk> Hands<M, D> {
    /// A disk, and the state machine as of the snapshot that it holds, which is written
    /// down after every so many entries.
    pub fn new(disk: D, every: u64) -> Result<Self> {
        let machine = Machine::start(disk.storage(), every)?;
        Ok(Hands { disk, machine })
    }
}
// ANCHOR_END: hands
