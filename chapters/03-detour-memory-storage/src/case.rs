//! A case: a storage, one operation, and what came of it.

use std::convert::Infallible;

use raft_kernel::{MemoryStorage, StorageError};

use crate::operation::{Answer, Operation};
use crate::picture::Picture;
use crate::state::State;

/// What a case is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Topic {
    /// Writing entries.
    Append,
    /// Taking over a snapshot, and making one.
    Snapshot,
    /// Forgetting entries.
    Compact,
    /// Asking.
    Read,
}

impl Topic {
    /// The topic as a heading.
    pub fn title(self) -> &'static str {
        match self {
            Topic::Append => "Appending",
            Topic::Snapshot => "Snapshots",
            Topic::Compact => "Compacting",
            Topic::Read => "Reading",
        }
    }
}

/// One operation on one storage, as it happened.
#[derive(Clone, Debug)]
pub struct Case {
    /// How the case is called on the command line and in the book.
    pub name: &'static str,
    /// What it is about.
    pub topic: Topic,
    /// The case in a sentence.
    pub title: &'static str,
    /// Why the storage does what it does.
    pub why: &'static str,
    /// Makes the storage as it was before.
    pub storage: fn() -> MemoryStorage,
    /// What the storage held before.
    pub before: State,
    /// What it was asked to do.
    pub operation: Operation,
    /// What it said.
    pub outcome: Result<Answer, StorageError<Infallible>>,
    /// What it held afterwards.
    pub after: State,
}

/// What is written down of a case by hand: everything but what happens.
pub(crate) struct Setting {
    pub(crate) name: &'static str,
    pub(crate) topic: Topic,
    pub(crate) title: &'static str,
    pub(crate) why: &'static str,
    pub(crate) storage: fn() -> MemoryStorage,
    pub(crate) operation: Operation,
}

impl Setting {
    // ANCHOR: happen
    /// Runs the operation on a fresh storage and keeps what happens.
    pub(crate) fn happen(self) -> Case {
        let storage = (self.storage)();
        let before = read(&storage);
        let outcome = self.operation.run(&storage);
        let after = read(&storage);
        Case {
            name: self.name,
            topic: self.topic,
            title: self.title,
            why: self.why,
            storage: self.storage,
            before,
            operation: self.operation,
            outcome,
            after,
        }
    }
    // ANCHOR_END: happen
}

/// A storage in memory answers the five questions whatever was done to it; if not,
/// it is broken, and so is every case.
fn read(storage: &MemoryStorage) -> State {
    State::read(storage).expect("MemoryStorage keeps its contract")
}

impl Case {
    /// Whether the storage refused to do it.
    pub fn is_refused(&self) -> bool {
        self.outcome.is_err()
    }

    /// What the storage said: an answer, or why it refused.
    pub fn outcome_in_words(&self) -> String {
        match &self.outcome {
            Ok(answer) => answer.in_words(),
            Err(error) => format!("refused: {error}"),
        }
    }

    /// The case laid out in rows and columns.
    pub fn picture(&self) -> Picture {
        Picture::of(self)
    }
}
