//! The claims of chapter 9.
//!
//! What depends on an order of events is driven by hand; what is about threads uses disks
//! that the test opens and closes. No test waits for a fixed time.

mod apply_order;
mod changes;
mod command_line;
mod disks;
mod joining;
mod overlap;
mod promises;
mod queues;
mod restart;
mod stopping;
mod written;
