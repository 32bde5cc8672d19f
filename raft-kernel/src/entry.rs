//! Log entries: what a cluster agrees on, one after the other.
//!
//! Section 5.3 of the Raft paper: an entry holds a command for the state machine
//! and the term in which a leader received it; its index is its place in the log.
//! Two entries with the same index and term are the same entry, and so are all
//! that precede them (the *Log Matching Property*).

use std::fmt;
use std::ops::{Deref, Range};
use std::sync::Arc;

use bytes::Bytes;

use crate::conf_change::ConfChange;
use crate::{Index, Term};

/// One place in the replicated log.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Entry {
    /// The term of the leader that created the entry.
    pub term: Term,
    /// The entry's place in the log; the first entry of a log is 1.
    pub index: Index,
    /// What the cluster agrees on when it commits the entry.
    pub payload: Payload,
}

/// What an [`Entry`] carries. Cloning one never copies its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Payload {
    /// Nothing. A new leader appends one such entry to commit what earlier leaders
    /// left behind (section 8 of the paper); a refused configuration change
    /// becomes one too. A state machine skips it.
    Empty,
    /// A command for the state machine. The engine never looks inside.
    Command(Bytes),
    /// A change of the cluster's configuration: who votes, who only listens.
    ConfChange(Arc<ConfChange>),
}

impl Payload {
    /// The payload's length in bytes, as the limits of [`Config`](crate::Config) count it.
    pub fn len(&self) -> u64 {
        match self {
            Payload::Empty => 0,
            Payload::Command(bytes) => bytes.len() as u64,
            Payload::ConfChange(change) => change.encoded_len(),
        }
    }

    /// Whether the payload has no bytes at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl From<ConfChange> for Payload {
    fn from(change: ConfChange) -> Self {
        Payload::ConfChange(Arc::new(change))
    }
}

/// What an entry costs on the wire or on disk beside its payload, in bytes:
/// a term, an index and a tag with a length.
const ENTRY_OVERHEAD: u64 = 8 + 8 + 4;

impl Entry {
    /// The entry's size in bytes, payload and overhead, as the limits of
    /// [`Config`](crate::Config) count it.
    pub fn size(&self) -> u64 {
        self.payload.len().saturating_add(ENTRY_OVERHEAD)
    }

    /// The configuration change in this entry, if it is one.
    pub fn conf_change(&self) -> Option<&ConfChange> {
        match &self.payload {
            Payload::ConfChange(change) => Some(change),
            Payload::Empty | Payload::Command(_) => None,
        }
    }

    /// The command in this entry, if it is one.
    pub fn command(&self) -> Option<&Bytes> {
        match &self.payload {
            Payload::Command(bytes) => Some(bytes),
            Payload::Empty | Payload::ConfChange(_) => None,
        }
    }
}

/// An entry's identity: no two entries share it (the Log Matching Property).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EntryId {
    pub(crate) index: Index,
    pub(crate) term: Term,
}

/// A run of consecutive entries, read-only and cheap to clone.
///
/// The same run goes to the disk, to every follower and to the state machine, so
/// it is shared instead of copied: a clone of a long run counts one reference, and
/// a run of a single entry needs no allocation of its own. Read it as a slice.
#[derive(Clone, Default)]
pub struct Entries(Source);

/// Every message and every `Ready` has this inside and is moved about, so it is small:
/// only where many entries are shared does it say which of them are meant.
#[derive(Clone, Default)]
enum Source {
    #[default]
    None,
    One(Entry),
    Many {
        all: Arc<[Entry]>,
        /// Those from `start` on, so many.
        start: usize,
        len: usize,
    },
}

impl Entries {
    /// How many entries there are.
    pub fn len(&self) -> usize {
        match self.0 {
            Source::None => 0,
            Source::One(_) => 1,
            Source::Many { len, .. } => len,
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The entries at these places of the run, sharing them with it. Places outside of it
    /// are left out.
    #[must_use]
    pub fn slice(&self, places: Range<usize>) -> Entries {
        let end = places.end.min(self.len());
        let len = end.saturating_sub(places.start);
        match &self.0 {
            Source::Many { all, start, .. } if len > 1 => Entries(Source::Many {
                all: Arc::clone(all),
                start: start + places.start,
                len,
            }),
            _ => match self.get(places.start) {
                Some(one) if len > 0 => Entries::one(one.clone()),
                _ => Entries::default(),
            },
        }
    }

    fn one(entry: Entry) -> Entries {
        Entries(Source::One(entry))
    }

    /// The same from an iterator that knows its length: one allocation, if any.
    pub(crate) fn collected(mut entries: impl ExactSizeIterator<Item = Entry>) -> Entries {
        match entries.len() {
            0 => Entries::default(),
            1 => entries.next().map_or_else(Entries::default, Entries::one),
            _ => {
                let all: Arc<[Entry]> = entries.collect();
                Entries(Source::Many {
                    start: 0,
                    len: all.len(),
                    all,
                })
            }
        }
    }
}

impl Deref for Entries {
    type Target = [Entry];

    fn deref(&self) -> &[Entry] {
        match &self.0 {
            Source::None => &[],
            Source::One(entry) => std::slice::from_ref(entry),
            Source::Many { all, start, len } => all.get(*start..start + len).unwrap_or_default(),
        }
    }
}

impl From<&[Entry]> for Entries {
    fn from(entries: &[Entry]) -> Self {
        Entries::collected(entries.iter().cloned())
    }
}

impl From<Vec<Entry>> for Entries {
    fn from(entries: Vec<Entry>) -> Self {
        Entries::collected(entries.into_iter())
    }
}

impl FromIterator<Entry> for Entries {
    fn from_iter<I: IntoIterator<Item = Entry>>(entries: I) -> Self {
        entries.into_iter().collect::<Vec<_>>().into()
    }
}

impl<'a> IntoIterator for &'a Entries {
    type Item = &'a Entry;
    type IntoIter = std::slice::Iter<'a, Entry>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Debug for Entries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl PartialEq for Entries {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Entries {}

#[cfg(feature = "serde")]
impl serde::Serialize for Entries {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for Entries {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::<Entry>::deserialize(deserializer).map(Entries::from)
    }
}

/// How many of `entries` fit into `max_bytes`: the longest such prefix, and the
/// first entry whatever its size, since a limit must slow progress and never stop it.
pub(crate) fn fitting(entries: &[Entry], max_bytes: u64) -> usize {
    let mut total = 0_u64;
    let fits = entries.iter().take_while(|entry| {
        total = total.saturating_add(entry.size());
        total <= max_bytes
    });
    fits.count().max(1).min(entries.len())
}

/// The size of entries together, in bytes.
pub(crate) fn total_size(entries: &[Entry]) -> u64 {
    size_with(payload_bytes(entries), entries.len())
}

/// The size of so many entries whose payloads have so many bytes together.
pub(crate) fn size_with(payload_bytes: u64, count: usize) -> u64 {
    payload_bytes.saturating_add(ENTRY_OVERHEAD.saturating_mul(count as u64))
}

/// The length of the payloads of entries together, in bytes.
pub(crate) fn payload_bytes(entries: &[Entry]) -> u64 {
    entries
        .iter()
        .fold(0, |sum, entry| sum.saturating_add(entry.payload.len()))
}
