//! A [`Storage`] in memory: the reference for every other one.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use crate::entry::{Entries, Entry};
use crate::state::{ConfState, HardState, Snapshot};
use crate::storage::{InitialState, Storage, StorageError};
use crate::{Index, Term};

/// What a [`MemoryStorage`] answers: nothing underneath it can fail.
pub type MemoryResult<T> = Result<T, StorageError<Infallible>>;

/// A log, its promises and its snapshot, in memory.
///
/// A clone is another handle to the same storage, so that a node can read while a
/// storage thread writes.
#[derive(Clone, Debug, Default)]
pub struct MemoryStorage {
    shared: Arc<Mutex<Contents>>,
}

// ANCHOR: contents
#[derive(Debug, Default)]
struct Contents {
    hard_state: HardState,
    snapshot: Snapshot,
    /// Where the entries begin: the index and term of the entry before the first. It
    /// stands for everything that was compacted, and is 0 and 0 in a new log.
    dummy: Position,
    /// The entries after `dummy`, their indexes counting up by one.
    entries: VecDeque<Entry>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Position {
    index: Index,
    term: Term,
}
// ANCHOR_END: contents

impl MemoryStorage {
    /// An empty storage: no entries, no promises, nobody in the configuration.
    pub fn new() -> Self {
        Self::default()
    }

    /// A storage that begins with a snapshot, as if it had been received.
    pub fn from_snapshot(snapshot: Snapshot) -> Self {
        let storage = Self::new();
        // A new storage is older than any snapshot, so this cannot be refused, except
        // for the snapshot of nothing, which changes nothing.
        let _ = storage.apply_snapshot(snapshot);
        storage
    }

    /// The promises of a writer that panicked are still promises: the contents are
    /// changed only by whole assignments, so they are never half-written.
    fn lock(&self) -> MutexGuard<'_, Contents> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps these promises instead of the earlier ones.
    pub fn set_hard_state(&self, hard_state: HardState) {
        self.lock().hard_state = hard_state;
    }

    /// The promises kept.
    pub fn hard_state(&self) -> HardState {
        self.lock().hard_state
    }

    /// How many entries are kept, the compacted ones not counted.
    pub fn len(&self) -> usize {
        self.lock().entries.len()
    }

    /// Whether no entries are kept.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Appends entries, replacing from the first one given whatever was there.
    ///
    /// Entries that the snapshot contains are skipped, compacted or not: they are
    /// committed, so they cannot differ.
    ///
    /// # Errors
    /// [`StorageError::Gap`] when the first entry would not follow the log's end, and
    /// [`StorageError::NotConsecutive`] when the entries do not follow each other;
    /// nothing is changed then.
    // ANCHOR: append
    pub fn append(&self, entries: &[Entry]) -> MemoryResult<()> {
        // ANCHOR: append_refuse
        let Some(given) = entries.first() else {
            return Ok(());
        };
        if !entries
            .windows(2)
            .all(|pair| pair[0].index.checked_add(1) == Some(pair[1].index))
        {
            return Err(StorageError::NotConsecutive);
        }
        let mut contents = self.lock();
        if given.index > contents.next_index() {
            let expected = contents.next_index();
            return Err(StorageError::Gap {
                expected,
                found: given.index,
            });
        }
        // ANCHOR_END: append_refuse
        // ANCHOR: append_write
        // What the snapshot contains is there already, in another form.
        let snapshot = contents.snapshot.index;
        let contained = entries.partition_point(|entry| entry.index <= snapshot);
        let fresh = &entries[contained..];
        // What the new entries overlap goes, and so does all that followed it.
        if let Some(first) = fresh.first() {
            let kept = contents.offset(first.index)?;
            contents.entries.truncate(kept);
            contents.entries.extend(fresh.iter().cloned());
        }
        // ANCHOR_END: append_write
        Ok(())
    }
    // ANCHOR_END: append

    /// Puts a received snapshot in the place of the log and of the earlier snapshot.
    ///
    /// # Errors
    /// [`StorageError::SnapshotOutOfDate`] when the earlier snapshot is at least as new.
    // ANCHOR: apply_snapshot
    pub fn apply_snapshot(&self, snapshot: Snapshot) -> MemoryResult<()> {
        let mut contents = self.lock();
        if snapshot.index <= contents.snapshot.index {
            return Err(StorageError::SnapshotOutOfDate);
        }
        contents.dummy = Position {
            index: snapshot.index,
            term: snapshot.term,
        };
        contents.entries.clear();
        contents.snapshot = snapshot;
        Ok(())
    }
    // ANCHOR_END: apply_snapshot

    /// Makes a snapshot of a state machine that has applied everything up to `index`.
    /// The log stays as it is; [`MemoryStorage::compact`] shortens it.
    ///
    /// # Errors
    /// [`StorageError::SnapshotOutOfDate`] when there is one at least as new, and
    /// [`StorageError::Unavailable`] when the log does not reach `index`.
    // ANCHOR: create_snapshot
    pub fn create_snapshot(
        &self,
        index: Index,
        conf_state: ConfState,
        data: impl Into<Bytes>,
    ) -> MemoryResult<Snapshot> {
        let mut contents = self.lock();
        if index <= contents.snapshot.index {
            return Err(StorageError::SnapshotOutOfDate);
        }
        let term = contents.term(index)?;
        contents.snapshot = Snapshot {
            index,
            term,
            conf_state,
            data: data.into(),
        };
        Ok(contents.snapshot.clone())
    }
    // ANCHOR_END: create_snapshot

    /// Forgets every entry up to and including `index`.
    ///
    /// # Errors
    /// [`StorageError::Compacted`] when they are forgotten already,
    /// [`StorageError::NotInSnapshot`] when the snapshot does not reach `index`: they
    /// would be nowhere.
    // ANCHOR: compact
    pub fn compact(&self, index: Index) -> MemoryResult<()> {
        let mut contents = self.lock();
        if index <= contents.dummy.index {
            return Err(StorageError::Compacted);
        }
        if index > contents.snapshot.index {
            return Err(StorageError::NotInSnapshot);
        }
        let term = contents.term(index)?;
        let last_gone = contents.offset(index)?;
        contents.entries.drain(..=last_gone);
        contents.dummy = Position { index, term };
        Ok(())
    }
    // ANCHOR_END: compact
}

impl Contents {
    fn first_index(&self) -> Index {
        self.dummy.index.saturating_add(1)
    }

    fn last_index(&self) -> Index {
        self.dummy.index + self.entries.len() as Index
    }

    /// The index that the next entry to append will have.
    fn next_index(&self) -> Index {
        self.last_index().saturating_add(1)
    }

    /// Where in `entries` an index is, or would be.
    fn offset(&self, index: Index) -> MemoryResult<usize> {
        let offset = index
            .checked_sub(self.first_index())
            .ok_or(StorageError::Compacted)?;
        usize::try_from(offset).map_err(|_| StorageError::Unavailable)
    }

    // ANCHOR: term
    fn term(&self, index: Index) -> MemoryResult<Term> {
        if index == self.dummy.index {
            return Ok(self.dummy.term);
        }
        let entry = self.entries.get(self.offset(index)?);
        entry
            .map(|entry| entry.term)
            .ok_or(StorageError::Unavailable)
    }
    // ANCHOR_END: term

    // ANCHOR: entries
    fn entries(&self, range: Range<Index>, max_bytes: u64) -> MemoryResult<Entries> {
        let end = range.end.max(range.start);
        let from = self.offset(range.start)?;
        if end > self.next_index() {
            return Err(StorageError::Unavailable);
        }
        let to = self.offset(end)?;
        let mut size = 0_u64;
        let fitting = self.entries.range(from..to).take_while(|entry| {
            let is_first = size == 0;
            size = size.saturating_add(entry.size());
            is_first || size <= max_bytes
        });
        Ok(fitting.cloned().collect())
    }
    // ANCHOR_END: entries
}

impl Storage for MemoryStorage {
    type Error = Infallible;

    fn initial_state(&self) -> MemoryResult<InitialState> {
        let contents = self.lock();
        Ok(InitialState {
            hard_state: contents.hard_state,
            conf_state: contents.snapshot.conf_state.clone(),
            conf_index: contents.snapshot.index,
        })
    }

    fn entries(&self, range: Range<Index>, max_bytes: u64) -> MemoryResult<Entries> {
        self.lock().entries(range, max_bytes)
    }

    fn term(&self, index: Index) -> MemoryResult<Term> {
        self.lock().term(index)
    }

    fn first_index(&self) -> MemoryResult<Index> {
        Ok(self.lock().first_index())
    }

    fn last_index(&self) -> MemoryResult<Index> {
        Ok(self.lock().last_index())
    }

    fn snapshot(&self) -> MemoryResult<Snapshot> {
        Ok(self.lock().snapshot.clone())
    }
}
