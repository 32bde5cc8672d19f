//! Chapter 6: a snapshot takes the place of the log's beginning.
//!
//! A log that is only ever appended to fills the disk. So a node writes down what its
//! state machine has come to, a snapshot, and forgets the entries that led there. Who
//! needs those entries later is sent the snapshot instead.

mod machine;
mod node;
pub mod story;

pub use machine::StateMachine;
pub use node::{Node, send};
