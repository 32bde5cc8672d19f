//! A cluster in one thread, to which everything happens that may happen, chosen by a seed;
//! checkers that look on; and a shrinker that makes a short story of what they find.
//!
//! It exists to prove the engine by breaking it. What would a checker be worth that never
//! found anything? So it is tried on engines that are broken on purpose, too.
//!
//! | module | what it holds |
//! |---|---|
//! | `plan` | what happens to a cluster, as data: made from a seed, printed, shortened, kept in files |
//! | `world` | nodes, disks, a network and virtual time: carries a plan out |
//! | `check` | what must hold, a property a file |
//! | `linearizability` | whether what clients saw could have come from single registers |
//! | `shrink` | from a plan that fails to a short one |
//! | `story` | a run in words, and the format of traces |
//!
//! The rule of all of it: the same seed gives the same bytes on every machine. One generator
//! with a fixed algorithm, integers only, no clock, and no map whose order is not its keys'.
//!
//! # Against another engine
//!
//! The engine is named in `Cargo.toml` by its path alone. So a folder with a copy of the
//! workspace's `Cargo.toml`, its `members` being `["raft-kernel", "tools/sim"]` and no
//! `default-members`, with copies of those two folders, builds against whatever was changed in
//! the copy of `raft-kernel`: `cargo run --release -p sim -- --seeds 1..1000`.
//!
//! # Lease reads
//!
//! Reads by lease are right only while the nodes' ticks pass at the same speed: clocks that
//! differ in speed come only with reads that are safe by heartbeats. And since a voter that
//! starts again has forgotten its leader, one that crashed in a cluster with leases is down
//! for an election timeout at least, as the engine's `ReadMode::Lease` demands.

mod check;
mod cli;
mod linearizability;
mod plan;
mod random;
mod run;
mod shrink;
mod story;
mod tally;
mod world;

pub use check::{Property, Violation};
pub use cli::main;
pub use linearizability::{Operation, Request, check as check_history};
pub use plan::{
    Action, CLIENTS, Event, Harm, KEYS, LATENCY, Mishap, Moment, NodeSettings, Plan, Settings,
    Step, TICK, Target, Way, Weather, WriteFate,
};
pub use run::{Outcome, Wishes, run};
pub use shrink::{Shrunk, shrink};
pub use story::{TRACE_VERSION, trace};
pub use tally::Tally;
