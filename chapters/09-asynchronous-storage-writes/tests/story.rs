//! The program as a reader runs it: what it prints, and how it ends.

#[path = "../../01-single-node-cluster/tests/program/mod.rs"]
mod program;

the_program_keeps_the_readers_rules!(env!("CARGO_BIN_EXE_ch09-asynchronous-storage-writes"));
