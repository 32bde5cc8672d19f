//! A storage that can be told to lie.

use std::cell::RefCell;
use std::convert::Infallible;
use std::ops::Range;
use std::rc::Rc;

use raft_kernel::{
    Entries, Index, InitialState, MemoryResult, MemoryStorage, Snapshot, Storage, StorageError,
    Term,
};

use super::choices::Choices;
use super::shapes;
use super::values::View;

/// Storage in memory whose every answer is a lie with the chance that was set.
#[derive(Clone, Debug)]
pub(crate) struct DoubtfulStorage {
    pub(crate) truth: MemoryStorage,
    lies: Rc<RefCell<Lies>>,
}

#[derive(Debug)]
struct Lies {
    percent: u64,
    choices: Choices,
}

impl DoubtfulStorage {
    /// One that tells the truth for now.
    pub(crate) fn new(truth: MemoryStorage, seed: u64) -> Self {
        let choices = Choices::seeded(seed);
        let lies = Lies {
            percent: 0,
            choices,
        };
        DoubtfulStorage {
            truth,
            lies: Rc::new(RefCell::new(lies)),
        }
    }

    /// Lies this often from here on.
    pub(crate) fn lie(&self, percent: u64) {
        self.lies.borrow_mut().percent = percent;
    }

    fn answer<T>(
        &self,
        truth: impl FnOnce() -> MemoryResult<T>,
        lie: impl FnOnce(&mut Choices, &View) -> T,
    ) -> MemoryResult<T> {
        let lies = &mut *self.lies.borrow_mut();
        if lies.percent == 0 || !lies.choices.percent(lies.percent) {
            return truth();
        }
        let last = self.truth.last_index()?;
        let view = View {
            id: 1,
            term: self.truth.hard_state().term,
            committed: self.truth.hard_state().commit,
            last,
            extremes: 20,
        };
        match lies.choices.below(8) {
            0 => Err(StorageError::Compacted),
            1 => Err(StorageError::Unavailable),
            2 => Err(StorageError::SnapshotTemporarilyUnavailable),
            3 => Err(StorageError::NotConsecutive),
            _ => Ok(lie(&mut lies.choices, &view)),
        }
    }
}

impl Storage for DoubtfulStorage {
    type Error = Infallible;

    fn initial_state(&self) -> MemoryResult<InitialState> {
        self.answer(
            || self.truth.initial_state(),
            |choices, view| {
                let mut state = self.truth.initial_state().unwrap_or_default();
                match choices.below(5) {
                    0 => state.hard_state.term = view.term(choices),
                    1 => state.hard_state.vote = Some(view.node(choices)),
                    2 => state.hard_state.commit = view.index(choices),
                    3 => state.conf_state = shapes::conf_state(choices, view),
                    _ => state.conf_index = view.index(choices),
                }
                state
            },
        )
    }

    fn entries(&self, range: Range<Index>, max_bytes: u64) -> MemoryResult<Entries> {
        self.answer(
            || self.truth.entries(range.clone(), max_bytes),
            |choices, view| match choices.below(3) {
                0 => Entries::default(),
                1 => {
                    let before = range.start.saturating_sub(choices.below(3));
                    shapes::entries(choices, view, before, view.term)
                }
                _ => {
                    let entries = self.truth.entries(range.clone(), max_bytes);
                    let mut entries = entries.unwrap_or_default().to_vec();
                    if !entries.is_empty() {
                        shapes::spoil(choices, view, &mut entries);
                    }
                    entries.into()
                }
            },
        )
    }

    fn term(&self, index: Index) -> MemoryResult<Term> {
        let lie = |choices: &mut Choices, view: &View| view.term(choices);
        self.answer(|| self.truth.term(index), lie)
    }

    fn first_index(&self) -> MemoryResult<Index> {
        let lie = |choices: &mut Choices, view: &View| view.index(choices);
        self.answer(|| self.truth.first_index(), lie)
    }

    fn last_index(&self) -> MemoryResult<Index> {
        let lie = |choices: &mut Choices, view: &View| view.index(choices);
        self.answer(|| self.truth.last_index(), lie)
    }

    fn snapshot(&self) -> MemoryResult<Snapshot> {
        self.answer(|| self.truth.snapshot(), shapes::snapshot)
    }
}
