//! Every thread ends with its node, and a thread that fails ends its node.

use std::sync::Arc;
use std::time::Duration;

use ch01_single_node_cluster::Result;
use ch05_two_node_cluster::{Clock, Member, Network, PATIENCE, Proposal, Replica};
use ch07_detour_change_state_machine::Sum;
use ch09_asynchronous_storage_writes::{
    Asynchronous, Cluster, Disk, Hands, SlowDisk, Synchronous, Write, synchronous,
};
use raft_kernel::MemoryStorage;

use crate::disks::{VOTERS, lead, quick_disk, standing_clock, start};

/// A disk that is known to be gone when its owner has ended.
struct CountedDisk {
    disk: SlowDisk,
    _alive: Arc<()>,
    panics: bool,
}

impl Disk for CountedDisk {
    fn write(&mut self, writes: &[Write<'_>]) -> Result<()> {
        assert!(!self.panics, "this disk is beyond repair");
        self.disk.write(writes)
    }

    fn storage(&self) -> &MemoryStorage {
        self.disk.storage()
    }
}

fn start_counted(
    alive: &Arc<()>,
    panics: bool,
    network: &Network,
    clock: &Clock,
) -> Member<Asynchronous<Sum>> {
    let disk = CountedDisk {
        disk: quick_disk(),
        _alive: Arc::clone(alive),
        panics,
    };
    let hands = Hands::new(disk, u64::MAX).expect("a new disk");
    let storage = hands.disk.storage().clone();
    let node = Asynchronous::found(1, &[1], 1, storage).expect("a founder");
    start(node, hands, network, clock)
}

#[test]
fn both_threads_have_ended_when_the_node_has_stopped() {
    let (network, clock) = (Network::default(), standing_clock());
    let alive = Arc::new(());
    let node = start_counted(&alive, false, &network, &clock);
    lead(&node);
    let ticket = node.propose(Proposal::Command(5));
    assert!(ticket.wait(PATIENCE).is_some(), "an answer");
    assert_eq!(Arc::strong_count(&alive), 2);
    node.stop().expect("no trouble");
    assert_eq!(Arc::strong_count(&alive), 1, "the append thread has ended");
}

#[test]
fn a_panic_in_a_thread_is_an_error_of_its_node() {
    let (network, clock) = (Network::default(), standing_clock());
    let alive = Arc::new(());
    let node = start_counted(&alive, true, &network, &clock);
    // The founder's entry is to be written.
    let wait = node.wait_until("it has ended", |_| false);
    assert!(wait.is_err());
    let error = node.stop().err().expect("it failed").to_string();
    assert_eq!(
        error,
        "the append thread panicked: this disk is beyond repair"
    );
    assert_eq!(Arc::strong_count(&alive), 1);
}

#[test]
fn a_failing_state_machine_stops_its_node_with_the_reason() {
    let (network, clock) = (Network::default(), standing_clock());
    let storage = MemoryStorage::new();
    // Somebody has written what is no number.
    let garbage = raft_kernel::Entry {
        term: 1,
        index: 1,
        payload: raft_kernel::Payload::Command(vec![1, 2, 3].into()),
    };
    storage.append(&[garbage]).expect("an empty log");
    storage.set_hard_state(raft_kernel::HardState {
        term: 1,
        vote: None,
        commit: 1,
    });
    let disk = SlowDisk {
        storage: storage.clone(),
        delay: Duration::ZERO,
    };
    let hands = Hands::<Sum, _>::new(disk, u64::MAX).expect("a disk");
    let node = Asynchronous::join(1, 1, storage).expect("a node");
    let node = start(node, hands, &network, &clock);
    drop(node.wait_until("it has ended", |_| false));
    let error = node.stop().err().expect("it failed").to_string();
    assert_eq!(
        error,
        "the apply thread failed: a number is eight bytes, and this has 3"
    );
}

#[test]
fn who_waits_for_an_answer_of_a_node_that_stops_is_told_that_it_is_unknown() {
    let (network, clock) = (Network::default(), standing_clock());
    let hands = Hands::new(quick_disk(), u64::MAX).expect("a new disk");
    // Of two founders one is missing: nothing is committed.
    let storage = hands.disk.storage.clone();
    let node = Asynchronous::<Sum>::found(1, &[1, 2], 1, storage).expect("a founder");
    let node = start(node, hands, &network, &clock);
    let change = raft_kernel::ConfChange::single(raft_kernel::Change::AddVoter(3));
    let ticket = node.propose(Proposal::Change(change));
    let answered = ticket.wait(PATIENCE);
    assert!(answered.is_some(), "without a leader it is dropped");
    node.stop().expect("no trouble");
}

#[test]
fn the_synchronous_loop_does_the_same_with_the_same_disk_and_state_machine() {
    let (network, clock) = (Network::default(), Clock::start(Duration::from_millis(1)));
    let begin = |id: u64, voters: &[u64]| {
        let disk = SlowDisk {
            storage: MemoryStorage::new(),
            delay: Duration::from_micros(100),
        };
        let hands = Hands::<Sum, _>::new(disk, 5).expect("a new disk");
        let node = if voters.is_empty() {
            Synchronous::join(id, 1, hands)
        } else {
            Synchronous::found(id, voters, 1, hands)
        };
        let node = node.expect("a node");
        Member::start_with(node, &network, &clock, synchronous::run)
    };
    let leader = begin(1, &[1]);
    for number in 1..=20 {
        leader.insist(&Proposal::Command(number)).expect("applied");
    }
    let others = [begin(2, &[]), begin(3, &[])];
    for id in [2, 3] {
        let add = raft_kernel::ConfChange::single(raft_kernel::Change::AddVoter(id));
        leader.insist(&Proposal::Change(add)).expect("applied");
    }
    let last = leader.insist(&Proposal::Command(0)).expect("applied");
    for other in &others {
        let done = move |node: &Synchronous<Sum, SlowDisk>| node.status().applied >= last;
        other.wait_until("it has caught up", done).expect("in time");
        let sum = other.ask(|node| node.machine().total()).expect("an answer");
        assert_eq!(sum, 210, "node {}", other.id());
    }
}

/// A cluster that is dropped in the middle of its work ends like one that is stopped.
#[test]
fn a_cluster_that_is_dropped_ends_all_its_threads() {
    let alive = Arc::new(());
    let mut cluster = Cluster::<Sum>::new(Duration::from_millis(1));
    for id in VOTERS {
        let disk = CountedDisk {
            disk: quick_disk(),
            _alive: Arc::clone(&alive),
            panics: false,
        };
        let hands = Hands::new(disk, u64::MAX).expect("a new disk");
        let storage = hands.disk.storage().clone();
        let node = Asynchronous::found(id, &VOTERS, 1, storage).expect("a founder");
        cluster.start(node, hands, 25, 1);
    }
    cluster.insist(&Proposal::Command(5)).expect("in time");
    drop(cluster);
    assert_eq!(Arc::strong_count(&alive), 1);
}
