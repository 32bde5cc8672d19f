//! Where a node writes what it must not forget.
//!
//! The rule it keeps: what [`Disk::write`] was given is as durable as this disk can make it
//! when the call returns. The loop sends nothing that depends on it earlier.

use bytes::Bytes;
use raft_kernel::{AppendWork, ConfState, Index, MemoryStorage, Storage};

use crate::identity::Identity;

/// Why a disk could not do its work. The node stops: it must not promise what it cannot keep.
pub type DiskError = Box<dyn std::error::Error + Send + Sync>;

/// A place for a node's promises, log and snapshot: the engine reads, the loop writes.
// ANCHOR: disk
pub trait Disk: Send + 'static {
    /// What the engine reads from.
    type Storage: Storage + Send;

    /// A handle to read with; it sees what was written.
    fn storage(&self) -> Self::Storage;

    /// Keeps what the engine wants kept: the snapshot first, then entries, then promises.
    /// When this returns, all of it is durable, and messages that depend on it may go.
    fn write(&mut self, work: &AppendWork) -> Result<(), DiskError>;

    /// Keeps a snapshot that the node made itself, and forgets the entries up to `forget`.
    fn compact(
        &mut self,
        index: Index,
        conf_state: ConfState,
        data: Bytes,
        forget: Index,
    ) -> Result<(), DiskError>;

    /// Keeps who the node is. Called before the node takes part in its cluster.
    fn write_identity(&mut self, identity: Identity) -> Result<(), DiskError>;
}
// ANCHOR_END: disk

/// Memory is a disk that forgets everything when its process ends.
// ANCHOR: memory
impl Disk for MemoryStorage {
    type Storage = MemoryStorage;

    fn storage(&self) -> MemoryStorage {
        self.clone()
    }

    fn write(&mut self, work: &AppendWork) -> Result<(), DiskError> {
        if let Some(snapshot) = work.snapshot.as_deref() {
            self.apply_snapshot(snapshot.clone())?;
        }
        self.append(&work.entries)?;
        if let Some(hard_state) = work.hard_state {
            self.set_hard_state(hard_state);
        }
        Ok(())
    }
    // ANCHOR_END: memory

    fn compact(
        &mut self,
        index: Index,
        conf_state: ConfState,
        data: Bytes,
        forget: Index,
    ) -> Result<(), DiskError> {
        self.create_snapshot(index, conf_state, data)?;
        if forget >= self.first_index()? {
            MemoryStorage::compact(self, forget)?;
        }
        Ok(())
    }

    fn write_identity(&mut self, _: Identity) -> Result<(), DiskError> {
        // Whoever reads it again has lost this memory.
        Ok(())
    }
}
