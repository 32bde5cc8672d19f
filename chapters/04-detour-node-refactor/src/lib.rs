//! Chapter 4: one type that owns engine, storage and state machine.
//!
//! Nothing else changes: the same loop, the same claims, the same story. What was passed
//! from function to function is now a [`Node`].

mod node;
pub mod story;

pub use node::Node;
