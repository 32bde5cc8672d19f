//! What becomes of a message on its way, and of a write on its disk.

use raft_kernel::{Message, NodeId};

use crate::check::place;
use crate::plan::{LATENCY, Mishap, Moment, Plan, Weather};
use crate::random::{Random, Stream};

/// Chance, or what was written down of it.
pub(super) struct Fates {
    random: Random,
    pub(super) weather: Weather,
    /// Of each sender, the ways to each receiver.
    ways: Vec<Vec<Way>>,
    /// Each node's writes.
    writes: Vec<Line<Moment>>,
    /// What the weather did, so that the run can be had again without it.
    pub(super) happened: Vec<Mishap>,
    /// Whether the plan's mishaps are all there are.
    fixed: bool,
}

#[derive(Default)]
struct Way {
    /// How many open cuts it has.
    cuts: u32,
    line: Line<Vec<Moment>>,
}

/// Things that happen one after the other, and what is to become of some of them.
struct Line<T> {
    /// What happened at this moment.
    now: Moment,
    seen: Vec<&'static str>,
    awaited: Vec<Awaited<T>>,
}

/// Something that is to happen to one thing of a kind from a moment on.
struct Awaited<T> {
    at: Moment,
    kind: String,
    /// So many of the kind are left alone before.
    spared: u64,
    fate: T,
}

impl<T> Default for Line<T> {
    fn default() -> Self {
        Line {
            now: 0,
            seen: Vec::new(),
            awaited: Vec::new(),
        }
    }
}

impl<T> Line<T> {
    /// Something of a kind happens: how many of that kind did at the same moment before.
    fn count(&mut self, now: Moment, kind: &'static str) -> u64 {
        if now != self.now {
            self.now = now;
            self.seen.clear();
        }
        let before = self.seen.iter().filter(|seen| **seen == kind).count();
        self.seen.push(kind);
        before as u64
    }

    /// The same: what is to become of it, if anything was awaited.
    fn meets(&mut self, now: Moment, kind: &'static str) -> Option<T> {
        let mut met = None;
        for (place, awaited) in self.awaited.iter_mut().enumerate() {
            if awaited.at > now {
                break;
            }
            if awaited.kind != kind {
                continue;
            }
            if awaited.spared > 0 {
                awaited.spared -= 1;
            } else if met.is_none() {
                met = Some(place);
            }
        }
        met.map(|place| self.awaited.remove(place).fate)
    }

    fn sort(&mut self) {
        self.awaited.sort_by_key(|awaited| awaited.at);
    }
}

/// How a write is called among the kinds.
const WRITE: &str = "write";

/// When a message arrives, counted from now: never, once or several times.
pub(super) enum Arrival {
    Never,
    Once(Moment),
    Often(Vec<Moment>),
}

impl Fates {
    pub(super) fn new(plan: &Plan) -> Self {
        let count = plan.settings.nodes.len();
        let mut fates = Fates {
            random: Random::new(plan.seed, Stream::Weather),
            weather: Weather::default(),
            ways: (0..count)
                .map(|_| (0..count).map(|_| Way::default()).collect())
                .collect(),
            writes: (0..count).map(|_| Line::default()).collect(),
            happened: Vec::new(),
            fixed: plan.fixed,
        };
        for mishap in &plan.mishaps {
            fates.await_mishap(mishap);
        }
        let lines = fates.ways.iter_mut().flatten();
        lines.for_each(|way| way.line.sort());
        fates.writes.iter_mut().for_each(Line::sort);
        fates
    }

    fn await_mishap(&mut self, mishap: &Mishap) {
        match mishap {
            Mishap::Message {
                from,
                to,
                kind,
                at,
                nth,
                after,
            } => {
                if let Some(way) = self.way(*from, *to) {
                    way.line.awaited.push(Awaited {
                        at: *at,
                        kind: kind.clone(),
                        spared: *nth,
                        fate: after.clone(),
                    });
                }
            }
            Mishap::Write { on, at, nth, takes } => {
                if let Some(line) = self.writes.get_mut(place(*on)) {
                    line.awaited.push(Awaited {
                        at: *at,
                        kind: WRITE.to_owned(),
                        spared: *nth,
                        fate: *takes,
                    });
                }
            }
        }
    }

    fn way(&mut self, from: NodeId, to: NodeId) -> Option<&mut Way> {
        self.ways.get_mut(place(from))?.get_mut(place(to))
    }

    /// Cuts ways, or opens them again.
    pub(super) fn cut(&mut self, ways: &[(NodeId, NodeId)], closed: bool) {
        for (from, to) in ways {
            if let Some(way) = self.way(*from, *to) {
                way.cuts = if closed {
                    way.cuts + 1
                } else {
                    way.cuts.saturating_sub(1)
                };
            }
        }
    }

    /// All goes well from now on.
    pub(super) fn heal(&mut self) {
        self.weather = Weather::default();
        for way in self.ways.iter_mut().flatten() {
            way.cuts = 0;
            way.line.awaited.clear();
        }
        for line in &mut self.writes {
            line.awaited.clear();
        }
    }

    /// A message goes out on its way, which takes `usual` longer than the shortest.
    pub(super) fn message(&mut self, now: Moment, message: &Message, usual: Moment) -> Arrival {
        let (from, to, kind) = (message.from, message.to, message.body.name());
        let (fixed, usual) = (self.fixed, LATENCY + usual);
        // One that is not there hears nothing.
        let Some(way) = self.way(from, to) else {
            return Arrival::Never;
        };
        let cut = way.cuts > 0;
        if fixed {
            return match way.line.meets(now, kind) {
                _ if cut => Arrival::Never,
                None => Arrival::Once(usual),
                Some(after) if after.is_empty() => Arrival::Never,
                Some(after) => Arrival::Often(after),
            };
        }
        let nth = way.line.count(now, kind);
        if cut {
            return Arrival::Never;
        }
        let Some(after) = self.drawn(usual) else {
            return Arrival::Once(usual);
        };
        self.happened.push(Mishap::Message {
            from,
            to,
            kind: kind.to_owned(),
            at: now,
            nth,
            after: after.clone(),
        });
        if after.is_empty() {
            Arrival::Never
        } else {
            Arrival::Often(after)
        }
    }

    /// What the weather does to a message, if anything.
    fn drawn(&mut self, usual: Moment) -> Option<Vec<Moment>> {
        let weather = self.weather;
        if weather.lost + weather.twice + weather.late == 0 {
            return None;
        }
        if self.random.percent(weather.lost) {
            return Some(Vec::new());
        }
        let twice = self.random.percent(weather.twice);
        let is_late = self.random.percent(weather.late);
        if !twice && !is_late {
            return None;
        }
        let mut late = |is_late: bool| {
            let by = if is_late {
                self.random.below(weather.latest + 1)
            } else {
                0
            };
            usual + by
        };
        let mut after = vec![late(is_late)];
        if twice {
            after.push(late(true));
        }
        Some(after)
    }

    /// A write begins that usually takes `usual`: how long it takes.
    pub(super) fn write(&mut self, now: Moment, on: NodeId, usual: Moment) -> Moment {
        let fixed = self.fixed;
        let Some(line) = self.writes.get_mut(place(on)) else {
            return usual;
        };
        if fixed {
            return line.meets(now, WRITE).unwrap_or(usual);
        }
        let nth = line.count(now, WRITE);
        if self.weather.slow == 0 || !self.random.percent(self.weather.slow) {
            return usual;
        }
        let takes = usual + 1 + self.random.below(self.weather.slowest + 1);
        self.happened.push(Mishap::Write {
            on,
            at: now,
            nth,
            takes,
        });
        takes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mishap_finds_the_message_that_it_was_written_down_for() {
        let mut line: Line<u8> = Line::default();
        for (at, kind, spared, fate) in [(5, "a", 0, 1), (5, "a", 2, 2), (9, "b", 0, 3)] {
            let kind = String::from(kind);
            line.awaited.push(Awaited {
                at,
                kind,
                spared,
                fate,
            });
        }
        let met: Vec<Option<u8>> = [(4, "a"), (5, "b"), (5, "a"), (5, "a"), (5, "a"), (9, "b")]
            .map(|(now, kind)| line.meets(now, kind))
            .into();
        assert_eq!(met, [None, None, Some(1), None, Some(2), Some(3)]);
    }
}
