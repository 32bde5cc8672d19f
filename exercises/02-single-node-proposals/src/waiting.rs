//! Extend: callers that wait for their commands.
//!
//! `Appended { term, index }` says where a command is, not that it will stay there. Whoever
//! proposed it wants to be told: it was applied, or it never will be. `Waiting` keeps the
//! callers. It is told of every proposal that was appended, and of every entry that is
//! applied, one after the other, in the order of the log.
//!
//! Three rules of the log are all that it takes:
//!
//! - Index and term name an entry. Two entries with the same index and another term differ.
//! - What is applied stays. At each index one entry is applied, and no other ever will be.
//! - From entry to entry the term stays the same or grows.
//!
//! A caller is told as soon as the applied entries leave no doubt, and it is told once.

use raft_kernel::Entry;

/// What became of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Its entry was applied.
    Applied,
    /// Its entry was replaced, and will never be applied.
    Lost,
}

/// Names a caller that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ticket(pub u64);

/// The callers that wait.
#[derive(Debug, Default)]
pub struct Waiting {
    // What must be known of each of them?
}

impl Waiting {
    /// A command was appended at this place. Its caller gets a ticket of its own.
    pub fn appended(&mut self, term: u64, index: u64) -> Ticket {
        todo!("appended: remember the caller, and give it a new ticket")
    }

    /// This entry was applied. Returns the callers that now know their fate.
    pub fn applied(&mut self, entry: &Entry) -> Vec<(Ticket, Fate)> {
        todo!("applied: who is told what, now that this entry is applied?")
    }
}
