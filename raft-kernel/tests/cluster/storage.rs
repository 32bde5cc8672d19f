//! A storage that counts what is asked of it.

use std::cell::Cell;
use std::convert::Infallible;
use std::iter::Sum;
use std::ops::{Add, Range, Sub};
use std::rc::Rc;

use raft_kernel::{Entries, Index, InitialState, MemoryStorage, Snapshot, Storage, Term};

type Answer<T> = Result<T, raft_kernel::StorageError<Infallible>>;

/// How much was asked of a storage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Calls of any method of [`Storage`].
    pub(crate) calls: u64,
    /// Entries that were read.
    pub(crate) entries: u64,
}

impl Add for Tally {
    type Output = Tally;

    fn add(self, more: Tally) -> Tally {
        Tally {
            calls: self.calls + more.calls,
            entries: self.entries + more.entries,
        }
    }
}

impl Sub for Tally {
    type Output = Tally;

    fn sub(self, earlier: Tally) -> Tally {
        Tally {
            calls: self.calls - earlier.calls,
            entries: self.entries - earlier.entries,
        }
    }
}

impl Sum for Tally {
    fn sum<I: Iterator<Item = Tally>>(tallies: I) -> Tally {
        tallies.fold(Tally::default(), Add::add)
    }
}

/// A [`MemoryStorage`] that counts. A clone is another handle to the same one.
#[derive(Clone, Debug)]
pub(crate) struct CountingStorage {
    pub(crate) memory: MemoryStorage,
    tally: Rc<Cell<Tally>>,
}

impl CountingStorage {
    pub(crate) fn new(memory: MemoryStorage) -> Self {
        CountingStorage {
            memory,
            tally: Rc::default(),
        }
    }

    /// What was asked so far.
    pub(crate) fn tally(&self) -> Tally {
        self.tally.get()
    }

    fn count(&self, entries: usize) {
        let asked = Tally {
            calls: 1,
            entries: entries as u64,
        };
        self.tally.set(self.tally.get() + asked);
    }
}

impl Storage for CountingStorage {
    type Error = Infallible;

    fn initial_state(&self) -> Answer<InitialState> {
        self.count(0);
        self.memory.initial_state()
    }

    fn entries(&self, range: Range<Index>, max_bytes: u64) -> Answer<Entries> {
        let entries = self.memory.entries(range, max_bytes)?;
        self.count(entries.len());
        Ok(entries)
    }

    fn term(&self, index: Index) -> Answer<Term> {
        self.count(0);
        self.memory.term(index)
    }

    fn first_index(&self) -> Answer<Index> {
        self.count(0);
        self.memory.first_index()
    }

    fn last_index(&self) -> Answer<Index> {
        self.count(0);
        self.memory.last_index()
    }

    fn snapshot(&self) -> Answer<Snapshot> {
        self.count(0);
        self.memory.snapshot()
    }
}
