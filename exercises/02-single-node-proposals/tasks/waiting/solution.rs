//! Callers that wait for their commands, and are told as soon as there is no doubt.

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
    next: u64,
    callers: Vec<Caller>,
}

#[derive(Debug)]
struct Caller {
    ticket: Ticket,
    term: u64,
    index: u64,
}

impl Waiting {
    /// A command was appended at this place. Its caller gets a ticket of its own.
    pub fn appended(&mut self, term: u64, index: u64) -> Ticket {
        let ticket = Ticket(self.next);
        self.next += 1;
        self.callers.push(Caller {
            ticket,
            term,
            index,
        });
        ticket
    }

    /// This entry was applied. Returns the callers that now know their fate.
    pub fn applied(&mut self, entry: &Entry) -> Vec<(Ticket, Fate)> {
        let mut told = Vec::new();
        self.callers.retain(|caller| {
            let fate = if (caller.term, caller.index) == (entry.term, entry.index) {
                Fate::Applied
            } else if caller.index <= entry.index || caller.term < entry.term {
                // Its index is taken; or whatever comes at it has a newer term.
                Fate::Lost
            } else {
                return true;
            };
            told.push((caller.ticket, fate));
            false
        });
        told
    }
}
