//! Nodes in this process, over real sockets, and waiting for conditions.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::time::Duration;

use ch10_separate_processes::address::Address;
use ch10_separate_processes::machine::{StateMachine, Sum, command};
use ch10_separate_processes::outcome::Outcome;
use ch10_separate_processes::request::NodeStatus;
use ch10_separate_processes::server::{Server, Settings, Startup};
use ch10_separate_processes::wire::frame::Proposal;
use raft_kernel::{MemoryStorage, NodeId, Role};
use tokio::time::{Instant, sleep};

use super::network::Network;
use super::process::DEADLINE;

/// How often a condition is looked at.
const LOOK: Duration = Duration::from_millis(5);

/// A faster clock than the usual one.
const TICK: Duration = Duration::from_millis(30);

pub(crate) fn any_port() -> Address {
    "127.0.0.1:0".parse().expect("an address")
}

/// The usual settings, with that clock.
pub(crate) fn settings(id: NodeId, startup: Startup) -> Settings {
    Settings {
        tick: TICK,
        ..Settings::new(id, any_port(), startup)
    }
}

pub(crate) fn join(node: &Server, id: NodeId) -> Startup {
    Startup::Join(BTreeMap::from([(id, node.address().clone())]))
}

/// Nodes in this process, over real sockets.
#[derive(Default)]
pub(crate) struct Cluster {
    pub(crate) nodes: BTreeMap<NodeId, Server>,
}

impl Cluster {
    /// A node that founds a cluster, and leads it.
    pub(crate) async fn of_one() -> Self {
        let mut cluster = Cluster::default();
        cluster.start(settings(1, Startup::Bootstrap)).await;
        cluster
    }

    /// Three nodes that have joined, and proposed their numbers.
    pub(crate) async fn of_three() -> Self {
        let mut cluster = Cluster::of_one().await;
        for id in [2, 3] {
            let startup = join(&cluster.nodes[&1], 1);
            cluster.start(settings(id, startup)).await;
        }
        cluster.all_reach(14).await;
        cluster
    }

    /// Three nodes that reach each other through proxies only.
    pub(crate) async fn behind_proxies() -> (Self, Network) {
        Cluster::behind_proxies_with(TICK).await
    }

    /// The same with another clock.
    pub(crate) async fn behind_proxies_with(tick: Duration) -> (Self, Network) {
        let mut network = Network::new();
        let mut cluster = Cluster::default();
        for id in [1, 2, 3] {
            cluster.start_behind(&mut network, id, tick).await;
        }
        cluster.all_reach(14).await;
        (cluster, network)
    }

    /// Starts a node that others reach through a proxy only, and waits until it has joined.
    pub(crate) async fn start_behind(&mut self, network: &mut Network, id: NodeId, tick: Duration) {
        let front = network.front().await;
        let startup = match self.nodes.get(&1) {
            None => Startup::Bootstrap,
            Some(first) => join(first, 1),
        };
        let settings = Settings {
            advertise: Some(front.address.clone()),
            tick,
            ..settings(id, startup)
        };
        let node = Server::start::<_, Sum>(settings, MemoryStorage::new()).await;
        let node = node.expect("it starts");
        // The node listens where only its proxy knows.
        network.lead(front, id, node.bound().clone());
        self.nodes.insert(id, node);
        self.joined(id).await;
    }

    /// Starts a node that keeps a sum, and waits until it has joined.
    pub(crate) async fn start(&mut self, settings: Settings) {
        self.start_with::<Sum>(settings).await;
    }

    /// The same with another state machine.
    pub(crate) async fn start_with<M: StateMachine>(&mut self, settings: Settings) {
        let id = settings.id;
        let server = Server::start::<_, M>(settings, MemoryStorage::new()).await;
        self.nodes.insert(id, server.expect("it starts"));
        self.joined(id).await;
    }

    /// Waits until a node has joined, and proposed its number.
    pub(crate) async fn joined(&self, id: NodeId) {
        self.until("the new node has joined", |states| {
            states
                .get(&id)
                .is_some_and(|state| state.peers.contains_key(&id))
        })
        .await;
        let mut greeted = self.nodes[&id].greeted();
        let greeted = tokio::time::timeout(DEADLINE, greeted.wait_for(|done| *done)).await;
        assert!(matches!(greeted, Ok(Ok(_))), "{:?}", self.states().await);
    }

    pub(crate) async fn states(&self) -> BTreeMap<NodeId, NodeStatus> {
        let mut states = BTreeMap::new();
        for (id, node) in &self.nodes {
            if let Some(status) = node.handle().status().await {
                states.insert(*id, status);
            }
        }
        states
    }

    /// Waits for a condition, and prints every node's state if it does not come.
    pub(crate) async fn until(
        &self,
        what: &str,
        mut holds: impl FnMut(&BTreeMap<NodeId, NodeStatus>) -> bool,
    ) -> BTreeMap<NodeId, NodeStatus> {
        let deadline = Instant::now() + DEADLINE;
        loop {
            let states = self.states().await;
            if holds(&states) {
                return states;
            }
            assert!(Instant::now() < deadline, "{what}: not so, but {states:#?}");
            sleep(LOOK).await;
        }
    }

    pub(crate) async fn all_reach(&self, sum: u128) {
        let what = format!("every node has the sum {sum}");
        self.until(&what, |states| {
            states.values().all(|state| state.sum == sum)
        })
        .await;
    }

    /// The leader that at least `followers` nodes follow, itself counted.
    pub(crate) async fn leader(&self, among: &[NodeId]) -> NodeId {
        let agreed = |states: &BTreeMap<NodeId, NodeStatus>| {
            let leader = states
                .values()
                .find(|state| state.role == Role::Leader && among.contains(&state.id))?;
            let follows = |id: &NodeId| {
                let other = states.get(id);
                other.is_some_and(|other| {
                    other.leader == Some(leader.id) && other.term == leader.term
                })
            };
            among.iter().all(follows).then_some(leader.id)
        };
        let states = self
            .until("they follow one leader", |states| agreed(states).is_some())
            .await;
        agreed(&states).expect("as waited for")
    }

    /// Proposes a number, and waits until it is applied.
    pub(crate) async fn add(&self, node: NodeId, number: u64) -> Outcome {
        let outcome = self.offer(node, Proposal::Command(command(number))).await;
        assert_applied(&outcome, &self.states().await);
        outcome
    }

    /// Proposes something, again if an election came in between.
    pub(crate) async fn offer(&self, node: NodeId, proposal: Proposal) -> Outcome {
        let handle = self.nodes[&node].handle();
        handle.propose_patiently(proposal, DEADLINE).await
    }
}

pub(crate) fn assert_applied(outcome: &Outcome, states: &impl Debug) {
    let is_applied = matches!(outcome, Outcome::Applied { .. });
    assert!(is_applied, "{outcome}, while {states:#?}");
}
