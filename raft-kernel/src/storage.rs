//! What the engine needs of the place where a node's log, promises and snapshot are
//! kept.
//!
//! The engine only reads. Writing is the caller's part of the loop: each
//! [`Ready`](crate::Ready) says what to write.

use std::fmt;
use std::ops::Range;

use crate::entry::Entries;
use crate::state::{ConfState, HardState, Snapshot};
use crate::{Index, Term};

/// A node's stable storage, as the engine reads it.
///
/// It holds a snapshot (possibly of nothing) and the entries after the snapshot or
/// after some earlier index up to which the log was compacted. With `first` and `last`
/// for the results of [`first_index`](Storage::first_index) and
/// [`last_index`](Storage::last_index):
///
// ANCHOR: invariants
/// 1. Entries `first..=last` are there, each in its place, and no others;
///    `last == first - 1` when there is none.
/// 2. The term at `first - 1` is known, although that entry is gone: a follower is
///    asked whether it has the entry before the first one sent.
/// 3. `first - 1 <= snapshot().index`: what was compacted away is in the snapshot.
/// 4. `snapshot().index <= last`: between the snapshot and the log nothing is missing.
/// 5. `snapshot().term` is the term at `snapshot().index`: the snapshot and the log
///    tell the same story.
// ANCHOR_END: invariants
///
/// The engine calls it often: answers should come from memory.
pub trait Storage {
    /// What can go wrong underneath: a disk, a file. An error of this kind stops the
    /// node. [`Infallible`](std::convert::Infallible) for memory.
    type Error: std::error::Error + Send + Sync + 'static;

    /// The promises and the configuration to start from.
    fn initial_state(&self) -> Result<InitialState, StorageError<Self::Error>>;

    /// The entries of `range`, as many as fit into `max_bytes`
    /// ([`Entry::size`](crate::Entry::size)), but at least the first: a limit must never
    /// stop the log. A range that ends before it begins is empty.
    ///
    /// # Errors
    /// [`StorageError::Compacted`] when the range begins before `first`,
    /// [`StorageError::Unavailable`] when it ends after `last + 1`.
    fn entries(
        &self,
        range: Range<Index>,
        max_bytes: u64,
    ) -> Result<Entries, StorageError<Self::Error>>;

    /// The term of the entry at `index`, which may be any of `first - 1..=last`.
    ///
    /// # Errors
    /// [`StorageError::Compacted`] before that range, [`StorageError::Unavailable`] after it.
    fn term(&self, index: Index) -> Result<Term, StorageError<Self::Error>>;

    /// The index of the first entry that is or would be there.
    fn first_index(&self) -> Result<Index, StorageError<Self::Error>>;

    /// The index of the last entry; of the one before the first if there is none.
    fn last_index(&self) -> Result<Index, StorageError<Self::Error>>;

    /// The latest snapshot.
    ///
    /// # Errors
    /// [`StorageError::SnapshotTemporarilyUnavailable`] while one is being made; the
    /// engine asks again later.
    fn snapshot(&self) -> Result<Snapshot, StorageError<Self::Error>>;
}

/// What a node starts from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InitialState {
    /// The promises that the node made before it stopped.
    pub hard_state: HardState,
    /// A configuration that was in force: the snapshot's, or a later one if the storage
    /// keeps it.
    pub conf_state: ConfState,
    /// The entry as of which it was in force. The engine adds the changes that follow.
    pub conf_index: Index,
}

/// Why a [`Storage`] did not answer, or would not take what it was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StorageError<E> {
    /// The entries are gone: they were compacted into a snapshot.
    Compacted,
    /// The entries are not in the log yet.
    Unavailable,
    /// The storage holds a snapshot at least as new, or the log has moved past this one.
    SnapshotOutOfDate,
    /// Entries were to be forgotten that no snapshot contains.
    NotInSnapshot,
    /// A snapshot is being made. Ask later.
    SnapshotTemporarilyUnavailable,
    /// Entries were to be appended that do not follow the log's end.
    Gap {
        /// The index that could be appended at most.
        expected: Index,
        /// The index of the first entry given.
        found: Index,
    },
    /// Entries were to be appended whose indexes do not count up by one.
    NotConsecutive,
    /// What is underneath failed.
    Backend(E),
}

impl<E: fmt::Display> fmt::Display for StorageError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StorageError::Compacted => f.write_str("the entries were compacted into a snapshot"),
            StorageError::Unavailable => f.write_str("the log does not reach that far"),
            StorageError::SnapshotOutOfDate => f.write_str("the snapshot is out of date"),
            StorageError::NotInSnapshot => {
                f.write_str("no snapshot contains the entries to forget; make one first")
            }
            StorageError::SnapshotTemporarilyUnavailable => {
                f.write_str("a snapshot is being made; ask again later")
            }
            StorageError::Gap { expected, found } => write!(
                f,
                "appending index {found} would leave a gap: the log ends before index {expected}"
            ),
            StorageError::NotConsecutive => {
                f.write_str("the indexes of the entries to append do not count up by one")
            }
            StorageError::Backend(error) => error.fmt(f),
        }
    }
}

impl<E: std::error::Error + 'static> std::error::Error for StorageError<E> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            StorageError::Backend(error) => Some(error),
            _ => None,
        }
    }
}
