//! Raft's guarantees (paper, figure 3), checked from outside: by what nodes send, write
//! and apply, whatever they believe of themselves.

use std::collections::BTreeMap;

use raft_kernel::{
    AppendOutcome, ConfState, Entry, Index, Message, MessageBody, NodeId, Payload, Ready, Role,
    Storage, Term,
};

use super::server::Server;

#[derive(Default)]
pub(crate) struct Observer {
    /// Who led each term, and which start of that server it was: a leader that crashed
    /// must not lead the same term again, since it may have forgotten what it sent.
    leaders: BTreeMap<Term, (NodeId, u32)>,
    votes: BTreeMap<(NodeId, Term), NodeId>,
    /// Every entry ever written, with the term of the entry before it.
    written: BTreeMap<(Index, Term), (Term, Payload)>,
    pub(crate) committed: BTreeMap<Index, Committed>,
    configurations: BTreeMap<Index, ConfState>,
    nodes: BTreeMap<NodeId, Seen>,
    /// The last entry that founders of a cluster wrote: up to there they know more of the
    /// configuration than they have applied.
    pub(crate) founded_up_to: Index,
}

pub(crate) struct Committed {
    pub(crate) entry: Entry,
    /// The term in which it was committed, which may be later than the entry's.
    in_term: Term,
}

/// What was last seen of one start of one node.
#[derive(Clone, Copy, Default)]
struct Seen {
    start: u32,
    term: Term,
    commit: Index,
    applied: Index,
    /// The last entry that was handed out to be applied.
    handed_out: Index,
}

impl Observer {
    /// Looks at a node after it took an input.
    pub(crate) fn saw(&mut self, server: &Server) {
        let Some(node) = &server.node else { return };
        let id = server.id();
        if node.role() == Role::Leader {
            let term = node.status().hard_state.term;
            let leader = (id, server.starts);
            let first = *self.leaders.entry(term).or_insert(leader);
            assert_eq!(
                first, leader,
                "Election Safety: two leaders (node, start) in term {term}"
            );
        }
    }

    /// How many terms had a leader.
    pub(crate) fn terms_led(&self) -> usize {
        self.leaders.len()
    }

    /// How many entries changed the configuration.
    pub(crate) fn changes(&self) -> usize {
        self.configurations.len()
    }

    pub(crate) fn saw_ready(&mut self, server: &Server, ready: &Ready) {
        self.check_committed(server, ready);
        self.check_progress(server, ready);
        self.check_written(server, ready);
        self.check_leader(server, ready);
        self.check_configuration(server);
        if server.is_async() {
            check_stored_before_applied(server, ready);
        }
    }

    /// Terms, commit indexes and applied indexes only grow, and each entry is handed out
    /// once.
    fn check_progress(&mut self, server: &Server, ready: &Ready) {
        let node = server.node.as_ref().expect("it gave a Ready");
        let (id, status) = (server.id(), node.status());
        let seen = self.nodes.entry(id).or_default();
        if seen.start != server.starts {
            let applied = server.machine.applied;
            *seen = Seen {
                start: server.starts,
                term: seen.term.min(status.hard_state.term),
                handed_out: applied,
                ..Seen::default()
            };
        }
        let hard_state = status.hard_state;
        assert!(hard_state.term >= seen.term, "n{id}'s term fell");
        assert!(hard_state.commit >= seen.commit, "n{id}'s commit fell");
        assert!(status.applied >= seen.applied, "n{id}'s applied fell");
        assert!(status.applied <= hard_state.commit, "n{id} ran ahead");
        let first = ready.append.entries.first();
        assert!(
            first.is_none_or(|first| first.index > seen.commit),
            "n{id} overwrites what it has committed"
        );
        seen.term = hard_state.term;
        seen.commit = hard_state.commit;
        seen.applied = status.applied;

        if let Some(snapshot) = &ready.append.snapshot {
            assert!(
                ready.apply.is_empty(),
                "n{id} is to apply entries beside a snapshot that is not applied"
            );
            seen.handed_out = snapshot.index;
        }
        for entry in &ready.apply.entries {
            assert_eq!(
                entry.index,
                seen.handed_out + 1,
                "n{id} is to apply entries in order, each once"
            );
            seen.handed_out = entry.index;
        }
    }

    /// Log Matching: an index and a term name one entry, and one entry before it.
    fn check_written(&mut self, server: &Server, ready: &Ready) {
        let id = server.id();
        for entry in &ready.append.entries {
            let before = server.shadow.term(entry.index - 1);
            let before = before.expect("the log has no gaps");
            let found = (before, entry.payload.clone());
            let key = (entry.index, entry.term);
            let known = self.written.entry(key).or_insert_with(|| found.clone());
            assert_eq!(
                *known, found,
                "Log Matching: n{id} has another entry of index and term {key:?}"
            );
        }
    }

    /// State Machine Safety: what one node has committed at an index, all have.
    fn check_committed(&mut self, server: &Server, ready: &Ready) {
        let Some(hard_state) = ready.append.hard_state else {
            return;
        };
        let id = server.id();
        let shadow = &server.shadow;
        if let Some(base) = self.committed.get(&shadow.base.0) {
            assert_eq!(base.entry.term, shadow.base.1, "n{id}'s snapshot");
        }
        // What was checked before has not changed: see `check_progress`.
        let seen = self.nodes.get(&id).copied().unwrap_or_default();
        let checked = if seen.start == server.starts {
            seen.commit
        } else {
            0
        };
        for index in shadow.base.0.max(checked) + 1..=hard_state.commit {
            let Some(entry) = shadow.entry(index) else {
                panic!("n{id} committed index {index}, which it does not have");
            };
            let known = self.committed.entry(index).or_insert_with(|| Committed {
                entry: entry.clone(),
                in_term: hard_state.term,
            });
            assert_eq!(
                known.entry, *entry,
                "State Machine Safety: n{id} committed another entry"
            );
        }
    }

    /// Leader Completeness: a leader holds whatever was committed in earlier terms.
    fn check_leader(&mut self, server: &Server, ready: &Ready) {
        self.saw(server);
        if ready
            .soft_state
            .is_none_or(|soft| soft.role != Role::Leader)
        {
            return;
        }
        let node = server.node.as_ref().expect("it gave a Ready");
        let (id, term) = (server.id(), node.status().hard_state.term);
        for (index, committed) in self.committed.range(server.shadow.base.0 + 1..) {
            assert!(
                committed.in_term >= term || server.shadow.entry(*index) == Some(&committed.entry),
                "Leader Completeness: n{id} leads term {term} without index {index}"
            );
        }
    }

    pub(crate) fn saw_applied(&mut self, id: NodeId, entry: &Entry) {
        let committed = self.committed.get(&entry.index);
        assert_eq!(
            committed.map(|committed| &committed.entry),
            Some(entry),
            "State Machine Safety: n{id} applied another entry"
        );
    }

    /// Everyone who has applied an entry works under the same configuration.
    pub(crate) fn saw_configuration(&mut self, server: &Server) {
        let (id, machine) = (server.id(), &server.machine);
        if machine.applied < self.founded_up_to {
            return;
        }
        let state = machine.conf_state.clone();
        let known = self.configurations.entry(machine.applied);
        let known = known.or_insert_with(|| state.clone());
        assert_eq!(
            *known, state,
            "n{id} has another configuration as of index {}",
            machine.applied
        );
    }

    /// A node works under the configuration of the last entry that was applied, once no
    /// snapshot waits.
    fn check_configuration(&self, server: &Server) {
        let status = server.node.as_ref().expect("it gave a Ready").status();
        let machine = &server.machine;
        let is_known = machine.applied >= self.founded_up_to
            && status.applied == machine.applied
            && server.shadow.base.0 <= machine.applied;
        if is_known {
            assert_eq!(
                status.config.conf_state(),
                machine.conf_state,
                "n{} works under another configuration than that of index {}",
                server.id(),
                machine.applied
            );
        }
    }

    pub(crate) fn saw_sent(&mut self, server: &Server, message: &Message) {
        let (id, term) = (server.id(), message.term);
        match message.body {
            MessageBody::RequestVoteResponse { granted: true } => {
                let vote = *self.votes.entry((id, term)).or_insert(message.to);
                assert_eq!(vote, message.to, "n{id} voted twice in term {term}");
            }
            MessageBody::AppendEntriesResponse(AppendOutcome::Accepted { match_index }) => {
                let stored = server.storage.last_index().expect("memory does not fail");
                let overtaken = term < server.storage.hard_state().term;
                assert!(
                    match_index <= stored || overtaken,
                    "n{id} acknowledged {match_index}, its storage ends at {stored}"
                );
            }
            _ => {}
        }
    }
}

/// An asynchronous driver applies only what its storage holds.
fn check_stored_before_applied(server: &Server, ready: &Ready) {
    let id = server.id();
    let first = server.storage.first_index().expect("memory does not fail");
    for entry in ready.apply.entries.iter().filter(|e| e.index >= first) {
        let stored = server.storage.entries(entry.index..entry.index + 1, 0);
        assert!(
            stored.is_ok_and(|stored| stored.first() == Some(entry)),
            "n{id} is to apply index {}, which its storage does not hold",
            entry.index
        );
    }
}
