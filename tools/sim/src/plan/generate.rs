//! From a seed to a plan.
//!
//! Most bugs need few nodes, few entries and a handful of mishaps close to each other, so
//! plans are short and there are many of them; a run of calm is rare.

use raft_kernel::NodeId;

use super::{
    Action, CLIENTS, Event, Harm, KEYS, Moment, NodeSettings, Plan, Settings, Step, TICK, Target,
    Way, Weather, WriteFate,
};
use crate::random::{Random, Stream};

/// How often what happens, for one plan: of 1000 events so many. What is left are writes.
struct Mood {
    reads: u64,
    changes: u64,
    crashes: u64,
    cuts: u64,
    weather: u64,
    ambushes: u64,
    compactions: u64,
    transfers: u64,
    nudges: u64,
    /// Whether joint configurations and several steps at a time are asked for.
    large_changes: bool,
}

impl Plan {
    /// The plan of a seed: the same for ever, as long as this function does not change.
    pub fn from_seed(seed: u64) -> Self {
        let mut random = Random::new(seed, Stream::Plan);
        let settings = settings(&mut random);
        let mood = Mood {
            reads: random.pick(&[0, 100, 250]),
            changes: random.pick(&[0, 0, 30, 100, 250]),
            crashes: random.pick(&[0, 20, 60, 150]),
            cuts: random.pick(&[0, 20, 60, 150]),
            weather: random.pick(&[0, 20, 60]),
            ambushes: random.pick(&[0, 0, 30, 100]),
            compactions: random.pick(&[0, 20, 100]),
            transfers: random.pick(&[0, 0, 20, 60]),
            nudges: random.pick(&[0, 0, 20, 60]),
            large_changes: random.coin(),
        };
        let end = TICK * random.pick(&[100, 200, 400]);
        let gap = random.pick(&[TICK / 5, TICK / 2, TICK * 2]);
        let mut events = Vec::new();
        let mut at = random.below(TICK);
        while at < end {
            let action = action(&mut random, &settings, &mood);
            events.push(Event { at, action });
            at += random.between(1, 2 * gap);
        }
        Plan {
            seed,
            settings,
            end,
            events,
            mishaps: Vec::new(),
            fixed: false,
            recovery: true,
        }
    }
}

fn settings(random: &mut Random) -> Settings {
    let count = random.pick(&[1, 2, 3, 3, 3, 4, 5, 5, 6, 7]);
    let some = random.between(1, count);
    let voters = random.pick(&[count, count, count, count.min(3), some]);
    let check_quorum = random.coin();
    let lease = check_quorum && random.percent(40);
    let election_ticks = random.pick(&[3, 5, 10]);
    let skewed = !lease && random.percent(40);
    let shared = Shared {
        skewed,
        asynchronous: random.pick(&[0, 50, 100]),
        plain: random.percent(30),
        disk: random.pick(&[0, 0, 10, 60]),
    };
    Settings {
        voters,
        check_quorum,
        pre_vote: random.coin(),
        step_down_on_removal: random.percent(80),
        lease,
        election_ticks,
        nodes: (0..count).map(|_| node(random, &shared)).collect(),
    }
}

/// What the nodes of a cluster have in common.
struct Shared {
    skewed: bool,
    asynchronous: u64,
    /// Whether limits are far away.
    plain: bool,
    disk: Moment,
}

fn node(random: &mut Random, shared: &Shared) -> NodeSettings {
    let limits = |random: &mut Random, tight: &[u64], wide: u64| {
        if shared.plain {
            wide
        } else {
            random.pick(tight)
        }
    };
    let max_message_bytes = limits(random, &[0, 60, 200, 1 << 20], 1 << 20);
    let inflight_bytes = limits(random, &[0, 0, 1, 100], 0);
    NodeSettings {
        // 53 bits, so that any reader of the plan's file keeps them.
        seed: random.number() >> 11,
        tick: if shared.skewed {
            random.between(70, 140)
        } else {
            TICK
        },
        first_tick: random.between(1, TICK),
        asynchronous: random.percent(shared.asynchronous),
        message_per_proposal: random.coin(),
        heartbeat_ticks: random.pick(&[1, 1, 2]),
        max_message_bytes,
        max_applying_bytes: limits(random, &[0, 60, 1 << 20], 1 << 20),
        max_uncommitted_bytes: limits(random, &[0, 100, 1 << 20], 1 << 20),
        inflight_messages: if shared.plain {
            256
        } else {
            random.pick(&[1, 2, 4, 256])
        },
        inflight_bytes: if inflight_bytes == 0 {
            0
        } else {
            max_message_bytes.max(inflight_bytes)
        },
        max_pending_reads: random.pick(&[1, 4096]),
        forward_proposals: random.percent(80),
        latency: random.pick(&[0, 0, 5, 30]),
        write: if shared.disk == 0 {
            0
        } else {
            random.below(2 * shared.disk)
        },
        apply: random.pick(&[0, 5, 40]),
        pause: random.pick(&[0, 0, 0, 7]),
    }
}

fn action(random: &mut Random, settings: &Settings, mood: &Mood) -> Action {
    let count = settings.nodes.len() as u64;
    let mut chance = random.below(1000);
    let mut is = |often: u64| {
        let hit = chance < often;
        chance = chance.saturating_sub(often);
        hit
    };
    if is(mood.reads) {
        return Action::Read {
            client: client(random),
            to: asked(random, count),
            key: key(random),
        };
    }
    if is(mood.changes) {
        return change(random, count, mood.large_changes);
    }
    if is(mood.crashes) {
        return crash(random, count);
    }
    if is(mood.cuts) {
        return cut(random, count);
    }
    if is(mood.ambushes) {
        return ambush(random);
    }
    if is(mood.weather) {
        return weather(random);
    }
    if is(mood.compactions) {
        return Action::Compact {
            on: any(random, count),
            keep: random.pick(&[0, 0, 2, 5]),
        };
    }
    if is(mood.transfers) {
        return Action::Transfer {
            to: asked(random, count),
            transferee: id(random, count),
        };
    }
    if is(mood.nudges) {
        return nudge(random, count);
    }
    Action::Write {
        client: client(random),
        to: asked(random, count),
        key: key(random),
        filling: random.pick(&[0, 0, 0, 30, 200]),
    }
}

fn id(random: &mut Random, count: u64) -> NodeId {
    1 + random.below(count)
}

/// Any node, and somewhat more often the leader, with whom more can go wrong.
fn any(random: &mut Random, count: u64) -> Target {
    if random.percent(30) {
        Target::Leader
    } else {
        Target::Node(id(random, count))
    }
}

/// Whom a client asks: most know the leader.
fn asked(random: &mut Random, count: u64) -> Target {
    if random.percent(60) {
        Target::Leader
    } else {
        Target::Node(id(random, count))
    }
}

fn client(random: &mut Random) -> u8 {
    u8::try_from(random.below(u64::from(CLIENTS - 1))).unwrap_or(0)
}

fn key(random: &mut Random) -> u8 {
    u8::try_from(random.below(u64::from(KEYS))).unwrap_or(0)
}

fn change(random: &mut Random, count: u64, large: bool) -> Action {
    let to = asked(random, count);
    let leaves = random.percent(15);
    let steps = match (leaves, large && random.coin()) {
        (true, _) => 0,
        (false, true) => random.between(1, 3),
        (false, false) => 1,
    };
    let way = if large && !leaves {
        random.pick(&[Way::Auto, Way::Auto, Way::JointImplicit, Way::JointExplicit])
    } else {
        Way::Auto
    };
    let steps = (0..steps).map(|_| step(random, count)).collect();
    Action::Change { to, way, steps }
}

fn step(random: &mut Random, count: u64) -> Step {
    let id = id(random, count);
    match random.below(8) {
        0..=2 => Step::AddVoter(id),
        3..=4 => Step::AddLearner(id),
        5..=6 => Step::Remove(id),
        _ => Step::Update(id),
    }
}

fn write_fate(random: &mut Random) -> WriteFate {
    match random.below(4) {
        0 | 1 => WriteFate::Lost,
        2 => WriteFate::Torn(u8::try_from(random.below(4)).unwrap_or(0)),
        _ => WriteFate::Whole,
    }
}

fn crash(random: &mut Random, count: u64) -> Action {
    Action::Crash {
        on: any(random, count),
        write: write_fate(random),
        keeps_machine: random.coin(),
        down: random.pick(&[1, TICK / 2, TICK * 3, TICK * 20]),
    }
}

fn cut(random: &mut Random, count: u64) -> Action {
    let mut ways = Vec::new();
    let mut both = |from: NodeId, to: NodeId| ways.extend([(from, to), (to, from)]);
    match random.below(5) {
        // One way only.
        0 => ways.push((id(random, count), id(random, count))),
        // Two nodes that everyone else still reaches.
        1 => both(id(random, count), id(random, count)),
        // One node against all others.
        2 | 3 => {
            let alone = id(random, count);
            (1..=count)
                .filter(|other| *other != alone)
                .for_each(|other| both(alone, other));
        }
        // Two groups.
        _ => {
            let side: Vec<bool> = (0..count).map(|_| random.coin()).collect();
            for (from, a) in (1..).zip(&side) {
                for (to, b) in (1..).zip(&side) {
                    if a != b {
                        ways.push((from, to));
                    }
                }
            }
        }
    }
    ways.retain(|(from, to)| from != to);
    Action::Cut {
        ways,
        lasting: TICK * random.pick(&[1, 5, 20, 60]),
    }
}

fn ambush(random: &mut Random) -> Action {
    let harm = match random.below(5) {
        0 | 1 => Harm::Crash(write_fate(random)),
        2 | 3 => Harm::CutOff,
        _ => Harm::Muted,
    };
    Action::Ambush {
        after: random.pick(&[1, 15, 25, 40, 100, 200]),
        harm,
        lasting: TICK * random.pick(&[3, 10, 20, 40]),
    }
}

fn weather(random: &mut Random) -> Action {
    Action::Weather {
        weather: Weather {
            lost: random.pick(&[0, 5, 20, 50]),
            twice: random.pick(&[0, 5, 20]),
            late: random.pick(&[0, 10, 40]),
            latest: random.pick(&[30, TICK, TICK * 10, TICK * 50]),
            slow: random.pick(&[0, 10, 40]),
            slowest: random.pick(&[30, TICK, TICK * 10]),
        },
        lasting: TICK * random.pick(&[5, 20, 80]),
    }
}

fn nudge(random: &mut Random, count: u64) -> Action {
    let on = any(random, count);
    match random.below(3) {
        0 => Action::Campaign { on },
        1 => Action::ForgetLeader { on },
        _ => Action::Unreachable {
            on,
            peer: id(random, count),
        },
    }
}
