//! A disk that survives: everything in memory, to be read, and all of it in one file.
//!
//! The rule it keeps: [`Disk::write`] returns when what it was given would be there after
//! `kill -9` or a power failure, or else with an error. After an error it writes no more: the
//! node must stop, since nobody knows what is on the disk.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use ch10_separate_processes::disk::{Disk, DiskError};
use ch10_separate_processes::identity::Identity;
use raft_kernel::{AppendWork, ConfState, Index, MemoryStorage, Storage};
use tokio::runtime::{Handle, RuntimeFlavor};

use crate::directory::{Directory, DirectoryError};
use crate::node_file::{About, Contents, Damage, Place, decode, encode};

/// A disk in a data directory. A clone is another handle to the same.
#[derive(Clone)]
pub struct FileDisk {
    /// What the engine reads.
    mirror: MemoryStorage,
    shared: Arc<Mutex<Shared>>,
}

struct Shared {
    directory: Directory,
    about: About,
    /// The commit index in the file.
    saved_commit: Index,
    /// Whether the mirror has something that the file has not, and that may be lost.
    behind: bool,
    /// Why nothing is written any more.
    failed: Option<String>,
}

/// The disk failed earlier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failed(String);

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "nothing is written after an earlier failure: {}", self.0)
    }
}

impl std::error::Error for Failed {}

impl FileDisk {
    /// A new node's disk; its file is there when this returns. `mirror` is usually empty.
    pub fn create(
        directory: Directory,
        about: About,
        mirror: MemoryStorage,
    ) -> Result<Self, DiskError> {
        let disk = FileDisk {
            mirror,
            shared: Arc::new(Mutex::new(Shared {
                directory,
                about,
                saved_commit: 0,
                behind: true,
                failed: None,
            })),
        };
        disk.flush()?;
        Ok(disk)
    }

    /// The disk that an earlier run has left in `directory`, if one has.
    // ANCHOR: recover
    pub fn recover(directory: Directory) -> Result<Recovered, DirectoryError> {
        let Some(bytes) = directory.read()? else {
            return Ok(Recovered::Nothing(directory));
        };
        let damaged = |damage| DirectoryError::Damaged {
            path: directory.file(),
            damage,
        };
        let contents = decode(&bytes).map_err(damaged)?;
        let mirror = mirror(&contents).map_err(damaged)?;
        let shared = Shared {
            directory,
            about: contents.about,
            saved_commit: contents.hard_state.commit,
            behind: false,
            failed: None,
        };
        Ok(Recovered::Disk(FileDisk {
            mirror,
            shared: Arc::new(Mutex::new(shared)),
        }))
    }
    // ANCHOR_END: recover

    /// What the node knows about itself.
    pub fn about(&self) -> About {
        self.lock().about.clone()
    }

    /// Keeps what `change` makes of what the node knows about itself. Durable when it returns.
    pub fn note(&self, change: impl FnOnce(&mut About)) -> Result<(), DiskError> {
        let mut shared = self.lock();
        let before = shared.about.clone();
        change(&mut shared.about);
        if shared.about == before {
            return Ok(());
        }
        shared.save(&self.mirror)
    }

    /// Writes what was put off, if anything was.
    pub fn flush(&self) -> Result<(), DiskError> {
        let mut shared = self.lock();
        if shared.behind {
            shared.save(&self.mirror)?;
        }
        Ok(())
    }

    /// Writes the file, whether that is needed or not.
    pub fn save(&self) -> Result<(), DiskError> {
        self.lock().save(&self.mirror)
    }

    /// What the node has in memory, and in its file.
    pub fn mirror(&self) -> MemoryStorage {
        self.mirror.clone()
    }

    /// A panic while it was locked has left nothing half-done that is not written again.
    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is in a data directory.
pub enum Recovered {
    /// No file.
    Nothing(Directory),
    /// A node's file.
    Disk(FileDisk),
}

/// What a file says, as a storage to read from.
// ANCHOR: mirror
fn mirror(contents: &Contents) -> Result<MemoryStorage, Damage> {
    let snapshot = &contents.snapshot;
    let wrong = |error| Damage::Contradiction(format!("{error}"));
    // The log may begin before the snapshot: then it is laid out first, from where it begins.
    let begins = match contents.compacted.index {
        compacted if compacted == snapshot.index => snapshot.clone(),
        compacted => raft_kernel::Snapshot {
            index: compacted,
            term: contents.compacted.term,
            ..raft_kernel::Snapshot::default()
        },
    };
    let storage = MemoryStorage::from_snapshot(begins);
    storage.append(&contents.entries).map_err(wrong)?;
    if snapshot.index > contents.compacted.index {
        let (conf_state, data) = (snapshot.conf_state.clone(), snapshot.data.clone());
        storage
            .create_snapshot(snapshot.index, conf_state, data)
            .map_err(wrong)?;
    }
    storage.set_hard_state(contents.hard_state);
    Ok(storage)
}
// ANCHOR_END: mirror

/// What a storage holds, to be written.
fn contents(storage: &MemoryStorage, about: About) -> Result<Contents, DiskError> {
    let (first, last) = (storage.first_index()?, storage.last_index()?);
    let before = first.saturating_sub(1);
    let entries = storage.entries(first..last.saturating_add(1), u64::MAX)?;
    Ok(Contents {
        about,
        hard_state: storage.hard_state(),
        snapshot: storage.snapshot()?,
        compacted: Place {
            index: before,
            term: storage.term(before)?,
        },
        entries: entries.to_vec(),
    })
}

impl Shared {
    /// Writes the file anew.
    // ANCHOR: save
    fn save(&mut self, mirror: &MemoryStorage) -> Result<(), DiskError> {
        if let Some(why) = &self.failed {
            return Err(Failed(why.clone()).into());
        }
        let contents = contents(mirror, self.about.clone())?;
        let bytes = encode(&contents).map_err(|_| "an entry is too large to be stored")?;
        let replaced = without_blocking_others(|| self.directory.replace(&bytes));
        if let Err(error) = &replaced {
            // Never try again and believe it: the system may have dropped what it could not
            // write, and report success the next time.
            self.failed = Some(error.to_string());
        }
        replaced?;
        self.saved_commit = contents.hard_state.commit;
        self.behind = false;
        Ok(())
    }
    // ANCHOR_END: save
}

/// Lets the other tasks go on in other threads while this one waits for the disk.
// ANCHOR: blocking
fn without_blocking_others<T>(work: impl FnOnce() -> T) -> T {
    match Handle::try_current().map(|runtime| runtime.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(work),
        _ => work(),
    }
}
// ANCHOR_END: blocking

// ANCHOR: disk
impl Disk for FileDisk {
    type Storage = MemoryStorage;

    fn storage(&self) -> MemoryStorage {
        self.mirror.clone()
    }

    fn write(&mut self, work: &AppendWork) -> Result<(), DiskError> {
        self.mirror.write(work)?;
        let mut shared = self.lock();
        if work.must_sync || shared.learnt_of_a_change(&self.mirror)? {
            return shared.save(&self.mirror);
        }
        // The commit index alone: it may be forgotten, and goes with the next write.
        shared.behind |= work.hard_state.is_some();
        Ok(())
    }
    // ANCHOR_END: disk

    fn compact(
        &mut self,
        index: Index,
        conf_state: ConfState,
        data: Bytes,
        forget: Index,
    ) -> Result<(), DiskError> {
        // The file has the same in another form: the entries. The next write makes it shorter.
        self.lock().behind = true;
        Disk::compact(&mut self.mirror, index, conf_state, data, forget)
    }

    fn write_identity(&mut self, identity: Identity) -> Result<(), DiskError> {
        self.note(|about| {
            about.cluster = Some(identity.cluster);
            about.incarnation = identity.incarnation;
        })
    }
}

impl Shared {
    /// Whether the commit index has passed a change of the configuration since it was written.
    ///
    /// Such a step is written at once. After a crash the node would still count somebody who
    /// has left meanwhile, and would wait for him.
    // ANCHOR: learnt
    fn learnt_of_a_change(&self, mirror: &MemoryStorage) -> Result<bool, DiskError> {
        let (from, to) = (self.saved_commit, mirror.hard_state().commit);
        let from = from.saturating_add(1).max(mirror.first_index()?);
        if from > to {
            return Ok(false);
        }
        let committed = mirror.entries(from..to.saturating_add(1), u64::MAX)?;
        Ok(committed.iter().any(|entry| entry.conf_change().is_some()))
    }
    // ANCHOR_END: learnt
}
