//! When nothing goes wrong any more, a cluster must get well by itself.

use raft_kernel::{ConfState, Error, NodeId};

use super::Chaos;

/// How long a cluster may take to get well.
const RECOVERY_TICKS: u32 = 400;

impl Chaos {
    /// Everyone runs, nothing is lost: the cluster must get well by itself, and take and
    /// apply a new command everywhere.
    pub(super) fn recover(&mut self) {
        self.network.heal();
        for id in self.network.ids() {
            if self.network.server(id).node.is_none() {
                self.start(id);
            }
        }
        self.network.settle();
        if !self.ticks_bring(|chaos| chaos.leader().is_some()) && self.is_stranded() {
            self.tell_what_is_committed();
            self.tally.stranded += 1;
        }
        self.tick_until("a leader is there", |chaos| chaos.leader().is_some());
        self.tick_until("a command is taken", Chaos::propose_last);
        self.tick_until("everyone has applied it", Chaos::all_caught_up);
        self.check_machines();
    }

    /// Whether a member does not know that the newest change is committed.
    ///
    /// A configuration counts here once it is applied. So such a member still asks servers
    /// for their votes that were removed, which refuse if their logs are longer, and those
    /// who know better may have shorter ones: nobody can win. (In the dissertation, where
    /// a configuration counts as soon as it is in the log, this cannot happen.)
    fn is_stranded(&self) -> bool {
        let newest = self.newest_configuration();
        let stale = |id: &NodeId| self.network.servers[id].machine.conf_state != *newest;
        self.members().iter().any(stale)
    }

    /// What an operator can do about it: start the members again with a commit index
    /// that others know.
    fn tell_what_is_committed(&mut self) {
        for id in self.members() {
            let committed = &self.network.observer.committed;
            let server = &self.network.servers[&id];
            let holds = |index: &u64| {
                committed
                    .get(index)
                    .is_some_and(|committed| server.shadow.entry(*index) == Some(&committed.entry))
            };
            let mut hard_state = server.storage.hard_state();
            let from = hard_state.commit.max(server.shadow.base.0);
            let known = (from + 1..=server.shadow.last()).take_while(holds).last();
            hard_state.commit = known.unwrap_or(hard_state.commit);
            self.network.crash(id);
            self.network.server(id).storage.set_hard_state(hard_state);
            self.network.restart(id);
        }
    }

    fn tick_until(&mut self, what: &str, done: impl FnMut(&mut Self) -> bool) {
        assert!(
            self.ticks_bring(done),
            "after {RECOVERY_TICKS} ticks without mishaps it is still not so that {what}"
        );
    }

    fn ticks_bring(&mut self, mut done: impl FnMut(&mut Self) -> bool) -> bool {
        for _ in 0..RECOVERY_TICKS {
            if done(self) {
                return true;
            }
            self.tally.steps += 1;
            // Somebody who was removed may not know it; whoever operates the cluster
            // does, and lets no time pass for it, so that it stands for no election.
            for id in self.members() {
                self.network.tick(id);
            }
            self.network.settle();
        }
        false
    }

    /// The configuration, as far as the state machine knows that is furthest.
    fn newest_configuration(&self) -> &ConfState {
        let machines = self.network.servers.values().map(|server| &server.machine);
        let newest = machines.max_by_key(|machine| machine.applied);
        &newest.expect("there are servers").conf_state
    }

    /// Who takes part in it.
    fn members(&self) -> Vec<NodeId> {
        let newest = self.newest_configuration();
        let servers = self.network.servers.keys().copied();
        servers.filter(|id| newest.contains(*id)).collect()
    }

    fn leader(&self) -> Option<NodeId> {
        let leader = self.network.leader()?;
        self.members().contains(&leader).then_some(leader)
    }

    fn propose_last(&mut self) -> bool {
        let Some(leader) = self.leader() else {
            return false;
        };
        let taken = self.network.node(leader).propose("the last command");
        self.network.settle();
        taken.is_ok() && self.members().iter().any(|id| self.has_applied_last(*id))
    }

    fn has_applied_last(&self, id: NodeId) -> bool {
        let machine = &self.network.servers[&id].machine;
        let last = machine.commands.last();
        last.is_some_and(|(_, command)| command == "the last command")
    }

    fn all_caught_up(&mut self) -> bool {
        let members = self.members();
        let applied = |id: &NodeId| self.network.servers[id].machine.applied;
        members
            .iter()
            .all(|id| self.has_applied_last(*id) && applied(id) == applied(&members[0]))
    }

    /// Members that have applied the same entries have the same state.
    fn check_machines(&self) {
        let members = self.members();
        let machine = |id: &NodeId| &self.network.servers[id].machine;
        for id in &members {
            assert_eq!(machine(id), machine(&members[0]), "n{id}'s state machine");
        }
    }

    /// Nodes that follow the protocol send nothing that others refuse, except answers to
    /// a leader that has removed them, and what no leader can do.
    pub(super) fn check_refusals(&self) {
        for error in &self.network.refused {
            let expected = matches!(
                error,
                Error::UnknownPeer(_)
                    | Error::ProposalDropped { .. }
                    | Error::RequestDropped(_)
                    | Error::CannotTransfer(_)
            );
            assert!(expected, "a node refused a message: {error}");
        }
    }
}
