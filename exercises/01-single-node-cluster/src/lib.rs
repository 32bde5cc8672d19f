//! Exercises to chapter 1. `cargo exercise check 01` says where to begin.
//!
//! A module is a task. Its doc comment says what to do, and `tests` has its claims.

// A starter takes what an answer will use, and fails where an answer will not.
#![allow(unused_variables, clippy::unnecessary_wraps)]

pub mod judge;
pub mod prediction;
pub mod ready_loop;
