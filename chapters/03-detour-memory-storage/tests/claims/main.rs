//! What the chapter claims, one test a claim.

mod appending;
mod command_line;
mod compacting;
mod handles;
mod pictures;
mod reading;
mod snapshots;

use std::convert::Infallible;

use ch03_detour_memory_storage::{Answer, Case, Place, State, case};
use raft_kernel::StorageError;

/// A log in short: `3/1 | 4/1 5/2` is dummy 3 of term 1 and the entries 4 and 5.
fn log(state: &State) -> String {
    let short = |place: &Place| format!("{}/{}", place.index, place.term);
    let entries: Vec<String> = state.entries.iter().map(short).collect();
    format!("{} | {}", short(&state.dummy), entries.join(" "))
        .trim_end()
        .to_string()
}

fn the_case(name: &str) -> Case {
    case(name).unwrap_or_else(|| panic!("there is no case {name}"))
}

/// The operation was done, and this is the log now.
#[track_caller]
fn leaves(name: &str, expected: &str) -> Case {
    let case = the_case(name);
    assert!(case.outcome.is_ok(), "{name}: {}", case.outcome_in_words());
    assert_eq!(log(&case.after), expected, "the log after {name}");
    case
}

/// The operation was refused, and nothing has changed.
#[track_caller]
fn refuses(name: &str, expected: StorageError<Infallible>) {
    let case = the_case(name);
    assert_eq!(case.outcome, Err(expected), "{name}");
    assert_eq!(case.after, case.before, "{name} was refused");
}

/// The question was answered, and nothing has changed.
#[track_caller]
fn answers(name: &str, expected: &str) {
    let case = the_case(name);
    assert_eq!(case.outcome_in_words(), expected, "{name}");
    assert!(!matches!(case.outcome, Ok(Answer::Done)), "{name} asks");
    assert_eq!(case.after, case.before, "{name} only asks");
}

#[test]
fn every_case_keeps_the_invariants() {
    for case in ch03_detour_memory_storage::cases() {
        assert_eq!(case.before.broken_invariant(), None, "before {}", case.name);
        assert_eq!(case.after.broken_invariant(), None, "after {}", case.name);
    }
}

#[test]
fn every_case_has_a_name_of_its_own() {
    let mut names = ch03_detour_memory_storage::names();
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all);
}

#[test]
fn the_log_of_the_cases_is_the_one_in_the_book() {
    let case = the_case("append-exactly-after");
    assert_eq!(log(&case.before), "3/1 | 4/1 5/2 6/2");
    assert_eq!(case.before.snapshot, Place { index: 3, term: 1 });
}

#[test]
fn a_broken_invariant_is_found_and_named() {
    let good = the_case("snapshot-made").after;
    let broken = |change: fn(&mut State)| {
        let mut state = good.clone();
        change(&mut state);
        state.broken_invariant().unwrap_or_default()
    };
    for (number, found) in [
        (1, broken(|it| it.entries[1].index = 7)),
        (3, broken(|it| it.snapshot = Place { index: 2, term: 1 })),
        (4, broken(|it| it.entries.truncate(1))),
        (5, broken(|it| it.snapshot.term = 9)),
    ] {
        assert!(found.contains(&format!("invariant {number}")), "{found}");
    }
}
