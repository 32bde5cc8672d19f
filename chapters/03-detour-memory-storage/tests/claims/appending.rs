use super::{StorageError, leaves, refuses};

#[test]
fn entries_exactly_after_the_end_are_added() {
    leaves("append-exactly-after", "3/1 | 4/1 5/2 6/2 7/3 8/3");
}

#[test]
fn entries_that_overlap_the_end_replace_what_they_overlap() {
    leaves("append-overlapping-end", "3/1 | 4/1 5/2 6/3 7/3");
}

#[test]
fn an_entry_inside_the_log_cuts_off_what_followed_it() {
    leaves("append-inside-entries", "3/1 | 4/1 5/3");
}

#[test]
fn even_the_same_entry_cuts_off_what_followed_it() {
    leaves("append-repeated", "3/1 | 4/1 5/2");
}

#[test]
fn of_entries_that_overlap_the_snapshot_only_those_after_it_are_written() {
    leaves("append-overlapping-snapshot", "3/1 | 4/3");
}

#[test]
fn entries_inside_the_snapshot_change_nothing() {
    let case = leaves("append-inside-snapshot", "3/1 | 4/1 5/2 6/2");
    assert_eq!(case.after, case.before);
}

#[test]
fn entries_in_the_snapshot_stay_although_the_log_still_has_them() {
    let case = leaves("append-inside-newer-snapshot", "3/1 | 4/1 5/2 6/2");
    assert_eq!(case.after, case.before);
}

#[test]
fn appending_nothing_changes_nothing() {
    let case = leaves("append-nothing", "3/1 | 4/1 5/2 6/2");
    assert_eq!(case.after, case.before);
}

#[test]
fn a_gap_after_the_end_is_refused_and_the_error_says_where() {
    let gap = StorageError::Gap {
        expected: 7,
        found: 8,
    };
    refuses("append-with-gap", gap);
    assert_eq!(
        gap.to_string(),
        "appending index 8 would leave a gap: the log ends before index 7"
    );
}

#[test]
fn a_gap_between_the_entries_is_refused_as_a_whole() {
    refuses("append-not-consecutive", StorageError::NotConsecutive);
}
