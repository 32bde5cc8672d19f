//! What can be done to a storage, as a value: it can be shown, drawn and repeated.

use std::ops::Range;

use raft_kernel::{
    ConfState, Entries, Entry, Index, MemoryResult, MemoryStorage, Snapshot, Storage, Term,
};

/// One call of a storage's methods.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Writes entries: what the loop does with `ready.append.entries`.
    Append(Vec<Entry>),
    /// Takes a leader's snapshot: what the loop does with `ready.append.snapshot`.
    ApplySnapshot(Snapshot),
    /// Keeps a snapshot of the node's own state machine.
    CreateSnapshot(Index),
    /// Forgets the entries up to an index.
    Compact(Index),
    /// Asks for the term at an index.
    Term(Index),
    /// Asks for entries.
    Entries {
        /// The indexes; the end is not among them.
        range: Range<Index>,
        /// The limit for the sum of their sizes.
        max_bytes: u64,
    },
}

/// What an operation that was not refused gave back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The storage was changed.
    Done,
    /// A term.
    Term(Term),
    /// Entries.
    Entries(Entries),
}

impl Operation {
    /// Calls the storage.
    pub fn run(&self, storage: &MemoryStorage) -> MemoryResult<Answer> {
        match self {
            Operation::Append(entries) => storage.append(entries)?,
            Operation::ApplySnapshot(snapshot) => storage.apply_snapshot(snapshot.clone())?,
            Operation::CreateSnapshot(index) => {
                storage.create_snapshot(*index, ConfState::default(), "the state")?;
            }
            Operation::Compact(index) => storage.compact(*index)?,
            Operation::Term(index) => return storage.term(*index).map(Answer::Term),
            Operation::Entries { range, max_bytes } => {
                return storage
                    .entries(range.clone(), *max_bytes)
                    .map(Answer::Entries);
            }
        }
        Ok(Answer::Done)
    }

    /// Whether the operation only asks and changes nothing.
    pub fn is_read(&self) -> bool {
        matches!(self, Operation::Term(_) | Operation::Entries { .. })
    }

    /// The operation as an order: `append 6 (term 3), 7 (term 3)`.
    pub fn in_words(&self) -> String {
        match self {
            Operation::Append(entries) if entries.is_empty() => "append nothing".into(),
            Operation::Append(entries) => format!("append {}", list(entries)),
            Operation::ApplySnapshot(snapshot) => format!(
                "take over a snapshot up to {} (term {})",
                snapshot.index, snapshot.term
            ),
            Operation::CreateSnapshot(index) => format!("make a snapshot up to {index}"),
            Operation::Compact(index) => format!("compact up to {index}"),
            Operation::Term(index) => format!("which term has {index}?"),
            Operation::Entries { range, .. } if range.is_empty() => {
                format!("read nothing, from {} on", range.start)
            }
            Operation::Entries { range, max_bytes } => {
                let limit = match *max_bytes {
                    u64::MAX => String::new(),
                    bytes => format!(", at most {bytes} bytes"),
                };
                format!(
                    "read {} to {}{limit}",
                    range.start,
                    range.end.saturating_sub(1)
                )
            }
        }
    }
}

impl Answer {
    /// The answer as a phrase: `term 1`, `4 (term 1), 5 (term 2)`.
    pub fn in_words(&self) -> String {
        match self {
            Answer::Done => "done".into(),
            Answer::Term(term) => format!("term {term}"),
            Answer::Entries(entries) if entries.is_empty() => "no entries".into(),
            Answer::Entries(entries) => list(entries),
        }
    }
}

fn list(entries: &[Entry]) -> String {
    let words: Vec<String> = entries
        .iter()
        .map(|entry| format!("{} (term {})", entry.index, entry.term))
        .collect();
    words.join(", ")
}
