//! A disk that fails: the node says so and stops, and has promised nothing.

mod support;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use ch10_separate_processes::address::Address;
use ch10_separate_processes::disk::{Disk, DiskError};
use ch10_separate_processes::identity::{Identity, Incarnation};
use ch10_separate_processes::machine::{Peer, Sum, command};
use ch10_separate_processes::node::{LogLimits, Node};
use ch10_separate_processes::outcome::Outcome;
use ch10_separate_processes::server::{Server, ServerError, Startup};
use ch10_separate_processes::wire::frame::Proposal;
use raft_kernel::{AppendWork, ConfState, Index, MemoryStorage, Message, NodeId, Role};
use support::{Cluster, DEADLINE, join, settings};
use tokio::time::timeout;

/// Memory that writes until it is told to fail.
#[derive(Clone)]
struct Faulty {
    memory: MemoryStorage,
    fails: Arc<AtomicBool>,
}

impl Faulty {
    fn new() -> Self {
        Faulty {
            memory: MemoryStorage::new(),
            fails: Arc::default(),
        }
    }

    fn fail(&self) {
        self.fails.store(true, Ordering::Relaxed);
    }

    fn check(&self) -> Result<(), DiskError> {
        if self.fails.load(Ordering::Relaxed) {
            return Err("the disk is on fire".into());
        }
        Ok(())
    }
}

impl Disk for Faulty {
    type Storage = MemoryStorage;

    fn storage(&self) -> MemoryStorage {
        self.memory.clone()
    }

    fn write(&mut self, work: &AppendWork) -> Result<(), DiskError> {
        self.check()?;
        self.memory.write(work)
    }

    fn compact(
        &mut self,
        index: Index,
        conf_state: ConfState,
        data: Bytes,
        forget: Index,
    ) -> Result<(), DiskError> {
        self.check()?;
        Disk::compact(&mut self.memory, index, conf_state, data, forget)
    }

    fn write_identity(&mut self, _: Identity) -> Result<(), DiskError> {
        self.check()
    }
}

/// Two nodes whose messages the test carries.
struct Pair {
    disks: [Faulty; 2],
    nodes: [Node<Faulty, Sum>; 2],
}

fn peer() -> Peer {
    Peer {
        address: Address::any_port(),
        incarnation: Incarnation(1),
    }
}

impl Pair {
    /// Node 1 leads, and node 2 follows.
    fn new() -> Self {
        let disks = [Faulty::new(), Faulty::new()];
        let start = |id: NodeId, disk: &Faulty| {
            Node::start(id, disk.clone(), LogLimits::default()).expect("an empty disk")
        };
        let nodes = [start(1, &disks[0]), start(2, &disks[1])];
        let mut pair = Pair { disks, nodes };
        pair.nodes[0].bootstrap(&peer()).expect("nothing is there");
        pair.settle();
        pair.nodes[0].lead_if_alone().expect("it may");
        pair.settle();
        let change = Proposal::Change(peer().added(2));
        pair.nodes[0].propose(change).expect("it leads");
        pair.settle();
        assert!(pair.nodes.iter().all(Node::is_member));
        pair
    }

    /// Turns both, and carries what they say, until nobody has anything to do.
    fn settle(&mut self) {
        while self.nodes.iter().any(Node::has_ready) {
            for place in 0..2 {
                for message in turn(&mut self.nodes[place]).expect("the disks work") {
                    self.carry(message);
                }
            }
        }
    }

    fn carry(&mut self, message: Message) {
        let to = usize::from(message.to == 2);
        self.nodes[to].step(message).expect("it can be taken");
    }
}

/// One turn, if there is anything to do: the messages that are sent.
fn turn(node: &mut Node<Faulty, Sum>) -> Result<Vec<Message>, DiskError> {
    let mut sent = Vec::new();
    if node.has_ready() {
        node.turn(|message| sent.push(message))?;
    }
    Ok(sent)
}

/// Turns a node whose disk fails: all it may do is to say so.
fn fails_without_a_word(node: &mut Node<Faulty, Sum>) {
    let (mut sent, before) = (Vec::new(), node.status().applied);
    let error = node.turn(|message| sent.push(message)).expect_err("a fire");
    assert_eq!(error.to_string(), "the disk is on fire");
    assert_eq!(sent, []);
    assert_eq!(node.status().applied, before);
}

#[test]
fn a_follower_acknowledges_nothing_that_its_disk_has_not_taken() {
    let mut pair = Pair::new();
    let proposed = pair.nodes[0].propose(Proposal::Command(command(5)));
    proposed.expect("it leads");
    for message in turn(&mut pair.nodes[0]).expect("its disk works") {
        pair.carry(message);
    }
    pair.disks[1].fail();
    fails_without_a_word(&mut pair.nodes[1]);
}

#[test]
fn a_follower_votes_for_nobody_if_its_disk_does_not_take_the_vote() {
    let mut pair = Pair::new();
    pair.nodes[0].hand_over().expect("there is another");
    for place in [0, 1] {
        for message in turn(&mut pair.nodes[place]).expect("the disks work") {
            pair.carry(message);
        }
    }
    // Node 2 stands for election, and node 1 has heard of it.
    assert_eq!(pair.nodes[1].role(), Role::Candidate);
    pair.disks[0].fail();
    fails_without_a_word(&mut pair.nodes[0]);
}

#[test]
fn a_leader_sends_nobody_what_its_disk_has_not_taken() {
    let mut pair = Pair::new();
    pair.disks[0].fail();
    let proposed = pair.nodes[0].propose(Proposal::Command(command(5)));
    proposed.expect("it leads");
    fails_without_a_word(&mut pair.nodes[0]);
}

/// What the others have after that is what was there before, and what they agree on later.
#[tokio::test(flavor = "multi_thread")]
async fn a_leader_whose_disk_fails_says_so_and_stops_and_the_others_go_on_without_it() {
    let (mut cluster, mut disks) = (Cluster::default(), BTreeMap::new());
    for id in [1, 2, 3] {
        let startup = match cluster.nodes.get(&1) {
            None => Startup::Bootstrap,
            Some(first) => join(first, 1),
        };
        let disk = Faulty::new();
        let node = Server::start::<_, Sum>(settings(id, startup), disk.clone()).await;
        cluster.nodes.insert(id, node.expect("it starts"));
        cluster.joined(id).await;
        disks.insert(id, disk);
    }
    cluster.all_reach(14).await;

    let leader = cluster.leader(&[1, 2, 3]).await;
    let mut failing = cluster.nodes.remove(&leader).expect("it is there");
    disks[&leader].fail();
    let outcome = failing.handle().propose(command(1000)).await;
    assert!(
        matches!(outcome, Outcome::Unknown(_) | Outcome::NotCommitted(_)),
        "{outcome}"
    );
    let failed = timeout(DEADLINE, failing.failed()).await;
    let failed = failed.expect("it says so");
    assert!(matches!(failed, ServerError::Node(_)), "{failed}");
    let told = "the node has stopped: the disk is on fire";
    assert_eq!(failed.to_string(), told);
    drop(failing);

    let others: Vec<NodeId> = cluster.nodes.keys().copied().collect();
    let new = cluster.leader(&others).await;
    cluster.add(new, 1).await;
    cluster.all_reach(15).await;
}
