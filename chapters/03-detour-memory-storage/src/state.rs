//! What a storage holds, read through the five questions of the trait.

use raft_kernel::{Entry, Index, Storage, StorageError, Term};

/// An entry's place in the log and the term in which a leader created it.
///
/// Two entries with the same place are the same entry (the paper's Log Matching
/// Property), so for the pictures of this chapter a place is enough.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The index in the log.
    pub index: Index,
    /// The term of the entry.
    pub term: Term,
}

impl From<&Entry> for Place {
    fn from(entry: &Entry) -> Self {
        Place {
            index: entry.index,
            term: entry.term,
        }
    }
}

/// What a storage holds at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// The last entry that the snapshot contains; index 0 for no snapshot.
    pub snapshot: Place,
    /// The place before the first entry: what is left of the compacted entries.
    pub dummy: Place,
    /// The entries that are there.
    pub entries: Vec<Place>,
}

impl State {
    /// Asks a storage for everything that it holds.
    pub fn read<S: Storage>(storage: &S) -> Result<State, StorageError<S::Error>> {
        let first = storage.first_index()?;
        let last = storage.last_index()?;
        let snapshot = storage.snapshot()?;
        Ok(State {
            snapshot: Place {
                index: snapshot.index,
                term: snapshot.term,
            },
            dummy: Place {
                index: first - 1,
                term: storage.term(first - 1)?,
            },
            entries: storage
                .entries(first..last + 1, u64::MAX)?
                .iter()
                .map(Place::from)
                .collect(),
        })
    }

    /// The index of the first entry that is or would be there.
    pub fn first_index(&self) -> Index {
        self.dummy.index + 1
    }

    /// The index of the last entry; the dummy's if there is none.
    pub fn last_index(&self) -> Index {
        self.entries.last().map_or(self.dummy.index, |it| it.index)
    }

    /// Which of the contract's five invariants does not hold, if one does not.
    ///
    /// The second, that the term before the first entry is known, holds in every
    /// `State`: without that term [`State::read`] fails.
    pub fn broken_invariant(&self) -> Option<String> {
        let expected = self.first_index()..;
        if let Some((index, found)) = expected
            .zip(&self.entries)
            .find(|(index, entry)| *index != entry.index)
        {
            return Some(format!(
                "invariant 1: index {} is in the place of {index}",
                found.index
            ));
        }
        let (dummy, snapshot, last) = (self.dummy, self.snapshot, self.last_index());
        if dummy.index > snapshot.index {
            return Some(format!(
                "invariant 3: compacted up to {}, but the snapshot ends at {}",
                dummy.index, snapshot.index
            ));
        }
        if snapshot.index > last {
            return Some(format!(
                "invariant 4: the snapshot ends at {}, the log already at {last}",
                snapshot.index
            ));
        }
        let mut places = std::iter::once(&dummy).chain(&self.entries);
        if !places.any(|place| *place == snapshot) {
            return Some(format!(
                "invariant 5: the snapshot says that index {} has term {}, the log does not",
                snapshot.index, snapshot.term
            ));
        }
        None
    }
}
