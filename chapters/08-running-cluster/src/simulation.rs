//! A cluster in a world of one thread, where time is a number and a seed decides all.
//!
//! The rule: nothing happens but by an event, and one event is over before the next
//! begins. An event is done to one node, the node turns its loop until there is nothing
//! to do, and what it sent becomes further events. Nobody waits, and nothing that the
//! operating system decides has a part in it.

mod clients;
mod mishaps;

use std::collections::BTreeMap;

use ch01_single_node_cluster::Turn;
use ch05_two_node_cluster::{Post, Undelivered};
use raft_kernel::{MemoryStorage, Message, NodeId, Role, Storage};

use crate::{
    Event, Failure, Network, News, Property, Queue, Random, Safety, Setting, Simulated, Time,
    Verdict, Violation, Weather,
};
use clients::Clients;

/// The nodes, which are there from the start.
pub const NODES: [NodeId; 3] = [1, 2, 3];

/// How many milliseconds a node's clock takes for a tick. No two clocks run quite the same.
const TICK: std::ops::RangeInclusive<u64> = 90..=110;
/// After how many entries a node compacts its log.
const PACE: std::ops::RangeInclusive<u64> = 4..=12;
/// For how many milliseconds the weather is bad for each number that is proposed.
const STORM: u64 = 400;
/// How many milliseconds all may take once the weather is calm.
const PATIENCE: u64 = 120_000;
/// More turns than this at once, or more events to come, are no run but a fault.
const TURNS: usize = 1000;
const CROWD: usize = 100_000;

/// A run of a cluster.
// ANCHOR: simulation
pub struct Simulation<N> {
    setting: Setting,
    random: Random,
    now: Time,
    queue: Queue,
    nodes: BTreeMap<NodeId, Place<N>>,
    network: Network,
    clients: Clients,
    safety: Safety,
    calm_since: Option<Time>,
    tally: Tally,
    news: Vec<(Time, News)>,
}

/// Where a node is, or what is left of it.
enum Place<N> {
    Running(N),
    Stopped(MemoryStorage),
}
// ANCHOR_END: simulation

/// What was counted in a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Events that happened.
    pub steps: u64,
    /// Numbers that somebody proposed.
    pub proposed: u64,
    /// Numbers that were applied, and whose proposers know it.
    pub acknowledged: u64,
    /// Of these, before the weather was calm.
    pub in_the_storm: u64,
    /// How often a number was proposed again.
    pub retries: u64,
    /// How often because it had been in a log, and another entry took its place.
    pub replaced: u64,
    /// Numbers of which nobody can say what became of them.
    pub unknown: u64,
    /// How often a node stopped.
    pub stops: u64,
    /// How often ways were closed.
    pub cuts: u64,
    /// How often a node took a snapshot in the place of its log.
    pub installed: u64,
}

impl<N: Simulated> Simulation<N> {
    /// The cluster is founded, and all that is to happen by itself is put down.
    pub fn new(setting: Setting) -> Result<Self, Failure> {
        let mut random = Random::new(setting.seed);
        let weather = Weather::stormy(setting.drop);
        let network = Network::new(weather, random.between(0..=u64::MAX));
        let mut simulation = Simulation {
            setting,
            random,
            now: Time::default(),
            queue: Queue::default(),
            nodes: BTreeMap::new(),
            network,
            clients: Clients::default(),
            safety: Safety::default(),
            calm_since: None,
            tally: Tally::default(),
            news: Vec::new(),
        };
        let founded = simulation.found();
        founded.map_err(|violation| simulation.failure(violation))?;
        Ok(simulation)
    }

    fn found(&mut self) -> Verdict {
        for id in NODES {
            let (seed, pace) = (self.random.between(0..=u64::MAX), self.random.between(PACE));
            let node = N::found(id, &NODES, seed, pace).map_err(|error| failed(id, &*error))?;
            self.safety.starts(id, node.storage(), node.total())?;
            self.nodes.insert(id, Place::Running(node));
            let first_tick = self.random.between(0..=*TICK.end());
            self.queue.at(Time(first_tick), Event::Tick(id));
        }
        for id in NODES {
            self.settle(id)?;
        }
        self.plan_the_storm();
        Ok(())
    }

    /// Lets the next thing happen. Says whether there is more to come.
    ///
    /// # Errors
    /// When something does not hold that must hold.
    // ANCHOR: step
    pub fn step(&mut self) -> Result<bool, Failure> {
        let Some((time, event)) = self.queue.take_next() else {
            return Ok(false);
        };
        self.now = time;
        self.network.set_time(time);
        self.tally.steps += 1;
        let goes_on = self.happens(event).and_then(|()| self.is_over());
        match goes_on {
            Ok(over) => Ok(!over),
            Err(violation) => Err(self.failure(violation)),
        }
    }
    // ANCHOR_END: step

    fn happens(&mut self, event: Event) -> Verdict {
        match event {
            Event::Arrives(message) => self.arrives(*message),
            Event::Tick(id) => self.tick(id),
            Event::Propose(count) => self.propose(count),
            Event::ProposeAgain(number, id) => self.propose_again(number, id),
            Event::LookForAnswers => self.look_for_answers(),
            Event::CutOff => {
                self.cut_off();
                Ok(())
            }
            Event::Heal => {
                self.heal();
                Ok(())
            }
            Event::Stop(id) => self.stop(id),
            Event::Start(id) => self.start(id),
            Event::CalmDown => self.calm_down(),
        }
    }

    // ANCHOR: inputs
    fn tick(&mut self, id: NodeId) -> Verdict {
        let next = self.now + self.random.between(TICK);
        self.queue.at(next, Event::Tick(id));
        self.with_running(id, N::tick)
    }

    fn arrives(&mut self, message: Message) -> Verdict {
        self.with_running(message.to, |node| node.step(message))
    }

    /// Does something to a node, if it is running, and turns its loop until there is
    /// nothing to do.
    fn with_running(
        &mut self,
        id: NodeId,
        act: impl FnOnce(&mut N) -> ch01_single_node_cluster::Result<()>,
    ) -> Verdict {
        let Some(Place::Running(node)) = self.nodes.get_mut(&id) else {
            return Ok(());
        };
        act(node).map_err(|error| failed(id, &*error))?;
        self.settle(id)
    }
    // ANCHOR_END: inputs

    // ANCHOR: settle
    fn settle(&mut self, id: NodeId) -> Verdict {
        let mut turns = 0;
        while let Some(turn) = self.turn(id)? {
            for (time, message) in self.network.arrivals.drain(..) {
                self.queue.at(time, Event::Arrives(Box::new(message)));
            }
            // A proposal is answered when an entry is applied, or a snapshot in its place.
            if turn.has_snapshot || !turn.committed.is_empty() {
                self.hear_answers(id)?;
            }
            turns += 1;
            if turns > TURNS || self.queue.len() > CROWD {
                let what = format!("node {id} comes to no end");
                return Err(Violation::of(Property::Liveness, what));
            }
        }
        Ok(())
    }
    // ANCHOR_END: settle

    /// One turn of a node's loop, and a look at what came of it.
    // ANCHOR: turn
    fn turn(&mut self, id: NodeId) -> Result<Option<Turn>, Violation> {
        let Some(Place::Running(node)) = self.nodes.get_mut(&id) else {
            return Ok(None);
        };
        let mut post = Overheard {
            network: &mut self.network,
            safety: &mut self.safety,
            verdict: Ok(()),
        };
        let turn = node.turn(&mut post).map_err(|error| failed(id, &*error))?;
        post.verdict?;
        let Some(turn) = turn else {
            return Ok(None);
        };
        let status = node.status();
        self.safety.turned(id, &turn, &status, node.total())?;
        // ANCHOR_END: turn

        for (message, fate) in self.network.take_watched() {
            self.news.push((self.now, News::Message(message, fate)));
        }
        if turn
            .soft_state
            .is_some_and(|soft| soft.role == Role::Leader)
        {
            let term = status.hard_state.term;
            self.news.push((self.now, News::Elected(id, term)));
        }
        if turn.has_snapshot {
            self.tally.installed += 1;
            let installed = News::Installed(id, status.applied);
            self.news.push((self.now, installed));
        }
        Ok(Some(turn))
    }

    /// Whether the weather is calm, every proposal has its answer, and all nodes have
    /// applied all that the cluster agreed on.
    // ANCHOR: is_over
    fn is_over(&self) -> Result<bool, Violation> {
        let Some(calm_since) = self.calm_since else {
            return Ok(false);
        };
        let (open, agreed) = (self.clients.open(), self.safety.agreed());
        let is_behind = |place: &Place<N>| match place {
            Place::Running(node) => node.status().applied < agreed,
            Place::Stopped(_) => true,
        };
        if open == 0 && !self.nodes.values().any(is_behind) {
            return Ok(true);
        }
        if self.now <= calm_since + PATIENCE {
            return Ok(false);
        }
        let what = format!("{open} numbers have no answer, {agreed} entries are agreed on");
        Err(Violation::of(Property::Liveness, what))
    }
    // ANCHOR_END: is_over

    /// What happened since this was last called.
    pub fn take_news(&mut self) -> Vec<(Time, News)> {
        std::mem::take(&mut self.news)
    }

    /// Makes news of every message from now on.
    pub fn watch_messages(&mut self) {
        self.network.watch_messages();
    }

    /// What was counted so far.
    pub fn tally(&self) -> Tally {
        self.tally
    }

    /// What is going to happen.
    pub fn queue(&self) -> &Queue {
        &self.queue
    }

    /// The nodes that are running.
    pub fn running(&self) -> impl Iterator<Item = &N> {
        self.nodes.values().filter_map(|place| match place {
            Place::Running(node) => Some(node),
            Place::Stopped(_) => None,
        })
    }

    /// The network, and what it counted.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// What is known of the run from outside of the nodes.
    pub fn safety(&self) -> &Safety {
        &self.safety
    }

    /// What time it is.
    pub fn now(&self) -> Time {
        self.now
    }

    /// How every node stands, one line each.
    pub fn states(&self) -> Vec<String> {
        let told = |(id, place): (&NodeId, &Place<N>)| match place {
            Place::Running(node) => node.to_string(),
            Place::Stopped(storage) => format!(
                "node {id}: stopped, with {:?}, log up to {}",
                storage.hard_state(),
                storage.last_index().unwrap_or(0)
            ),
        };
        self.nodes.iter().map(told).collect()
    }

    fn failure(&self, violation: Violation) -> Failure {
        Failure {
            time: self.now,
            steps: self.tally.steps,
            nodes: self.states(),
            ..Failure::new(violation, &self.setting)
        }
    }
}

fn failed(id: NodeId, error: &dyn std::error::Error) -> Violation {
    let what = format!("node {id} stopped: {error}");
    Violation::of(Property::KeepsRunning, what)
}

/// A network that somebody listens to.
// ANCHOR: overheard
struct Overheard<'a> {
    network: &'a mut Network,
    safety: &'a mut Safety,
    verdict: Verdict,
}

impl Post for Overheard<'_> {
    fn send(&mut self, message: Message) -> Result<(), Undelivered> {
        if self.verdict.is_ok() {
            self.verdict = self.safety.sends(&message);
        }
        self.network.send(message)
    }
}
// ANCHOR_END: overheard
