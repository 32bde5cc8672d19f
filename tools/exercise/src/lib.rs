//! Exercises: starters that are proven to fail, answers that are proven to pass, and wrong
//! answers that are proven to be answered well.
//!
//! A chapter's exercises are a crate `exercises/NN-name`. A task of it is
//!
//! | file | what it is |
//! |---|---|
//! | `src/TASK.rs` | the student's file; in an untouched checkout it is the starter |
//! | `tests/TASK.rs` | the claims, one test each |
//! | `tasks/TASK/task.toml` | title, level, hints, the claims in words (`catalogue`) |
//! | `tasks/TASK/starter.rs` | what `reset` puts back |
//! | `tasks/TASK/solution.rs` | an answer that keeps all claims |
//! | `tasks/TASK/wrong/NAME.rs` | an answer of somebody who holds a misconception |
//!
//! | module | what it holds |
//! |---|---|
//! | `catalogue` | the tasks that there are, and what they say of themselves |
//! | `progress` | what a student has done, and the hints that were given |
//! | `compile` | test programs, compiled; or what the compiler says |
//! | `claims` | a task's claims, tried one by one |
//! | `check` | that, for a student: `check` and `watch` |
//! | `aid` | `hint`, `solution`, `reset` |
//! | `bench` | a copy in which any answer can be put in the student's place |
//! | `verify` | the tasks themselves, put to the proof: what CI runs |
//! | `process` | programs that this one starts, and that never outlive it |
//! | `words` | text in lines of one width |
//!
//! The rule of all of it: a student's file is written by the student. The one command that
//! writes it is `reset`, which asks first and keeps a copy.

mod aid;
mod bench;
mod catalogue;
mod check;
mod claims;
mod cli;
mod compile;
mod failure;
mod process;
mod progress;
mod verify;
mod words;

pub use cli::main;

/// Prints a line, if anybody still reads: `cargo exercise list | head` is no failure.
macro_rules! say {
    ($($words:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stdout(), $($words)*);
    }};
}
use say;
