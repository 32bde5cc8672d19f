//! What must be true of a node whatever it is sent, and is looked at after every input.
//!
//! A peer that lies can break what nodes have in common; no node can help that. But
//! what a node says of itself must stay consistent: nothing that was promised, committed
//! or handed out is ever taken back.

use std::collections::BTreeMap;

use raft_kernel::{Entry, Index, MAX_INDEX, MAX_TERM, Ready, Status, Term};

/// What one node has said so far.
#[derive(Debug, Default)]
pub(crate) struct Witness {
    term: Term,
    committed: Index,
    applied: Index,
    /// The last entry that was handed out to be applied, or that a snapshot stands for.
    handed_out: Index,
    /// The terms of what was handed out.
    terms: BTreeMap<Index, Term>,
    inputs_since_ready: usize,
    largest_membership: usize,
}

impl Witness {
    /// A node that starts with what is stored and with a state machine at `machine`.
    pub(crate) fn of_start(status: &Status, machine: Index) -> Self {
        let mut witness = Witness {
            handed_out: machine,
            ..Witness::default()
        };
        witness.saw(status, usize::MAX);
        witness
    }

    /// The node took or refused an input.
    pub(crate) fn saw(&mut self, status: &Status, inflight_limit: usize) {
        let (term, commit) = (status.hard_state.term, status.hard_state.commit);
        assert!(
            term >= self.term && term <= MAX_TERM,
            "the term went from {} to {term}",
            self.term
        );
        assert!(
            commit >= self.committed && commit <= MAX_INDEX,
            "the commit index went from {} to {commit}",
            self.committed
        );
        assert!(
            status.applied >= self.applied,
            "the applied index fell from {} to {}",
            self.applied,
            status.applied
        );
        assert!(
            status.applied <= commit,
            "{} is applied and only {commit} committed",
            status.applied
        );
        for (id, peer) in &status.progress {
            assert!(
                peer.match_index < peer.next,
                "of node {id}, {} is known to match, and {} is to be sent next",
                peer.match_index,
                peer.next
            );
            assert!(
                peer.inflight() <= inflight_limit,
                "{} messages are on their way to node {id}, of at most {inflight_limit}",
                peer.inflight()
            );
        }
        let config = &status.config;
        let members = config.voters.ids().len() + config.learners.len();
        self.largest_membership = self.largest_membership.max(members);
        self.inputs_since_ready += 1;
        (self.term, self.committed) = (term, commit);
        self.applied = status.applied;
    }

    /// The node handed out work.
    pub(crate) fn saw_ready(&mut self, ready: &Ready) {
        self.judge_messages(ready);
        assert_consecutive(&ready.append.entries);
        for entry in &ready.append.entries {
            let known = self.terms.get(&entry.index);
            assert!(
                known.is_none_or(|term| *term == entry.term),
                "entry {} was handed out as committed with term {known:?}, and is replaced by one \
                 of term {}",
                entry.index,
                entry.term
            );
        }
        if let Some(snapshot) = &ready.append.snapshot {
            assert!(
                snapshot.index > self.handed_out && ready.apply.is_empty(),
                "the snapshot at {} came after entry {} or beside other entries",
                snapshot.index,
                self.handed_out
            );
            self.handed_out = snapshot.index;
        }
        assert_consecutive(&ready.apply.entries);
        if let Some(first) = ready.apply.entries.first() {
            assert_eq!(
                first.index,
                self.handed_out + 1,
                "each entry is handed out once, in order"
            );
        }
        for entry in &ready.apply.entries {
            assert!(
                entry.index <= self.committed,
                "entry {} is handed out, and only {} is committed",
                entry.index,
                self.committed
            );
            self.handed_out = entry.index;
            self.terms.insert(entry.index, entry.term);
        }
    }

    /// How much a `Ready` may hold is a matter of how much went in.
    fn judge_messages(&mut self, ready: &Ready) {
        // An input may fill one follower's window, send to everyone a few times, and
        // release the reads that waited.
        let for_one_input = 256 + 16 * (self.largest_membership + 2);
        let bound = (self.inputs_since_ready + 2) * for_one_input;
        let count = ready.messages.len() + ready.append.responses().len();
        assert!(
            count <= bound,
            "{count} messages after {} inputs",
            self.inputs_since_ready
        );
        assert!(
            ready.read_states.len() <= 8 * (self.inputs_since_ready + 2),
            "{} reads after {} inputs",
            ready.read_states.len(),
            self.inputs_since_ready
        );
        self.inputs_since_ready = 0;
    }
}

fn assert_consecutive(entries: &[Entry]) {
    for pair in entries.windows(2) {
        assert!(
            pair[0].index + 1 == pair[1].index && pair[0].term <= pair[1].term,
            "entry {} of term {} is followed by entry {} of term {}",
            pair[0].index,
            pair[0].term,
            pair[1].index,
            pair[1].term
        );
    }
}
