//! How long to wait before trying again.

use std::time::Duration;

use rand::RngExt;

/// The first wait: shorter than a heartbeat, since most interruptions are.
const FIRST: Duration = Duration::from_millis(50);

/// The longest wait: a node that comes back is found within about a second.
const LONGEST: Duration = Duration::from_secs(1);

/// Waits that grow, with some chance in them: nodes that lost the same peer at the same
/// moment should not all come back at the same moment.
#[derive(Clone, Debug)]
pub struct Backoff {
    next: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Backoff { next: FIRST }
    }
}

impl Backoff {
    /// The next wait: between half and all of a time that doubles up to a second.
    // ANCHOR: wait
    pub fn wait(&mut self) -> Duration {
        let wait = self.next;
        self.next = (wait * 2).min(LONGEST);
        wait.mul_f64(rand::rng().random_range(0.5..=1.0))
    }
    // ANCHOR_END: wait

    /// It worked: begin with short waits again.
    pub fn reset(&mut self) {
        self.next = FIRST;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_up_to_a_second_and_begin_anew_after_success() {
        let mut backoff = Backoff::default();
        let waits: Vec<_> = (0..10).map(|_| backoff.wait()).collect();
        assert!(waits[0] >= FIRST / 2 && waits[0] <= FIRST);
        assert!(waits.iter().all(|wait| *wait <= LONGEST));
        assert!(waits[9] >= LONGEST / 2);
        backoff.reset();
        assert!(backoff.wait() <= FIRST);
    }
}
