//! A disk that takes its time.
//!
//! The rule: nothing is in the storage before the device says that it is durable. What
//! others can see there has survived every crash from then on.

use std::thread;
use std::time::Duration;

use ch01_single_node_cluster::Result;
use raft_kernel::{AppendWork, MemoryStorage, Snapshot, StorageError};

/// Where a node's writes become durable.
// ANCHOR: disk
pub trait Disk: Send + 'static {
    /// Makes all of this durable, in this order, with one write.
    fn write(&mut self, writes: &[Write<'_>]) -> Result<()>;
    /// What is durable.
    fn storage(&self) -> &MemoryStorage;
}

/// One thing to be written.
#[derive(Clone, Copy, Debug)]
pub enum Write<'a> {
    /// What the engine asks for: a received snapshot, entries, promises.
    Work(&'a AppendWork),
    /// A snapshot that the node made of its own state machine.
    OwnSnapshot(&'a Snapshot),
}
// ANCHOR_END: disk

/// A storage in memory behind a device that needs a while for each write.
// ANCHOR: slow_disk
#[derive(Debug)]
pub struct SlowDisk {
    /// What is durable.
    pub storage: MemoryStorage,
    /// How long the device needs for a write, however much is written.
    pub delay: Duration,
}

impl Disk for SlowDisk {
    fn write(&mut self, writes: &[Write<'_>]) -> Result<()> {
        // A commit index alone may be lost, so nobody has to wait for it.
        if writes.iter().any(Write::must_sync) {
            thread::sleep(self.delay);
        }
        for write in writes {
            write.store(&self.storage)?;
        }
        Ok(())
    }

    fn storage(&self) -> &MemoryStorage {
        &self.storage
    }
}
// ANCHOR_END: slow_disk

impl Write<'_> {
    /// Whether anything depends on it that a crash must not take away.
    pub fn must_sync(&self) -> bool {
        match self {
            Write::Work(work) => work.must_sync,
            Write::OwnSnapshot(_) => true,
        }
    }

    /// Puts it into the storage. The snapshot goes first: it takes the place of the log.
    // ANCHOR: store
    pub fn store(&self, storage: &MemoryStorage) -> Result<()> {
        match self {
            Write::Work(work) => {
                if let Some(snapshot) = work.snapshot.as_deref() {
                    storage.apply_snapshot(snapshot.clone())?;
                }
                storage.append(&work.entries)?;
                if let Some(hard_state) = work.hard_state {
                    storage.set_hard_state(hard_state);
                }
            }
            Write::OwnSnapshot(own) => {
                let (conf_state, data) = (own.conf_state.clone(), own.data.clone());
                match storage.create_snapshot(own.index, conf_state, data) {
                    // A newer one was received while this one was being made.
                    Ok(_) | Err(StorageError::SnapshotOutOfDate) => {}
                    Err(error) => return Err(error.into()),
                }
            }
        }
        Ok(())
    }
    // ANCHOR_END: store
}
