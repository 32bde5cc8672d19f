//! Every case of the chapter.
//!
//! All but one begin with the same log, so that a reader learns it once: a snapshot up
//! to index 3 and the entries 4, 5 and 6. What happens is not written here; it is
//! found out by [`Setting::happen`].

use raft_kernel::{Bytes, ConfState, Entry, Index, MemoryStorage, Payload, Snapshot, Term};

use crate::case::{Case, Setting, Topic};
use crate::operation::Operation;

/// A log after its first compaction: the snapshot stands for the entries 1 to 3.
fn the_log() -> MemoryStorage {
    storage_after(&[
        append(&[(1, 1), (2, 1), (3, 1), (4, 1), (5, 2), (6, 2)]),
        Operation::CreateSnapshot(3),
        Operation::Compact(3),
    ])
}

/// The same log with a newer snapshot, up to 5. Nothing more was compacted.
fn the_log_with_a_newer_snapshot() -> MemoryStorage {
    let storage = the_log();
    must_not_be_refused(&Operation::CreateSnapshot(5), &storage);
    storage
}

fn storage_after(operations: &[Operation]) -> MemoryStorage {
    let storage = MemoryStorage::new();
    for operation in operations {
        must_not_be_refused(operation, &storage);
    }
    storage
}

fn must_not_be_refused(operation: &Operation, storage: &MemoryStorage) {
    if let Err(error) = operation.run(storage) {
        unreachable!("{} while a case is set up: {error}", operation.in_words());
    }
}

/// Entries of these indexes and terms, each with a small command.
fn append(places: &[(Index, Term)]) -> Operation {
    Operation::Append(places.iter().map(|&place| entry(place)).collect())
}

fn entry((index, term): (Index, Term)) -> Entry {
    Entry {
        term,
        index,
        payload: Payload::Command(Bytes::from_static(b"set x = 7!")),
    }
}

fn apply_snapshot(index: Index, term: Term) -> Operation {
    Operation::ApplySnapshot(Snapshot {
        index,
        term,
        conf_state: ConfState::of_voters([1, 2, 3]),
        data: Bytes::from_static(b"the leader's state"),
    })
}

fn entries(from: Index, end: Index, max_bytes: u64) -> Operation {
    Operation::Entries {
        range: from..end,
        max_bytes,
    }
}

/// All cases, by topic and from the plain to the odd.
pub fn cases() -> Vec<Case> {
    let settings = [appending(), snapshots(), compacting(), reading()];
    settings
        .into_iter()
        .flatten()
        .map(Setting::happen)
        .collect()
}

/// The case of that name, if there is one.
pub fn case(name: &str) -> Option<Case> {
    cases().into_iter().find(|case| case.name == name)
}

/// The names of all cases.
pub fn names() -> Vec<&'static str> {
    cases().iter().map(|case| case.name).collect()
}

fn appending() -> Vec<Setting> {
    let on_the_log = |name, title, operation, why| Setting {
        name,
        topic: Topic::Append,
        title,
        why,
        storage: the_log,
        operation,
    };
    vec![
        on_the_log(
            "append-exactly-after",
            "the new entries begin right after the last one",
            append(&[(7, 3), (8, 3)]),
            "Nothing is in the way. This is what happens almost always.",
        ),
        on_the_log(
            "append-overlapping-end",
            "the new entries begin inside the log and reach beyond its end",
            append(&[(6, 3), (7, 3)]),
            "A new leader has another entry 6. The old one was never committed, so it may go.",
        ),
        on_the_log(
            "append-inside-entries",
            "the new entries begin and end inside the log",
            append(&[(5, 3)]),
            "Entry 6 followed an entry 5 that is no more. What follows a replaced entry goes too.",
        ),
        on_the_log(
            "append-repeated",
            "the new entry is the one that is there already",
            append(&[(5, 2)]),
            "The storage compares nothing. The engine hands out only what is new, so it need not.",
        ),
        on_the_log(
            "append-overlapping-snapshot",
            "the new entries begin inside the snapshot and end after it",
            append(&[(2, 1), (3, 1), (4, 3)]),
            "What the snapshot contains is committed and cannot differ: skipped. The rest is written.",
        ),
        on_the_log(
            "append-inside-snapshot",
            "the new entries are all inside the snapshot",
            append(&[(2, 1), (3, 1)]),
            "All of it is there already, in another form. Nothing is left to write or to cut off.",
        ),
        Setting {
            storage: the_log_with_a_newer_snapshot,
            ..on_the_log(
                "append-inside-newer-snapshot",
                "the entries are in the snapshot, and in the log as well",
                append(&[(4, 1), (5, 2)]),
                "Where the snapshot ends decides, not where the log begins: committed entries stay.",
            )
        },
        on_the_log(
            "append-nothing",
            "there is nothing to append",
            append(&[]),
            "Most turns of the loop have no entries to write.",
        ),
        on_the_log(
            "append-with-gap",
            "the new entries begin too late: one index is left out",
            append(&[(8, 3)]),
            "A log with a hole is no log. The storage says so and stays as it was.",
        ),
        on_the_log(
            "append-not-consecutive",
            "there is a hole between the new entries themselves",
            append(&[(7, 3), (9, 3)]),
            "All or nothing: entry 7 alone would fit, but whoever asked has made a mistake.",
        ),
    ]
}

fn snapshots() -> Vec<Setting> {
    let on_the_log = |name, title, operation, why| Setting {
        name,
        topic: Topic::Snapshot,
        title,
        why,
        storage: the_log,
        operation,
    };
    vec![
        on_the_log(
            "snapshot-received",
            "a leader's snapshot reaches beyond the log",
            apply_snapshot(8, 3),
            "The snapshot stands for all up to 8. The log begins anew after it, with no entries yet.",
        ),
        on_the_log(
            "snapshot-received-inside-log",
            "a leader's snapshot ends inside the log",
            apply_snapshot(5, 3),
            "The leader sends one when the logs differ. Entry 6 followed another 5, so it goes too.",
        ),
        on_the_log(
            "snapshot-received-out-of-date",
            "a leader's snapshot is no newer than the one that is there",
            apply_snapshot(3, 1),
            "It was late on its way. Taking it over would throw away the entries after it.",
        ),
        on_the_log(
            "snapshot-made",
            "the node makes a snapshot of its own state machine",
            Operation::CreateSnapshot(5),
            "The log stays as it is. The term comes from the log, so the two agree.",
        ),
        on_the_log(
            "snapshot-made-out-of-date",
            "the node makes a snapshot that it has already",
            Operation::CreateSnapshot(3),
            "There is one at least as new. Snapshots go forwards only.",
        ),
        on_the_log(
            "snapshot-made-unavailable",
            "the node makes a snapshot of what it has not received yet",
            Operation::CreateSnapshot(7),
            "Nobody can have applied an entry that is not in the log.",
        ),
    ]
}

fn compacting() -> Vec<Setting> {
    let on_the_newer = |name, title, operation, why| Setting {
        name,
        topic: Topic::Compact,
        title,
        why,
        storage: the_log_with_a_newer_snapshot,
        operation,
    };
    vec![
        on_the_newer(
            "compact-up-to-snapshot",
            "everything that the snapshot contains is forgotten",
            Operation::Compact(5),
            "Entry 5 becomes the dummy: its command is gone, its index and its term stay.",
        ),
        on_the_newer(
            "compact-before-snapshot",
            "some entries are kept although the snapshot contains them",
            Operation::Compact(4),
            "A follower that lags a little needs entry 5, not the whole snapshot.",
        ),
        on_the_newer(
            "compact-already-compacted",
            "the entries are forgotten already",
            Operation::Compact(3),
            "There is nothing to do, and the caller's idea of the log is an old one.",
        ),
        Setting {
            storage: the_log,
            ..on_the_newer(
                "compact-without-snapshot",
                "no snapshot contains what would be forgotten",
                Operation::Compact(5),
                "Entries 4 and 5 would be nowhere: neither in the log nor in a snapshot.",
            )
        },
    ]
}

fn reading() -> Vec<Setting> {
    let on_the_log = |name, title, operation, why| Setting {
        name,
        topic: Topic::Read,
        title,
        why,
        storage: the_log,
        operation,
    };
    vec![
        on_the_log(
            "read-entries",
            "all the entries that are there",
            entries(4, 7, u64::MAX),
            "The range is 4..7 in Rust: its end, 7, is not part of it.",
        ),
        on_the_log(
            "read-entries-none",
            "an empty range right after the last entry",
            entries(7, 7, u64::MAX),
            "Asking for no entries is a question with an answer, not a mistake.",
        ),
        on_the_log(
            "read-entries-limited",
            "as many entries as fit into 60 bytes",
            entries(4, 7, 60),
            "Each of these entries has 30 bytes, so two fit.",
        ),
        on_the_log(
            "read-entries-tiny-limit",
            "a limit that not even one entry fits into",
            entries(4, 7, 10),
            "The first one is given all the same. A limit slows the log down; it must never stop it.",
        ),
        on_the_log(
            "read-entries-compacted",
            "the first of the entries is gone",
            entries(3, 6, u64::MAX),
            "Entry 3 is the dummy: it has a term and no command. Who needs it needs the snapshot.",
        ),
        on_the_log(
            "read-entries-unavailable",
            "the last of the entries is not there yet",
            entries(5, 8, u64::MAX),
            "Half an answer would look like a whole one, so there is none.",
        ),
        on_the_log(
            "read-term-of-entry",
            "the term of an entry that is there",
            Operation::Term(5),
            "Whether two logs agree is told by comparing terms; no command is read for it.",
        ),
        on_the_log(
            "read-term-of-dummy",
            "the term of the entry before the first one",
            Operation::Term(3),
            "The entry is gone, its term is not. Without it entry 4 could not be sent to anybody.",
        ),
        on_the_log(
            "read-term-compacted",
            "the term of an entry before the dummy",
            Operation::Term(2),
            "Only one term is kept of all that was compacted.",
        ),
        on_the_log(
            "read-term-unavailable",
            "the term of an entry that is not there yet",
            Operation::Term(7),
            "The log ends at 6. \"Not yet\" and \"no more\" are different answers.",
        ),
        Setting {
            storage: MemoryStorage::new,
            ..on_the_log(
                "read-term-new-log",
                "a new log has a dummy too: index 0, term 0",
                Operation::Term(0),
                "Thus the first entry of all has one before it, and no code treats it apart.",
            )
        },
    ]
}
