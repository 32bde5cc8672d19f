//! A storage that is too simple to be wrong, and too wasteful to be used.
//!
//! It never forgets an entry. What was compacted or taken over by a snapshot is told
//! by two numbers. The property test holds it against `MemoryStorage`.

use std::convert::Infallible;
use std::ops::Range;

use raft_kernel::{Entries, Entry, Index, MemoryResult, Payload, StorageError};

use crate::operation::{Answer, Operation};
use crate::state::{Place, State};

type Refusal = StorageError<Infallible>;

// ANCHOR: naive
/// Every entry ever, and two numbers.
#[derive(Clone, Debug)]
pub struct Naive {
    /// The entry of index `i` is `all[i]`; `all[0]` is before the first.
    all: Vec<Entry>,
    snapshot: Index,
    compacted: Index,
}
// ANCHOR_END: naive

impl Default for Naive {
    fn default() -> Self {
        Naive {
            all: vec![unknown(0)],
            snapshot: 0,
            compacted: 0,
        }
    }
}

/// Stands for entries that came inside a snapshot: nobody can read them.
fn unknown(term: u64) -> Entry {
    Entry {
        term,
        index: 0,
        payload: Payload::Empty,
    }
}

fn at(index: Index) -> usize {
    usize::try_from(index).unwrap_or(usize::MAX)
}

impl Naive {
    /// Does the operation, or says why not.
    pub fn run(&mut self, operation: &Operation) -> MemoryResult<Answer> {
        match self.refusal(operation) {
            Some(error) => Err(error),
            None => Ok(self.obey(operation)),
        }
    }

    // ANCHOR: obey
    fn obey(&mut self, operation: &Operation) -> Answer {
        match operation {
            Operation::Append(entries) => {
                for entry in entries.iter().filter(|it| it.index > self.snapshot) {
                    self.all.truncate(at(entry.index));
                    self.all.push(entry.clone());
                }
            }
            Operation::ApplySnapshot(snapshot) => {
                self.all.resize(at(snapshot.index), unknown(0));
                self.all.push(unknown(snapshot.term));
                (self.snapshot, self.compacted) = (snapshot.index, snapshot.index);
            }
            Operation::CreateSnapshot(index) => self.snapshot = *index,
            Operation::Compact(index) => self.compacted = *index,
            Operation::Term(index) => return Answer::Term(self.all[at(*index)].term),
            Operation::Entries { range, max_bytes } => {
                return Answer::Entries(limited(&self.all, range, *max_bytes));
            }
        }
        Answer::Done
    }
    // ANCHOR_END: obey

    fn refusal(&self, operation: &Operation) -> Option<Refusal> {
        let next = self.all.len() as Index;
        match operation {
            Operation::Append(entries) => append_refusal(entries, next),
            Operation::ApplySnapshot(snapshot) if snapshot.index <= self.snapshot => {
                Some(StorageError::SnapshotOutOfDate)
            }
            Operation::CreateSnapshot(index) if *index <= self.snapshot => {
                Some(StorageError::SnapshotOutOfDate)
            }
            Operation::CreateSnapshot(index) if *index >= next => Some(StorageError::Unavailable),
            Operation::Compact(index) if *index <= self.compacted => Some(StorageError::Compacted),
            Operation::Compact(index) if *index > self.snapshot => {
                Some(StorageError::NotInSnapshot)
            }
            Operation::Term(index) if *index < self.compacted => Some(StorageError::Compacted),
            Operation::Term(index) if *index >= next => Some(StorageError::Unavailable),
            Operation::Entries { range, .. } if range.start <= self.compacted => {
                Some(StorageError::Compacted)
            }
            Operation::Entries { range, .. } if range.start.max(range.end) > next => {
                Some(StorageError::Unavailable)
            }
            _ => None,
        }
    }

    /// What a storage in this state must show.
    pub fn state(&self) -> State {
        let place = |index: Index| Place {
            index,
            term: self.all[at(index)].term,
        };
        State {
            snapshot: place(self.snapshot),
            dummy: place(self.compacted),
            entries: (self.compacted + 1..self.all.len() as Index)
                .map(place)
                .collect(),
        }
    }
}

fn append_refusal(entries: &[Entry], next: Index) -> Option<Refusal> {
    let found = entries.first()?.index;
    let counting_up = entries
        .iter()
        .map(|entry| entry.index)
        .eq((found..).take(entries.len()));
    if !counting_up {
        return Some(StorageError::NotConsecutive);
    }
    (found > next).then_some(StorageError::Gap {
        expected: next,
        found,
    })
}

/// As many entries of the range as fit, but at least the first.
fn limited(all: &[Entry], range: &Range<Index>, max_bytes: u64) -> Entries {
    let wanted = all.iter().take(at(range.end)).skip(at(range.start));
    let mut wanted: Vec<Entry> = wanted.cloned().collect();
    while wanted.len() > 1 && wanted.iter().map(Entry::size).sum::<u64>() > max_bytes {
        wanted.pop();
    }
    wanted.into()
}
