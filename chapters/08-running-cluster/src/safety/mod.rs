//! Somebody outside of the nodes, who checks after every step that Raft keeps its word.
//!
//! The rule: the nodes are not asked for their opinion. What counts is what they stored,
//! what they sent, what they applied and what they answered. Each check looks at what is
//! new and at nothing else, so a step costs the same at the end of a run as at its
//! beginning. The five properties of figure 3 of the paper are among what is checked.

mod agreed;
mod property;
mod votes;

use std::collections::BTreeMap;

use ch01_single_node_cluster::Turn;
use raft_kernel::{
    AppendOutcome, Entry, HardState, Index, MemoryResult, MemoryStorage, Message, MessageBody,
    NodeId, Payload, Role, Status, Storage, StorageError, Term,
};

pub use property::{Property, Violation};

use agreed::Agreed;
use votes::Votes;

/// What a check answers.
pub type Verdict = Result<(), Violation>;

/// What is known of a whole run.
// ANCHOR: safety
#[derive(Debug, Default)]
pub struct Safety {
    /// What was last seen of each node.
    nodes: BTreeMap<NodeId, Seen>,
    /// Who voted for whom, and who was elected.
    votes: Votes,
    /// Every entry that was ever written, committed or not, and the term before it.
    written: BTreeMap<(Index, Term), (Payload, Term)>,
    /// The log that the cluster agreed on.
    agreed: Agreed,
    compactions: u64,
}

/// What was last seen of a node.
#[derive(Debug)]
struct Seen {
    storage: MemoryStorage,
    starts: u64,
    hard_state: HardState,
    first: Index,
    last: Index,
    applied: Index,
    leads: Option<Term>,
}
// ANCHOR_END: safety

impl Safety {
    /// A node starts, for the first time or again, with this storage. `total` is what its
    /// state machine has come to.
    pub fn starts(&mut self, id: NodeId, storage: &MemoryStorage, total: u64) -> Verdict {
        let snapshot = stored(storage.snapshot())?;
        let earlier = self.nodes.remove(&id);
        let known = earlier.as_ref().map(|seen| seen.hard_state);
        let seen = Seen {
            storage: storage.clone(),
            starts: earlier.map_or(1, |seen| seen.starts + 1),
            hard_state: known.unwrap_or_default(),
            first: stored(storage.first_index())?,
            last: stored(storage.last_index())?,
            applied: snapshot.index,
            leads: None,
        };
        self.nodes.insert(id, seen);
        self.goes_on(id, storage.hard_state())?;
        self.agreed.snapshot(id, snapshot.index, snapshot.term)?;
        self.agreed.state(id, snapshot.index, total)
    }

    /// A node has done one turn of the loop.
    // ANCHOR: turned
    pub fn turned(&mut self, id: NodeId, turn: &Turn, status: &Status, total: u64) -> Verdict {
        if turn.has_snapshot {
            self.installed(id)?;
        }
        self.wrote(id, &turn.entries)?;
        if let Some(hard_state) = turn.hard_state {
            self.kept(id, hard_state)?;
            self.commits(id, hard_state)?;
            self.goes_on(id, hard_state)?;
        }
        self.applied(id, &turn.committed)?;
        self.leads(id, status)?;

        let seen = self.seen(id);
        let applied = seen.applied;
        if status.applied != applied {
            let what = format!("node {id} says {}, not {applied}", status.applied);
            return Err(Violation::of(Property::OnceInOrder, what));
        }
        self.agreed.state(id, applied, total)
    }
    // ANCHOR_END: turned

    /// A node is about to send this.
    // ANCHOR: sends
    pub fn sends(&mut self, message: &Message) -> Verdict {
        let (id, term) = (message.from, message.term);
        let storage = &self.seen(id).storage;
        let stored = storage.hard_state();
        let is_kept = match message.body {
            // Half of what a pre-vote says is about a term that nobody has begun.
            MessageBody::RequestPreVote { .. } | MessageBody::RequestPreVoteResponse { .. } => true,
            _ if term > stored.term => false,
            // It has gone on to a later term since, and is still right about this one.
            _ if term < stored.term => true,
            MessageBody::RequestVote { .. } => stored.vote == Some(id),
            MessageBody::RequestVoteResponse { granted: true } => stored.vote == Some(message.to),
            MessageBody::AppendEntriesResponse(AppendOutcome::Accepted { match_index }) => {
                storage.last_index().is_ok_and(|last| match_index <= last)
            }
            _ => true,
        };
        if !is_kept {
            let what = format!("node {id} has stored {stored:?} and sends {message:?}");
            return Err(Violation::of(Property::PersistBeforeSend, what));
        }
        match message.body {
            MessageBody::RequestVoteResponse { granted: true } => {
                self.votes.voted(id, term, message.to)
            }
            _ => Ok(()),
        }
    }
    // ANCHOR_END: sends

    /// Somebody proposes this number.
    pub fn proposes(&mut self, number: u64) {
        self.agreed.proposes(number);
    }

    /// Somebody was told that this number is applied, as this entry.
    pub fn acknowledged(&self, number: u64, index: Index) -> Verdict {
        self.agreed.acknowledged(number, index)
    }

    /// How many entries the cluster has agreed on.
    pub fn agreed(&self) -> Index {
        self.agreed.last()
    }

    /// What all numbers add up to that the cluster has agreed on.
    pub fn total(&self) -> u64 {
        self.agreed.total()
    }

    /// How many numbers the cluster has agreed on.
    pub fn numbers(&self) -> usize {
        self.agreed.numbers()
    }

    /// How often a node compacted its log.
    pub fn compactions(&self) -> u64 {
        self.compactions
    }

    /// How many terms had a leader.
    pub fn terms_led(&self) -> usize {
        self.votes.terms_led()
    }

    fn seen(&mut self, id: NodeId) -> &mut Seen {
        self.nodes.get_mut(&id).expect("a node that has started")
    }

    /// What was to be stored is stored.
    fn kept(&mut self, id: NodeId, told: HardState) -> Verdict {
        let stored = self.seen(id).storage.hard_state();
        if stored == told {
            return Ok(());
        }
        let what = format!("node {id} stored {stored:?} instead of {told:?}");
        Err(Violation::of(Property::Written, what))
    }

    /// Terms and commit indexes grow, and a vote once given stays.
    // ANCHOR: goes_on
    fn goes_on(&mut self, id: NodeId, now: HardState) -> Verdict {
        let before = self.seen(id).hard_state;
        if now.term < before.term || now.commit < before.commit {
            let what = format!("node {id} had {before:?}, and now has {now:?}");
            return Err(Violation::of(Property::NeverBack, what));
        }
        if let Some(candidate) = now.vote {
            self.votes.voted(id, now.term, candidate)?;
        }
        self.seen(id).hard_state = now;
        Ok(())
    }
    // ANCHOR_END: goes_on

    /// A leader counts copies of entries of its own term only (paper, figure 8).
    // ANCHOR: commits
    fn commits(&self, id: NodeId, now: HardState) -> Verdict {
        let seen = &self.nodes[&id];
        if seen.leads != Some(now.term) || now.commit == seen.hard_state.commit {
            return Ok(());
        }
        let term = self.term_at(id, now.commit)?;
        if term == now.term {
            return Ok(());
        }
        let (index, own) = (now.commit, now.term);
        let what = format!("node {id} leads term {own} and commits entry {index} of term {term}");
        Err(Violation::of(Property::OwnTerm, what))
    }
    // ANCHOR_END: commits

    /// A snapshot takes the place of the log.
    fn installed(&mut self, id: NodeId) -> Verdict {
        let seen = self.seen(id);
        let snapshot = stored(seen.storage.snapshot())?;
        if snapshot.index <= seen.applied {
            let (to, from) = (snapshot.index, seen.applied);
            let what = format!("node {id} goes back from entry {from} to the snapshot of {to}");
            return Err(Violation::of(Property::OnceInOrder, what));
        }
        seen.applied = snapshot.index;
        seen.first = snapshot.index + 1;
        seen.last = snapshot.index;
        self.agreed.snapshot(id, snapshot.index, snapshot.term)
    }

    /// Entries were written.
    // ANCHOR: wrote
    fn wrote(&mut self, id: NodeId, entries: &[Entry]) -> Verdict {
        let (Some(first), Some(last)) = (entries.first(), entries.last()) else {
            return Ok(());
        };
        let seen = self.seen(id);
        if seen.leads == Some(last.term) && first.index <= seen.last {
            let what = format!("node {id} leads and overwrites entry {}", first.index);
            return Err(Violation::of(Property::LeaderAppendOnly, what));
        }
        if first.index <= seen.hard_state.commit {
            let what = format!("node {id} overwrites entry {}, committed", first.index);
            return Err(Violation::of(Property::StateMachineSafety, what));
        }
        seen.last = last.index;
        let kept = stored(seen.storage.last_index())?;
        if kept != last.index {
            let what = format!("node {id} stored up to {kept} and not {}", last.index);
            return Err(Violation::of(Property::Written, what));
        }
        let mut before = self.term_at(id, first.index - 1)?;
        for entry in entries {
            let found = (entry.payload.clone(), before);
            let known = self.written.entry((entry.index, entry.term));
            let known = known.or_insert_with(|| found.clone());
            if *known != found {
                let what = format!(
                    "node {id} wrote entry {} of term {}: {found:?}; another wrote {known:?}",
                    entry.index, entry.term
                );
                return Err(Violation::of(Property::LogMatching, what));
            }
            before = entry.term;
        }
        Ok(())
    }
    // ANCHOR_END: wrote

    /// The term of a node's entry. If it has compacted it, it had applied it.
    fn term_at(&self, id: NodeId, index: Index) -> Result<Term, Violation> {
        let seen = &self.nodes[&id];
        let here = seen.storage.term(index).ok();
        here.or_else(|| self.agreed.term(index)).ok_or_else(|| {
            let what = format!("node {id} has no entry {index}, before one that it wrote");
            Violation::of(Property::LogMatching, what)
        })
    }

    /// Committed entries were applied.
    // ANCHOR: applied
    fn applied(&mut self, id: NodeId, entries: &[Entry]) -> Verdict {
        for entry in entries {
            let seen = self.seen(id);
            if entry.index != seen.applied + 1 {
                let (now, before) = (entry.index, seen.applied);
                let what = format!("node {id} applies entry {now} after entry {before}");
                return Err(Violation::of(Property::OnceInOrder, what));
            }
            seen.applied = entry.index;
            let in_term = seen.hard_state.term;
            if self.agreed.applied(id, entry, in_term)? {
                self.is_held_by_a_majority(entry)?;
            }
        }
        if !entries.is_empty() {
            let seen = self.seen(id);
            let first = stored(seen.storage.first_index())?;
            let has_compacted = first > seen.first;
            seen.first = first;
            self.compactions += u64::from(has_compacted);
        }
        Ok(())
    }
    // ANCHOR_END: applied

    /// Whether more than half of the nodes have stored an entry that is applied for the
    /// first time. Those that the founders began with were agreed on before.
    // ANCHOR: majority
    fn is_held_by_a_majority(&self, entry: &Entry) -> Verdict {
        let holds = |seen: &&Seen| match seen.storage.term(entry.index) {
            Ok(term) => term == entry.term,
            // If it is compacted, it is in the snapshot.
            Err(error) => error == StorageError::Compacted,
        };
        let holders = self.nodes.values().filter(holds).count();
        if 2 * holders > self.nodes.len() || entry.index <= self.nodes.len() as Index {
            return Ok(());
        }
        let what = format!("entry {} is applied, and {holders} hold it", entry.index);
        Err(Violation::of(Property::Majority, what))
    }
    // ANCHOR_END: majority

    /// If a node leads, it leads alone, and has all that was committed before.
    // ANCHOR: leads
    fn leads(&mut self, id: NodeId, status: &Status) -> Verdict {
        let term = status.hard_state.term;
        let leads = (status.soft_state.role == Role::Leader).then_some(term);
        let seen = self.seen(id);
        let is_new = leads.is_some() && leads != seen.leads;
        seen.leads = leads;
        if !is_new {
            return Ok(());
        }
        let starts = seen.starts;
        self.votes.elected(id, starts, term)?;

        let storage = &self.nodes[&id].storage;
        let first = stored(storage.first_index())?;
        for (index, entry_term) in self.agreed.before_term(first, term) {
            if storage.term(index) != Ok(entry_term) {
                let what = format!("node {id} leads term {term} without entry {index}");
                return Err(Violation::of(Property::LeaderCompleteness, what));
            }
        }
        Ok(())
    }
    // ANCHOR_END: leads
}

/// A storage in memory does not fail. One that a test has damaged may.
fn stored<T>(answer: MemoryResult<T>) -> Result<T, Violation> {
    answer.map_err(|error| Violation::of(Property::Written, error.to_string()))
}
