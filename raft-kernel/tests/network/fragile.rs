//! A storage that fails when it is told to.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use raft_kernel::{
    Entries, Index, InitialState, MemoryResult, MemoryStorage, Snapshot, Storage, StorageError,
    Term,
};

#[derive(Debug)]
pub(crate) struct BrokenDisk;

impl fmt::Display for BrokenDisk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("sector 7 cannot be read")
    }
}

impl std::error::Error for BrokenDisk {}

type Answer<T> = Result<T, StorageError<BrokenDisk>>;

/// Works until the call that it is told to fail at, and never after.
#[derive(Clone, Debug)]
pub(crate) struct Fragile {
    pub(crate) memory: MemoryStorage,
    /// Calls that still succeed.
    left: Arc<AtomicUsize>,
}

impl Fragile {
    pub(crate) fn new(memory: MemoryStorage) -> Self {
        let left = Arc::new(AtomicUsize::new(usize::MAX));
        Fragile { memory, left }
    }

    pub(crate) fn fail_after(&self, calls: usize) {
        self.left.store(calls, Ordering::Relaxed);
    }

    /// Whether a call has failed, or the next one will.
    pub(crate) fn is_used_up(&self) -> bool {
        self.left.load(Ordering::Relaxed) == 0
    }

    fn ask<T>(&self, answer: MemoryResult<T>) -> Answer<T> {
        let left = self.left.load(Ordering::Relaxed);
        if left == 0 {
            return Err(StorageError::Backend(BrokenDisk));
        }
        self.left.store(left - 1, Ordering::Relaxed);
        answer.map_err(|error| match error {
            StorageError::Compacted => StorageError::Compacted,
            _ => StorageError::Unavailable,
        })
    }
}

impl Storage for Fragile {
    type Error = BrokenDisk;

    fn initial_state(&self) -> Answer<InitialState> {
        self.ask(self.memory.initial_state())
    }

    fn entries(&self, range: Range<Index>, max_bytes: u64) -> Answer<Entries> {
        self.ask(self.memory.entries(range, max_bytes))
    }

    fn term(&self, index: Index) -> Answer<Term> {
        self.ask(self.memory.term(index))
    }

    fn first_index(&self) -> Answer<Index> {
        self.ask(self.memory.first_index())
    }

    fn last_index(&self) -> Answer<Index> {
        self.ask(self.memory.last_index())
    }

    fn snapshot(&self) -> Answer<Snapshot> {
        self.ask(self.memory.snapshot())
    }
}
