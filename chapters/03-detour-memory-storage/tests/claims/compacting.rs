use super::{Place, StorageError, leaves, refuses};

#[test]
fn the_last_forgotten_entry_becomes_the_dummy() {
    let case = leaves("compact-up-to-snapshot", "5/2 | 6/2");
    assert_eq!(case.after.dummy, Place { index: 5, term: 2 });
    assert_eq!(case.after.first_index(), 6);
}

#[test]
fn entries_that_the_snapshot_contains_may_be_kept() {
    let case = leaves("compact-before-snapshot", "4/1 | 5/2 6/2");
    assert_eq!(case.after.snapshot, case.before.snapshot);
}

#[test]
fn forgetting_what_is_forgotten_is_refused() {
    refuses("compact-already-compacted", StorageError::Compacted);
}

#[test]
fn forgetting_what_no_snapshot_contains_is_refused() {
    refuses("compact-without-snapshot", StorageError::NotInSnapshot);
}
