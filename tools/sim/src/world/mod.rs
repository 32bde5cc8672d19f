//! The world of a plan: nodes, disks, a network and virtual time.
//!
//! The rule: nothing here depends on anything but the plan and the engine. One thing happens
//! at a time, and after each the checkers have seen all that came of it.

mod actions;
mod answering;
mod clients;
mod disk;
mod driving;
mod machine;
mod network;
mod queue;
mod recovery;
mod server;

use std::collections::VecDeque;

use raft_kernel::{ConfState, NodeId, Role};

use crate::check::{Checks, FOUNDED, Property, Violation, place};
use crate::linearizability;
use crate::plan::{Mishap, Moment, Plan};
use crate::story::Story;
use crate::tally::Tally;

use clients::Clients;
use disk::Disk;
use machine::Machine;
use network::Fates;
use queue::{Happening, Queue};
use server::{Input, Server};

type Verdict = Result<(), Violation>;

pub(crate) struct World<'p> {
    plan: &'p Plan,
    now: Moment,
    queue: Queue,
    servers: Vec<Server>,
    fates: Fates,
    clients: Clients,
    checks: Checks,
    story: Story,
    tally: Tally,
    /// Once all goes well: who takes part. Others are left alone.
    members: Option<Vec<NodeId>>,
    /// The ambushes that wait for a leader: their places in the plan.
    ambushes: VecDeque<usize>,
}

/// What a run comes to.
pub(crate) struct Ended {
    pub(crate) verdict: Verdict,
    /// When it ended.
    pub(crate) at: Moment,
    pub(crate) tally: Tally,
    pub(crate) story: Option<String>,
    /// What the weather did.
    pub(crate) happened: Vec<Mishap>,
}

impl<'p> World<'p> {
    /// The cluster of a plan, founded and about to start.
    pub(crate) fn new(plan: &'p Plan, told: bool, only: Option<Property>) -> Self {
        let settings = &plan.settings;
        let conf_state = ConfState::of_voters(1..=settings.voters);
        let mut checks = Checks::new(settings.nodes.len(), &conf_state, only);
        let chain = checks.committed_chain(FOUNDED).unwrap_or_default();
        let snapshot = Machine::founding_snapshot(chain, conf_state);
        let mut servers = Vec::new();
        for (own, id) in settings.nodes.iter().zip(1..) {
            let disk = if id <= settings.voters {
                checks.founded(id);
                Disk::founded(&snapshot)
            } else {
                Disk::empty()
            };
            servers.push(Server::new(id, own.clone(), disk));
        }
        let mut queue = Queue::default();
        for (event, place) in plan.events.iter().zip(0..) {
            queue.at(event.at, Happening::Planned(place));
        }
        World {
            plan,
            now: 0,
            queue,
            servers,
            fates: Fates::new(plan),
            clients: Clients::default(),
            checks,
            story: Story::new(told),
            tally: Tally::default(),
            members: None,
            ambushes: VecDeque::new(),
        }
    }

    /// Carries the plan out, to its end or to the first violation.
    pub(crate) fn run(mut self) -> Ended {
        let verdict = self.play();
        if let Err(violation) = &verdict {
            self.story.ends(self.now, violation);
        }
        self.tally.runs = 1;
        self.tally.terms_led = self.checks.terms_led() as u64;
        self.tally.committed = self.checks.committed() - FOUNDED;
        self.tally.changes = self.checks.changes;
        let answered = self.clients.history.iter().filter(|o| o.told.is_some());
        self.tally.answered = answered.count() as u64;
        Ended {
            verdict,
            at: self.now,
            tally: self.tally,
            story: self.story.into_text(),
            happened: self.fates.happened,
        }
    }

    fn play(&mut self) -> Verdict {
        for id in self.ids() {
            self.boot(id, false)?;
        }
        self.pass_until(self.plan.end)?;
        if self.plan.recovery {
            self.recover()?;
        }
        let history = linearizability::check(&self.clients.history);
        let verdict = history.map_err(|what| Violation::new(Property::Linearizability, what));
        self.checks.judge(verdict)
    }

    /// Lets everything happen that is to happen before `end`.
    fn pass_until(&mut self, end: Moment) -> Verdict {
        while let Some((moment, happening)) = self.queue.next(end) {
            self.now = moment;
            self.tally.steps += 1;
            self.happen(happening)?;
        }
        self.now = end;
        Ok(())
    }

    fn happen(&mut self, happening: Happening) -> Verdict {
        match happening {
            Happening::Planned(place) => self.act(place),
            Happening::Healed(place) => {
                self.heal_cut(place);
                Ok(())
            }
            Happening::Calm(place) => {
                self.calm(place);
                Ok(())
            }
            Happening::Restart {
                id,
                start,
                keeps_machine,
            } => {
                let server = &self.servers[place(id)];
                if server.node.is_some() || server.start != start {
                    return Ok(());
                }
                self.boot(id, keeps_machine)
            }
            Happening::Ambushed {
                place,
                id,
                start,
                ends,
            } => self.ambush(place, (id, start), ends),
            Happening::Arrives { message, sent } => self.arrive(message, sent),
            Happening::Reported { to, about, arrived } => {
                self.input(to, Input::Reported { about, arrived })
            }
            Happening::Tick(id, start) => self.tick(id, start),
            Happening::Written(id, start) => self.written(id, start),
            Happening::Told(id, start) => self.told(id, start),
            Happening::Applied(id, start) => self.applied(id, start),
            Happening::Turn(id, start) => {
                if !self.servers[place(id)].runs(start) {
                    return Ok(());
                }
                self.servers[place(id)].turn_is_due = false;
                self.turn(id)
            }
        }
    }

    fn ids(&self) -> std::ops::RangeInclusive<NodeId> {
        1..=self.servers.len() as NodeId
    }

    /// The running leader of the highest term.
    fn leader(&self) -> Option<NodeId> {
        let running = self
            .servers
            .iter()
            .filter_map(|server| server.node.as_ref());
        running
            .filter(|node| node.role() == Role::Leader)
            .max_by_key(|node| node.status().hard_state.term)
            .map(raft_kernel::RawNode::id)
    }
}
