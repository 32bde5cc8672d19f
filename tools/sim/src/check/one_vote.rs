//! One vote a term: "each server will vote for at most one candidate in a given term"
//! (paper, section 5.2), crashes or not.
//!
//! A vote is a granted answer that was sent, and that of a leader for itself. The vote of a
//! candidate for itself counts only then: it asks for others' votes before its own is stored.

use std::collections::BTreeMap;

use raft_kernel::{Message, MessageBody, NodeId, Term};

use super::Verdict;
use super::property::{Property, demand};

#[derive(Debug, Default)]
pub(super) struct OneVote {
    votes: BTreeMap<(NodeId, Term), NodeId>,
}

impl OneVote {
    pub(super) fn voted(&mut self, voter: NodeId, term: Term, candidate: NodeId) -> Verdict {
        let first = *self.votes.entry((voter, term)).or_insert(candidate);
        demand(first == candidate, Property::OneVote, || {
            format!("n{voter} votes for n{first} and for n{candidate} in term {term}")
        })
    }

    pub(super) fn sent(&mut self, message: &Message) -> Verdict {
        match message.body {
            MessageBody::RequestVoteResponse { granted: true } => {
                self.voted(message.from, message.term, message.to)
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_vote_in_a_term_is_named() {
        let mut votes = OneVote::default();
        let granted = |to| Message {
            from: 2,
            to,
            term: 4,
            body: MessageBody::RequestVoteResponse { granted: true },
        };
        votes.sent(&granted(1)).unwrap();
        votes.sent(&granted(1)).unwrap();
        let violation = votes.sent(&granted(3)).unwrap_err();
        assert_eq!(violation.property, Property::OneVote);
        assert_eq!(violation.what, "n2 votes for n1 and for n3 in term 4");
    }
}
