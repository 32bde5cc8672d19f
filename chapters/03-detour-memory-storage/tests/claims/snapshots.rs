use super::{Place, StorageError, leaves, refuses};

#[test]
fn a_received_snapshot_replaces_the_log() {
    let case = leaves("snapshot-received", "8/3 |");
    assert_eq!(case.after.snapshot, Place { index: 8, term: 3 });
    assert_eq!(case.after.first_index(), 9);
    assert_eq!(case.after.last_index(), 8);
}

#[test]
fn a_received_snapshot_that_ends_inside_the_log_replaces_all_of_it() {
    let case = leaves("snapshot-received-inside-log", "5/3 |");
    assert_eq!(case.after.snapshot, Place { index: 5, term: 3 });
}

#[test]
fn a_received_snapshot_that_is_not_newer_is_refused() {
    refuses(
        "snapshot-received-out-of-date",
        StorageError::SnapshotOutOfDate,
    );
}

#[test]
fn making_a_snapshot_leaves_the_log_as_it_is() {
    let case = leaves("snapshot-made", "3/1 | 4/1 5/2 6/2");
    assert_eq!(case.after.snapshot, Place { index: 5, term: 2 });
}

#[test]
fn making_a_snapshot_that_is_not_newer_is_refused() {
    refuses("snapshot-made-out-of-date", StorageError::SnapshotOutOfDate);
}

#[test]
fn making_a_snapshot_beyond_the_log_is_refused() {
    refuses("snapshot-made-unavailable", StorageError::Unavailable);
}
