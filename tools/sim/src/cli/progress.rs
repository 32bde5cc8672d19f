//! How far it is: a line that moves on a terminal, and now and then a line elsewhere.

use std::io::{IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use crate::tally::Tally;

pub(super) struct Progress {
    began: Instant,
    told: Instant,
    every: Duration,
    seeds: u64,
    is_terminal: bool,
}

impl Progress {
    pub(super) fn of(seeds: u64) -> Self {
        let is_terminal = std::io::stderr().is_terminal();
        let now = Instant::now();
        Progress {
            began: now,
            told: now,
            every: if is_terminal {
                Duration::from_millis(200)
            } else {
                Duration::from_secs(30)
            },
            seeds,
            is_terminal,
        }
    }

    /// Tells how far it is, if it is time for that.
    pub(super) fn tell(&mut self, tally: &Tally, found: usize) {
        if self.told.elapsed() < self.every {
            return;
        }
        self.told = Instant::now();
        let line = format!(
            "{} of {} seeds, {} steps a second, {found} failures",
            tally.runs,
            self.seeds,
            self.speed(tally)
        );
        if self.is_terminal {
            eprint!("\r{line}\x1b[K");
            // Where the line cannot be shown, nothing is lost.
            let _ = std::io::stderr().flush();
        } else {
            eprintln!("{line}");
        }
    }

    /// Makes room for something else.
    pub(super) fn clear(&self) {
        if self.is_terminal {
            eprint!("\r\x1b[K");
        }
    }

    /// Steps a second since the beginning, over all cores.
    pub(super) fn speed(&self, tally: &Tally) -> u64 {
        let millis = self.began.elapsed().as_millis().max(1);
        u64::try_from(u128::from(tally.steps) * 1000 / millis).unwrap_or(u64::MAX)
    }

    pub(super) fn seconds(&self) -> u64 {
        self.began.elapsed().as_secs()
    }
}
