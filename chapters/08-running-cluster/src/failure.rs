//! What is said when a property does not hold: everything that is needed to look into it.

use std::error::Error;
use std::fmt;

use crate::{Setting, Time, Violation};

/// A run that went wrong.
// ANCHOR: failure
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What does not hold.
    pub violation: Violation,
    /// When that was seen.
    pub time: Time,
    /// After how many steps.
    pub steps: u64,
    /// How every node stood, one line each.
    pub nodes: Vec<String>,
    /// The seed of the run.
    pub seed: u64,
    /// The command that runs it again.
    pub replay: String,
}
// ANCHOR_END: failure

impl Failure {
    /// A run with this setting went wrong.
    pub fn new(violation: Violation, setting: &Setting) -> Self {
        Failure {
            violation,
            time: Time::default(),
            steps: 0,
            nodes: Vec::new(),
            seed: setting.seed,
            replay: setting.replay(),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.violation)?;
        let Failure {
            seed, time, steps, ..
        } = self;
        writeln!(f, "seed {seed}, at {time} of virtual time, step {steps}")?;
        for node in &self.nodes {
            writeln!(f, "  {node}")?;
        }
        write!(f, "again: {}", self.replay)
    }
}

impl Error for Failure {}
