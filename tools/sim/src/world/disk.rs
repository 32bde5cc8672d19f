//! A disk: what was written, and what of it is there for good.
//!
//! The rule: a crash takes everything that no finished sync covers. The node reads what was
//! written; after a crash, what is left is what was synced, and perhaps the beginning of the
//! write that was under way.

use raft_kernel::{
    AppendWork, ConfState, Entries, HardState, Index, MemoryStorage, Snapshot, Storage,
};

use crate::plan::WriteFate;

/// What a write holds.
#[derive(Clone, Debug)]
struct Record {
    snapshot: Option<Snapshot>,
    entries: Entries,
    hard_state: Option<HardState>,
}

impl Record {
    fn of(work: &AppendWork) -> Self {
        Record {
            snapshot: work.snapshot.as_deref().cloned(),
            entries: work.entries.clone(),
            hard_state: work.hard_state,
        }
    }

    fn write_to(&self, storage: &MemoryStorage) -> Result<(), String> {
        let refused = |error| format!("the storage refuses a write: {error}");
        if let Some(snapshot) = self.snapshot.clone() {
            storage.apply_snapshot(snapshot).map_err(refused)?;
        }
        storage.append(&self.entries).map_err(refused)?;
        if let Some(hard_state) = self.hard_state {
            storage.set_hard_state(hard_state);
        }
        Ok(())
    }
}

pub(super) struct Disk {
    /// What the node reads: all that was written.
    pub(super) written: MemoryStorage,
    /// What a crash leaves.
    synced: MemoryStorage,
    /// What was written since the last sync.
    unsynced: Vec<Record>,
}

/// What of a torn write is left.
pub(super) struct Left {
    pub(super) snapshot: bool,
    pub(super) entries: usize,
}

impl Disk {
    pub(super) fn empty() -> Self {
        Disk {
            written: MemoryStorage::new(),
            synced: MemoryStorage::new(),
            unsynced: Vec::new(),
        }
    }

    /// The disk of a member of a founded cluster.
    pub(super) fn founded(snapshot: &Snapshot) -> Self {
        let promises = HardState {
            term: snapshot.term,
            vote: None,
            commit: snapshot.index,
        };
        let disk = Disk {
            written: MemoryStorage::from_snapshot(snapshot.clone()),
            synced: MemoryStorage::from_snapshot(snapshot.clone()),
            unsynced: Vec::new(),
        };
        disk.written.set_hard_state(promises);
        disk.synced.set_hard_state(promises);
        disk
    }

    /// The promises that a crash leaves.
    pub(super) fn promises(&self) -> HardState {
        self.synced.hard_state()
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        self.synced.snapshot().unwrap_or_default()
    }

    /// Writes, and if the write has to reach the disk waits until it did, with all that was
    /// written before.
    pub(super) fn write(&mut self, work: &AppendWork) -> Result<(), String> {
        let record = Record::of(work);
        record.write_to(&self.written)?;
        if !work.must_sync {
            if work.hard_state.is_some() || !work.entries.is_empty() {
                self.unsynced.push(record);
            }
            return Ok(());
        }
        for record in self.unsynced.drain(..) {
            record.write_to(&self.synced)?;
        }
        record.write_to(&self.synced)
    }

    /// Whether anything that has been written would be lost in a crash, entries too.
    pub(super) fn unsynced_entries(&self) -> impl Iterator<Item = &Entries> {
        self.unsynced.iter().map(|record| &record.entries)
    }

    /// The machine stops. `under_way` is the write that it was at: what of it is left?
    pub(super) fn crash(
        &mut self,
        under_way: Option<&AppendWork>,
        fate: WriteFate,
    ) -> Result<Left, String> {
        let mut left = Left {
            snapshot: false,
            entries: 0,
        };
        let record = under_way.and_then(|work| match fate {
            WriteFate::Lost => None,
            WriteFate::Whole => Some(Record::of(work)),
            WriteFate::Torn(records) => Some(torn(work, usize::from(records))),
        });
        if let Some(record) = record {
            // A log is written from its beginning to its end: what came before is there.
            for before in self.unsynced.drain(..) {
                before.write_to(&self.synced)?;
            }
            record.write_to(&self.synced)?;
            left.snapshot = record.snapshot.is_some();
            left.entries = record.entries.len();
        }
        self.unsynced.clear();
        self.written = copy(&self.synced)?;
        Ok(left)
    }

    /// Makes a snapshot of a state machine that has applied everything up to `index`, and
    /// forgets what is more than `keep` entries before it. Says whether there was news.
    pub(super) fn compact(
        &mut self,
        index: Index,
        conf_state: &ConfState,
        data: &raft_kernel::Bytes,
        keep: u64,
    ) -> bool {
        let made = |storage: &MemoryStorage| {
            let made = storage.create_snapshot(index, conf_state.clone(), data.clone());
            if made.is_ok() {
                // Refused where the log is no longer than that.
                let _ = storage.compact(index.saturating_sub(keep));
            }
            made.is_ok()
        };
        made(&self.synced) && made(&self.written)
    }

    /// An operator tells a stopped node that so much is committed.
    pub(super) fn set_commit(&mut self, commit: Index) {
        let mut promises = self.synced.hard_state();
        promises.commit = promises.commit.max(commit);
        self.synced.set_hard_state(promises);
        self.written.set_hard_state(promises);
    }
}

/// The first records of a write: a snapshot is one, each entry is one, the promises are one.
fn torn(work: &AppendWork, records: usize) -> Record {
    let whole = Record::of(work);
    let snapshots = usize::from(whole.snapshot.is_some());
    let entries = records.saturating_sub(snapshots).min(whole.entries.len());
    let all = snapshots + whole.entries.len();
    Record {
        snapshot: whole
            .snapshot
            .filter(|_| records >= snapshots && records > 0),
        entries: whole.entries.slice(0..entries),
        hard_state: whole.hard_state.filter(|_| records > all),
    }
}

/// The same contents in a storage of their own.
fn copy(from: &MemoryStorage) -> Result<MemoryStorage, String> {
    let failed = |error| format!("the disk cannot be read: {error}");
    let first = from.first_index().map_err(failed)?;
    let last = from.last_index().map_err(failed)?;
    let snapshot = from.snapshot().map_err(failed)?;
    let begins_after = Snapshot {
        index: first - 1,
        term: from.term(first - 1).map_err(failed)?,
        ..Snapshot::default()
    };
    let copy = if snapshot.index < first {
        MemoryStorage::from_snapshot(snapshot.clone())
    } else {
        MemoryStorage::from_snapshot(begins_after)
    };
    let entries = from.entries(first..last + 1, u64::MAX).map_err(failed)?;
    copy.append(&entries).map_err(failed)?;
    if snapshot.index >= first {
        copy.create_snapshot(snapshot.index, snapshot.conf_state, snapshot.data)
            .map_err(failed)?;
    }
    copy.set_hard_state(from.hard_state());
    Ok(copy)
}
