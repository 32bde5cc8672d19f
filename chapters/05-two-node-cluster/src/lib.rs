//! Chapter 5: a second node joins, and nodes send messages.
//!
//! The loop gets its missing step: send. Each node runs in a thread of its own and has an
//! inbox; a network carries messages from node to inbox; a clock tells all nodes that time
//! passes. The node itself knows of no thread, so it can also be driven by hand, one
//! message at a time.

pub mod by_hand;
mod clock;
mod member;
pub mod narration;
mod network;
mod node;
mod proposals;
pub mod story;

pub use clock::{Clock, Tick};
pub use member::{Lines, Member, PATIENCE, Replica, Request, Watches};
pub use network::{INBOX, Network, Post, Undelivered};
pub use node::{Node, config, step};
pub use proposals::{Outcome, Promise, Proposal, Proposals, Ticket};
