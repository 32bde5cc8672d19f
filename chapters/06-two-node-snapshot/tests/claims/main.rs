//! The claims of chapter 6.
//!
//! Nearly all of them are about the order of messages, so the nodes are driven by hand and
//! every run is the same. What is left for threads is in `threads`.

mod bare;
mod compaction;
mod damaged;
mod loss;
mod newcomer;
mod nodes;
mod proposals;
mod restart;
mod threads;
