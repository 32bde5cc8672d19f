//! What a trace says, line by line.
//!
//! The format is told on the crate's first page; [`parse`](self::parse) reads it. A
//! [`Trace`] that exists is sound: its times do not go back, its nodes are known, and its
//! texts hold nothing that cannot be drawn.

mod parse;
mod reason;

use std::fmt;

pub use parse::{MAX_LINE, MAX_LINES, MAX_NODE, MAX_NODES};
pub use reason::{ParseError, Reason};

/// The number of a node: the 2 of `n2`.
pub type NodeId = u64;

/// A whole trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    headings: Vec<(String, String)>,
    nodes: Vec<NodeId>,
    events: Vec<Event>,
}

impl Trace {
    /// What the heading says under this name.
    pub fn heading(&self, name: &str) -> Option<&str> {
        let mut named = self.headings.iter().filter(|(key, _)| key == name);
        named.next().map(|(_, value)| value.as_str())
    }

    /// The nodes, in the order of their lanes.
    pub fn nodes(&self) -> &[NodeId] {
        &self.nodes
    }

    /// What happened, in order. There is at least one event.
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// What the trace shows: its title or, for want of one, the property that broke.
    pub fn title(&self) -> String {
        if let Some(title) = self.heading("title") {
            return title.to_owned();
        }
        match (self.heading("property"), self.heading("seen")) {
            (Some(property), Some(seen)) => format!("{property}: {seen}"),
            (Some(what), None) | (None, Some(what)) => what.to_owned(),
            (None, None) => "What happened".to_owned(),
        }
    }

    /// What the times count.
    pub fn unit(&self) -> &str {
        self.heading("unit").unwrap_or("ticks")
    }

    /// The place of a node among the lanes.
    pub(crate) fn lane(&self, node: NodeId) -> usize {
        let lane = self.nodes.iter().position(|known| *known == node);
        lane.unwrap_or_default()
    }
}

/// A moment, in hundredths of the trace's unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time(u64);

impl Time {
    /// So many hundredths after the beginning.
    pub const fn from_hundredths(hundredths: u64) -> Self {
        Time(hundredths)
    }
}

/// `12`, or `12.40` if it is not whole.
impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, hundredths) = (self.0 / 100, self.0 % 100);
        let text = if hundredths == 0 {
            whole.to_string()
        } else {
            format!("{whole}.{hundredths:02}")
        };
        f.pad(&text)
    }
}

/// One line of a trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// When it happened.
    pub time: Time,
    /// What happened.
    pub what: What,
}

/// What happens at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// A message reaches its end, good or bad.
    Message {
        /// Who sent it.
        from: NodeId,
        /// To whom.
        to: NodeId,
        /// Its kind, and what it says: `Heartbeat term 2, commit 4`.
        words: String,
        /// What became of it.
        fate: Fate,
    },
    /// A node does something, or something is done to it.
    Node {
        /// Which one.
        node: NodeId,
        /// In the trace's words.
        words: String,
        /// What that changes in its lane.
        change: Change,
    },
    /// Something happens to the whole cluster.
    Cluster(String),
    /// What broke.
    Broken(String),
}

/// What became of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It arrived.
    Arrived {
        /// When it was sent.
        sent: Time,
    },
    /// It arrived, and nobody took it.
    Unheard {
        /// When it was sent.
        sent: Time,
        /// Why nobody took it.
        why: String,
    },
    /// It was lost on its way.
    Lost,
}

/// What the words of a node change in its lane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The node is up, as a follower.
    Started {
        /// In this term.
        term: u64,
    },
    /// It has this role in this term, which may be news or not.
    Became {
        /// The role.
        role: Role,
        /// The term.
        term: u64,
    },
    /// Its log or what it knows to be committed has changed.
    Log(Log),
    /// It is down.
    Down,
    /// Nothing.
    Nothing,
}

/// What a node holds, and how much of it is committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Log {
    /// The first and the last index; none if the log holds nothing.
    pub entries: Option<(u64, u64)>,
    /// The highest index that the node knows to be committed.
    pub commit: u64,
}

/// The part that a node plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// It follows a leader, or waits for one.
    Follower,
    /// It asks whether it could win an election.
    PreCandidate,
    /// It stands for election.
    Candidate,
    /// It leads.
    Leader,
}

impl Role {
    pub(crate) const ALL: [Role; 4] = [
        Role::Follower,
        Role::PreCandidate,
        Role::Candidate,
        Role::Leader,
    ];

    /// The role as the trace writes it.
    pub fn name(self) -> &'static str {
        match self {
            Role::Follower => "follower",
            Role::PreCandidate => "pre-candidate",
            Role::Candidate => "candidate",
            Role::Leader => "leader",
        }
    }

    /// The letter that stands for it in a diagram.
    pub fn letter(self) -> char {
        match self {
            Role::Follower => 'F',
            Role::PreCandidate => 'P',
            Role::Candidate => 'C',
            Role::Leader => 'L',
        }
    }
}

/// The event as one sentence: the trace's line without the spaces before its time.
impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.time, self.what)
    }
}

/// What ends the line of a message, in brackets.
impl fmt::Display for Fate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fate::Arrived { sent } => write!(f, "(sent {sent})"),
            Fate::Unheard { sent, why } => write!(f, "(sent {sent}) ({why})"),
            Fate::Lost => f.write_str("(lost)"),
        }
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            What::Message {
                from,
                to,
                words,
                fate,
            } => {
                let arrow = if *fate == Fate::Lost { '↛' } else { '→' };
                write!(f, "n{from} {arrow} n{to} {words} {fate}")
            }
            What::Node { node, words, .. } => write!(f, "n{node}: {words}"),
            What::Cluster(words) => write!(f, "*: {words}"),
            What::Broken(words) => write!(f, "!: {words}"),
        }
    }
}
