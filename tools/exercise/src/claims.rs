//! A task's claims, tried one by one.
//!
//! Each claim runs in a process of its own: one that never ends, or takes the process with
//! it, is told apart from the others. What a failed test says is taken out of what it
//! prints, without the rest that is meant for programmers of Rust.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::catalogue::{Claim, Task};
use crate::failure::Failure;
use crate::process::{self, Ended, Patience};

/// How long a claim may take. The slowest needs a fraction of a second.
pub(crate) const LIMIT: Duration = Duration::from_secs(5);
/// What `todo!` says before the words that it was given.
const TODO: &str = "not yet implemented";
/// How many lines of what the student's code printed are shown.
const MOST_LINES: usize = 20;

/// What came of a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Holds,
    /// It met a `todo!`, which says this.
    Open(String),
    /// It does not hold, and the test says why. What was printed before comes after.
    Fails {
        why: String,
        printed: String,
    },
    TooLong,
    /// The process ended without a verdict.
    Died(String),
    /// An earlier claim took too long, and this one might, too.
    NotTried,
}

/// A claim and what came of it.
pub(crate) type Tried<'a> = (&'a Claim, Outcome);

/// Tries the claims of a task, until one takes too long: a student waits for the answer.
pub(crate) fn try_all<'a>(task: &'a Task, program: &Path) -> Result<Vec<Tried<'a>>, Failure> {
    let mut tried: Vec<Tried<'a>> = Vec::new();
    for claim in &task.about.claims {
        let outcome = match tried.last() {
            Some((_, Outcome::TooLong | Outcome::NotTried)) => Outcome::NotTried,
            _ => try_one(claim, program)?,
        };
        tried.push((claim, outcome));
    }
    Ok(tried)
}

fn try_one(claim: &Claim, program: &Path) -> Result<Outcome, Failure> {
    let mut command = Command::new(program);
    command
        .args(["--exact", &claim.test])
        .env("RUST_BACKTRACE", "0");
    let patience = Patience {
        limit: Some(LIMIT),
        remark: None,
    };
    let ended = process::run(&mut command, patience)?;
    Ok(outcome(&claim.test, &ended))
}

/// The names of the tests that a program has.
pub(crate) fn tests(program: &Path) -> Result<Vec<String>, Failure> {
    let patience = Patience {
        limit: Some(LIMIT),
        remark: None,
    };
    let ended = process::run(Command::new(program).arg("--list"), patience)?;
    let names = ended
        .stdout
        .lines()
        .filter_map(|line| line.strip_suffix(": test"));
    Ok(names.map(str::to_owned).collect())
}

fn outcome(test: &str, ended: &Ended) -> Outcome {
    let Some(status) = ended.status else {
        return Outcome::TooLong;
    };
    let has_line = |start: &str| ended.stdout.lines().any(|line| line.starts_with(start));
    if status.success() && has_line("test result: ok. 1 passed;") {
        return Outcome::Holds;
    }
    if status.success() && has_line("test result: ok. 0 passed;") {
        return Outcome::Died(format!("there is no test `{test}`"));
    }
    let section = ended
        .stdout
        .split_once(&format!("---- {test} stdout ----\n"));
    match section.and_then(|(_, section)| failure(section)) {
        Some(outcome) => outcome,
        None => Outcome::Died(format!(
            "the test ended without a verdict ({status}). Does your code end the process?"
        )),
    }
}

/// What a failed test printed: the student's output, and the panic.
fn failure(section: &str) -> Option<Outcome> {
    let mut printed = Vec::new();
    let mut place = None;
    let mut words: Vec<&str> = Vec::new();
    for line in section.lines() {
        if let Some(at) = panicked_at(line) {
            // The last word is that of the test itself.
            place = Some(at);
            words.clear();
        } else if line.starts_with("note: run with `RUST_BACKTRACE=1`") || line == "failures:" {
            break;
        } else if place.is_some() {
            words.push(line);
        } else {
            printed.push(line);
        }
    }
    let place = place?;
    let words = words.join("\n").trim().to_owned();
    if let Some(rest) = words.strip_prefix(TODO) {
        return Some(Outcome::Open(rest.trim_start_matches(": ").to_owned()));
    }
    let is_of_the_test = place.contains("/tests/") || place.starts_with("tests/");
    let why = if is_of_the_test {
        words
    } else {
        format!("the code panicked at {place}: {words}")
    };
    let skipped = printed.len().saturating_sub(MOST_LINES);
    let printed = printed[skipped..].join("\n").trim().to_owned();
    Some(Outcome::Fails { why, printed })
}

/// Where, if this line says that a thread panicked.
fn panicked_at(line: &str) -> Option<&str> {
    let (thread, place) = line.split_once(" panicked at ")?;
    thread
        .starts_with("thread '")
        .then(|| place.trim_end_matches(':'))
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt as _;
    use std::process::ExitStatus;

    fn ended(code: i32, stdout: &str) -> Ended {
        Ended {
            status: Some(ExitStatus::from_raw(code << 8)),
            stdout: stdout.to_owned(),
            stderr: String::new(),
        }
    }

    fn failed(section: &str) -> Outcome {
        let stdout = format!(
            "\nrunning 1 test\ntest a ... FAILED\n\nfailures:\n\n---- a stdout ----\n{section}\n\n\
             failures:\n    a\n\ntest result: FAILED. 0 passed; 1 failed\n"
        );
        outcome("a", &ended(101, &stdout))
    }

    const NOTE: &str =
        "note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace";

    #[test]
    fn a_test_that_passes_holds() {
        let stdout = "running 1 test\ntest a ... ok\n\ntest result: ok. 1 passed; 0 failed\n";
        assert_eq!(outcome("a", &ended(0, stdout)), Outcome::Holds);
    }

    #[test]
    fn a_todo_is_open_work_and_not_a_failure() {
        for thread in ["thread 'a'", "thread 'a' (17)"] {
            let section = format!(
                "\n{thread} panicked at exercises/01-a/src/t.rs:5:5:\n\
                 not yet implemented: count the ticks\n{NOTE}"
            );
            assert_eq!(
                failed(&section),
                Outcome::Open("count the ticks".to_owned())
            );
        }
    }

    #[test]
    fn what_the_test_says_is_told_and_what_was_printed_before_it() {
        let section = format!(
            "seen 3\n\nthread 'a' (17) panicked at exercises/01-a/tests/t.rs:5:5:\n\
             the vote is lost\nfor ever\n{NOTE}"
        );
        let expected = Outcome::Fails {
            why: "the vote is lost\nfor ever".to_owned(),
            printed: "seen 3".to_owned(),
        };
        assert_eq!(failed(&section), expected);
    }

    #[test]
    fn a_panic_of_the_student_s_own_code_says_where() {
        let section = format!(
            "thread 'a' panicked at exercises/01-a/src/t.rs:5:9:\nindex out of bounds\n{NOTE}"
        );
        let Outcome::Fails { why, .. } = failed(&section) else {
            panic!("it fails")
        };
        assert_eq!(
            why,
            "the code panicked at exercises/01-a/src/t.rs:5:9: index out of bounds"
        );
    }

    #[test]
    fn a_process_that_ends_early_has_proven_nothing() {
        let outcome_of = |code, stdout| outcome("a", &ended(code, stdout));
        assert!(matches!(
            outcome_of(0, "running 1 test\n"),
            Outcome::Died(_)
        ));
        let none = "running 0 tests\n\ntest result: ok. 0 passed; 0 failed\n";
        assert!(matches!(outcome_of(0, none), Outcome::Died(_)));
    }
}
