//! Chapter 7: another state machine, and every node compacts at its own pace.
//!
//! The list of all commands becomes their sum, so that a snapshot is one number. The node
//! of chapter 6 stays as it is. Commands come in volume, and none waits for the one before.

mod paced;
mod pipeline;
pub mod story;
mod sum;

pub use paced::Paced;
pub use pipeline::{Answers, Pipeline, WINDOW};
pub use sum::{NotANumber, Sum};
