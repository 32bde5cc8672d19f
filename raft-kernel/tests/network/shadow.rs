//! A node's log as its `Ready`s told it, durable or not: what an onlooker knows of it.

use std::collections::BTreeMap;

use raft_kernel::{Entry, Index, MemoryStorage, Ready, Storage, Term};

#[derive(Clone, Debug, Default)]
pub(crate) struct Shadow {
    /// The entry before the first one: the last that a snapshot holds.
    pub(crate) base: (Index, Term),
    entries: BTreeMap<Index, Entry>,
}

impl Shadow {
    pub(crate) fn of(storage: &MemoryStorage) -> Self {
        let first = storage.first_index().expect("memory does not fail");
        let last = storage.last_index().expect("memory does not fail");
        let base = (
            first - 1,
            storage.term(first - 1).expect("the base is kept"),
        );
        let entries = storage
            .entries(first..last + 1, u64::MAX)
            .expect("they are there")
            .iter()
            .map(|entry| (entry.index, entry.clone()))
            .collect();
        Shadow { base, entries }
    }

    /// Takes in what a `Ready` is about to write.
    pub(crate) fn follow(&mut self, ready: &Ready) {
        if let Some(snapshot) = &ready.append.snapshot {
            self.base = (snapshot.index, snapshot.term);
            self.entries.clear();
        }
        if let Some(first) = ready.append.entries.first() {
            let next = self.last() + 1;
            assert!(first.index <= next, "a gap before index {}", first.index);
            assert!(first.index > self.base.0, "a snapshot would be overwritten");
            self.entries.split_off(&first.index);
        }
        for entry in &ready.append.entries {
            self.entries.insert(entry.index, entry.clone());
        }
    }

    pub(crate) fn last(&self) -> Index {
        self.entries
            .last_key_value()
            .map_or(self.base.0, |(index, _)| *index)
    }

    pub(crate) fn entry(&self, index: Index) -> Option<&Entry> {
        self.entries.get(&index)
    }

    pub(crate) fn term(&self, index: Index) -> Option<Term> {
        if index == self.base.0 {
            return Some(self.base.1);
        }
        self.entry(index).map(|entry| entry.term)
    }

    /// The terms of its entries, the oldest first: as figures 6 and 7 of the paper draw logs.
    pub(crate) fn terms(&self) -> Vec<Term> {
        self.entries.values().map(|entry| entry.term).collect()
    }
}
