//! The end of the log: what storage does not hold yet, and the last of what it does.
//!
//! An entry is *unstable* from the moment it is appended until its write is
//! acknowledged. In between it is *in progress* while a write of it is under way. A
//! received snapshot passes through the same stages.
//!
//! The entries lie in *runs* that are shared with whoever was handed them: the run that
//! goes to the disk is the one that goes to the followers, and later to the state
//! machine. So the newest runs are kept a little longer than they are unstable.

use std::collections::VecDeque;

use crate::entry::{Entries, Entry, EntryId, fitting, total_size};
use crate::state::Snapshot;
use crate::{Index, Term};

/// So many stored runs are kept, up to so many bytes, for what is asked about the newest
/// entries.
const KEPT_RUNS: usize = 4;
const KEPT_BYTES: u64 = 64 << 10;

/// Stored runs that are still to be applied are kept up to so many bytes. Beyond that they
/// are read from storage again.
const WAITING_BYTES: u64 = 1 << 20;

/// The end of the log.
#[derive(Debug)]
pub(crate) struct Unstable {
    snapshot: Option<Snapshot>,
    snapshot_in_progress: bool,
    /// Consecutive entries, the newest at the back.
    runs: VecDeque<Run>,
    /// How many runs at the front are stored as a whole, and their size in bytes.
    stored_runs: usize,
    stored_bytes: u64,
    /// Entries after all runs, which nobody was handed yet.
    fresh: Vec<Entry>,
    /// The index of the first unstable entry, or where it would be.
    offset: Index,
    /// Entries before this index are being written, or are written.
    in_progress: Index,
    /// The index after the last entry.
    next: Index,
}

/// Consecutive entries, at least one, where they begin and end, and how large they are:
/// what is asked about them again and again.
#[derive(Debug)]
struct Run {
    first: Index,
    last: Index,
    last_term: Term,
    size: u64,
    entries: Entries,
}

impl Run {
    /// A run of these entries, or nothing if there are none.
    fn of(entries: Entries) -> Option<Run> {
        let [first, ..] = &*entries else {
            return None;
        };
        let last = entries.last()?;
        Some(Run {
            first: first.index,
            last: last.index,
            last_term: last.term,
            size: total_size(&entries),
            entries,
        })
    }

    /// Those of its entries from `low` on and before `high`.
    fn between(&self, low: Index, high: Index) -> Entries {
        if low <= self.first && self.last < high {
            return self.entries.clone();
        }
        let place = |index: Index| places(index.saturating_sub(self.first));
        self.entries.slice(place(low)..place(high))
    }
}

fn places(count: Index) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

impl Unstable {
    /// Nothing is unstable; the next entry will be at `offset`.
    pub(crate) fn new(offset: Index) -> Self {
        Unstable {
            snapshot: None,
            snapshot_in_progress: false,
            runs: VecDeque::new(),
            stored_runs: 0,
            stored_bytes: 0,
            fresh: Vec::new(),
            offset,
            in_progress: offset,
            next: offset,
        }
    }

    pub(crate) fn offset(&self) -> Index {
        self.offset
    }

    /// Where the log begins, if an unstable snapshot decides that.
    pub(crate) fn first_index(&self) -> Option<Index> {
        self.snapshot.as_ref().map(|snapshot| snapshot.index + 1)
    }

    /// Where the log ends.
    pub(crate) fn last_index(&self) -> Index {
        self.next - 1
    }

    /// The last entry, if it or a snapshot in its place is here.
    pub(crate) fn last_id(&self) -> Option<EntryId> {
        if let Some(entry) = self.fresh.last() {
            return Some(EntryId {
                index: entry.index,
                term: entry.term,
            });
        }
        if let Some(run) = self.runs.back() {
            return Some(EntryId {
                index: run.last,
                term: run.last_term,
            });
        }
        self.snapshot.as_ref().map(|snapshot| EntryId {
            index: snapshot.index,
            term: snapshot.term,
        })
    }

    /// The last entry, if it is one that storage does not hold.
    pub(crate) fn last_unstable(&self) -> Option<EntryId> {
        self.last_id().filter(|_| self.has_entries())
    }

    /// The term at `index`, if an entry or an unstable snapshot is here.
    pub(crate) fn term(&self, index: Index) -> Option<Term> {
        if index >= self.next {
            return None;
        }
        if index + 1 == self.next {
            // Where nearly every question is asked.
            return self.last_id().map(|last| last.term);
        }
        if let Some(place) = self
            .fresh
            .first()
            .and_then(|first| index.checked_sub(first.index))
        {
            return self.fresh.get(places(place)).map(|entry| entry.term);
        }
        if let Some(run) = self.run_at(index).and_then(|place| self.runs.get(place)) {
            return run
                .entries
                .get(places(index - run.first))
                .map(|entry| entry.term);
        }
        self.snapshot
            .as_ref()
            .filter(|snapshot| snapshot.index == index)
            .map(|snapshot| snapshot.term)
    }

    /// The place of the run that holds the entry at `index`, which is before all fresh
    /// ones. By halving, since many runs may wait for a slow disk.
    fn run_at(&self, index: Index) -> Option<usize> {
        // Nearly every question is about the newest run, or where the one before it ends.
        let newest = self.runs.iter().enumerate().rev().take(2);
        if let Some((place, _)) = newest.into_iter().find(|(_, run)| run.first <= index) {
            return Some(place);
        }
        self.runs
            .partition_point(|run| run.first <= index)
            .checked_sub(1)
    }

    /// Whether the entry at `index` is here, stored or not.
    pub(crate) fn covers(&self, index: Index) -> bool {
        let first = self.runs.front().map(|run| run.first);
        let first = first.or_else(|| self.fresh.first().map(|entry| entry.index));
        first.is_some_and(|first| first <= index) && index < self.next
    }

    /// The entries from `low`, which is here, on and before `high`, as many as fit, but at
    /// least one. Shared with a run where they lie in one.
    // Inlined for the usual case, whose answer is then built where it is to be.
    #[inline]
    pub(crate) fn slice(&mut self, low: Index, high: Index, max_bytes: u64) -> Entries {
        if !self.fresh.is_empty() {
            self.seal();
        }
        // Nearly every question is about the newest run as a whole.
        if let Some(run) = self.runs.back()
            && run.first == low
            && run.last < high
            && run.size <= max_bytes
        {
            return run.entries.clone();
        }
        self.gather(low, high, max_bytes)
    }

    /// The same from whatever runs hold them.
    fn gather(&self, low: Index, high: Index, max_bytes: u64) -> Entries {
        let high = high.min(self.next);
        let start = self.run_at(low).unwrap_or(0);
        let Some(run) = self
            .runs
            .get(start)
            .filter(|run| run.first <= low && low < high)
        else {
            return Entries::default();
        };
        let part = run.between(low, high);
        if run.last + 1 >= high {
            let count = fitting(&part, max_bytes);
            return if count == part.len() {
                part
            } else {
                part.slice(0..count)
            };
        }
        let mut size = total_size(&part);
        let mut gathered: Vec<Entry> = part.to_vec();
        for run in self.runs.range(start + 1..) {
            // No more is read than can be sent: the rest may be long.
            if run.first >= high || size >= max_bytes {
                break;
            }
            let part = run.between(low, high);
            size = size.saturating_add(total_size(&part));
            gathered.extend(part.iter().cloned());
        }
        gathered.truncate(fitting(&gathered, max_bytes));
        gathered.into()
    }

    /// Makes a run of what was appended one by one.
    fn seal(&mut self) {
        let count = self.fresh.len();
        if count == 0 {
            return;
        }
        let sealed = Run::of(Entries::collected(self.fresh.drain(..)));
        self.runs.extend(sealed);
        // Room for one great batch is not kept for the small ones that follow.
        if self.fresh.capacity() / 4 > count.max(64) {
            self.fresh.shrink_to(count.max(64));
        }
    }

    /// The entries whose write has not begun.
    pub(crate) fn next_entries(&mut self) -> Entries {
        if self.has_next_entries() {
            self.slice(self.in_progress, self.next, u64::MAX)
        } else {
            Entries::default()
        }
    }

    pub(crate) fn has_next_entries(&self) -> bool {
        self.in_progress < self.next
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
        self.offset < self.next
    }

    /// The write of everything unstable begins.
    pub(crate) fn accept_in_progress(&mut self) {
        self.in_progress = self.next;
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
        self.offset = index + 1;
        self.in_progress = self.in_progress.max(self.offset);
        while let Some(run) = self.runs.get(self.stored_runs)
            && run.last < self.offset
        {
            self.stored_bytes = self.stored_bytes.saturating_add(run.size);
            self.stored_runs += 1;
        }
        true
    }
    // ANCHOR_END: stable_to

    /// Lets go of stored runs, those first that hold nothing behind `applying`.
    pub(crate) fn forget(&mut self, applying: Index) {
        while self.stored_runs > 0
            && let Some(run) = self.runs.front()
        {
            let may_stay = if run.last > applying {
                self.stored_bytes <= WAITING_BYTES
            } else {
                self.stored_bytes <= KEPT_BYTES && self.stored_runs <= KEPT_RUNS
            };
            if may_stay {
                break;
            }
            self.stored_bytes = self.stored_bytes.saturating_sub(run.size);
            self.stored_runs -= 1;
            self.runs.pop_front();
        }
    }

    /// Storage acknowledged a snapshot. Gives it back, unless a newer one took its place.
    pub(crate) fn stable_snapshot_to(&mut self, index: Index) -> Option<Snapshot> {
        let stored = self.snapshot.take_if(|snapshot| snapshot.index == index)?;
        self.snapshot_in_progress = false;
        Some(stored)
    }

    /// The log now begins after `snapshot`, and nothing follows it.
    pub(crate) fn restore(&mut self, snapshot: Snapshot) {
        self.offset = snapshot.index + 1;
        self.in_progress = self.offset;
        self.next = self.offset;
        self.runs.clear();
        self.stored_runs = 0;
        self.stored_bytes = 0;
        self.fresh.clear();
        self.snapshot = Some(snapshot);
        self.snapshot_in_progress = false;
    }

    /// Appends an entry, which follows the last one.
    pub(crate) fn push(&mut self, entry: Entry) {
        self.next = entry.index + 1;
        self.fresh.push(entry);
    }

    /// Appends consecutive entries, replacing what is at and behind the first one.
    pub(crate) fn truncate_and_append(&mut self, entries: Entries) {
        let Some(run) = Run::of(entries) else {
            return;
        };
        // Nearly always the run follows the log's end, and nothing is to go.
        if run.first < self.next || !self.fresh.is_empty() {
            self.truncate(run.first);
        }
        self.next = run.last + 1;
        self.runs.push_back(run);
    }

    /// Drops everything at and behind `index`.
    fn truncate(&mut self, index: Index) {
        self.seal();
        if index < self.next {
            while self.runs.back().is_some_and(|run| run.last >= index) {
                let Some(run) = self.runs.pop_back() else {
                    break;
                };
                self.runs.extend(Run::of(run.between(0, index)));
            }
        }
        if index < self.offset {
            // Rare: a stored entry is replaced. What is left of the stored runs is counted anew.
            self.stored_runs = self.runs.len();
            self.stored_bytes = self.runs.iter().map(|run| run.size).sum();
        }
        // Where stored entries are replaced, the write begins again there.
        self.offset = self.offset.min(index);
        self.in_progress = self.in_progress.min(index);
        self.next = index;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::Payload;

    fn entries(indexes: std::ops::RangeInclusive<Index>, term: Term) -> Entries {
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
        unstable.truncate_and_append(entries(5..=6, 1));
        assert_eq!(indexes(&unstable.next_entries()), [5, 6]);
        unstable.accept_in_progress();
        assert!(!unstable.has_next_entries());
        unstable.truncate_and_append(entries(7..=7, 1));
        assert_eq!(indexes(&unstable.next_entries()), [7]);
    }

    #[test]
    fn replacing_an_entry_whose_write_has_begun_writes_it_again() {
        let mut unstable = Unstable::new(5);
        unstable.truncate_and_append(entries(5..=7, 1));
        unstable.accept_in_progress();
        unstable.truncate_and_append(entries(6..=6, 2));
        assert_eq!(indexes(&unstable.next_entries()), [6]);
        assert_eq!(unstable.last_index(), 6);
    }

    #[test]
    fn replacing_a_stored_entry_writes_from_there() {
        let mut unstable = Unstable::new(5);
        unstable.truncate_and_append(entries(3..=4, 2));
        assert_eq!(indexes(&unstable.next_entries()), [3, 4]);
        assert_eq!(unstable.offset(), 3);
    }

    /// trap 3: the guard is the comparison of terms in `stable_to`.
    #[test]
    fn an_acknowledgement_of_an_overwritten_entry_does_not_count() {
        let mut unstable = Unstable::new(5);
        unstable.truncate_and_append(entries(5..=6, 1));
        unstable.accept_in_progress();
        unstable.truncate_and_append(entries(5..=6, 2));
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
        unstable.truncate_and_append(entries(5..=6, 1));
        unstable.restore(Snapshot {
            index: 9,
            term: 3,
            ..Snapshot::default()
        });
        assert_eq!(
            (unstable.first_index(), unstable.last_index()),
            (Some(10), 9)
        );
        assert_eq!((unstable.term(9), unstable.term(6)), (Some(3), None));
        unstable.accept_in_progress();
        assert!(unstable.next_snapshot().is_none() && unstable.has_snapshot());
        assert_eq!(unstable.stable_snapshot_to(8), None);
        assert!(unstable.has_snapshot(), "another snapshot was acknowledged");
        assert!(unstable.stable_snapshot_to(9).is_some());
        assert!(!unstable.has_snapshot());
    }
}
