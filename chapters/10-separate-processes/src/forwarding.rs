//! Proposals of this node's clients on their way to the leader.
//!
//! The rule it keeps: each proposal is sent once. Whoever made it is answered with what the
//! leader says, or with the doubt that remains when the leader says nothing.

use std::collections::BTreeMap;

use raft_kernel::NodeId;

use crate::outcome::{Doubt, Outcome};
use crate::waiting::Answer;
use crate::wire::frame::Proposal;

/// Proposals are sent to the leader in frames of this size at most: one proposal more than
/// this still fits into a frame.
const FRAME_BYTES: usize = 256 << 10;

/// What a proposal's wrapping takes on the wire, in bytes, as [`FRAME_BYTES`] counts it.
const OVERHEAD: usize = 32;

/// A request that was sent to the leader and not answered yet.
pub struct Sent {
    /// To whom.
    to: NodeId,
    /// Where the answers go, in the order of the proposals.
    pub answers: Vec<Answer>,
    /// The tick at which it has waited long enough.
    pub deadline: u64,
}

/// What waits to be sent, and what waits to be answered.
#[derive(Default)]
pub struct Forwarding {
    queued: Vec<(Proposal, Answer)>,
    sent: BTreeMap<u64, Sent>,
    /// How many proposals are in `sent`.
    sent_proposals: usize,
    next_request: u64,
}

impl Forwarding {
    /// How many proposals are here.
    pub fn len(&self) -> usize {
        self.queued.len() + self.sent_proposals
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Waits to be sent with others.
    pub fn queue(&mut self, proposal: Proposal, answer: Answer) {
        self.queued.push((proposal, answer));
    }

    /// What is queued, in as few batches as fit into frames.
    pub fn take_batches(&mut self) -> Vec<(Vec<Proposal>, Vec<Answer>)> {
        let (mut batches, mut bytes) = (Vec::<(Vec<_>, Vec<_>)>::new(), FRAME_BYTES);
        for (proposal, answer) in self.queued.drain(..) {
            if bytes >= FRAME_BYTES {
                batches.push((Vec::new(), Vec::new()));
                bytes = 0;
            }
            bytes += proposal.len() + OVERHEAD;
            if let Some((proposals, answers)) = batches.last_mut() {
                proposals.push(proposal);
                answers.push(answer);
            }
        }
        batches
    }

    /// The number of the next request.
    pub fn next_request(&self) -> u64 {
        self.next_request
    }

    /// The next request is on its way to `to`.
    pub fn sent(&mut self, to: NodeId, answers: Vec<Answer>, deadline: u64) {
        self.sent_proposals += answers.len();
        let request = Sent {
            to,
            answers,
            deadline,
        };
        self.sent.insert(self.next_request, request);
        self.next_request += 1;
    }

    /// `from` answers the request with so many places. Nothing, if it was not asked, or was
    /// asked something else.
    pub fn answered(&mut self, from: NodeId, request: u64, places: usize) -> Option<Sent> {
        let asked = |sent: &&Sent| sent.to == from && sent.answers.len() == places;
        self.sent.get(&request).filter(asked)?;
        self.sent_proposals -= places;
        self.sent.remove(&request)
    }

    /// Gives up what has waited long enough.
    pub fn expire(&mut self, now: u64) {
        self.give_up(Doubt::NoAnswer, |sent| sent.deadline <= now);
    }

    /// The connection to `peer` was lost, and with it perhaps requests that it never saw.
    pub fn lost(&mut self, peer: NodeId) {
        self.give_up(Doubt::ConnectionLost(peer), |sent| sent.to == peer);
    }

    fn give_up(&mut self, doubt: Doubt, is_over: impl Fn(&Sent) -> bool) {
        self.sent.retain(|_, sent| {
            if !is_over(sent) {
                return true;
            }
            self.sent_proposals -= sent.answers.len();
            answer_all(std::mem::take(&mut sent.answers), &Outcome::Unknown(doubt));
            false
        });
    }
}

/// Answers all of them alike.
pub fn answer_all(answers: Vec<Answer>, outcome: &Outcome) {
    for answer in answers {
        // Whoever asked may have gone away; that is no error.
        let _ = answer.send(outcome.clone());
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;
    use crate::machine::command;

    #[test]
    fn only_the_node_that_was_asked_can_answer_and_only_once() {
        let mut forwarding = Forwarding::default();
        let (answer, _receiver) = oneshot::channel();
        let request = forwarding.next_request();
        forwarding.sent(2, vec![answer], 9);
        assert!(forwarding.answered(3, request, 1).is_none());
        assert!(forwarding.answered(2, request, 2).is_none());
        assert!(forwarding.answered(2, request + 1, 1).is_none());
        assert!(forwarding.answered(2, request, 1).is_some());
        assert!(forwarding.answered(2, request, 1).is_none());
        assert!(forwarding.is_empty());
    }

    #[test]
    fn a_lost_connection_leaves_doubt_about_what_went_over_it_alone() {
        let mut forwarding = Forwarding::default();
        let (answer, mut lost) = oneshot::channel();
        forwarding.sent(2, vec![answer], 9);
        let (answer, mut other) = oneshot::channel();
        forwarding.sent(3, vec![answer], 9);
        forwarding.lost(2);
        let doubt = Outcome::Unknown(Doubt::ConnectionLost(2));
        assert_eq!(lost.try_recv(), Ok(doubt));
        assert!(other.try_recv().is_err());
        forwarding.expire(9);
        assert_eq!(other.try_recv(), Ok(Outcome::Unknown(Doubt::NoAnswer)));
        assert!(forwarding.is_empty());
    }

    #[test]
    fn many_proposals_go_in_frames_that_are_not_too_large() {
        let mut forwarding = Forwarding::default();
        let mut receivers = Vec::new();
        for number in 0..20_000 {
            let (answer, receiver) = oneshot::channel();
            forwarding.queue(Proposal::Command(command(number)), answer);
            receivers.push(receiver);
        }
        let batches = forwarding.take_batches();
        assert!((2..10).contains(&batches.len()), "{}", batches.len());
        let all: Vec<_> = batches.into_iter().flat_map(|(batch, _)| batch).collect();
        let expected: Vec<_> = (0..20_000).map(|n| Proposal::Command(command(n))).collect();
        assert_eq!(all, expected);
    }
}
