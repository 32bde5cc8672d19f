//! Chapter 8: three nodes, a network that fails, and a run that can be repeated.
//!
//! The nodes are chapter 7's. What is new is the world around them: one thread, a time
//! that is a number, and mishaps that a seed draws. After every step somebody outside the
//! nodes checks that what Raft promises still holds.

pub mod cli;
mod event;
mod failure;
mod faults;
mod news;
mod random;
mod safety;
mod setting;
mod simulated;
mod simulation;
pub mod story;

pub use event::{Event, Queue, Time};
pub use failure::Failure;
pub use faults::{Cut, Fate, Network, Traffic, Weather};
pub use news::News;
pub use random::{Chance, NotAChance, Random};
pub use safety::{Property, Safety, Verdict, Violation};
pub use setting::Setting;
pub use simulated::Simulated;
pub use simulation::{NODES, Simulation, Tally};
