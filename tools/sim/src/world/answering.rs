//! What clients hear of their requests.
//!
//! The rule: a client hears what its node can know. A write is answered where the node applies
//! it; one whose place another entry took is known not to have happened; one that a snapshot
//! stands for is not known any more.

use raft_kernel::{Entry, Error, Index, NodeId, Proposed, Ready};

use super::clients::{Kind, from_context};
use super::machine::Command;
use super::{Verdict, World};
use crate::check::place;

impl World<'_> {
    pub(super) fn waits_for(
        &self,
        client: u8,
        at: (NodeId, u32),
        operation: Option<usize>,
    ) -> bool {
        let pending = self.clients.pending(client);
        pending.is_some_and(|p| (p.at, p.start) == at && Some(p.operation) == operation)
    }

    pub(super) fn asked_to_write(
        &mut self,
        client: u8,
        at: (NodeId, u32),
        proposed: Result<Proposed, Error>,
    ) -> Result<(), Error> {
        let pending = self.clients.pending(client);
        let Some(pending) = pending.filter(|p| (p.at, p.start) == at) else {
            return proposed.map(|_| ());
        };
        let Kind::Write { number, .. } = pending.kind else {
            return proposed.map(|_| ());
        };
        match proposed {
            Ok(Proposed::Appended { term, index }) => {
                let appended = Some((index, term));
                self.clients
                    .learns(client, Kind::Write { number, appended });
                Ok(())
            }
            Ok(Proposed::Forwarded { .. }) => Ok(()),
            Err(error) => {
                self.clients.refused(client);
                Err(error)
            }
        }
    }

    /// Answers the client whose request this was, and those whose place it took.
    pub(super) fn complete_writes(
        &mut self,
        (id, start): (NodeId, u32),
        entry: &Entry,
        done: Option<(Command, u64)>,
    ) {
        for client in self.clients.waiting_at(id, start) {
            let Some(Kind::Write { number, appended }) =
                self.clients.pending(client).map(|pending| pending.kind)
            else {
                continue;
            };
            let is_done = done.filter(|(c, _)| (c.client, c.number) == (client, number));
            if let Some((_, before)) = is_done {
                self.checks.reads.acknowledged(entry.index);
                self.clients.told(client, before);
            } else if appended.is_some_and(|(index, term)| {
                // Another leader's entry took its place, so it happens nowhere.
                index == entry.index && term != entry.term
            }) {
                self.clients.refused(client);
            }
        }
    }

    /// What a snapshot holds is not applied any more one by one, so nobody hears of it.
    pub(super) fn abandon_writes(&mut self, id: NodeId, up_to: Index) {
        let start = self.servers[place(id)].start;
        for client in self.clients.waiting_at(id, start) {
            let pending = self.clients.pending(client).map(|pending| pending.kind);
            if let Some(Kind::Write {
                appended: Some((index, _)),
                ..
            }) = pending
                && index <= up_to
            {
                self.clients.abandons(client);
            }
        }
    }

    pub(super) fn answer_reads(&mut self, id: NodeId, ready: &Ready) -> Verdict {
        let start = self.servers[place(id)].start;
        for state in &ready.read_states {
            let operation = from_context(&state.context);
            for client in self.clients.waiting_at(id, start) {
                if !self.waits_for(client, (id, start), operation) {
                    continue;
                }
                let pending = self.clients.pending(client).map(|pending| pending.kind);
                if let Some(Kind::Read { key, floor, .. }) = pending {
                    self.checks.answers(id, floor, state.index)?;
                    let index = Some(state.index);
                    self.clients
                        .learns(client, Kind::Read { key, floor, index });
                }
            }
        }
        if !ready.read_states.is_empty() {
            self.complete_reads(id);
        }
        Ok(())
    }

    /// Answers the reads whose index the state machine has reached.
    pub(super) fn complete_reads(&mut self, id: NodeId) {
        let server = &self.servers[place(id)];
        let applied = server.machine.applied;
        for client in self.clients.waiting_at(id, server.start) {
            if let Some(Kind::Read {
                key,
                index: Some(index),
                ..
            }) = self.clients.pending(client).map(|pending| pending.kind)
                && index <= applied
            {
                let value = server.machine.registers[usize::from(key)];
                self.story.node(self.now, id, || {
                    format!("answers client {client}: register {key} holds {value}")
                });
                self.checks.reads.acknowledged(applied);
                self.clients.told(client, value);
            }
        }
    }
}
