use ch03_detour_memory_storage::{CellKind, Mark, Place, as_text, cases, in_words};

use super::the_case;

/// Indexes that bear a mark in a row.
fn marked(name: &str, row: usize, mark: Mark) -> Vec<u64> {
    let picture = the_case(name).picture();
    let cells = picture.rows[row].cells.iter();
    cells
        .filter(|cell| cell.mark == Some(mark))
        .map(|cell| cell.index)
        .collect()
}

#[test]
fn the_picture_shows_what_goes_what_is_skipped_and_what_is_new() {
    let name = "append-overlapping-snapshot";
    assert_eq!(marked(name, 0, Mark::Gone), [4, 5, 6]);
    assert_eq!(marked(name, 1, Mark::Skipped), [2, 3]);
    assert_eq!(marked(name, 2, Mark::New), [4]);
}

#[test]
fn a_replaced_entry_is_new_even_if_it_is_the_same() {
    assert_eq!(marked("append-repeated", 0, Mark::Gone), [6]);
    assert_eq!(marked("append-repeated", 2, Mark::New), [5]);
}

#[test]
fn a_new_dummy_is_marked() {
    assert_eq!(marked("compact-up-to-snapshot", 0, Mark::Gone), [4, 5]);
    assert_eq!(marked("compact-up-to-snapshot", 2, Mark::New), [5]);
}

#[test]
fn a_refusal_has_a_reason_and_no_row_for_afterwards() {
    for case in cases() {
        let picture = case.picture();
        let rows = if case.is_refused() { 2 } else { 3 };
        assert_eq!(picture.rows.len(), rows, "{}", case.name);
        assert_eq!(picture.refusal.is_some(), case.is_refused());
    }
}

#[test]
fn a_received_snapshot_is_drawn_where_it_ends() {
    let picture = the_case("snapshot-received").picture();
    assert_eq!(picture.rows[1].snapshot, Some(Place { index: 8, term: 3 }));
}

#[test]
fn the_dummys_term_is_answered_with_the_dummy() {
    let picture = the_case("read-term-of-dummy").picture();
    assert_eq!(picture.rows[2].cells[0].kind, CellKind::Dummy);
}

#[test]
fn a_case_as_text_lines_up() {
    let expected = "\
append-overlapping-snapshot
  the new entries begin inside the snapshot and end after it

  index      1     2     3     4     5     6     7     8
  before               (t1)  [t1]  [t2]  [t2]
                             gone  gone  gone
  snapshot ===============|t1
  append 2 (term 1), 3 (term 1), 4 (term 3)
                 [t1]  [t1]  [t3]
                 skip  skip
  after                (t1)  [t3]
                             new
  snapshot ===============|t1

  What the snapshot contains is committed and cannot differ: skipped. The
  rest is written.
";
    assert_eq!(as_text(&the_case("append-overlapping-snapshot")), expected);
}

#[test]
fn no_line_is_wider_than_a_terminal() {
    for case in cases() {
        for line in as_text(&case).lines() {
            assert!(line.len() <= 80, "{}: {line}", case.name);
        }
    }
}

#[test]
fn the_words_tell_what_the_picture_shows() {
    assert_eq!(
        in_words(&the_case("append-overlapping-snapshot")),
        "Before: a snapshot up to 3 (term 1), the dummy 3 of term 1, \
         entry 4 of term 1 (about to go), entry 5 of term 2 (about to go), \
         entry 6 of term 2 (about to go). \
         Append 2 (term 1), 3 (term 1), 4 (term 3): \
         entry 2 of term 1 (skipped), entry 3 of term 1 (skipped). \
         After: a snapshot up to 3 (term 1), the dummy 3 of term 1, entry 4 of term 3 (new)."
    );
    assert_eq!(
        in_words(&the_case("read-term-compacted")),
        "Before: a snapshot up to 3 (term 1), the dummy 3 of term 1, entry 4 of term 1, \
         entry 5 of term 2, entry 6 of term 2. Which term has 2? \
         Refused: the entries were compacted into a snapshot. Nothing changes."
    );
}
