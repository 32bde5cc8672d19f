//! The end of the log that storage does not hold yet.
//!
//! An entry is *unstable* from the moment it is appended until its write is
//! acknowledged. In between it is *in progress* while a write of it is under way. A
//! received snapshot passes through the same stages.

use std::collections::VecDeque;

use crate::entry::{Entries, Entry, fitting};
use crate::state::Snapshot;
use crate::{Index, Term};

/// What is not in storage yet.
#[derive(Debug)]
pub(crate) struct Unstable {
    snapshot: Option<Snapshot>,
    snapshot_in_progress: bool,
    /// Consecutive entries, the first at `offset`.
    entries: VecDeque<Entry>,
    /// The index of the first unstable entry, or where it would be.
    offset: Index,
    /// Entries before this index are being written, or are written.
    in_progress: Index,
}

impl Unstable {
    /// Nothing is unstable; the next entry will be at `offset`.
    pub(crate) fn new(offset: Index) -> Self {
        Unstable {
            snapshot: None,
            snapshot_in_progress: false,
            entries: VecDeque::new(),
            offset,
            in_progress: offset,
        }
    }

    pub(crate) fn offset(&self) -> Index {
        self.offset
    }

    /// Where the log begins, if an unstable snapshot decides that.
    pub(crate) fn first_index(&self) -> Option<Index> {
        self.snapshot.as_ref().map(|snapshot| snapshot.index + 1)
    }

    /// Where the log ends, if anything unstable decides that.
    pub(crate) fn last_index(&self) -> Option<Index> {
        match self.entries.back() {
            Some(entry) => Some(entry.index),
            None => self.snapshot.as_ref().map(|snapshot| snapshot.index),
        }
    }

    /// The term at `index`, if an unstable entry or snapshot is there.
    pub(crate) fn term(&self, index: Index) -> Option<Term> {
        if let Some(place) = index.checked_sub(self.offset) {
            return self
                .entries
                .get(usize::try_from(place).ok()?)
                .map(|entry| entry.term);
        }
        self.snapshot
            .as_ref()
            .filter(|snapshot| snapshot.index == index)
            .map(|s| s.term)
    }

    /// The entries from `low` on and before `high`, of those that are unstable, as many
    /// as fit, but at least one.
    pub(crate) fn slice(&mut self, low: Index, high: Index, max_bytes: u64) -> &[Entry] {
        let place =
            |index: Index| usize::try_from(index.saturating_sub(self.offset)).unwrap_or(usize::MAX);
        let (from, to) = (place(low), place(high).min(self.entries.len()));
        let all = self.entries.make_contiguous();
        let slice = all.get(from..to).unwrap_or_default();
        slice.get(..fitting(slice, max_bytes)).unwrap_or_default()
    }

    /// The entries whose write has not begun.
    pub(crate) fn next_entries(&mut self) -> Entries {
        let (low, high) = (self.in_progress, Index::MAX);
        self.slice(low, high, u64::MAX).into()
    }

    pub(crate) fn has_next_entries(&self) -> bool {
        self.in_progress < self.offset + self.entries.len() as Index
    }

    /// The snapshot, if its write has not begun.
    pub(crate) fn next_snapshot(&self) -> Option<&Snapshot> {
        self.snapshot
            .as_ref()
            .filter(|_| !self.snapshot_in_progress)
    }

    /// Whether there is a snapshot that storage does not hold, its write begun or not.
    pub(crate) fn has_snapshot(&self) -> bool {
        self.snapshot.is_some()
    }

    /// Whether there are entries that storage does not hold, their write begun or not.
    pub(crate) fn has_entries(&self) -> bool {
        !self.entries.is_empty()
    }

    /// The write of everything unstable begins.
    pub(crate) fn accept_in_progress(&mut self) {
        self.in_progress = self.offset + self.entries.len() as Index;
        self.snapshot_in_progress = self.snapshot.is_some();
    }

    /// Storage acknowledged the entry at `index`, written when it was of `term`. Says
    /// whether that counts.
    ///
    /// It does not if another entry has taken that place since: then the write that
    /// was acknowledged was of an entry that no longer exists.
    // ANCHOR: stable_to
    pub(crate) fn stable_to(&mut self, index: Index, term: Term) -> bool {
        if index < self.offset || self.term(index) != Some(term) {
            return false;
        }
        let count = usize::try_from(index + 1 - self.offset).unwrap_or(usize::MAX);
        self.entries.drain(..count.min(self.entries.len()));
        self.offset = index + 1;
        self.in_progress = self.in_progress.max(self.offset);
        true
    }
    // ANCHOR_END: stable_to

    /// Storage acknowledged a snapshot.
    pub(crate) fn stable_snapshot_to(&mut self, index: Index) {
        if self
            .snapshot
            .as_ref()
            .is_some_and(|snapshot| snapshot.index == index)
        {
            self.snapshot = None;
            self.snapshot_in_progress = false;
        }
    }

    /// The log now begins after `snapshot`, and nothing follows it.
    pub(crate) fn restore(&mut self, snapshot: Snapshot) {
        self.offset = snapshot.index + 1;
        self.in_progress = self.offset;
        self.entries.clear();
        self.snapshot = Some(snapshot);
        self.snapshot_in_progress = false;
    }

    /// Appends consecutive entries, replacing what is at and behind the first one.
    pub(crate) fn truncate_and_append(&mut self, entries: &[Entry]) {
        let Some(first) = entries.first() else { return };
        if first.index < self.offset {
            // They replace entries that storage holds: the write must begin again there.
            self.entries.clear();
            self.offset = first.index;
        } else {
            let kept = usize::try_from(first.index - self.offset).unwrap_or(usize::MAX);
            self.entries.truncate(kept);
        }
        self.in_progress = self.in_progress.min(first.index);
        self.entries.extend(entries.iter().cloned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::Payload;

    fn entries(indexes: std::ops::RangeInclusive<Index>, term: Term) -> Vec<Entry> {
        indexes
            .map(|index| Entry {
                term,
                index,
                payload: Payload::Empty,
            })
            .collect()
    }

    fn indexes(entries: &[Entry]) -> Vec<Index> {
        entries.iter().map(|entry| entry.index).collect()
    }

    #[test]
    fn an_entry_is_handed_out_for_writing_once() {
        let mut unstable = Unstable::new(5);
        unstable.truncate_and_append(&entries(5..=6, 1));
        assert_eq!(indexes(&unstable.next_entries()), [5, 6]);
        unstable.accept_in_progress();
        assert!(!unstable.has_next_entries());
        unstable.truncate_and_append(&entries(7..=7, 1));
        assert_eq!(indexes(&unstable.next_entries()), [7]);
    }

    #[test]
    fn replacing_an_entry_whose_write_has_begun_writes_it_again() {
        let mut unstable = Unstable::new(5);
        unstable.truncate_and_append(&entries(5..=7, 1));
        unstable.accept_in_progress();
        unstable.truncate_and_append(&entries(6..=6, 2));
        assert_eq!(indexes(&unstable.next_entries()), [6]);
        assert_eq!(unstable.last_index(), Some(6));
    }

    #[test]
    fn replacing_a_stored_entry_writes_from_there() {
        let mut unstable = Unstable::new(5);
        unstable.truncate_and_append(&entries(3..=4, 2));
        assert_eq!(indexes(&unstable.next_entries()), [3, 4]);
        assert_eq!(unstable.offset(), 3);
    }

    /// trap 3: the guard is the comparison of terms in `stable_to`.
    #[test]
    fn an_acknowledgement_of_an_overwritten_entry_does_not_count() {
        let mut unstable = Unstable::new(5);
        unstable.truncate_and_append(&entries(5..=6, 1));
        unstable.accept_in_progress();
        unstable.truncate_and_append(&entries(5..=6, 2));
        assert!(
            !unstable.stable_to(6, 1),
            "the write of term 1 came back after term 2 took over"
        );
        assert_eq!(indexes(&unstable.next_entries()), [5, 6]);
        unstable.accept_in_progress();
        assert!(unstable.stable_to(6, 2));
        assert!(!unstable.has_entries());
    }

    #[test]
    fn a_snapshot_replaces_the_entries_and_is_gone_once_stored() {
        let mut unstable = Unstable::new(5);
        unstable.truncate_and_append(&entries(5..=6, 1));
        unstable.restore(Snapshot {
            index: 9,
            term: 3,
            ..Snapshot::default()
        });
        assert_eq!(
            (unstable.first_index(), unstable.last_index()),
            (Some(10), Some(9))
        );
        assert_eq!((unstable.term(9), unstable.term(6)), (Some(3), None));
        unstable.accept_in_progress();
        assert!(unstable.next_snapshot().is_none() && unstable.has_snapshot());
        unstable.stable_snapshot_to(8);
        assert!(unstable.has_snapshot(), "another snapshot was acknowledged");
        unstable.stable_snapshot_to(9);
        assert!(!unstable.has_snapshot());
    }
}
