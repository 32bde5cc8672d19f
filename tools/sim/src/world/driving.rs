//! The loop around each node: input, `Ready`, write, send, apply, acknowledge.
//!
//! The rule: what is handed to the checkers is what a caller would do, in the order in which
//! it would do it.

use raft_kernel::{AppendWork, Entry, Error, Event, Message, MessageBody, NodeId, Ready, Role};

use super::clients::from_context;
use super::network::Arrival;
use super::queue::Happening;
use super::server::{Input, Server};
use super::{Verdict, World};
use crate::check::{Property, Violation, place};
use crate::plan::{LATENCY, Moment};
use crate::story;

impl World<'_> {
    fn server(&mut self, id: NodeId) -> &mut Server {
        &mut self.servers[place(id)]
    }

    /// Starts a node from its disk.
    pub(super) fn boot(&mut self, id: NodeId, keeps_machine: bool) -> Verdict {
        let server = &mut self.servers[place(id)];
        let booted = server.boot(&self.plan.settings, keeps_machine);
        let (start, applied) = (server.start, server.machine.applied);
        let promises = server.disk.promises();
        self.checks.started(id, start, promises, applied);
        self.story.node(self.now, id, || {
            format!(
                "starts in term {}, with a state machine at {applied}",
                promises.term
            )
        });
        booted.map_err(|error| stopped(id, "start", &error))?;
        let server = &self.servers[place(id)];
        let first = self.now + server.settings.first_tick;
        self.queue.at(first, Happening::Tick(id, start));
        self.heed(id)?;
        self.after_input(id)
    }

    // What reaches a node.

    /// Something reaches a node, if it is up; a busy one takes it later.
    pub(super) fn input(&mut self, id: NodeId, input: Input) -> Verdict {
        let server = self.server(id);
        if server.node.is_none() {
            return Ok(());
        }
        if server.is_busy() {
            server.inbox.push_back(input);
            return Ok(());
        }
        self.take(id, input)?;
        self.after_input(id)
    }

    pub(super) fn tick(&mut self, id: NodeId, start: u32) -> Verdict {
        let server = self.server(id);
        if !server.runs(start) {
            return Ok(());
        }
        let next = server.settings.tick;
        self.queue.at(self.now + next, Happening::Tick(id, start));
        // Somebody who was removed may not know it; whoever operates the cluster does, and
        // lets no time pass for it, so that it stands for no election.
        let takes_part = self.members.as_ref().is_none_or(|ids| ids.contains(&id));
        if takes_part {
            self.input(id, Input::Tick)
        } else {
            Ok(())
        }
    }

    pub(super) fn arrive(&mut self, message: Message, sent: Moment) -> Verdict {
        let (from, to) = (message.from, message.to);
        let is_up = self.servers[place(to)].node.is_some();
        if let MessageBody::InstallSnapshot { .. } = message.body {
            self.report(from, to, is_up);
        }
        if !is_up {
            let note = format!(" (n{to} is down)");
            self.story.arrives(self.now, sent, &message, &note);
            return Ok(());
        }
        self.input(to, Input::Message { message, sent })
    }

    /// A transport tells the sender of a snapshot what became of it.
    fn report(&mut self, to: NodeId, about: NodeId, arrived: bool) {
        let reported = Happening::Reported { to, about, arrived };
        self.queue.at(self.now + LATENCY, reported);
    }

    /// The engine takes an input.
    fn take(&mut self, id: NodeId, input: Input) -> Verdict {
        let (now, server) = (self.now, &mut self.servers[place(id)]);
        let start = server.start;
        let Some(node) = &mut server.node else {
            return Ok(());
        };
        let outcome = match input {
            Input::Tick => node.tick(),
            Input::Message { message, sent } => {
                let (name, from) = (message.body.name(), message.from);
                self.story.arrives(now, sent, &message, "");
                match node.step(message) {
                    Err(error) if !error.is_fatal() && !is_usual(&error) => {
                        let what = format!("n{id} refuses n{from}'s {name}: {error}");
                        self.checks
                            .judge(Err(Violation::new(Property::Protocol, what)))?;
                        Ok(())
                    }
                    other => other,
                }
            }
            Input::Write { client, command } => {
                let proposed = node.propose(command);
                self.asked_to_write(client, (id, start), proposed)
            }
            Input::Read { client, context } => {
                let operation = from_context(&context);
                let outcome = node.read_index(context);
                if outcome.is_err() && self.waits_for(client, (id, start), operation) {
                    self.clients.refused(client);
                }
                outcome
            }
            Input::Change(change) => node.propose_conf_change(change).map(|_| ()),
            Input::Transfer(transferee) => node.transfer_leader(transferee),
            Input::Campaign => node.campaign(),
            Input::ForgetLeader => node.forget_leader(),
            Input::Unreachable(peer) => {
                node.report_unreachable(peer);
                Ok(())
            }
            Input::Reported { about, arrived } => {
                let outcome = if arrived {
                    raft_kernel::SnapshotOutcome::Arrived
                } else {
                    raft_kernel::SnapshotOutcome::Failed
                };
                node.report_snapshot(about, outcome);
                Ok(())
            }
        };
        if let Err(error) = outcome {
            if error.is_fatal() {
                return Err(stopped(id, "go on", &error));
            }
            self.story.node(now, id, || error.to_string());
        }
        self.heed(id)
    }

    /// Looks at what the engine says that it did.
    fn heed(&mut self, id: NodeId) -> Verdict {
        let events = self.server(id).take_events();
        for event in &events {
            match event {
                Event::BecameRole { role, term } => {
                    self.checks.became(id, *role, *term)?;
                    if *role == Role::Leader {
                        self.walks_into_ambush(id);
                    }
                }
                Event::SwitchedConfiguration(to) => self.checks.switched(id, to.conf_state()),
                _ => {}
            }
            self.story.node(self.now, id, || event.to_string());
        }
        self.server(id).heeded(events);
        Ok(())
    }

    fn after_input(&mut self, id: NodeId) -> Verdict {
        let (now, server) = (self.now, self.server(id));
        let pause = server.settings.pause;
        if pause == 0 {
            return self.turn(id);
        }
        let has_ready = server
            .node
            .as_ref()
            .is_some_and(raft_kernel::RawNode::has_ready);
        if has_ready && !server.turn_is_due && !server.is_busy() {
            server.turn_is_due = true;
            let turn = Happening::Turn(id, server.start);
            self.queue.at(now + pause, turn);
        }
        Ok(())
    }

    // The loop.

    /// Takes what is ready, until nothing is or the disk has to be waited for.
    pub(super) fn turn(&mut self, id: NodeId) -> Verdict {
        loop {
            let server = self.server(id);
            let is_busy = server.is_busy();
            let Some(node) = server
                .node
                .as_mut()
                .filter(|node| !is_busy && node.has_ready())
            else {
                return Ok(());
            };
            let ready = node.ready().map_err(|error| stopped(id, "go on", &error))?;
            self.checks.ready(id, &ready)?;
            self.answer_reads(id, &ready)?;
            if self.servers[place(id)].settings.asynchronous {
                self.hand_out(id, ready)?;
                continue;
            }
            let takes = self.write_time(id, &ready.append);
            if takes == 0 {
                self.finish(id, ready)?;
                continue;
            }
            let server = &mut self.servers[place(id)];
            let written = Happening::Written(id, server.start);
            self.queue.at(self.now + takes, written);
            server.writing = Some(ready);
        }
    }

    /// How long a write takes. Nobody waits for one that need not reach the disk.
    fn write_time(&mut self, id: NodeId, work: &AppendWork) -> Moment {
        if work.must_sync {
            let usual = self.servers[place(id)].settings.write;
            self.fates.write(self.now, id, usual)
        } else {
            0
        }
    }

    /// A synchronous node's turn: all of it is done.
    fn finish(&mut self, id: NodeId, mut ready: Ready) -> Verdict {
        self.write(id, &ready.append)?;
        for message in ready.take_messages() {
            self.send(message)?;
        }
        self.apply(id, &ready.apply.entries)?;
        if let Some(node) = &mut self.server(id).node {
            node.advance(ready)
                .map_err(|error| stopped(id, "go on", &error))?;
        }
        self.heed(id)
    }

    /// An asynchronous node's turn: what it sends at once goes, the rest is put down.
    fn hand_out(&mut self, id: NodeId, mut ready: Ready) -> Verdict {
        for message in std::mem::take(&mut ready.messages) {
            self.send(message)?;
        }
        let (now, server) = (self.now, &mut self.servers[place(id)]);
        if !ready.apply.is_empty() {
            let applied = Happening::Applied(id, server.start);
            self.queue.at(now + server.settings.apply, applied);
            server.applies.push_back(ready.apply);
        }
        if !ready.append.is_empty() {
            server.appends.push_back(ready.append);
            if server.appends.len() == 1 {
                self.begin_write(id);
            }
        }
        Ok(())
    }

    fn begin_write(&mut self, id: NodeId) {
        let Some(work) = self.servers[place(id)].appends.pop_front() else {
            return;
        };
        let takes = self.write_time(id, &work);
        let server = &mut self.servers[place(id)];
        server.appends.push_front(work);
        let written = Happening::Written(id, server.start);
        self.queue.at(self.now + takes, written);
    }

    /// The disk is done with what it was at.
    pub(super) fn written(&mut self, id: NodeId, start: u32) -> Verdict {
        let server = self.server(id);
        if !server.runs(start) {
            return Ok(());
        }
        if let Some(ready) = server.writing.take() {
            self.finish(id, ready)?;
            while let Some(input) = self.server(id).inbox.pop_front() {
                self.take(id, input)?;
            }
            return self.after_input(id);
        }
        let Some(work) = server.appends.pop_front() else {
            return Ok(());
        };
        self.write(id, &work)?;
        for message in work.messages() {
            self.send(message.clone())?;
        }
        let (now, server) = (self.now, &mut self.servers[place(id)]);
        server.acks.push_back(work.done());
        let told = Happening::Told(id, start);
        self.queue.at(now + server.settings.apply, told);
        self.begin_write(id);
        Ok(())
    }

    /// An asynchronous node is told of its oldest write.
    pub(super) fn told(&mut self, id: NodeId, start: u32) -> Verdict {
        let server = self.server(id);
        if !server.runs(start) {
            return Ok(());
        }
        if let (Some(node), Some(ack)) = (&mut server.node, server.acks.pop_front()) {
            node.appended(ack)
                .map_err(|error| stopped(id, "go on", &error))?;
        }
        self.heed(id)?;
        self.after_input(id)
    }

    /// An asynchronous node's state machine is done with the oldest entries.
    pub(super) fn applied(&mut self, id: NodeId, start: u32) -> Verdict {
        let server = self.server(id);
        if !server.runs(start) {
            return Ok(());
        }
        let Some(work) = server.applies.pop_front() else {
            return Ok(());
        };
        self.apply(id, &work.entries)?;
        if let Some(node) = &mut self.server(id).node {
            node.applied(work.done())
                .map_err(|error| stopped(id, "go on", &error))?;
        }
        self.heed(id)?;
        self.after_input(id)
    }

    // Disk, wire, state machine.

    fn write(&mut self, id: NodeId, work: &AppendWork) -> Verdict {
        let server = &mut self.servers[place(id)];
        if work.must_sync {
            for entries in server.disk.unsynced_entries() {
                self.checks.stored(id, None, entries);
            }
        }
        server
            .disk
            .write(work)
            .map_err(|what| Violation::new(Property::KeepsRunning, format!("n{id}: {what}")))?;
        if work.must_sync {
            self.checks
                .stored(id, work.snapshot.as_deref(), &work.entries);
        }
        self.tell_write(id, work);
        let Some(snapshot) = &work.snapshot else {
            return Ok(());
        };
        self.tally.snapshots += 1;
        let server = &mut self.servers[place(id)];
        server.machine = super::Machine::restored(snapshot);
        let (applied, chain) = (server.machine.applied, server.machine.chain);
        self.checks.applied(id, applied, chain)?;
        self.abandon_writes(id, applied);
        self.complete_reads(id);
        Ok(())
    }

    fn tell_write(&mut self, id: NodeId, work: &AppendWork) {
        let news = work.snapshot.is_some() || !work.entries.is_empty() || work.must_sync;
        if !news {
            return;
        }
        self.story.node(self.now, id, || {
            let mut words = Vec::new();
            if let Some(snapshot) = &work.snapshot {
                words.push(format!("a snapshot up to {}", snapshot.index));
            }
            words.extend(work.entries.iter().map(story::entry));
            if let Some(promises) = work.hard_state {
                let vote = promises.vote.map(|vote| format!(", vote for n{vote}"));
                words.push(format!(
                    "term {}{}",
                    promises.term,
                    vote.unwrap_or_default()
                ));
            }
            format!("has written {}", words.join(", "))
        });
    }

    /// A message goes out on its way.
    fn send(&mut self, message: Message) -> Verdict {
        let (from, to) = (message.from, message.to);
        let server = &self.servers[place(from)];
        let (usual, promises) = (server.settings.latency, server.disk.promises());
        self.checks.sent(from, &message, promises)?;
        let now = self.now;
        let mut later = |message, after: Moment| {
            let sent = now;
            self.queue
                .at(now + after, Happening::Arrives { message, sent });
        };
        match self.fates.message(now, &message, usual) {
            Arrival::Once(after) => later(message, after),
            Arrival::Often(after) => {
                for after in after {
                    later(message.clone(), after);
                }
            }
            Arrival::Never => {
                self.tally.lost += 1;
                self.story.lost(now, &message);
                if let MessageBody::InstallSnapshot { .. } = message.body {
                    self.report(from, to, false);
                }
            }
        }
        Ok(())
    }

    fn apply(&mut self, id: NodeId, entries: &[Entry]) -> Verdict {
        for entry in entries {
            // A snapshot that was written meanwhile may hold it.
            if entry.index > self.servers[place(id)].machine.applied {
                self.apply_one(id, entry)?;
            }
        }
        if !entries.is_empty() {
            self.complete_reads(id);
        }
        Ok(())
    }

    fn apply_one(&mut self, id: NodeId, entry: &Entry) -> Verdict {
        self.checks.applies(id, entry)?;
        let server = &mut self.servers[place(id)];
        let done = server.machine.apply(entry);
        let (chain, start) = (server.machine.chain, server.start);
        self.checks.applied(id, entry.index, chain)?;
        self.story
            .node(self.now, id, || format!("applies {}", story::entry(entry)));
        if let (Some(change), Some(node)) = (entry.conf_change(), &mut server.node) {
            match node.apply_conf_change(change) {
                Ok(state) => server.machine.conf_state = state,
                // Impossible, and so for everyone: the configuration stays.
                Err(Error::ConfChange(_)) => {}
                Err(error) => return Err(stopped(id, "apply a change", &error)),
            }
            let state = &server.machine.conf_state;
            self.checks.configured(id, entry.index, state)?;
            self.heed(id)?;
        }
        self.complete_writes((id, start), entry, done);
        Ok(())
    }
}

/// What a node following the protocol may refuse: what comes late, and what cannot be now.
fn is_usual(error: &Error) -> bool {
    matches!(
        error,
        Error::UnknownPeer(_)
            | Error::ProposalDropped { .. }
            | Error::RequestDropped(_)
            | Error::CannotTransfer(_)
    )
}

fn stopped(id: NodeId, at: &str, error: &Error) -> Violation {
    let what = format!("n{id} cannot {at}: {error}");
    Violation::new(Property::KeepsRunning, what)
}
