//! Those who propose numbers.
//!
//! The rule: propose again what surely is in no log, and nothing else. What may be in
//! one, may also be in it a second time if it is proposed again.

use std::collections::{BTreeMap, BTreeSet};

use ch05_two_node_cluster::{Outcome, Proposal, Ticket};
use raft_kernel::NodeId;

use super::{NODES, Place, Simulation, failed};

use crate::{Event, News, Simulated, Verdict};

/// The numbers that are proposed, none of them twice in a run.
const NUMBERS: std::ops::RangeInclusive<u64> = 1..=1_000_000;
/// How many milliseconds a client waits before it proposes a number again.
const PAUSE: std::ops::RangeInclusive<u64> = 200..=1000;
/// How often somebody looks, once the weather is calm, whether all have their answers.
pub(super) const LOOK: u64 = 1000;

/// What the clients know.
// ANCHOR: clients
#[derive(Debug, Default)]
pub(super) struct Clients {
    /// Every number that was ever proposed.
    numbers: BTreeSet<u64>,
    /// Those that a node owes an answer for.
    waiting: BTreeMap<(NodeId, u64), Ticket>,
    /// How many are going to be proposed again.
    resting: usize,
    /// How many events will still bring a number.
    pub(super) to_come: usize,
}
// ANCHOR_END: clients

impl Clients {
    /// How many numbers have no answer yet.
    pub(super) fn open(&self) -> usize {
        self.waiting.len() + self.resting + self.to_come
    }

    fn take_answers(&mut self, id: NodeId) -> Vec<(u64, Outcome)> {
        let of_node = self.waiting.range((id, 0)..=(id, u64::MAX));
        let answers =
            of_node.filter_map(|((_, number), ticket)| Some((*number, ticket.outcome()?)));
        let answers: Vec<_> = answers.collect();
        for (number, _) in &answers {
            self.waiting.remove(&(id, *number));
        }
        answers
    }
}

impl<N: Simulated> Simulation<N> {
    /// Somebody proposes so many new numbers to one of the nodes.
    pub(super) fn propose(&mut self, count: u64) -> Verdict {
        self.clients.to_come -= 1;
        let id = self.some_node();
        for _ in 0..count {
            let number = self.new_number();
            self.tally.proposed += 1;
            self.safety.proposes(number);
            self.hand_over(number, id)?;
        }
        self.settle(id)?;
        // One that was not taken is answered without a turn.
        self.hear_answers(id)
    }

    /// Somebody proposes a number once more.
    pub(super) fn propose_again(&mut self, number: u64, id: NodeId) -> Verdict {
        self.clients.resting -= 1;
        self.tally.retries += 1;
        self.hand_over(number, id)?;
        self.settle(id)?;
        self.hear_answers(id)
    }

    fn hand_over(&mut self, number: u64, id: NodeId) -> Verdict {
        let Some(Place::Running(node)) = self.nodes.get_mut(&id) else {
            // Nobody opens, so nobody has taken it.
            let other = self.some_node();
            self.rest(number, other);
            return Ok(());
        };
        let (promise, ticket) = Ticket::new();
        node.propose(Proposal::Command(number), promise)
            .map_err(|error| failed(id, &*error))?;
        self.clients.waiting.insert((id, number), ticket);
        Ok(())
    }

    /// Takes the answers that a node has given by now.
    // ANCHOR: answers
    pub(super) fn hear_answers(&mut self, id: NodeId) -> Verdict {
        for (number, outcome) in self.clients.take_answers(id) {
            match outcome {
                Outcome::Applied { index } => {
                    self.safety.acknowledged(number, index)?;
                    self.tally.acknowledged += 1;
                }
                // It never was in a log.
                Outcome::Dropped { leader, .. } => {
                    let next = leader.unwrap_or_else(|| self.some_node());
                    self.rest(number, next);
                }
                // It was in a log, and will never be committed.
                Outcome::Replaced | Outcome::Refused => {
                    self.tally.replaced += 1;
                    self.tell(News::Replaced(number, id));
                    let next = self.some_node();
                    self.rest(number, next);
                }
                // It may be in a log. To propose it again could do it twice.
                Outcome::Unknown => {
                    self.tally.unknown += 1;
                    self.tell(News::Unknown(number, id));
                }
            }
        }
        Ok(())
    }
    // ANCHOR_END: answers

    /// Proposes a number again, after a pause.
    fn rest(&mut self, number: u64, to: NodeId) {
        self.clients.resting += 1;
        let then = self.now + self.random.between(PAUSE);
        self.queue.at(then, Event::ProposeAgain(number, to));
    }

    /// A node that has cut off an entry knows what became of it once another is applied
    /// in its place. If nobody proposes anything, that may never be; so somebody does.
    pub(super) fn look_for_answers(&mut self) -> Verdict {
        self.queue.at(self.now + LOOK, Event::LookForAnswers);
        if self.clients.waiting.is_empty() {
            return Ok(());
        }
        self.clients.to_come += 1;
        self.propose(1)
    }

    fn new_number(&mut self) -> u64 {
        loop {
            let number = self.random.between(NUMBERS);
            if self.clients.numbers.insert(number) {
                return number;
            }
        }
    }

    pub(super) fn some_node(&mut self) -> NodeId {
        self.random.between(NODES[0]..=NODES[NODES.len() - 1])
    }
}
