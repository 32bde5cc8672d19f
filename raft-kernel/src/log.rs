//! A node's log: what storage holds, and after it what storage does not hold yet.
//!
//! Section 5.3 of the paper. Three positions move along it and never back: `applied
//! ≤ applying ≤ committed ≤ last index`. Entries up to `committed` can never change.

use crate::entry::{Entries, Entry, EntryId};
use crate::error::Error;
use crate::state::Snapshot;
use crate::storage::{Storage, StorageError};
use crate::unstable::Unstable;
use crate::{Index, Term};

pub(crate) struct RaftLog<S> {
    storage: S,
    pub(crate) unstable: Unstable,
    /// The highest index known to be held by a majority.
    committed: Index,
    /// The highest index handed out to be applied.
    applying: Index,
    /// The highest index acknowledged as applied.
    applied: Index,
    max_applying_bytes: u64,
    /// The bytes handed out to be applied and not acknowledged.
    applying_bytes: u64,
    /// Set when the limit on those bytes is reached, until something is acknowledged.
    applying_paused: bool,
}

/// What the engine makes of a storage that failed: the node stops.
pub(crate) fn storage_failed<E: std::error::Error + Send + Sync + 'static>(
    error: StorageError<E>,
) -> Error {
    Error::Storage(Box::new(error))
}

/// Refuses an end of a log that no log has: sums with it could overflow.
fn in_range(end: Index, least: Index) -> Result<Index, Error> {
    if (least..=crate::MAX_INDEX + least).contains(&end) {
        Ok(end)
    } else {
        Err(Error::Invariant(
            "the storage's first or last index is out of range",
        ))
    }
}

impl<S: Storage> RaftLog<S> {
    pub(crate) fn new(storage: S, max_applying_bytes: u64) -> Result<Self, Error> {
        let first = storage.first_index().map_err(storage_failed)?;
        let last = storage.last_index().map_err(storage_failed)?;
        if first == 0 || last < first - 1 || last > crate::MAX_INDEX {
            return Err(Error::Invariant(
                "the storage's first and last index contradict each other",
            ));
        }
        Ok(RaftLog {
            storage,
            unstable: Unstable::new(last + 1),
            // What was compacted was applied, so it was committed.
            committed: first - 1,
            applying: first - 1,
            applied: first - 1,
            max_applying_bytes,
            applying_bytes: 0,
            applying_paused: false,
        })
    }

    pub(crate) fn storage(&self) -> &S {
        &self.storage
    }

    pub(crate) fn committed(&self) -> Index {
        self.committed
    }

    pub(crate) fn applied(&self) -> Index {
        self.applied
    }

    pub(crate) fn first_index(&self) -> Result<Index, Error> {
        match self.unstable.first_index() {
            Some(first) => Ok(first),
            None => in_range(self.storage.first_index().map_err(storage_failed)?, 1),
        }
    }

    pub(crate) fn last_index(&self) -> Index {
        self.unstable.last_index()
    }

    pub(crate) fn last_id(&self) -> Result<EntryId, Error> {
        if let Some(last) = self.unstable.last_id() {
            return Ok(last);
        }
        let index = self.last_index();
        let term = self
            .term(index)?
            .ok_or(Error::Invariant("the last entry has no term"))?;
        Ok(EntryId { index, term })
    }

    /// The last entry that a crash cannot take away any more.
    pub(crate) fn stored_last_id(&self) -> Result<EntryId, Error> {
        let index = self.unstable.offset() - 1;
        let term = self
            .term(index)?
            .ok_or(Error::Invariant("the last stored entry has no term"))?;
        Ok(EntryId { index, term })
    }

    /// The term at `index`, or `None` where the log does not reach, at either end.
    pub(crate) fn term(&self, index: Index) -> Result<Option<Term>, Error> {
        if let Some(term) = self.unstable.term(index) {
            return Ok(Some(term));
        }
        if index >= self.unstable.offset() || self.unstable.first_index().is_some() {
            return Ok(None);
        }
        match self.storage.term(index) {
            Ok(term) => Ok(Some(term)),
            Err(StorageError::Compacted | StorageError::Unavailable) => Ok(None),
            Err(error) => Err(storage_failed(error)),
        }
    }

    /// Whether the entry is in the log. What lies beyond the log's ends is in no log: a
    /// compacted entry has no term that could match by accident.
    pub(crate) fn contains(&self, id: EntryId) -> Result<bool, Error> {
        Ok(self.term(id.index)? == Some(id.term))
    }

    /// Whether a log that ends in `last` is at least as complete as this one (paper,
    /// section 5.4.1).
    // ANCHOR: up_to_date
    pub(crate) fn is_up_to_date(&self, last: EntryId) -> Result<bool, Error> {
        let own = self.last_id()?;
        Ok((last.term, last.index) >= (own.term, own.index))
    }
    // ANCHOR_END: up_to_date

    /// The largest index up to `index` at which the log could match one whose entry at
    /// `index` is of `term`, and the log's own term there (0 where it is compacted).
    ///
    /// Terms never fall along a log, so everything of a greater term can be skipped at
    /// once, and the place can be found by halving.
    pub(crate) fn find_conflict_by_term(&self, index: Index, term: Term) -> Result<EntryId, Error> {
        if index > self.last_index() {
            return Ok(EntryId { index, term: 0 });
        }
        let oldest = self.first_index()? - 1;
        if index < oldest || self.term(oldest)?.is_none_or(|own| own > term) {
            return Ok(EntryId {
                index: index.min(oldest.saturating_sub(1)),
                term: 0,
            });
        }
        let (mut fits, mut beyond) = (oldest, index + 1);
        while beyond - fits > 1 {
            let middle = fits + (beyond - fits) / 2;
            match self.term(middle)? {
                Some(own) if own <= term => fits = middle,
                _ => beyond = middle,
            }
        }
        Ok(EntryId {
            index: fits,
            term: self.term(fits)?.unwrap_or(0),
        })
    }

    /// Appends a leader's own entry.
    pub(crate) fn push(&mut self, entry: Entry) {
        self.unstable.push(entry);
    }

    /// Appends entries, replacing what is at and behind the first one.
    pub(crate) fn append(&mut self, entries: Entries) -> Result<(), Error> {
        if entries
            .first()
            .is_some_and(|first| first.index <= self.committed)
        {
            return Err(Error::Invariant("a committed entry would be overwritten"));
        }
        self.unstable.truncate_and_append(entries);
        Ok(())
    }

    /// Appends what a leader sent, if the log holds the entry `prev` before it, and says
    /// so. Entries that are there already stay, and so does what follows them: the
    /// message may be an old one (paper, section 5.3 and figure 2, step 3).
    // ANCHOR: maybe_append
    pub(crate) fn maybe_append(&mut self, prev: EntryId, entries: Entries) -> Result<bool, Error> {
        if !self.contains(prev)? {
            return Ok(false);
        }
        if prev.index == self.last_index() {
            // Nearly always: there is nothing to compare, the entries are all new.
            self.append(entries)?;
            return Ok(true);
        }
        for (place, entry) in entries.iter().enumerate() {
            if !self.contains(EntryId {
                index: entry.index,
                term: entry.term,
            })? {
                self.append(entries.slice(place..entries.len()))?;
                break;
            }
        }
        Ok(true)
    }
    // ANCHOR_END: maybe_append

    /// Moves the commit index forward.
    pub(crate) fn commit_to(&mut self, index: Index) -> Result<(), Error> {
        let last_index = self.last_index();
        if index > last_index {
            return Err(Error::LostEntries {
                committed: index,
                last_index,
            });
        }
        self.committed = self.committed.max(index);
        Ok(())
    }

    /// The entries of `low..high`, as many as fit into `max_bytes`, but at least one.
    // Inlined, since an answer without a `Result` around it need not be copied out of one.
    #[inline]
    pub(crate) fn slice(
        &mut self,
        low: Index,
        high: Index,
        max_bytes: u64,
    ) -> Result<Entries, Error> {
        if low >= high {
            return Ok(Entries::default());
        }
        if self.unstable.covers(low) {
            return Ok(self.unstable.slice(low, high, max_bytes));
        }
        self.slice_from_storage(low, high, max_bytes)
    }

    /// The same where at least the first of them is only in storage.
    fn slice_from_storage(
        &mut self,
        low: Index,
        high: Index,
        max_bytes: u64,
    ) -> Result<Entries, Error> {
        let offset = self.unstable.offset();
        let stored_high = high.min(offset);
        let stored = self
            .storage
            .entries(low..stored_high, max_bytes)
            .map_err(storage_failed)?;
        let complete = stored.len() as Index == stored_high - low;
        let size = stored
            .iter()
            .fold(0_u64, |sum, entry| sum.saturating_add(entry.size()));
        if high <= offset || !complete || size >= max_bytes {
            return Ok(stored);
        }
        let room = max_bytes - size;
        let rest = self.unstable.slice(offset, high, room);
        // At least one entry is there already, so this one must fit.
        if rest.first().is_none_or(|entry| entry.size() > room) {
            return Ok(stored);
        }
        Ok(stored.iter().chain(rest.iter()).cloned().collect())
    }

    /// The entries from `low` to the end, or `None` if they were compacted.
    #[inline]
    pub(crate) fn entries_from(
        &mut self,
        low: Index,
        max_bytes: u64,
    ) -> Result<Option<Entries>, Error> {
        if low < self.unstable.offset() && low < self.first_index()? {
            return Ok(None);
        }
        let high = self.last_index() + 1;
        self.slice(low, high, max_bytes).map(Some)
    }

    /// The snapshot that a follower can start from, or `None` while it is being made.
    pub(crate) fn snapshot(&self) -> Result<Option<Snapshot>, Error> {
        match self.storage.snapshot() {
            Ok(snapshot) => Ok(Some(snapshot)),
            Err(StorageError::SnapshotTemporarilyUnavailable) => Ok(None),
            Err(error) => Err(storage_failed(error)),
        }
    }

    /// The log now begins after `snapshot`.
    pub(crate) fn restore(&mut self, snapshot: Snapshot) {
        self.committed = snapshot.index;
        self.unstable.restore(snapshot);
    }

    /// Storage acknowledged an entry. Says whether that counts.
    pub(crate) fn stable_to(&mut self, id: EntryId) -> bool {
        let counts = self.unstable.stable_to(id.index, id.term);
        self.unstable.forget(self.applying);
        counts
    }

    /// How far entries may be applied: only what is committed, and while writes are
    /// asynchronous only what storage has acknowledged.
    // ANCHOR: appliable
    fn appliable(&self, allow_unstable: bool) -> Index {
        if allow_unstable {
            self.committed
        } else {
            self.committed.min(self.unstable.offset() - 1)
        }
    }
    // ANCHOR_END: appliable

    /// Whether committed entries wait to be handed out.
    // ANCHOR: has_next_committed
    pub(crate) fn has_next_committed(&self, allow_unstable: bool) -> bool {
        // A snapshot that waits to be applied comes first: the entries follow it.
        !self.unstable.has_snapshot()
            && !self.applying_paused
            && self.applying < self.appliable(allow_unstable)
    }
    // ANCHOR_END: has_next_committed

    /// The committed entries to hand out next.
    pub(crate) fn next_committed(&mut self, allow_unstable: bool) -> Result<Entries, Error> {
        if !self.has_next_committed(allow_unstable) {
            return Ok(Entries::default());
        }
        let room = self.max_applying_bytes.saturating_sub(self.applying_bytes);
        self.slice(self.applying + 1, self.appliable(allow_unstable) + 1, room)
    }

    /// The entries up to `last` of `bytes` in all were handed out.
    pub(crate) fn accept_applying(&mut self, last: Index, bytes: u64, allow_unstable: bool) {
        self.applying = self.applying.max(last);
        self.applying_bytes = self.applying_bytes.saturating_add(bytes);
        self.applying_paused =
            self.applying_bytes >= self.max_applying_bytes || last < self.appliable(allow_unstable);
        self.unstable.forget(self.applying);
    }

    /// Entries up to `index` of `bytes` in all are applied.
    pub(crate) fn applied_to(&mut self, index: Index, bytes: u64) -> Result<(), Error> {
        if index > self.committed {
            return Err(Error::Invariant("more was applied than is committed"));
        }
        self.applied = self.applied.max(index);
        self.applying = self.applying.max(self.applied);
        self.applying_bytes = self.applying_bytes.saturating_sub(bytes);
        // With nothing handed out there is always room for one entry, even under a limit of 0.
        self.applying_paused =
            self.applying_bytes > 0 && self.applying_bytes >= self.max_applying_bytes;
        Ok(())
    }

    /// Whether a committed configuration change waits to be applied.
    pub(crate) fn has_unapplied_conf_change(&mut self) -> Result<bool, Error> {
        const PAGE: u64 = 1 << 20;
        let mut low = self.applied.max(self.first_index()? - 1) + 1;
        while low <= self.committed {
            let page = self.slice(low, self.committed + 1, PAGE)?;
            if page.iter().any(|entry| entry.conf_change().is_some()) {
                return Ok(true);
            }
            low += (page.len() as Index).max(1);
        }
        Ok(false)
    }
}
