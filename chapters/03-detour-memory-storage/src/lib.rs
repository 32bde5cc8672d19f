//! Chapter 3, a detour: where a node keeps its log.
//!
//! The storage itself is [`raft_kernel::MemoryStorage`]. This crate holds what the
//! chapter says about it: [`cases()`] runs every case of appending, taking a snapshot,
//! compacting and reading on a real `MemoryStorage` and keeps what was there before
//! and after; [`Naive`] is a second storage, too simple to be wrong, that the property
//! test holds against the first.
//!
//! The program prints each case as a picture in text, and the book draws the same
//! [`Picture`] for the page. Nobody writes down what a picture shows.

mod case;
mod cases;
pub mod cli;
mod naive;
mod operation;
mod picture;
mod state;
mod text;
mod words;

pub use case::{Case, Topic};
pub use cases::{case, cases, names};
pub use naive::Naive;
pub use operation::{Answer, Operation};
pub use picture::{Cell, CellKind, Mark, Picture, Row, RowKind};
pub use state::{Place, State};
pub use text::{LEGEND, as_text};
pub use words::in_words;
