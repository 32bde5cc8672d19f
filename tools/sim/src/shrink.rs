//! From a plan that fails to a short one that fails in the same way.
//!
//! The rule: whatever is left out, the same property must still be violated. First what the
//! weather did is written down, so that each lost message can be left out alone. Then pieces
//! are left out, large ones before small ones (Zeller and Hildebrandt's *ddmin*, 2002), then
//! nodes, then what is special about the cluster; and all of it again, until nothing helps.

use crate::check::{Property, Violation};
use crate::plan::{Event, LATENCY, Mishap, NodeSettings, Plan, TICK};
use crate::run::{Wishes, run};

/// A plan that fails, as short as it could be made.
#[derive(Clone, Debug)]
pub struct Shrunk {
    /// The plan.
    pub plan: Plan,
    /// What it violates.
    pub violation: Violation,
    /// How many runs it took.
    pub runs: u32,
}

struct Shrinker {
    best: Plan,
    violation: Violation,
    only: Option<Property>,
    runs: u32,
    most_runs: u32,
}

/// Makes a plan that violates a property shorter, in at most so many runs.
pub fn shrink(
    plan: &Plan,
    violation: &Violation,
    only: Option<Property>,
    most_runs: u32,
) -> Shrunk {
    let mut shrinker = Shrinker {
        best: plan.clone(),
        violation: violation.clone(),
        only,
        runs: 0,
        most_runs,
    };
    shrinker.write_weather_down();
    loop {
        let before = (shrinker.best.len(), shrinker.best.settings.clone());
        shrinker.leave_out_recovery();
        shrinker.leave_out_pieces();
        shrinker.leave_out_nodes();
        shrinker.leave_out_time();
        shrinker.make_plain();
        if before == (shrinker.best.len(), shrinker.best.settings.clone()) {
            break;
        }
    }
    Shrunk {
        plan: shrinker.best,
        violation: shrinker.violation,
        runs: shrinker.runs,
    }
}

impl Shrinker {
    /// Keeps `plan` if it fails in the same way. Cuts off what comes after that.
    fn keeps(&mut self, mut plan: Plan) -> bool {
        if self.runs >= self.most_runs {
            return false;
        }
        self.runs += 1;
        let wishes = Wishes {
            story: false,
            only: self.only,
        };
        let outcome = run(&plan, wishes);
        let Some(violation) = outcome.violation else {
            return false;
        };
        if violation.property != self.violation.property {
            return false;
        }
        plan.events.retain(|event| event.at <= outcome.at);
        plan.mishaps.retain(|mishap| mishap.at() <= outcome.at);
        if violation.property != Property::Liveness && outcome.at < plan.end {
            plan.end = outcome.at + 1;
        }
        self.violation = violation;
        self.best = plan;
        true
    }

    /// Exchanges the weather for what it did.
    fn write_weather_down(&mut self) {
        if self.best.fixed {
            return;
        }
        let outcome = run(
            &self.best,
            Wishes {
                only: self.only,
                ..Wishes::default()
            },
        );
        let mut plan = self.best.clone();
        plan.mishaps = outcome.happened;
        plan.fixed = true;
        plan.events
            .retain(|event| !matches!(event.action, crate::plan::Action::Weather { .. }));
        self.keeps(plan);
    }

    fn leave_out_recovery(&mut self) {
        if self.best.recovery && self.violation.property != Property::Liveness {
            let mut plan = self.best.clone();
            plan.recovery = false;
            self.keeps(plan);
        }
    }

    fn leave_out_pieces(&mut self) {
        self.leave_out(
            |plan| plan.mishaps.len(),
            |plan, keep: Vec<Mishap>| plan.mishaps = keep,
            |plan| plan.mishaps.clone(),
        );
        self.leave_out(
            |plan| plan.events.len(),
            |plan, keep: Vec<Event>| plan.events = keep,
            |plan| plan.events.clone(),
        );
    }

    /// Leaves out pieces of a list, halves first, down to single items.
    fn leave_out<T: Clone>(
        &mut self,
        len: impl Fn(&Plan) -> usize,
        set: impl Fn(&mut Plan, Vec<T>),
        get: impl Fn(&Plan) -> Vec<T>,
    ) {
        let mut size = len(&self.best);
        while size > 0 {
            // From the end: what comes late depends on what comes early, not the reverse.
            let mut end = len(&self.best);
            while end > 0 {
                let from = end.saturating_sub(size);
                let all = get(&self.best);
                let (before, after) = (&all[..from], &all[end.min(all.len())..]);
                let mut plan = self.best.clone();
                set(&mut plan, [before, after].concat());
                self.keeps(plan);
                end = from.min(len(&self.best));
            }
            size /= 2;
        }
    }

    /// Leaves out the last node, as long as that works.
    fn leave_out_nodes(&mut self) {
        while self.best.settings.nodes.len() > 1 {
            let mut plan = self.best.clone();
            plan.settings.nodes.pop();
            plan.settings.voters = plan.settings.voters.min(plan.settings.nodes.len() as u64);
            if !self.keeps(plan) {
                return;
            }
        }
    }

    /// Leaves out time in which nothing happens from outside.
    fn leave_out_time(&mut self) {
        for place in (0..self.best.events.len()).rev() {
            for kept in [LATENCY, TICK, 5 * TICK] {
                let Some(event) = self.best.events.get(place) else {
                    break;
                };
                let before = place
                    .checked_sub(1)
                    .map_or(0, |before| self.best.events[before].at);
                let since = event.at;
                let Some(idle) = (since - before).checked_sub(kept).filter(|idle| *idle > 0) else {
                    break;
                };
                let mut plan = self.best.clone();
                let later = plan.events.iter_mut().map(|event| &mut event.at);
                let later = later.chain(plan.mishaps.iter_mut().map(Mishap::at_mut));
                later.filter(|at| **at >= since).for_each(|at| *at -= idle);
                plan.end -= idle;
                if self.keeps(plan) {
                    break;
                }
            }
        }
    }

    /// Takes away what is special about the cluster, one thing at a time.
    fn make_plain(&mut self) {
        let plain: [fn(&mut NodeSettings); 9] = [
            |node| node.tick = TICK,
            |node| node.asynchronous = false,
            |node| node.message_per_proposal = false,
            |node| node.write = 0,
            |node| node.apply = 0,
            |node| node.pause = 0,
            |node| node.latency = 0,
            |node| {
                node.max_message_bytes = 1 << 20;
                node.max_applying_bytes = 1 << 20;
                node.max_uncommitted_bytes = 1 << 20;
            },
            |node| {
                node.inflight_messages = 256;
                node.inflight_bytes = 0;
            },
        ];
        for change in plain {
            self.try_settings(|plan| plan.settings.nodes.iter_mut().for_each(change));
        }
        self.try_settings(|plan| plan.settings.lease = false);
        self.try_settings(|plan| plan.settings.pre_vote = false);
        self.try_settings(|plan| {
            plan.settings.check_quorum = plan.settings.lease;
        });
    }

    fn try_settings(&mut self, change: impl Fn(&mut Plan)) {
        let mut plan = self.best.clone();
        change(&mut plan);
        if plan != self.best {
            self.keeps(plan);
        }
    }
}
