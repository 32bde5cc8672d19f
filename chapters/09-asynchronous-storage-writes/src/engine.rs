//! What both loops of this chapter have in common: the engine, and what a node must
//! remember beside it. Nothing here waits for a disk or a state machine.

use std::fmt;

use ch01_single_node_cluster::Result;
use ch05_two_node_cluster::narration::told_status;
use ch05_two_node_cluster::{Promise, Proposal, Proposals, config, step};
use raft_kernel::{
    Bytes, ConfState, Config, Entries, Index, MemoryStorage, Message, NodeId, Payload, RawNode,
    Snapshot, Status, Storage, StorageError, StorageWrites,
};

/// The engine with its configuration and its proposers.
// ANCHOR: engine
pub(crate) struct Engine {
    pub(crate) raft: RawNode<MemoryStorage>,
    pub(crate) storage: MemoryStorage,
    /// The configuration as of the last entry that is applied.
    conf_state: ConfState,
    /// The last entry of the latest snapshot that was received and stored.
    received: Index,
    proposals: Proposals,
}
// ANCHOR_END: engine

impl Engine {
    /// An engine that goes on from what `storage` holds.
    pub(crate) fn start(
        id: NodeId,
        seed: u64,
        storage: MemoryStorage,
        storage_writes: StorageWrites,
    ) -> Result<Self> {
        let config = Config {
            storage_writes,
            ..config(id, seed)
        };
        let snapshot = storage.snapshot()?;
        Ok(Engine {
            raft: RawNode::new(&config, storage.clone())?,
            storage,
            conf_state: snapshot.conf_state,
            received: 0,
            proposals: Proposals::default(),
        })
    }

    pub(crate) fn found(&mut self, voters: &[NodeId]) -> Result<()> {
        Ok(self.raft.bootstrap(voters.iter().map(|id| (*id, "")))?)
    }

    pub(crate) fn tick(&mut self) -> Result<()> {
        Ok(self.raft.tick()?)
    }

    pub(crate) fn step(&mut self, message: Message) -> Result<()> {
        step(&mut self.raft, message)
    }

    /// Proposes a command, as bytes, or a change.
    pub(crate) fn propose(&mut self, proposal: Proposal<Vec<u8>>, promise: Promise) -> Result<()> {
        Ok(self.proposals.propose(&mut self.raft, proposal, promise)?)
    }

    /// The state machine has applied these entries: the changes of the configuration
    /// among them take effect, and whoever proposed one gets an answer.
    // ANCHOR: applied
    pub(crate) fn applied(&mut self, entries: &Entries) -> Result<()> {
        for entry in entries {
            if let Payload::ConfChange(change) = &entry.payload {
                if entry.index <= self.received {
                    // What came of it is in the snapshot that was received meanwhile.
                    self.proposals.covered(entry.index);
                    continue;
                }
                let answer = self.raft.apply_conf_change(change);
                if let Some(conf_state) = self.proposals.changed(entry, answer)? {
                    self.conf_state = conf_state;
                }
            }
            self.proposals.applied(entry);
        }
        Ok(())
    }
    // ANCHOR_END: applied

    /// A received snapshot is stored. The engine works under its configuration.
    pub(crate) fn received(&mut self, snapshot: &Snapshot) {
        self.received = snapshot.index;
        self.conf_state = snapshot.conf_state.clone();
    }

    /// The state machine has begun again with a received snapshot.
    pub(crate) fn restored(&mut self, index: Index) {
        self.proposals.covered(index);
    }

    /// The snapshot that this node can make, now that its state machine has come to
    /// `data` with the entry at `index`; nothing if it received a newer one meanwhile.
    pub(crate) fn own_snapshot(&self, index: Index, data: Bytes) -> Option<Snapshot> {
        (index > self.received).then(|| Snapshot {
            index,
            conf_state: self.conf_state.clone(),
            data,
            ..Snapshot::default()
        })
    }

    /// Forgets the entries that a stored snapshot holds. The node's own thread does
    /// this: the engine must not find half of what it is reading gone.
    // ANCHOR: forget
    pub(crate) fn forget(&mut self, index: Index) -> Result<()> {
        match self.storage.compact(index) {
            // A received snapshot has taken them away already.
            Ok(()) | Err(StorageError::Compacted) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
    // ANCHOR_END: forget

    pub(crate) fn status(&self) -> Status {
        self.raft.status()
    }
}

/// How the node stands, in one line.
impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        told_status(&self.status(), &self.storage, f)?;
        if let Ok(snapshot) = self.storage.snapshot() {
            write!(f, ", snapshot {}", snapshot.index)?;
        }
        write!(f, ", {} waiting for an answer", self.proposals.len())
    }
}
