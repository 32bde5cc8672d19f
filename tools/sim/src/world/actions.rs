//! What the plan makes happen.

use raft_kernel::NodeId;

use super::clients::{Kind, context};
use super::queue::Happening;
use super::server::Input;
use super::{Verdict, World};
use crate::check::{Property, Violation, place};
use crate::linearizability::Request;
use crate::plan::{Action, Harm, Moment, TICK, Target, Weather, WriteFate, conf_change};

impl World<'_> {
    /// The event at this place of the plan happens.
    pub(super) fn act(&mut self, place: usize) -> Verdict {
        let plan = self.plan;
        let Some(event) = plan.events.get(place) else {
            return Ok(());
        };
        let now = self.now;
        match &event.action {
            Action::Write {
                client,
                to,
                key,
                filling,
            } => self.write_request(*client, *to, *key, *filling),
            Action::Read { client, to, key } => self.read_request(*client, *to, *key),
            Action::Change { to, way, steps } => {
                self.tell_to(*to, &event.action, Input::Change(conf_change(*way, steps)))
            }
            Action::Transfer { to, transferee } => {
                self.tell_to(*to, &event.action, Input::Transfer(*transferee))
            }
            Action::Campaign { on } => self.tell_to(*on, &event.action, Input::Campaign),
            Action::ForgetLeader { on } => self.tell_to(*on, &event.action, Input::ForgetLeader),
            Action::Unreachable { on, peer } => {
                self.tell_to(*on, &event.action, Input::Unreachable(*peer))
            }
            Action::Compact { on, keep } => {
                self.compact(*on, *keep);
                Ok(())
            }
            Action::Crash {
                on,
                write,
                keeps_machine,
                down,
            } => match self.resolve(*on) {
                Some(id) => self.crash(id, *write, *keeps_machine, *down),
                None => Ok(()),
            },
            Action::Ambush { .. } => {
                self.ambushes.push_back(place);
                Ok(())
            }
            Action::Cut { ways, lasting } => {
                self.story.all(now, || event.action.to_string());
                self.fates.cut(ways, true);
                self.queue.at(now + lasting, Happening::Healed(place));
                Ok(())
            }
            Action::Weather { weather, lasting } => {
                self.story.all(now, || event.action.to_string());
                self.fates.weather = *weather;
                self.queue.at(now + lasting, Happening::Calm(place));
                Ok(())
            }
        }
    }

    /// Somebody leads from now on: the oldest ambush is for it.
    pub(super) fn walks_into_ambush(&mut self, id: NodeId) {
        let Some(place_of_event) = self.ambushes.pop_front() else {
            return;
        };
        let event = self.plan.events.get(place_of_event);
        if let Some(Action::Ambush { after, .. }) = event.map(|event| &event.action) {
            let ambushed = Happening::Ambushed {
                place: place_of_event,
                id,
                start: self.servers[place(id)].start,
                ends: false,
            };
            self.queue.at(self.now + after, ambushed);
        }
    }

    /// An ambush falls on a leader, or lets go of it.
    pub(super) fn ambush(
        &mut self,
        place_of_event: usize,
        (id, start): (NodeId, u32),
        ends: bool,
    ) -> Verdict {
        let event = self.plan.events.get(place_of_event);
        let Some(Action::Ambush { harm, lasting, .. }) = event.map(|event| &event.action) else {
            return Ok(());
        };
        if self.members.is_some() || !(ends || self.servers[place(id)].runs(start)) {
            return Ok(());
        }
        let others = self.ids().filter(|other| *other != id);
        let ways: Vec<_> = match harm {
            Harm::Crash(write) => return self.crash(id, *write, true, *lasting),
            Harm::CutOff => others
                .flat_map(|other| [(id, other), (other, id)])
                .collect(),
            Harm::Muted => others.map(|other| (id, other)).collect(),
        };
        self.fates.cut(&ways, !ends);
        self.story.node(self.now, id, || {
            let what = match (harm, ends) {
                (_, true) => "is heard again",
                (Harm::Muted, false) => "is heard no more",
                _ => "is cut off",
            };
            what.to_owned()
        });
        if !ends {
            let over = Happening::Ambushed {
                place: place_of_event,
                id,
                start,
                ends: true,
            };
            self.queue.at(self.now + lasting, over);
        }
        Ok(())
    }

    pub(super) fn heal_cut(&mut self, place: usize) {
        if let Some(Action::Cut { ways, .. }) = self.plan.events.get(place).map(|e| &e.action) {
            self.fates.cut(ways, false);
            let ways: Vec<_> = ways.iter().map(|(a, b)| format!("n{a}→n{b}")).collect();
            self.story
                .all(self.now, || format!("open again: {}", ways.join(" ")));
        }
    }

    /// A weather ends; one that has taken its place goes on.
    pub(super) fn calm(&mut self, place: usize) {
        if let Some(Action::Weather { weather, .. }) =
            self.plan.events.get(place).map(|e| &e.action)
            && self.fates.weather == *weather
        {
            self.fates.weather = Weather::default();
            self.story.all(self.now, || "calm again".to_owned());
        }
    }

    /// The node that an event is about. Shrunk plans may name nodes that are not there.
    fn resolve(&self, target: Target) -> Option<NodeId> {
        match target {
            Target::Node(id) => (place(id) < self.servers.len()).then_some(id),
            Target::Leader => self.leader(),
        }
    }

    fn tell_to(&mut self, target: Target, action: &Action, input: Input) -> Verdict {
        let Some(id) = self.resolve(target) else {
            return Ok(());
        };
        self.story
            .all(self.now, || format!("{action}{}", who(target, id)));
        self.input(id, input)
    }

    fn write_request(&mut self, client: u8, to: Target, key: u8, filling: u16) -> Verdict {
        let Some(id) = self.available(client, to) else {
            return Ok(());
        };
        let at = (id, self.servers[place(id)].start);
        let command = self.clients.writes(client, key);
        let kind = Kind::Write {
            number: command.number,
            appended: None,
        };
        let request = (key, Request::Write(command.value));
        self.clients.asks(client, at, self.now, kind, request);
        self.story.node(self.now, id, || {
            let value = command.value;
            format!("client {client} writes {value} to register {key}")
        });
        let command = command.to_bytes(filling);
        self.input(id, Input::Write { client, command })
    }

    fn read_request(&mut self, client: u8, to: Target, key: u8) -> Verdict {
        let Some(id) = self.available(client, to) else {
            return Ok(());
        };
        let at = (id, self.servers[place(id)].start);
        let kind = Kind::Read {
            key,
            floor: self.checks.reads.begins(),
            index: None,
        };
        let context = context(self.clients.history.len());
        self.clients
            .asks(client, at, self.now, kind, (key, Request::Read));
        self.story.node(self.now, id, || {
            format!("client {client} reads register {key}")
        });
        self.input(id, Input::Read { client, context })
    }

    /// The node that a client can ask now.
    pub(super) fn available(&mut self, client: u8, to: Target) -> Option<NodeId> {
        let id = self.resolve(to)?;
        let is_up = self.servers[place(id)].node.is_some();
        (is_up && self.clients.is_free(client, self.now)).then_some(id)
    }

    /// The same for whoever is not in the plan.
    pub(super) fn ask_to_write(&mut self, client: u8, id: NodeId) -> Verdict {
        self.write_request(client, Target::Node(id), 0, 0)
    }

    /// The same for a read.
    pub(super) fn ask_to_read(&mut self, client: u8, id: NodeId) -> Verdict {
        self.read_request(client, Target::Node(id), 0)
    }

    fn compact(&mut self, on: Target, keep: u64) {
        let Some(id) = self.resolve(on) else {
            return;
        };
        let server = &mut self.servers[place(id)];
        if server.node.is_none() {
            return;
        }
        let machine = &server.machine;
        let (index, data) = (machine.applied, machine.snapshot_data());
        if server.disk.compact(index, &machine.conf_state, &data, keep) {
            self.story.node(self.now, id, || {
                format!("has made a snapshot up to {index} and keeps {keep} entries before it")
            });
        }
    }

    /// A node stops at once, and starts again later.
    pub(super) fn crash(
        &mut self,
        id: NodeId,
        fate: WriteFate,
        keeps_machine: bool,
        down: Moment,
    ) -> Verdict {
        let server = &mut self.servers[place(id)];
        if server.node.is_none() {
            return Ok(());
        }
        self.tally.crashes += 1;
        let left = server.disk.crash(
            match &server.writing {
                Some(ready) => Some(&ready.append),
                None => server.appends.front(),
            },
            fate,
        );
        let left =
            left.map_err(|what| Violation::new(Property::KeepsRunning, format!("n{id}: {what}")))?;
        let at_work = server.under_way().is_some();
        if let Some(work) = server.under_way() {
            self.checks.torn(id, work, left.snapshot, left.entries);
        }
        server.forget_work();
        let start = server.start;
        for client in self.clients.waiting_at(id, start) {
            self.clients.abandons(client);
        }
        self.story.node(self.now, id, || {
            if at_work {
                format!("crashes; the write under way is {fate}")
            } else {
                "crashes".to_owned()
            }
        });
        // A voter that comes back has forgotten its leader and may vote at once. So that it
        // does not take a lease from it, it begins to take messages only after a timeout.
        let settings = &self.plan.settings;
        let quiet = if settings.lease {
            TICK * u64::from(settings.election_ticks + 1)
        } else {
            0
        };
        let restart = Happening::Restart {
            id,
            start,
            keeps_machine,
        };
        self.queue.at(self.now + down.max(quiet), restart);
        Ok(())
    }
}

fn who(target: Target, id: NodeId) -> String {
    match target {
        Target::Node(_) => String::new(),
        Target::Leader => format!(" (n{id})"),
    }
}
