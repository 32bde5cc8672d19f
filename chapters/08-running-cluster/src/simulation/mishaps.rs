//! What goes wrong in a run beside the weather: ways are closed, nodes stop.

use std::ops::RangeInclusive;

use raft_kernel::NodeId;

use super::clients::LOOK;
use super::{NODES, PACE, Place, STORM, Simulation, failed};

use crate::{Cut, Event, News, Simulated, Time, Verdict, Weather};

/// For how many milliseconds all ways are open, and then some are not.
const OPEN: RangeInclusive<u64> = 1500..=6000;
const CLOSED: RangeInclusive<u64> = 500..=4000;
/// For how many milliseconds a node runs, and then does not.
const RUNS: RangeInclusive<u64> = 3000..=15_000;
const STOPPED: RangeInclusive<u64> = 100..=2500;
/// How many numbers somebody proposes at once, at most.
const BURST: u64 = 5;

impl<N: Simulated> Simulation<N> {
    /// Puts down what happens by itself while the weather is bad.
    // ANCHOR: plan
    pub(super) fn plan_the_storm(&mut self) {
        let lasts = (self.setting.proposals * STORM).max(20 * STORM);
        let mut left = self.setting.proposals;
        while left > 0 {
            let burst = self.random.between(1..=BURST.min(left));
            let when = Time(self.random.between(0..=lasts));
            self.queue.at(when, Event::Propose(burst));
            self.clients.to_come += 1;
            left -= burst;
        }
        let cut_off = Time(self.random.between(OPEN));
        self.queue.at(cut_off, Event::CutOff);
        for id in NODES {
            let stop = Time(self.random.between(RUNS));
            self.queue.at(stop, Event::Stop(id));
        }
        self.queue.at(Time(lasts), Event::CalmDown);
    }
    // ANCHOR_END: plan

    pub(super) fn cut_off(&mut self) {
        if self.calm_since.is_some() {
            return;
        }
        let id = self.some_node();
        let cut = match self.random.between(0..=3) {
            0 => Cut::Deaf(id),
            1 => Cut::Mute(id),
            2 => Cut::Between(id, id % 3 + 1),
            _ => Cut::Alone(id),
        };
        self.network.cut = Some(cut);
        self.tally.cuts += 1;
        self.tell(News::CutOff(cut));
        let heal = self.now + self.random.between(CLOSED);
        self.queue.at(heal, Event::Heal);
    }

    pub(super) fn heal(&mut self) {
        if self.network.cut.take().is_some() {
            self.tell(News::Healed);
            let next = self.now + self.random.between(OPEN);
            self.queue.at(next, Event::CutOff);
        }
    }

    // ANCHOR: stop
    pub(super) fn stop(&mut self, id: NodeId) -> Verdict {
        if self.calm_since.is_some() {
            return Ok(());
        }
        let left = match self.nodes.remove(&id) {
            Some(Place::Running(node)) => node.stop(),
            Some(Place::Stopped(storage)) => storage,
            None => return Ok(()),
        };
        self.nodes.insert(id, Place::Stopped(left));
        self.network.down.insert(id);
        self.tally.stops += 1;
        self.tell(News::Stopped(id));
        let start = self.now + self.random.between(STOPPED);
        self.queue.at(start, Event::Start(id));
        // Whoever waits for an answer of this node hears that there will be none.
        self.hear_answers(id)
    }

    pub(super) fn start(&mut self, id: NodeId) -> Verdict {
        let Some(Place::Stopped(storage)) = self.nodes.get(&id) else {
            return Ok(());
        };
        let (seed, pace) = (self.random.between(0..=u64::MAX), self.random.between(PACE));
        let node = N::start(id, seed, pace, storage.clone());
        let node = node.map_err(|error| failed(id, &*error))?;
        self.safety.starts(id, node.storage(), node.total())?;
        self.nodes.insert(id, Place::Running(node));
        self.network.down.remove(&id);
        self.tell(News::Started(id));
        let stop = self.now + self.random.between(RUNS);
        self.queue.at(stop, Event::Stop(id));
        self.settle(id)
    }
    // ANCHOR_END: stop

    /// All goes well from now on.
    // ANCHOR: calm
    pub(super) fn calm_down(&mut self) -> Verdict {
        self.calm_since = Some(self.now);
        self.tally.in_the_storm = self.tally.acknowledged;
        self.network.weather = Weather::calm();
        self.network.cut = None;
        self.tell(News::Calm);
        for id in NODES {
            self.start(id)?;
        }
        self.queue.at(self.now + LOOK, Event::LookForAnswers);
        Ok(())
    }
    // ANCHOR_END: calm

    pub(super) fn tell(&mut self, news: News) {
        self.news.push((self.now, news));
    }
}
