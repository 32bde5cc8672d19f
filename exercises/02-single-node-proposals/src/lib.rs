//! Exercises to chapter 2. `cargo exercise check 02` says where to begin.
//!
//! A module is a task. Its doc comment says what to do, and `tests` has its claims.

// A starter takes what an answer will use.
#![allow(unused_variables)]

pub mod bank;
pub mod prediction;
pub mod waiting;
