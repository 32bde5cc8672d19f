//! When nothing goes wrong any more, a cluster must get well by itself.
//!
//! Everyone runs, nothing is lost, late or slow, and clocks go right. Within a fixed number of
//! ticks there must be a leader, it must take a write, everyone who takes part must apply it
//! and serve a read, and whatever was appended before must be answered for.
//!
//! One case is not the engine's to mend. A configuration counts once it is applied, so a
//! member that does not know that a change is committed still asks nodes for their votes that
//! were removed. Where those refuse, because their logs are longer, and those who know better
//! have shorter logs, nobody can win. (In the dissertation, where a configuration counts as
//! soon as it is in the log, this cannot happen.) An operator can help: start the members
//! again with a commit index that others know. So that is done here, and counted.

use std::fmt::Write;

use raft_kernel::{ConfChange, ConfState, NodeId};

use super::clients::Kind;
use super::server::Input;
use super::{Verdict, World};
use crate::check::{Property, Violation, place};
use crate::plan::{CLIENTS, TICK, WriteFate};

/// The client that asks while the cluster gets well.
const CLIENT: u8 = CLIENTS - 1;

/// By so many entries a tick a log grows that has to.
const GROWTH: u32 = 20;

impl World<'_> {
    pub(super) fn recover(&mut self) -> Verdict {
        self.story
            .all(self.now, || "all goes well from here on".to_owned());
        self.heal()?;
        self.demand("a leader is there", |world| {
            Ok(world.leading_member().is_some())
        })?;
        let since = self.clients.history.len();
        self.demand("a write is answered", |world| world.writes_at_leader(since))?;
        self.demand("every member has applied it", |world| {
            Ok(world.all_caught_up())
        })?;
        for id in self.members_now() {
            let since = self.clients.history.len();
            let what = format!("n{id} serves a read");
            self.demand(&what, |world| world.reads_at(id, since))?;
        }
        self.demand("what was appended is answered for", |world| {
            world.no_append_waits()
        })?;
        self.demand(
            "a joint configuration is left that leaves itself",
            |world| Ok(!world.newest_configuration().auto_leave),
        )?;
        self.demand("all members have the same state", |world| {
            Ok(world.all_caught_up())
        })
    }

    fn heal(&mut self) -> Verdict {
        self.fates.heal();
        self.ambushes.clear();
        // From here on nothing that was planned happens any more.
        self.members = Some(self.members_now());
        for server in &mut self.servers {
            server.settings.tick = TICK;
            server.settings.latency = 0;
            server.settings.write = 0;
        }
        for id in self.ids() {
            // Under leases it is not for nothing that it is still down; it starts in time.
            if self.servers[place(id)].node.is_none() && !self.plan.settings.lease {
                self.boot(id, true)?;
            }
        }
        Ok(())
    }

    /// How long the cluster may take for each thing that is demanded of it: a few elections,
    /// each of which may need some more to be without rivals.
    fn patience(&self) -> u64 {
        200 + 40 * u64::from(self.plan.settings.election_ticks)
    }

    fn demand(
        &mut self,
        what: &str,
        mut done: impl FnMut(&mut Self) -> Result<bool, Violation>,
    ) -> Verdict {
        if self.ticks_bring(&mut done)? {
            return Ok(());
        }
        if self.leading_member().is_none() && self.is_stranded() {
            self.tally.stranded += 1;
            self.tell_what_is_committed()?;
            if self.ticks_bring(&mut done)? {
                return Ok(());
            }
        }
        let mut how = format!(
            "{} ticks after the last mishap it is still not so that {what}:",
            self.patience()
        );
        for server in &self.servers {
            if let Some(node) = &server.node {
                let status = node.status();
                let _ = write!(
                    how,
                    " n{} {} in term {}, commit {}, applied {}, {};",
                    server.id,
                    status.soft_state.role,
                    status.hard_state.term,
                    status.hard_state.commit,
                    status.applied,
                    status.config,
                );
            }
        }
        let verdict = Err(Violation::new(Property::Liveness, how));
        self.checks.judge(verdict)
    }

    fn ticks_bring(
        &mut self,
        mut done: impl FnMut(&mut Self) -> Result<bool, Violation>,
    ) -> Result<bool, Violation> {
        for _ in 0..self.patience() {
            if done(self)? {
                return Ok(true);
            }
            self.members = Some(self.members_now());
            self.pass_until(self.now + TICK)?;
        }
        Ok(false)
    }

    /// The configuration, as far as the state machine knows that is furthest.
    fn newest_configuration(&self) -> ConfState {
        let machines = self.servers.iter().map(|server| &server.machine);
        let newest = machines.max_by_key(|machine| machine.applied);
        newest.map_or_else(ConfState::default, |machine| machine.conf_state.clone())
    }

    fn members_now(&self) -> Vec<NodeId> {
        let newest = self.newest_configuration();
        self.ids().filter(|id| newest.contains(*id)).collect()
    }

    fn leading_member(&self) -> Option<NodeId> {
        let leader = self.leader()?;
        self.members_now().contains(&leader).then_some(leader)
    }

    /// Whether a member does not know that the newest change is committed.
    fn is_stranded(&self) -> bool {
        let newest = self.newest_configuration();
        let stale = |id: &NodeId| self.servers[place(*id)].machine.conf_state != newest;
        self.members_now().iter().any(stale)
    }

    fn tell_what_is_committed(&mut self) -> Verdict {
        for id in self.members_now() {
            self.crash(id, WriteFate::Whole, true, 0)?;
            let known = self.checks.stored_and_committed(id);
            self.servers[place(id)].disk.set_commit(known);
            self.story.node(self.now, id, || {
                format!("is told that all up to {known} is committed")
            });
        }
        Ok(())
    }

    fn writes_at_leader(&mut self, since: usize) -> Result<bool, Violation> {
        let answered = self.was_answered(since);
        if !answered && let Some(leader) = self.leading_member() {
            self.ask_to_write(CLIENT, leader)?;
        }
        Ok(answered)
    }

    fn reads_at(&mut self, id: NodeId, since: usize) -> Result<bool, Violation> {
        // What was under way may have removed it meanwhile.
        let done = self.was_answered(since) || !self.members_now().contains(&id);
        if !done {
            self.ask_to_read(CLIENT, id)?;
        }
        Ok(done)
    }

    /// Whether the client that asks now got an answer, of what it asked since then.
    fn was_answered(&self, since: usize) -> bool {
        let asked = self.clients.history.iter().skip(since);
        asked
            .filter(|o| o.client == CLIENT)
            .any(|o| o.told.is_some())
    }

    fn all_caught_up(&self) -> bool {
        let members = self.members_now();
        let state = |id: &NodeId| {
            let machine = &self.servers[place(*id)].machine;
            (machine.applied, machine.chain, &machine.conf_state)
        };
        let furthest = self.checks.committed();
        let mut states = members.iter().map(state);
        states.all(|state_of| state_of == state(&members[0]) && state_of.0 == furthest)
    }

    /// Whether every client that was told where its request stands knows what became of it.
    /// Where a log has become shorter, it must grow to that place first.
    fn no_append_waits(&mut self) -> Result<bool, Violation> {
        let members = self.members_now();
        let waits = (0..CLIENT).any(|client| {
            self.clients.pending(client).is_some_and(|pending| {
                let appended = matches!(
                    pending.kind,
                    Kind::Write {
                        appended: Some(_),
                        ..
                    }
                );
                appended && members.contains(&pending.at)
            })
        });
        if waits && let Some(leader) = self.leading_member() {
            // Where there is no joint configuration to leave, each of these becomes an empty
            // entry; and having no bytes, none is refused for want of room.
            for _ in 0..GROWTH {
                let change = Input::Change(ConfChange::leave_joint());
                self.input(leader, change)?;
            }
        }
        Ok(!waits)
    }
}
