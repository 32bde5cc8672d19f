use raft_kernel::{MemoryStorage, Storage};

use super::{StorageError, answers, refuses};

#[test]
fn a_range_of_entries_is_given_without_its_end() {
    answers("read-entries", "4 (term 1), 5 (term 2), 6 (term 2)");
}

#[test]
fn an_empty_range_is_no_mistake() {
    answers("read-entries-none", "no entries");
}

#[test]
fn a_limit_in_bytes_ends_the_answer_early() {
    answers("read-entries-limited", "4 (term 1), 5 (term 2)");
}

#[test]
fn the_first_entry_is_given_whatever_the_limit() {
    answers("read-entries-tiny-limit", "4 (term 1)");
}

#[test]
fn forgotten_entries_are_called_compacted() {
    refuses("read-entries-compacted", StorageError::Compacted);
}

#[test]
fn entries_beyond_the_end_are_called_unavailable() {
    refuses("read-entries-unavailable", StorageError::Unavailable);
}

#[test]
fn an_entry_has_its_term() {
    answers("read-term-of-entry", "term 2");
}

#[test]
fn the_dummy_has_a_term_although_its_entry_is_gone() {
    answers("read-term-of-dummy", "term 1");
}

#[test]
fn before_the_dummy_there_are_no_terms() {
    refuses("read-term-compacted", StorageError::Compacted);
}

#[test]
fn beyond_the_end_there_are_no_terms() {
    refuses("read-term-unavailable", StorageError::Unavailable);
}

#[test]
fn a_new_log_begins_after_index_0_of_term_0() {
    answers("read-term-new-log", "term 0");
    let storage = MemoryStorage::new();
    assert_eq!(storage.first_index(), Ok(1));
    assert_eq!(storage.last_index(), Ok(0));
}

#[test]
fn a_range_that_ends_before_it_begins_is_empty_inside_the_log_and_refused_outside() {
    // Rust's lint against such ranges knows only literals.
    let entries = |from, end| MemoryStorage::new().entries(from..end, u64::MAX);
    assert_eq!(entries(1, 0).map(|found| found.len()), Ok(0));
    assert_eq!(entries(9, 5), Err(StorageError::Unavailable));
    assert_eq!(entries(0, 0), Err(StorageError::Compacted));
}
