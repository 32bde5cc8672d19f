//! A plan: everything that happens to a cluster from outside, as data.
//!
//! The rule: a plan and the engine decide a run. What is chosen while a plan is carried out
//! (which message a storm takes) is drawn from the plan's seed, and can be written down as
//! [`Mishap`]s: a plan with those instead of weather gives the same run, and then each of
//! them can be left out alone. That is how the shrinker comes to a short story.

mod generate;
mod words;

use raft_kernel::{Change, ConfChange, NodeId, Transition};
use serde::{Deserialize, Serialize};

pub(crate) use words::Ticks;

/// Moments of virtual time, a hundredth of a tick each.
pub type Moment = u64;

/// How many moments pass between two ticks of a clock that goes right.
pub const TICK: Moment = 100;

/// How long a message is on its way when nothing is wrong, at the least.
pub const LATENCY: Moment = 10;

/// The registers that clients write and read.
pub const KEYS: u8 = 3;

/// The clients, each with one request at a time. The last one asks only when the cluster is
/// to get well; plans name the others.
pub const CLIENTS: u8 = 4;

/// What is to happen to a cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Where it came from. The weather is drawn from it too.
    pub seed: u64,
    /// The cluster.
    pub settings: Settings,
    /// When the mishaps end.
    pub end: Moment,
    /// What happens, by time.
    pub events: Vec<Event>,
    /// What happens to single messages and writes. While there are any, or once `fixed` is
    /// set, no weather is drawn.
    pub mishaps: Vec<Mishap>,
    /// Whether the mishaps are all there are, and weather does nothing.
    pub fixed: bool,
    /// Whether all is to go well afterwards, and the cluster to get well by itself.
    pub recovery: bool,
}

/// The cluster, and what its nodes agree on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(clippy::struct_excessive_bools)] // Each is one switch of the engine's `Config`.
pub struct Settings {
    /// How many of the nodes, from n1 on, found the cluster as its voters.
    pub voters: u64,
    /// The engine's switch of this name.
    pub check_quorum: bool,
    /// The engine's switch of this name.
    pub pre_vote: bool,
    /// The engine's switch of this name.
    pub step_down_on_removal: bool,
    /// Whether reads are made safe by a lease. Never while clocks differ in speed: lease
    /// reads do not claim to be right then.
    pub lease: bool,
    /// The engine's setting of this name. Who waits less than the others would disturb
    /// every election that it cannot win, so it is one for all.
    pub election_ticks: u32,
    /// Each node's own settings, n1 first.
    pub nodes: Vec<NodeSettings>,
}

/// A node's own settings: the engine's, and its machine's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(clippy::struct_excessive_bools)]
pub struct NodeSettings {
    /// Seeds the engine.
    pub seed: u64,
    /// The moments between two ticks.
    pub tick: Moment,
    /// The moments before the first.
    pub first_tick: Moment,
    /// Whether writing and applying go on by themselves.
    pub asynchronous: bool,
    /// Whether each proposal goes in a message of its own.
    pub message_per_proposal: bool,
    /// The engine's setting of this name.
    pub heartbeat_ticks: u32,
    /// The engine's setting of this name.
    pub max_message_bytes: u64,
    /// The engine's setting of this name.
    pub max_applying_bytes: u64,
    /// The engine's setting of this name.
    pub max_uncommitted_bytes: u64,
    /// How many messages may be on their way to a follower.
    pub inflight_messages: u32,
    /// How many bytes, or 0 for any.
    pub inflight_bytes: u64,
    /// The engine's setting of this name.
    pub max_pending_reads: u32,
    /// The engine's setting of this name.
    pub forward_proposals: bool,
    /// What this node adds to the way of each message that it sends.
    pub latency: Moment,
    /// How long a write takes.
    pub write: Moment,
    /// How long applying takes, on an asynchronous node.
    pub apply: Moment,
    /// How long the loop waits for more input before it takes a `Ready`.
    pub pause: Moment,
}

/// One thing that happens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// When.
    pub at: Moment,
    /// What.
    pub action: Action,
}

/// To whom it happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Target {
    /// To this node.
    Node(NodeId),
    /// To the running leader of the highest term; to nobody, if there is none.
    Leader,
}

/// What can happen from outside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Action {
    /// A client writes a value that nobody else writes to a register, and is told which it
    /// replaced.
    Write {
        /// The client.
        client: u8,
        /// The node that it asks.
        to: Target,
        /// The register.
        key: u8,
        /// How many bytes the command has beyond what it says.
        filling: u16,
    },
    /// A client reads a register.
    Read {
        /// The client.
        client: u8,
        /// The node that it asks.
        to: Target,
        /// The register.
        key: u8,
    },
    /// Somebody proposes to change the configuration.
    Change {
        /// The node that is asked.
        to: Target,
        /// The way from the old one to the new one.
        way: Way,
        /// The steps. None: leave the joint configuration.
        steps: Vec<Step>,
    },
    /// Somebody asks for leadership to be moved.
    Transfer {
        /// The node that is asked.
        to: Target,
        /// The node that is to lead.
        transferee: NodeId,
    },
    /// A node makes a snapshot and forgets the log before it.
    Compact {
        /// The node.
        on: Target,
        /// So many entries before the snapshot are kept.
        keep: u64,
    },
    /// A node stops at once, and starts again later.
    Crash {
        /// The node.
        on: Target,
        /// What becomes of a write that is under way.
        write: WriteFate,
        /// Whether the state machine keeps what it has, or begins with the snapshot.
        keeps_machine: bool,
        /// For how long it is down.
        down: Moment,
    },
    /// Something happens to whoever becomes the leader next, soon after: the moments in which
    /// most bugs live.
    Ambush {
        /// So long after.
        after: Moment,
        /// What.
        harm: Harm,
        /// For how long.
        lasting: Moment,
    },
    /// Messages sent on these ways get lost.
    Cut {
        /// From whom, to whom.
        ways: Vec<(NodeId, NodeId)>,
        /// For how long.
        lasting: Moment,
    },
    /// Chance takes a hand.
    Weather {
        /// Of what kind.
        weather: Weather,
        /// For how long.
        lasting: Moment,
    },
    /// A caller tells a node to stand for election.
    Campaign {
        /// The node.
        on: Target,
    },
    /// A caller tells a node to forget its leader.
    ForgetLeader {
        /// The node.
        on: Target,
    },
    /// A transport tells a node that another one is out of reach.
    Unreachable {
        /// The node that is told.
        on: Target,
        /// The other.
        peer: NodeId,
    },
}

/// What happens to a node that is ambushed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Harm {
    /// It crashes; this becomes of a write that is under way.
    Crash(WriteFate),
    /// Nothing that it sends arrives, and nothing reaches it.
    CutOff,
    /// All that it hears arrives, and nothing that it sends.
    Muted,
}

/// What becomes of a write that is under way at a crash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum WriteFate {
    /// Nothing of it is on the disk.
    Lost,
    /// So many of its records are: a snapshot, then the entries one by one, then the hard
    /// state. The record after them was cut off, and recovery throws it away.
    Torn(u8),
    /// All of it is, and nobody was told.
    Whole,
}

/// How the old configuration becomes the new one; see the engine's `Transition`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Way {
    /// In one step where that is safe.
    Auto,
    /// Through a joint configuration that is left automatically.
    JointImplicit,
    /// Through a joint configuration that stays until somebody leaves it.
    JointExplicit,
}

/// One step of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Step {
    /// The node is to vote.
    AddVoter(NodeId),
    /// The node is to learn.
    AddLearner(NodeId),
    /// The node is to go.
    Remove(NodeId),
    /// Nothing changes but what is known of the node.
    Update(NodeId),
}

/// What chance does, in percent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Weather {
    /// Of the messages, so many get lost.
    pub lost: u64,
    /// So many arrive twice.
    pub twice: u64,
    /// So many are late.
    pub late: u64,
    /// By so much at the most.
    pub latest: Moment,
    /// Of the writes, so many are slow.
    pub slow: u64,
    /// By so much at the most.
    pub slowest: Moment,
}

/// What happens to one message or one write.
///
/// A message is known by when it is sent, not by its number among all: so what it means stays
/// the same when something before it is left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Mishap {
    /// Of the messages of a kind that one node sends another from a moment on, the `nth`
    /// arrives after these times.
    Message {
        /// The sender.
        from: NodeId,
        /// The receiver.
        to: NodeId,
        /// The message's name in the protocol.
        kind: String,
        /// From when on.
        at: Moment,
        /// Which of them, counted from 0.
        nth: u64,
        /// Once for each; never, if there is none.
        after: Vec<Moment>,
    },
    /// Of the writes that a node begins from a moment on, the `nth` takes so long.
    Write {
        /// The node.
        on: NodeId,
        /// From when on.
        at: Moment,
        /// Which of them, counted from 0.
        nth: u64,
        /// How long.
        takes: Moment,
    },
}

impl Mishap {
    /// From when on it waits for what it happens to.
    pub fn at(&self) -> Moment {
        match self {
            Mishap::Message { at, .. } | Mishap::Write { at, .. } => *at,
        }
    }

    pub(crate) fn at_mut(&mut self) -> &mut Moment {
        match self {
            Mishap::Message { at, .. } | Mishap::Write { at, .. } => at,
        }
    }
}

impl Plan {
    /// How many things there are in it that a shorter plan could do without.
    pub fn len(&self) -> usize {
        self.events.len() + self.mishaps.len()
    }

    /// Whether nothing happens.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Says why it cannot be carried out, if it cannot: one from a file may say anything.
    pub fn validate(&self) -> Result<(), String> {
        let settings = &self.settings;
        let count = settings.nodes.len() as u64;
        if !(1..=7).contains(&count) {
            return Err(format!("a cluster has 1 to 7 nodes, not {count}"));
        }
        if !(1..=count).contains(&settings.voters) {
            return Err(format!("of {count} nodes {} are to vote", settings.voters));
        }
        if settings.nodes.iter().any(|node| node.tick == 0) {
            return Err("a clock stands still: tick must be at least 1".to_owned());
        }
        let first_tick = settings.nodes.first().map(|node| node.tick);
        let skewed = settings
            .nodes
            .iter()
            .any(|node| Some(node.tick) != first_tick);
        if settings.lease && skewed {
            return Err("reads by lease need clocks of one speed".to_owned());
        }
        let unknown = |id: &NodeId| !(1..=count).contains(id);
        for event in &self.events {
            let asks = match &event.action {
                Action::Write { client, key, .. } | Action::Read { client, key, .. } => {
                    *client < CLIENTS && *key < KEYS
                }
                _ => true,
            };
            if !asks {
                return Err(format!("no such client or register: {}", event.action));
            }
        }
        let ages = |moment: Moment| moment > Moment::from(u32::MAX >> 1);
        let too_late = self.events.iter().any(|event| {
            let for_ages = match &event.action {
                Action::Weather { weather, lasting } => {
                    ages(*lasting) || ages(weather.latest) || ages(weather.slowest)
                }
                Action::Cut { lasting, .. } => ages(*lasting),
                Action::Ambush { after, lasting, .. } => ages(*after) || ages(*lasting),
                Action::Crash { down, .. } => ages(*down),
                _ => false,
            };
            for_ages || ages(event.at)
        });
        if too_late || ages(self.end) {
            return Err("it would take ages".to_owned());
        }
        for mishap in &self.mishaps {
            let strange = match mishap {
                Mishap::Message { from, to, .. } => unknown(from) || unknown(to),
                Mishap::Write { on, .. } => unknown(on),
            };
            if strange {
                return Err(format!("no such node: {mishap}"));
            }
        }
        Ok(())
    }
}

impl Step {
    fn to_engine(self) -> Change {
        match self {
            Step::AddVoter(id) => Change::AddVoter(id),
            Step::AddLearner(id) => Change::AddLearner(id),
            Step::Remove(id) => Change::Remove(id),
            Step::Update(id) => Change::Update(id),
        }
    }
}

/// The change that the engine is asked for.
pub(crate) fn conf_change(way: Way, steps: &[Step]) -> ConfChange {
    ConfChange {
        transition: match way {
            Way::Auto => Transition::Auto,
            Way::JointImplicit => Transition::JointImplicit,
            Way::JointExplicit => Transition::JointExplicit,
        },
        changes: steps.iter().map(|step| step.to_engine()).collect(),
        ..ConfChange::default()
    }
}
