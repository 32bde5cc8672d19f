//! What came of a run.

/// What happened in a run. If hardly anything does, the run proves nothing.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) steps: u64,
    pub(crate) terms_led: u64,
    pub(crate) committed: u64,
    pub(crate) changes: u64,
    pub(crate) snapshots_received: u64,
    pub(crate) starts: u64,
    /// Runs in which nobody could be elected until somebody told what is committed.
    pub(crate) stranded: u64,
}

impl std::ops::AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.steps += other.steps;
        self.terms_led += other.terms_led;
        self.committed += other.committed;
        self.changes += other.changes;
        self.snapshots_received += other.snapshots_received;
        self.starts += other.starts;
        self.stranded += other.stranded;
    }
}
