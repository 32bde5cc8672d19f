//! A network that fails.
//!
//! The rule: a node is not told what becomes of its messages. They may be lost, come
//! late, come twice, or overtake each other (section 5 of the paper asks for no more than
//! that some of them arrive). Only a node that is not running is noticed, as a closed
//! door is.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::RangeInclusive;

use ch05_two_node_cluster::{Post, Undelivered};
use raft_kernel::{Message, MessageBody, NodeId};

use crate::{Chance, Random, Time};

/// What the network does to messages at present.
// ANCHOR: weather
#[derive(Clone, Copy, Debug)]
pub struct Weather {
    /// How many messages get lost.
    pub drop: Chance,
    /// How many come twice.
    pub duplicate: Chance,
    /// How many take long.
    pub linger: Chance,
}

/// How many milliseconds a message takes. Those that differ may overtake each other.
const USUAL: RangeInclusive<u64> = 1..=30;
/// How many it takes if it lingers: time enough for an election, or for a restart.
const LONG: RangeInclusive<u64> = 100..=3000;

impl Weather {
    /// Bad, with so many messages lost.
    pub fn stormy(drop: Chance) -> Self {
        Weather {
            drop,
            duplicate: Chance::percent(5),
            linger: Chance::percent(10),
        }
    }

    /// Nothing is lost, late or twice.
    pub fn calm() -> Self {
        Weather {
            drop: Chance::NEVER,
            duplicate: Chance::NEVER,
            linger: Chance::NEVER,
        }
    }
}
// ANCHOR_END: weather

/// The way between the nodes.
// ANCHOR: network
#[derive(Debug)]
pub struct Network {
    /// What it does to messages.
    pub weather: Weather,
    /// Which way is closed at present, without anybody being told.
    pub cut: Option<Cut>,
    /// Nodes that are not running.
    pub down: BTreeSet<NodeId>,
    /// What was sent since this was last emptied, and when it is going to arrive.
    pub arrivals: Vec<(Time, Message)>,
    /// What was counted.
    pub traffic: Traffic,
    now: Time,
    random: Random,
    watched: Option<Vec<(Message, Fate)>>,
}
// ANCHOR_END: network

// ANCHOR: deliver
impl Post for Network {
    fn send(&mut self, message: Message) -> Result<(), Undelivered> {
        let to = message.to;
        let fate = self.fate(&message);
        self.traffic.count(&message, fate);
        self.watch(&message, fate);
        match fate {
            Fate::NobodyThere => return Err(Undelivered::NobodyThere(to)),
            Fate::CutOff | Fate::Dropped => {}
            Fate::Sent => self.dispatch(message),
            Fate::SentTwice => {
                self.dispatch(message.clone());
                self.dispatch(message);
            }
        }
        Ok(())
    }
}
// ANCHOR_END: deliver

impl Network {
    /// A network in this weather.
    pub fn new(weather: Weather, seed: u64) -> Self {
        Network {
            weather,
            cut: None,
            down: BTreeSet::new(),
            arrivals: Vec::new(),
            traffic: Traffic::default(),
            now: Time::default(),
            random: Random::new(seed),
            watched: None,
        }
    }

    /// Lets the time be `now`.
    pub fn set_time(&mut self, now: Time) {
        self.now = now;
    }

    /// Keeps a copy of every message from now on.
    pub fn watch_messages(&mut self) {
        self.watched = Some(Vec::new());
    }

    /// The copies since this was last called.
    pub fn take_watched(&mut self) -> Vec<(Message, Fate)> {
        self.watched
            .as_mut()
            .map(std::mem::take)
            .unwrap_or_default()
    }

    fn watch(&mut self, message: &Message, fate: Fate) {
        if let Some(watched) = &mut self.watched {
            watched.push((message.clone(), fate));
        }
    }

    // ANCHOR: fate
    fn fate(&mut self, message: &Message) -> Fate {
        let weather = self.weather;
        if self.down.contains(&message.to) {
            Fate::NobodyThere
        } else if self
            .cut
            .is_some_and(|cut| cut.parts(message.from, message.to))
        {
            Fate::CutOff
        } else if self.random.happens(weather.drop) {
            Fate::Dropped
        } else if self.random.happens(weather.duplicate) {
            Fate::SentTwice
        } else {
            Fate::Sent
        }
    }

    fn dispatch(&mut self, message: Message) {
        let lingers = self.random.happens(self.weather.linger);
        self.traffic.late += u64::from(lingers);
        let takes = self.random.between(if lingers { LONG } else { USUAL });
        self.arrivals.push((self.now + takes, message));
    }
    // ANCHOR_END: fate
}

/// What became of a message when it was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is on its way.
    Sent,
    /// It is on its way, twice.
    SentTwice,
    /// It is lost.
    Dropped,
    /// It is lost, since the way is closed.
    CutOff,
    /// The node that it is for is not running, and its sender is told.
    NobodyThere,
}

impl fmt::Display for Fate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Fate::Sent => "",
            Fate::SentTwice => "  (twice)",
            Fate::Dropped => "  (lost)",
            Fate::CutOff => "  (cut off)",
            Fate::NobodyThere => "  (nobody there)",
        })
    }
}

/// Who cannot reach whom.
// ANCHOR: cut
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// This node and the others do not reach each other.
    Alone(NodeId),
    /// This node is heard, and hears nobody.
    Deaf(NodeId),
    /// This node hears, and nobody hears it.
    Mute(NodeId),
    /// These two do not reach each other; everybody else reaches both.
    Between(NodeId, NodeId),
}

impl Cut {
    /// Whether what `from` sends to `to` is lost.
    pub fn parts(self, from: NodeId, to: NodeId) -> bool {
        match self {
            Cut::Alone(id) => id == from || id == to,
            Cut::Deaf(id) => id == to,
            Cut::Mute(id) => id == from,
            Cut::Between(a, b) => (a, b) == (from, to) || (b, a) == (from, to),
        }
    }
}
// ANCHOR_END: cut

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cut::Alone(id) => write!(f, "node {id} is cut off from the others"),
            Cut::Deaf(id) => write!(f, "node {id} hears nobody any more"),
            Cut::Mute(id) => write!(f, "nobody hears node {id} any more"),
            Cut::Between(a, b) => write!(f, "nodes {a} and {b} are cut off from each other"),
        }
    }
}

/// What the network did so far, in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Messages that were sent.
    pub sent: u64,
    /// Of these, lost by chance.
    pub dropped: u64,
    /// Lost because the way was closed.
    pub cut_off: u64,
    /// For nodes that were not running.
    pub nobody_there: u64,
    /// On their way twice.
    pub twice: u64,
    /// Copies that lingered.
    pub late: u64,
    /// Snapshots among all that was sent.
    pub snapshots: u64,
}

impl Traffic {
    fn count(&mut self, message: &Message, fate: Fate) {
        self.sent += 1;
        if matches!(message.body, MessageBody::InstallSnapshot { .. }) {
            self.snapshots += 1;
        }
        match fate {
            Fate::Sent => {}
            Fate::SentTwice => self.twice += 1,
            Fate::Dropped => self.dropped += 1,
            Fate::CutOff => self.cut_off += 1,
            Fate::NobodyThere => self.nobody_there += 1,
        }
    }
}
