//! The bytes of a node's file: the one module that knows how they lie.
//!
//! The rules it keeps: whatever bytes it is given, [`decode`] answers with what they say or with
//! what is wrong with them, and never allocates for a length that it has not compared with the
//! bytes that are there. What it answers with was written by [`encode`], byte for byte, as far
//! as a checksum of 32 bits can tell.
//!
//! ```text
//! header   magic (8 bytes)  version (4)  length of the records (8)  checksum (4)
//! record   length (4)  checksum (4)  bytes
//! …        the first is the head, then the pieces of the snapshot's data, then the entries
//! ```
//!
//! Integers are little-endian. A checksum is CRC-32, of all that stands before it and of the
//! record's bytes.

use std::collections::BTreeMap;
use std::fmt;

use bytes::Bytes;
use ch10_separate_processes::address::Address;
use ch10_separate_processes::identity::{ClusterId, Incarnation};
use ch10_separate_processes::wire::codec;
use raft_kernel::{ConfState, Entry, HardState, Index, NodeId, Snapshot, Term};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// The first bytes of every such file. The line end is there to notice a file that was treated
/// as text on its way.
pub const MAGIC: [u8; 8] = *b"RSRNODE\n";

/// The version of what follows. Changes whenever any of it does.
pub const VERSION: u32 = 1;

/// Where the version begins.
const VERSION_AT: usize = MAGIC.len();
const LENGTH_AT: usize = VERSION_AT + 4;
const CHECKSUM_AT: usize = LENGTH_AT + 8;
const HEADER: usize = CHECKSUM_AT + 4;

/// What stands before the bytes of a record: its length and its checksum.
const RECORD_HEADER: usize = 8;

/// A snapshot's data lies in pieces of this size, so that no record is over the codec's limit.
const PIECE: usize = 64 << 10;

/// What a node knows about itself, beside its log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// Its number.
    pub id: NodeId,
    /// Which life of it this is. Drawn and stored before it asks anybody to join.
    pub incarnation: Incarnation,
    /// Its cluster, once it has one.
    pub cluster: Option<ClusterId>,
    /// Where it listens.
    pub listen: Address,
    /// Where others reach it, if that is somewhere else.
    pub advertise: Option<Address>,
    /// The members that it was told to ask for a place; none if it was to found the cluster.
    pub seeds: BTreeMap<NodeId, Address>,
    /// Whether it has left its cluster.
    pub left: bool,
}

/// An entry's place in the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Its index.
    pub index: Index,
    /// Its term.
    pub term: Term,
}

/// All that a node's file says.
// ANCHOR: contents
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contents {
    /// Who the node is.
    pub about: About,
    /// Its promises, and how far it knows the log to be committed.
    pub hard_state: HardState,
    /// Its snapshot; an empty one for none.
    pub snapshot: Snapshot,
    /// The place before the first entry: all up to there is in the snapshot alone.
    pub compacted: Place,
    /// The entries after that.
    pub entries: Vec<Entry>,
}
// ANCHOR_END: contents

/// The first record.
#[derive(Serialize, Deserialize)]
struct Head {
    about: About,
    hard_state: HardState,
    snapshot: Place,
    conf_state: ConfState,
    snapshot_pieces: u64,
    compacted: Place,
    entries: u64,
}

/// What is wrong with a file, and where in it, in bytes from its beginning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Damage {
    /// Its first bytes are not ours.
    Foreign,
    /// It is ours, in a version that this program does not read.
    OtherVersion(u32),
    /// It ends too early.
    Truncated {
        /// How long it is.
        length: usize,
        /// How long it should be at least.
        expected: u64,
    },
    /// Something follows after its end.
    Trailing {
        /// Where it should end.
        end: u64,
    },
    /// A checksum does not fit.
    Checksum {
        /// Where what it was made of begins.
        at: usize,
    },
    /// The checksum fits, but this is no record that could stand here.
    Unreadable {
        /// Where it begins.
        at: usize,
    },
    /// It can be read, and contradicts itself.
    Contradiction(String),
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Damage::Foreign => f.write_str("it is no node's file: its first bytes are others"),
            Damage::OtherVersion(version) => {
                let age = if *version > VERSION { "newer" } else { "other" };
                write!(
                    f,
                    "it has version {version}, and this program reads version {VERSION}: it was \
                     written by a {age} program, or its byte {VERSION_AT} to {} is damaged",
                    LENGTH_AT - 1
                )
            }
            Damage::Truncated { length, expected } => write!(
                f,
                "it is truncated: it ends after {length} bytes, and should have {expected} at \
                 least"
            ),
            Damage::Trailing { end } => {
                write!(
                    f,
                    "it is damaged: something follows after its end at byte {end}"
                )
            }
            Damage::Checksum { at } => {
                write!(
                    f,
                    "it is damaged: the checksum of what begins at byte {at} is wrong"
                )
            }
            Damage::Unreadable { at } => {
                write!(f, "it is damaged: what begins at byte {at} cannot be read")
            }
            Damage::Contradiction(why) => write!(f, "it is damaged: {why}"),
        }
    }
}

impl std::error::Error for Damage {}

/// The bytes of a file that says this.
///
/// # Errors
/// An entry, or what the node knows about itself, is over the codec's limit.
// ANCHOR: encode
pub fn encode(contents: &Contents) -> Result<Vec<u8>, codec::TooLarge> {
    let pieces = contents.snapshot.data.chunks(PIECE);
    let head = Head {
        about: contents.about.clone(),
        hard_state: contents.hard_state,
        snapshot: Place {
            index: contents.snapshot.index,
            term: contents.snapshot.term,
        },
        conf_state: contents.snapshot.conf_state.clone(),
        snapshot_pieces: pieces.len() as u64,
        compacted: contents.compacted,
        entries: contents.entries.len() as u64,
    };
    let mut file = vec![0; HEADER];
    add_record(&mut file, &head)?;
    for piece in pieces {
        add_record(&mut file, &contents.snapshot.data.slice_ref(piece))?;
    }
    for entry in &contents.entries {
        add_record(&mut file, entry)?;
    }
    let length = (file.len() - HEADER) as u64;
    file[..VERSION_AT].copy_from_slice(&MAGIC);
    file[VERSION_AT..LENGTH_AT].copy_from_slice(&VERSION.to_le_bytes());
    file[LENGTH_AT..CHECKSUM_AT].copy_from_slice(&length.to_le_bytes());
    let checksum = crc32fast::hash(&file[..CHECKSUM_AT]);
    file[CHECKSUM_AT..HEADER].copy_from_slice(&checksum.to_le_bytes());
    Ok(file)
}

// ANCHOR_END: encode

// ANCHOR: record
fn add_record<T: Serialize>(file: &mut Vec<u8>, value: &T) -> Result<(), codec::TooLarge> {
    let at = file.len();
    file.extend([0; RECORD_HEADER]);
    codec::encode_into(value, file)?;
    let length = u32::try_from(file.len() - at - RECORD_HEADER).map_err(|_| codec::TooLarge)?;
    let length = length.to_le_bytes();
    let checksum = checksum(length, &file[at + RECORD_HEADER..]);
    file[at..at + 4].copy_from_slice(&length);
    file[at + 4..at + RECORD_HEADER].copy_from_slice(&checksum.to_le_bytes());
    Ok(())
}
// ANCHOR_END: record

fn checksum(length: [u8; 4], bytes: &[u8]) -> u32 {
    let mut checksum = crc32fast::Hasher::new();
    checksum.update(&length);
    checksum.update(bytes);
    checksum.finalize()
}

/// What the bytes of a file say.
///
/// # Errors
/// What is wrong with them.
// ANCHOR: decode
pub fn decode(file: &[u8]) -> Result<Contents, Damage> {
    check_header(file)?;
    let mut records = Records { file, at: HEADER };
    let head: Head = records.next()?;
    let mut data = Vec::new();
    for _ in 0..head.snapshot_pieces {
        data.extend_from_slice(&records.next::<Bytes>()?);
    }
    let mut entries = Vec::new();
    for _ in 0..head.entries {
        entries.push(records.next()?);
    }
    if records.at < file.len() {
        let end = records.at as u64;
        return Err(Damage::Trailing { end });
    }
    let contents = Contents {
        about: head.about,
        hard_state: head.hard_state,
        snapshot: Snapshot {
            index: head.snapshot.index,
            term: head.snapshot.term,
            conf_state: head.conf_state,
            data: data.into(),
        },
        compacted: head.compacted,
        entries,
    };
    check_sense(&contents).map_err(Damage::Contradiction)?;
    Ok(contents)
}

// ANCHOR_END: decode

// ANCHOR: header
fn check_header(file: &[u8]) -> Result<(), Damage> {
    let begins = file.len().min(MAGIC.len());
    if file[..begins] != MAGIC[..begins] {
        return Err(Damage::Foreign);
    }
    let truncated = |expected| Damage::Truncated {
        length: file.len(),
        expected,
    };
    let (Some(version), Some(length), Some(checksum)) = (
        array(file, VERSION_AT).map(u32::from_le_bytes),
        array(file, LENGTH_AT).map(u64::from_le_bytes),
        array(file, CHECKSUM_AT).map(u32::from_le_bytes),
    ) else {
        return Err(truncated(HEADER as u64));
    };
    // Another version may have another header, so this comes first.
    if version != VERSION {
        return Err(Damage::OtherVersion(version));
    }
    if crc32fast::hash(&file[..CHECKSUM_AT]) != checksum {
        return Err(Damage::Checksum { at: 0 });
    }
    let end = (HEADER as u64).saturating_add(length);
    match (file.len() as u64).cmp(&end) {
        std::cmp::Ordering::Less => Err(truncated(end)),
        std::cmp::Ordering::Greater => Err(Damage::Trailing { end }),
        std::cmp::Ordering::Equal => Ok(()),
    }
}
// ANCHOR_END: header

/// The bytes at this place, if there are so many.
fn array<const N: usize>(file: &[u8], at: usize) -> Option<[u8; N]> {
    file.get(at..)?.first_chunk().copied()
}

/// The records of a file, one after the other.
struct Records<'a> {
    file: &'a [u8],
    at: usize,
}

impl Records<'_> {
    fn next<T: DeserializeOwned>(&mut self) -> Result<T, Damage> {
        let at = self.at;
        let (Some(length), Some(checksum)) = (
            array(self.file, at),
            array(self.file, at + 4).map(u32::from_le_bytes),
        ) else {
            return Err(Damage::Unreadable { at });
        };
        let start = at + RECORD_HEADER;
        let end = usize::try_from(u32::from_le_bytes(length))
            .ok()
            .and_then(|length| start.checked_add(length));
        let bytes = end.and_then(|end| self.file.get(start..end));
        let Some(bytes) = bytes else {
            return Err(Damage::Checksum { at });
        };
        if self::checksum(length, bytes) != checksum {
            return Err(Damage::Checksum { at });
        }
        self.at = start + bytes.len();
        codec::decode(bytes).map_err(|_| Damage::Unreadable { at })
    }
}

/// What every such file says, unless a program has written nonsense with a right checksum.
fn check_sense(contents: &Contents) -> Result<(), String> {
    let (compacted, snapshot) = (contents.compacted, &contents.snapshot);
    let mut last = compacted;
    for entry in &contents.entries {
        let expected = last.index.checked_add(1);
        if expected != Some(entry.index) {
            return Err(format!(
                "entry {} follows after entry {}",
                entry.index, last.index
            ));
        }
        if entry.term < last.term {
            return Err(format!("the term goes down at entry {}", entry.index));
        }
        last = Place {
            index: entry.index,
            term: entry.term,
        };
    }
    if !(compacted.index..=last.index).contains(&snapshot.index) {
        return Err(format!(
            "the snapshot ends at {}, which is not between {} and {}, where the log begins and \
             ends",
            snapshot.index, compacted.index, last.index
        ));
    }
    let there = match snapshot.index - compacted.index {
        0 => Some(compacted.term),
        after => usize::try_from(after - 1)
            .ok()
            .and_then(|place| contents.entries.get(place))
            .map(|entry| entry.term),
    };
    if there != Some(snapshot.term) {
        return Err("the snapshot and the log disagree about a term".to_owned());
    }
    let hard_state = contents.hard_state;
    if !(snapshot.index..=last.index).contains(&hard_state.commit) && hard_state.commit != 0 {
        return Err(format!(
            "it says that entry {} is committed, and has entries up to {}",
            hard_state.commit, last.index
        ));
    }
    if last.term > hard_state.term {
        return Err(format!(
            "it has an entry of term {}, and says that the term is {}",
            last.term, hard_state.term
        ));
    }
    Ok(())
}
