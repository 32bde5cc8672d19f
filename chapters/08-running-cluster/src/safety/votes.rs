//! Who voted for whom, and who was elected.

use std::collections::BTreeMap;

use raft_kernel::{NodeId, Term};

use super::{Property, Verdict, Violation};

#[derive(Debug, Default)]
pub(super) struct Votes {
    /// By voter and term.
    given: BTreeMap<(NodeId, Term), NodeId>,
    /// Which node, in which of its lives.
    leaders: BTreeMap<Term, (NodeId, u64)>,
}

impl Votes {
    // ANCHOR: voted
    pub(super) fn voted(&mut self, voter: NodeId, term: Term, candidate: NodeId) -> Verdict {
        let first = *self.given.entry((voter, term)).or_insert(candidate);
        if first == candidate {
            return Ok(());
        }
        let what = format!("in term {term} node {voter} voted for {first} and for {candidate}");
        Err(Violation::of(Property::OneVote, what))
    }
    // ANCHOR_END: voted

    // ANCHOR: elected
    /// A node that stopped and was elected again in the same term is another leader: it
    /// does not know what it did as the first.
    pub(super) fn elected(&mut self, id: NodeId, starts: u64, term: Term) -> Verdict {
        let first = *self.leaders.entry(term).or_insert((id, starts));
        if first == (id, starts) {
            return Ok(());
        }
        let what = format!(
            "term {term} was led by node {}, and then by node {id}",
            first.0
        );
        Err(Violation::of(Property::ElectionSafety, what))
    }
    // ANCHOR_END: elected

    pub(super) fn terms_led(&self) -> usize {
        self.leaders.len()
    }
}
