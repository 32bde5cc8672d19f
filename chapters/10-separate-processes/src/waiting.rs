//! Proposals that wait for their end.
//!
//! The rule it keeps: whoever waits is answered once, and never for ever: when something is
//! applied at the index, when a snapshot passes it, or when the time is up.

use std::collections::BTreeMap;

use raft_kernel::{Entry, Index, Term};
use tokio::sync::oneshot;

use crate::outcome::{Doubt, Outcome, Refusal};
use crate::wire::frame::Place;

/// Where an answer goes. Whoever asked may have gone away; that is no error.
pub type Answer = oneshot::Sender<Outcome>;

struct Waiter {
    term: Term,
    answer: Answer,
    /// The tick at which it has waited long enough.
    deadline: u64,
}

/// The proposals that have a place in a log, by that place.
#[derive(Default)]
pub struct Waiting {
    waiters: BTreeMap<Index, Vec<Waiter>>,
}

impl Waiting {
    /// Waits for `place`.
    pub fn insert(&mut self, place: Place, answer: Answer, deadline: u64) {
        self.waiters.entry(place.index).or_default().push(Waiter {
            term: place.term,
            answer,
            deadline,
        });
    }

    /// Answers whoever waits for this entry, or waited for another in its place.
    // ANCHOR: applied
    pub fn applied(&mut self, entry: &Entry, outcome: &Outcome) {
        for waiter in self.waiters.remove(&entry.index).unwrap_or_default() {
            let answer = if waiter.term == entry.term {
                outcome.clone()
            } else {
                Outcome::NotCommitted(Refusal::Overwritten)
            };
            let _ = waiter.answer.send(answer);
        }
    }
    // ANCHOR_END: applied

    /// A snapshot took the place of everything up to `index`.
    pub fn passed_by_snapshot(&mut self, index: Index) {
        let later = self.waiters.split_off(&index.saturating_add(1));
        for waiter in std::mem::replace(&mut self.waiters, later)
            .into_values()
            .flatten()
        {
            let _ = waiter.answer.send(Outcome::Unknown(Doubt::Snapshot));
        }
    }

    /// Tells those that have waited long enough that nobody knows.
    pub fn expire(&mut self, now: u64) {
        let over = |waiter: &mut Waiter| waiter.deadline <= now;
        self.waiters.retain(|_, waiters| {
            for waiter in waiters.extract_if(.., over) {
                let _ = waiter.answer.send(Outcome::Unknown(Doubt::NoAnswer));
            }
            !waiters.is_empty()
        });
    }

    /// How many indexes are waited for.
    pub fn len(&self) -> usize {
        self.waiters.len()
    }

    /// Whether nobody waits.
    pub fn is_empty(&self) -> bool {
        self.waiters.is_empty()
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        for waiter in std::mem::take(&mut self.waiters).into_values().flatten() {
            let _ = waiter.answer.send(Outcome::Unknown(Doubt::Stopped));
        }
    }
}

#[cfg(test)]
mod tests {
    use raft_kernel::Payload;

    use super::*;

    fn place(term: Term, index: Index) -> Place {
        Place { term, index }
    }

    fn entry(term: Term, index: Index) -> Entry {
        Entry {
            term,
            index,
            payload: Payload::Empty,
        }
    }

    const APPLIED: Outcome = Outcome::Applied {
        index: 4,
        term: 2,
        sum: 0,
    };

    #[test]
    fn another_terms_entry_at_the_index_means_not_committed() {
        let mut waiting = Waiting::default();
        let (answer, mut own) = oneshot::channel();
        waiting.insert(place(2, 4), answer, 9);
        let (answer, mut overwritten) = oneshot::channel();
        waiting.insert(place(1, 4), answer, 9);

        waiting.applied(&entry(2, 4), &APPLIED);
        assert_eq!(own.try_recv(), Ok(APPLIED));
        assert_eq!(
            overwritten.try_recv(),
            Ok(Outcome::NotCommitted(Refusal::Overwritten))
        );
        assert!(waiting.is_empty());
    }

    #[test]
    fn nobody_waits_for_ever() {
        let mut waiting = Waiting::default();
        let mut answers = Vec::new();
        for (index, deadline) in [(4, 9), (5, 10), (6, 99), (7, 99)] {
            let (answer, receiver) = oneshot::channel();
            waiting.insert(place(2, index), answer, deadline);
            answers.push(receiver);
        }
        waiting.expire(10);
        waiting.passed_by_snapshot(6);
        assert_eq!(waiting.len(), 1);
        drop(waiting);
        let told: Vec<_> = answers
            .iter_mut()
            .map(|answer| answer.try_recv().expect("answered"))
            .collect();
        assert_eq!(
            told,
            [
                Doubt::NoAnswer,
                Doubt::NoAnswer,
                Doubt::Snapshot,
                Doubt::Stopped
            ]
            .map(Outcome::Unknown)
        );
    }
}
