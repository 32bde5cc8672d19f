//! What happened in runs, in numbers: a search in which nothing happens proves nothing.

use std::fmt;
use std::ops::AddAssign;

/// What happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Runs.
    pub runs: u64,
    /// Things that happened to one node or to the cluster: a tick, the arrival of a message,
    /// the end of a write, an event of the plan.
    pub steps: u64,
    /// Terms that had a leader.
    pub terms_led: u64,
    /// Committed entries.
    pub committed: u64,
    /// Committed changes of the configuration.
    pub changes: u64,
    /// Requests of clients that were answered.
    pub answered: u64,
    /// Crashes.
    pub crashes: u64,
    /// Snapshots that took the place of a log.
    pub snapshots: u64,
    /// Messages that were lost.
    pub lost: u64,
    /// Runs that an operator had to help at the end: the news that a change is committed was
    /// lost with the last node that had it and could lead, so that those who know have no
    /// votes for others and those who do not know ask nodes that were removed. It comes of
    /// counting a configuration once it is applied; see `recovery`.
    pub stranded: u64,
}

impl AddAssign for Tally {
    fn add_assign(&mut self, more: Tally) {
        self.runs += more.runs;
        self.steps += more.steps;
        self.terms_led += more.terms_led;
        self.committed += more.committed;
        self.changes += more.changes;
        self.answered += more.answered;
        self.crashes += more.crashes;
        self.snapshots += more.snapshots;
        self.lost += more.lost;
        self.stranded += more.stranded;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} seeds, {} steps: {} terms led, {} entries committed, {} changes of the \
             configuration, {} requests answered, {} crashes, {} snapshots installed, {} \
             messages lost; {} stranded",
            self.runs,
            self.steps,
            self.terms_led,
            self.committed,
            self.changes,
            self.answered,
            self.crashes,
            self.snapshots,
            self.lost,
            self.stranded,
        )
    }
}
