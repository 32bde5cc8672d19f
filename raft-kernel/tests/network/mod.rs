//! A cluster in memory, for tests: every run is the same, nothing waits for a clock.
//!
//! A cluster begins after a snapshot at index 1 of term 1 that names the voters, as if
//! somebody had founded it before. So the first election is for term 2, and the first
//! entry of its leader stands at index 2.

#![allow(dead_code)] // Each test crate uses a part of it.

mod driving;
mod founding;
pub(crate) mod fragile;
pub(crate) mod machine;
pub(crate) mod observer;
pub(crate) mod random;
pub(crate) mod server;
pub(crate) mod shadow;
pub(crate) mod words;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt::Write;

use raft_kernel::{
    ConfChange, ConfState, Config, Error, Event, Index, MemoryStorage, Message, MessageBody,
    NodeId, Proposed, RawNode, ReadState, Role, SnapshotOutcome, Status, Term,
};

#[allow(unused_imports)] // As above.
pub(crate) use founding::{asynchronous, founded, plain, with_log};
use observer::Observer;
use server::{MachineFate, Server};

type Predicate = Box<dyn FnMut(&Message) -> bool>;

/// Servers and what is on its way between them.
pub(crate) struct Network {
    pub(crate) servers: BTreeMap<NodeId, Server>,
    /// Messages on their way, oldest first.
    pub(crate) wire: VecDeque<Message>,
    pub(crate) observer: Observer,
    cut: BTreeSet<(NodeId, NodeId)>,
    drops: Option<Predicate>,
    /// What was lost since somebody looked.
    pub(crate) lost: Vec<Message>,
    /// What nodes would not take.
    pub(crate) refused: Vec<Error>,
    /// How to run this again, for whoever reads of a failure.
    pub(crate) replay: String,
}

impl Network {
    /// Voters whose logs hold commands of these terms from index 2 on, as figures 6 to 8
    /// of the paper draw them.
    pub(crate) fn with_logs(logs: &[&[Term]], config: impl Fn(NodeId) -> Config) -> Self {
        let mut network = Self::founded_as(&ConfState::default(), []);
        let conf_state = ConfState::of_voters((1..).take(logs.len()));
        for (terms, id) in logs.iter().zip(1..) {
            network.add_with(config(id), with_log(conf_state.clone(), terms));
        }
        network
    }

    /// A founded cluster of the voters `1..=count` with plain settings.
    pub(crate) fn of(count: NodeId) -> Self {
        Self::with(count, plain)
    }

    /// The same with other settings.
    pub(crate) fn with(count: NodeId, config: impl Fn(NodeId) -> Config) -> Self {
        let conf_state = ConfState::of_voters(1..=count);
        Self::founded_as(&conf_state, (1..=count).map(config))
    }

    /// A founded cluster of the voters `1..=voters` and a learner after them, with plain
    /// settings.
    pub(crate) fn with_learner(voters: NodeId) -> Self {
        let learner = voters + 1;
        let conf_state = ConfState {
            voters: (1..=voters).collect(),
            learners: vec![learner],
            ..ConfState::default()
        };
        Self::founded_as(&conf_state, (1..=learner).map(plain))
    }

    /// A founded cluster with these settings. Whoever `conf_state` does not name begins
    /// empty, ready to join.
    pub(crate) fn founded_as(
        conf_state: &ConfState,
        configs: impl IntoIterator<Item = Config>,
    ) -> Self {
        let server = |config: Config| {
            let storage = if conf_state.contains(config.id) {
                founded(conf_state.clone())
            } else {
                MemoryStorage::new()
            };
            (config.id, Server::new(config, storage))
        };
        Network {
            servers: configs.into_iter().map(server).collect(),
            wire: VecDeque::new(),
            observer: Observer::default(),
            cut: BTreeSet::new(),
            drops: None,
            lost: Vec::new(),
            refused: Vec::new(),
            replay: String::new(),
        }
    }

    /// Adds a server that waits to be taken into the cluster.
    pub(crate) fn add(&mut self, config: Config) {
        self.add_with(config, MemoryStorage::new());
    }

    pub(crate) fn add_with(&mut self, config: Config, storage: MemoryStorage) {
        self.servers.insert(config.id, Server::new(config, storage));
    }

    pub(crate) fn ids(&self) -> Vec<NodeId> {
        self.servers.keys().copied().collect()
    }

    pub(crate) fn server(&mut self, id: NodeId) -> &mut Server {
        self.servers.get_mut(&id).expect("a server of the test")
    }

    pub(crate) fn node(&mut self, id: NodeId) -> &mut RawNode<MemoryStorage> {
        self.server(id).node()
    }

    // What the tests ask.

    pub(crate) fn status(&mut self, id: NodeId) -> Status {
        self.node(id).status()
    }

    pub(crate) fn term(&mut self, id: NodeId) -> Term {
        self.status(id).hard_state.term
    }

    pub(crate) fn commit(&mut self, id: NodeId) -> Index {
        self.status(id).hard_state.commit
    }

    pub(crate) fn role(&mut self, id: NodeId) -> Role {
        self.node(id).role()
    }

    /// The commands that the node's state machine has applied.
    pub(crate) fn commands(&mut self, id: NodeId) -> Vec<String> {
        let commands = &self.server(id).machine.commands;
        commands
            .iter()
            .map(|(_, command)| command.clone())
            .collect()
    }

    /// The terms of the entries in the node's log.
    pub(crate) fn terms(&mut self, id: NodeId) -> Vec<Term> {
        self.server(id).shadow.terms()
    }

    /// What the node said that it did, since this was asked last.
    pub(crate) fn take_events(&mut self, id: NodeId) -> Vec<Event> {
        self.server(id).take_events()
    }

    /// The reads that the node answered, since this was asked last: the index to wait for
    /// and the context.
    pub(crate) fn take_reads(&mut self, id: NodeId) -> Vec<(Index, String)> {
        let reads = std::mem::take(&mut self.server(id).reads);
        let told = |read: ReadState| (read.index, String::from_utf8_lossy(&read.context).into());
        reads.into_iter().map(told).collect()
    }

    /// The leader of the highest term that any running node leads.
    pub(crate) fn leader(&self) -> Option<NodeId> {
        let running = self.servers.values().filter_map(|s| s.node.as_ref());
        running
            .filter(|node| node.role() == Role::Leader)
            .max_by_key(|node| node.status().hard_state.term)
            .map(RawNode::id)
    }

    // What goes wrong between nodes.

    /// Loses every message that the predicate picks, until told otherwise.
    pub(crate) fn drop_when(&mut self, predicate: impl FnMut(&Message) -> bool + 'static) {
        self.drops = Some(Box::new(predicate));
    }

    /// Loses every message between the two, in both directions.
    pub(crate) fn cut(&mut self, a: NodeId, b: NodeId) {
        self.cut.extend([(a, b), (b, a)]);
    }

    pub(crate) fn isolate(&mut self, id: NodeId) {
        for other in self.ids() {
            self.cut(id, other);
        }
    }

    /// Cuts every connection between members of different groups.
    pub(crate) fn partition(&mut self, groups: &[&[NodeId]]) {
        for (place, group) in groups.iter().enumerate() {
            let others = groups.iter().skip(place + 1).copied().flatten();
            for other in others {
                for id in *group {
                    self.cut(*id, *other);
                }
            }
        }
    }

    /// Every message arrives again.
    pub(crate) fn heal(&mut self) {
        self.cut.clear();
        self.drops = None;
    }

    fn is_lost(&mut self, message: &Message) -> bool {
        self.cut.contains(&(message.from, message.to))
            || self.drops.as_mut().is_some_and(|drops| drops(message))
    }

    // Inputs.

    pub(crate) fn tick(&mut self, id: NodeId) {
        self.node(id).tick().expect("time passes for everyone");
        self.look(id);
    }

    /// So many ticks for every running node, each followed by all that comes of it.
    pub(crate) fn tick_all(&mut self, ticks: u32) {
        for _ in 0..ticks {
            for id in self.ids() {
                if self.server(id).node.is_some() {
                    self.tick(id);
                }
            }
            self.settle();
        }
    }

    /// Stands for election and lets everything happen that comes of it.
    pub(crate) fn campaign(&mut self, id: NodeId) {
        self.node(id)
            .campaign()
            .expect("a node may be told to stand");
        self.look(id);
        self.settle();
    }

    /// Makes `id` the leader.
    pub(crate) fn elect(&mut self, id: NodeId) {
        self.campaign(id);
        assert_eq!(self.role(id), Role::Leader, "n{id} was to be elected");
    }

    /// Proposes, and lets everything happen that comes of it.
    pub(crate) fn propose(&mut self, id: NodeId, command: &'static str) -> Proposed {
        let proposed = self.node(id).propose(command).expect("the leader takes it");
        self.settle();
        proposed
    }

    pub(crate) fn change(&mut self, id: NodeId, change: ConfChange) -> Proposed {
        let proposed = self.node(id).propose_conf_change(change);
        let proposed = proposed.expect("the leader takes it");
        self.settle();
        proposed
    }

    /// Hands a message to the node that it is for.
    pub(crate) fn deliver(&mut self, message: Message) {
        let (from, to) = (message.from, message.to);
        let is_snapshot = matches!(message.body, MessageBody::InstallSnapshot { .. });
        let Some(server) = self.servers.get_mut(&to) else {
            return;
        };
        let arrived = server.node.is_some();
        if let Some(node) = &mut server.node
            && let Err(error) = node.step(message)
        {
            assert!(!error.is_fatal(), "n{to} stopped: {error}");
            self.refused.push(error);
        }
        self.look(to);
        if is_snapshot {
            self.report_snapshot(from, to, arrived);
        }
    }

    /// A transport tells the sender of a snapshot what became of it.
    fn report_snapshot(&mut self, from: NodeId, to: NodeId, arrived: bool) {
        let outcome = if arrived {
            SnapshotOutcome::Arrived
        } else {
            SnapshotOutcome::Failed
        };
        if let Some(node) = self.servers.get_mut(&from).and_then(|s| s.node.as_mut()) {
            node.report_snapshot(to, outcome);
        }
    }

    pub(crate) fn lose(&mut self, message: Message) {
        if matches!(message.body, MessageBody::InstallSnapshot { .. }) {
            self.report_snapshot(message.from, message.to, false);
        }
        self.lost.push(message);
    }

    pub(crate) fn crash(&mut self, id: NodeId) {
        self.server(id).crash();
    }

    /// Starts it again with a state machine of its own.
    pub(crate) fn restart(&mut self, id: NodeId) {
        self.server(id).start(MachineFate::Survived);
    }

    /// How everyone stands.
    pub(crate) fn report(&self) -> String {
        let mut text = String::new();
        for (id, server) in &self.servers {
            let Some(node) = &server.node else {
                let _ = writeln!(text, "n{id} is down; {:?}", server.storage.hard_state());
                continue;
            };
            let status = node.status();
            let _ = writeln!(
                text,
                "n{id} {} of {:?}, {:?}, applied {}, {}, log {:?} then terms {:?}",
                status.soft_state.role,
                status.soft_state.leader,
                status.hard_state,
                status.applied,
                status.config,
                server.shadow.base,
                server.shadow.terms(),
            );
            for (peer, progress) in &status.progress {
                let _ = writeln!(text, "    n{peer}: {progress}");
            }
        }
        text
    }
}

/// A test that fails tells how everyone stood.
impl Drop for Network {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let seeds: BTreeMap<_, _> = self
                .servers
                .iter()
                .map(|(id, server)| (id, server.config.seed))
                .collect();
            eprintln!("{}seeds of the nodes: {seeds:?}", self.report());
            eprintln!("{}", self.replay);
        }
    }
}
