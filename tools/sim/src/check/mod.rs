//! What must hold, checked from outside.
//!
//! The rule: a checker believes what a node sends, writes and applies, and nothing that the
//! node believes of itself. Each property has a file; each looks at what has just happened
//! and at a fixed amount of memory beside it, so that a step costs the same however long the
//! log has become. What makes that possible is the *chain*: a hash of an entry and of all
//! before it, so that two logs are the same up to an index exactly if their chains are.

mod configuration;
mod durable_quorum;
mod election_safety;
mod fresh_reads;
mod leader_append_only;
mod leader_completeness;
mod ledger;
mod log_matching;
mod never_back;
mod once_in_order;
mod one_vote;
mod persist_first;
mod property;
mod state_machine_safety;
mod witness;

use raft_kernel::{
    AppendWork, ConfState, Entry, HardState, Index, Message, NodeId, Ready, Role, Snapshot, Term,
};

pub use property::{Property, Violation};

pub(crate) use fresh_reads::FreshReads;
pub(crate) use witness::Chain;

use ledger::Ledger;
use witness::{Log, Node};

type Verdict = Result<(), Violation>;

/// Everything that is checked at every step.
pub(crate) struct Checks {
    nodes: Vec<Node>,
    ledger: Ledger,
    elections: election_safety::ElectionSafety,
    votes: one_vote::OneVote,
    matching: log_matching::LogMatching,
    configurations: configuration::Configurations,
    pub(crate) reads: FreshReads,
    only: Option<Property>,
    /// How many entries changed the configuration.
    pub(crate) changes: u64,
}

/// The index and the term of the entry that stands for the founding of the cluster.
pub(crate) const FOUNDED: Index = 1;

impl Checks {
    /// A cluster of so many nodes, founded as `conf_state` says. With `only`, nothing else
    /// counts as a failure.
    pub(crate) fn new(nodes: usize, conf_state: &ConfState, only: Option<Property>) -> Self {
        Checks {
            nodes: (0..nodes).map(|_| Node::default()).collect(),
            ledger: Ledger::founded(),
            elections: election_safety::ElectionSafety::default(),
            votes: one_vote::OneVote::default(),
            matching: log_matching::LogMatching::default(),
            configurations: configuration::Configurations::founded(conf_state),
            reads: FreshReads::default(),
            only,
            changes: 0,
        }
    }

    /// Lets pass what this run does not look for.
    pub(crate) fn judge(&self, verdict: Verdict) -> Verdict {
        match (verdict, self.only) {
            (Err(violation), Some(only)) if violation.property != only => Ok(()),
            (verdict, _) => verdict,
        }
    }

    fn all(&self, verdicts: impl IntoIterator<Item = Verdict>) -> Verdict {
        verdicts
            .into_iter()
            .try_for_each(|verdict| self.judge(verdict))
    }

    /// How many terms had a leader.
    pub(crate) fn terms_led(&self) -> usize {
        self.elections.len()
    }

    /// The last index that is known to be committed.
    pub(crate) fn committed(&self) -> Index {
        self.ledger.last()
    }

    /// The chain at a committed index.
    pub(crate) fn committed_chain(&self, index: Index) -> Option<Chain> {
        self.ledger.get(index).map(|known| known.mark.chain)
    }

    /// The furthest index up to which a node's log on disk is committed.
    pub(crate) fn stored_and_committed(&self, id: NodeId) -> Index {
        let stored = &self.node(id).stored;
        let mut index = stored.last().min(self.ledger.last());
        while index > stored.base() && stored.chain(index) != self.committed_chain(index) {
            index -= 1;
        }
        index
    }

    fn node(&self, id: NodeId) -> &Node {
        &self.nodes[place(id)]
    }

    fn node_mut(&mut self, id: NodeId) -> &mut Node {
        &mut self.nodes[place(id)]
    }

    // What is seen.

    /// A member of the founded cluster has the founding snapshot on its disk.
    pub(crate) fn founded(&mut self, id: NodeId) {
        let chain = self.committed_chain(FOUNDED).unwrap_or_default();
        self.node_mut(id).stored = Log::from(FOUNDED, FOUNDED, chain);
    }

    /// A node starts from what is on its disk, with a state machine that has applied so much.
    pub(crate) fn started(&mut self, id: NodeId, start: u32, disk: HardState, applied: Index) {
        let node = self.node_mut(id);
        *node = Node {
            start,
            commit: disk.commit.min(node.stored.last()).max(applied),
            log: node.stored.clone(),
            stored: std::mem::take(&mut node.stored),
            // What was said in a term that did not reach the disk was said by a candidate
            // before its write, or to nobody.
            term: disk.term,
            handed_out: applied,
            leads: None,
            completed: None,
            configurations: Vec::new(),
        };
    }

    /// A node changed its role or its term.
    pub(crate) fn became(&mut self, id: NodeId, role: Role, term: Term) -> Verdict {
        let leads = (role == Role::Leader).then_some(term);
        let start = self.node(id).start;
        self.node_mut(id).leads = leads;
        if leads.is_none() {
            return Ok(());
        }
        let elected = self.elections.leads(id, start, term);
        // Whoever leads has voted for itself.
        let voted = self.votes.voted(id, term, id);
        self.all([elected, voted])
    }

    /// A node works under another configuration.
    pub(crate) fn switched(&mut self, id: NodeId, conf_state: ConfState) {
        self.node_mut(id).configurations.push(conf_state);
    }

    /// A node hands out a `Ready`.
    pub(crate) fn ready(&mut self, id: NodeId, ready: &Ready) -> Verdict {
        let back = never_back::check(self.node(id), id, ready);
        let appends = leader_append_only::check(self.node(id), id, ready);
        self.all([back, appends])?;
        if let Some(snapshot) = &ready.append.snapshot {
            let known = state_machine_safety::check_snapshot(&self.ledger, id, snapshot);
            self.judge(known)?;
            let chain = self.committed_chain(snapshot.index).unwrap_or_default();
            self.node_mut(id).log = Log::from(snapshot.index, snapshot.term, chain);
        }
        self.follow(id, &ready.append.entries)?;
        if let Some(hard_state) = ready.append.hard_state {
            self.promised(id, hard_state)?;
        }
        self.led(id)?;
        let ordered = once_in_order::check(self.node_mut(id), id, ready);
        let node = self.node_mut(id);
        let old = node.configurations.len().saturating_sub(1);
        node.configurations.drain(..old);
        self.judge(ordered)
    }

    fn follow(&mut self, id: NodeId, entries: &[Entry]) -> Verdict {
        let node = &mut self.nodes[place(id)];
        if !node.log.append(entries) {
            let what = format!("n{id} appends entries that do not follow its log");
            let gap = Violation::new(Property::LogMatching, what);
            return self.judge(Err(gap));
        }
        for entry in entries {
            let mark = self.nodes[place(id)].log.mark(entry.index);
            let matches = self.matching.written(id, entry.index, mark);
            self.judge(matches)?;
        }
        Ok(())
    }

    /// The term and the commit index that a node wants written.
    fn promised(&mut self, id: NodeId, hard_state: HardState) -> Verdict {
        let node = self.node_mut(id);
        let before = node.commit;
        node.term = node.term.max(hard_state.term);
        node.commit = node.commit.max(hard_state.commit);
        if hard_state.commit == before {
            return Ok(());
        }
        let known = self.ledger.last();
        let agrees = state_machine_safety::check_commit(
            &mut self.ledger,
            &self.nodes[place(id)],
            id,
            hard_state,
        );
        self.judge(agrees)?;
        let last = self.ledger.last();
        if last == known {
            return Ok(());
        }
        let stored = durable_quorum::check(&self.ledger, &self.nodes, id, last);
        let complete = leader_completeness::check_commit(&self.ledger, &self.nodes, last);
        self.all([stored, complete])
    }

    /// A node hands out its first `Ready` as the leader of a term.
    fn led(&mut self, id: NodeId) -> Verdict {
        let node = self.node(id);
        if node.leads.is_none() || node.leads == node.completed {
            return Ok(());
        }
        let complete = leader_completeness::check_leader(&self.ledger, node, id);
        let node = self.node_mut(id);
        node.completed = node.leads;
        self.judge(complete)
    }

    /// Something of a node reached its disk for good.
    pub(crate) fn stored(&mut self, id: NodeId, snapshot: Option<&Snapshot>, entries: &[Entry]) {
        if let Some(snapshot) = snapshot {
            let chain = self.committed_chain(snapshot.index).unwrap_or_default();
            self.node_mut(id).stored = Log::from(snapshot.index, snapshot.term, chain);
        }
        self.node_mut(id).stored.append(entries);
    }

    /// A node sends a message, with this on its disk.
    pub(crate) fn sent(&mut self, id: NodeId, message: &Message, disk: HardState) -> Verdict {
        let stored = persist_first::check_message(self.node(id), message, disk);
        let start = self.node(id).start;
        let led = self.elections.sent(start, message);
        let voted = self.votes.sent(message);
        self.all([stored, led, voted])
    }

    /// A node is about to apply an entry.
    pub(crate) fn applies(&self, id: NodeId, entry: &Entry) -> Verdict {
        self.judge(persist_first::check_applied(self.node(id), id, entry))
    }

    /// A node applied an entry, and its state machine has gone through this chain.
    pub(crate) fn applied(&self, id: NodeId, index: Index, chain: Chain) -> Verdict {
        self.judge(state_machine_safety::check_applied(
            &self.ledger,
            id,
            index,
            chain,
        ))
    }

    /// A node has applied up to this index, and this configuration is in force for it.
    pub(crate) fn configured(&mut self, id: NodeId, index: Index, state: &ConfState) -> Verdict {
        let (verdict, is_new) = self.configurations.applied(id, index, state);
        self.changes += u64::from(is_new);
        self.judge(verdict)
    }

    /// A read that was not to be older than `floor` may be answered at `index`.
    pub(crate) fn answers(&self, id: NodeId, floor: Index, index: Index) -> Verdict {
        self.judge(fresh_reads::check(id, floor, index))
    }

    /// What a torn write left of a work on a node's disk.
    pub(crate) fn torn(&mut self, id: NodeId, work: &AppendWork, snapshot: bool, entries: usize) {
        let snapshot = work.snapshot.as_deref().filter(|_| snapshot);
        self.stored(
            id,
            snapshot,
            &work.entries[..entries.min(work.entries.len())],
        );
    }
}

/// A node's place in lists of all nodes.
pub(crate) fn place(id: NodeId) -> usize {
    usize::try_from(id).map_or(usize::MAX, |id| id.wrapping_sub(1))
}
