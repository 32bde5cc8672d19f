//! The third node always joins, and what was acknowledged counts once.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use ch01_single_node_cluster::Result;
use ch05_two_node_cluster::{Outcome, PATIENCE, Proposal};
use ch07_detour_change_state_machine::Sum;
use ch09_asynchronous_storage_writes::{Asynchronous, Cluster, Disk, Hands, SlowDisk};
use raft_kernel::{Change, ConfChange, MemoryStorage, NodeId};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::disks::{DyingDisk, Gate, GatedDisk, VOTERS, quick_disk, seeds};

const NUMBERS: usize = 40;

fn hands_of(id: NodeId) -> Result<Hands<Sum, SlowDisk>> {
    let disk = SlowDisk {
        storage: MemoryStorage::new(),
        delay: Duration::from_micros(200),
    };
    // Each node compacts at its own pace.
    Hands::new(disk, 10 + id)
}

/// What became of the numbers that one proposer proposed.
#[derive(Default)]
struct Tally {
    acknowledged: u64,
    unknown: Vec<u64>,
}

fn propose_numbers(cluster: &Cluster<Sum>, seed: u64) -> Result<Tally> {
    let mut chance = StdRng::seed_from_u64(seed);
    let mut tally = Tally::default();
    for _ in 0..NUMBERS {
        let number = chance.random_range(1..1_000_000_000);
        match cluster.insist(&Proposal::Command(number))? {
            Some(_) => tally.acknowledged += number,
            None => tally.unknown.push(number),
        }
    }
    Ok(tally)
}

fn run(seed: u64) -> Result<()> {
    let mut cluster = Cluster::new(Duration::from_millis(1));
    for id in [1, 2] {
        let hands = hands_of(id)?;
        let node = Asynchronous::found(id, &[1, 2], seed, hands.disk.storage.clone())?;
        cluster.start(node, hands, 25, seed);
    }
    let before = propose_numbers(&cluster, seed)?;
    let hands = hands_of(3)?;
    let node = Asynchronous::join(3, seed, hands.disk.storage.clone())?;
    cluster.start(node, hands, 25, seed);

    // The proposals go on while node 3 joins.
    let (joined, meanwhile) = std::thread::scope(|scope| {
        let proposer = scope.spawn(|| propose_numbers(&cluster, seed + 1));
        let joined = cluster.admit(3);
        (joined, proposer.join().expect("no panic"))
    });
    joined?;
    let meanwhile = meanwhile?;

    let mut last = None;
    while last.is_none() {
        last = cluster.insist(&Proposal::Command(0))?;
    }
    cluster.wait_for_all(last.expect("it was acknowledged"))?;
    let mut sums = BTreeSet::new();
    for id in VOTERS {
        sums.insert(cluster.look(id, |sum: &Sum| sum.total())?);
    }
    let acknowledged = before.acknowledged + meanwhile.acknowledged;
    let unknown = [before.unknown, meanwhile.unknown].concat();
    let sum = sums.first().copied().expect("three sums");
    assert_eq!(sums.len(), 1, "the sums {sums:?}\n{}", cluster.states());
    assert!(
        is_sum_of_some(sum.wrapping_sub(acknowledged), &unknown),
        "the sum {sum} is not {acknowledged} and some of {unknown:?}\n{}",
        cluster.states()
    );
    for id in VOTERS {
        cluster.stop(id)?;
    }
    Ok(())
}

/// Whether some of these numbers, each at most once, come to `rest`.
fn is_sum_of_some(rest: u64, numbers: &[u64]) -> bool {
    let mut sums = BTreeSet::from([0_u64]);
    for number in numbers {
        let with: Vec<u64> = sums.iter().map(|sum| sum + number).collect();
        sums.extend(with.into_iter().filter(|sum| *sum <= rest));
    }
    sums.contains(&rest)
}

#[test]
fn the_third_node_always_joins_and_what_was_acknowledged_counts_once() {
    for seed in seeds(5) {
        if let Err(error) = run(seed) {
            panic!("seed {seed}: {error}");
        }
    }
}

/// A single node with a gate before its disk, and node 3, which waits to be let in.
fn one_and_a_newcomer() -> Result<(Cluster<Sum>, Gate)> {
    let mut cluster = Cluster::new(Duration::from_millis(1));
    let gate = Gate::default();
    let disk = GatedDisk {
        disk: quick_disk(),
        gate: gate.clone(),
    };
    let hands = Hands::new(disk, u64::MAX)?;
    let node = Asynchronous::found(1, &[1], 1, hands.disk.storage().clone())?;
    cluster.start(node, hands, 0, 1);
    let hands = hands_of(3)?;
    let node = Asynchronous::join(3, 1, hands.disk.storage.clone())?;
    cluster.start(node, hands, 0, 1);
    cluster.insist(&Proposal::Command(0))?;
    Ok((cluster, gate))
}

#[test]
fn a_change_that_is_refused_because_of_another_is_proposed_again() {
    let (cluster, gate) = one_and_a_newcomer().expect("a cluster");
    let leader = cluster.member(1).expect("node 1");
    std::thread::scope(|scope| {
        let closed = gate.close();
        let learner = ConfChange::single(Change::AddLearner(7));
        let other = leader.propose(Proposal::Change(learner));
        let admitted = scope.spawn(|| cluster.admit(3));
        let both_wait = |node: &Asynchronous<Sum>| node.to_string().contains("2 waiting");
        leader
            .wait_until("it has both", both_wait)
            .expect("in time");
        drop(closed);
        let other = other.wait(PATIENCE);
        assert!(matches!(other, Some(Outcome::Applied { .. })), "{other:?}");
        admitted.join().expect("no panic").expect("node 3 is in");
    });
}

#[test]
fn a_change_whose_outcome_is_unknown_is_proposed_to_somebody_else() {
    let mut cluster = Cluster::<Sum>::new(Duration::from_millis(1));
    let dead = DyingDisk {
        disk: quick_disk(),
        writes_left: 0,
        died: Arc::default(),
    };
    let hands = Hands::new(dead, u64::MAX).expect("a new disk");
    let storage = hands.disk.storage().clone();
    let node = Asynchronous::found(1, &VOTERS, 1, storage).expect("a founder");
    cluster.start(node, hands, 0, 1);
    for id in [2, 3, 4] {
        let hands = hands_of(id).expect("a new disk");
        let storage = hands.disk.storage.clone();
        let node = if id == 4 {
            Asynchronous::join(id, 1, storage)
        } else {
            Asynchronous::found(id, &VOTERS, 1, storage)
        };
        cluster.start(node.expect("a node"), hands, 0, 1);
    }
    let ended = cluster.wait_until(1, "it has ended", |_| false);
    assert!(ended.is_err(), "nothing is to be seen before it ends");
    // Node 1 is asked first, and cannot tell what became of it.
    cluster.admit(4).expect("node 4 is in");
}

#[test]
fn a_number_that_counts_twice_would_be_noticed() {
    assert!(is_sum_of_some(0, &[]));
    assert!(is_sum_of_some(12, &[5, 7, 30]));
    assert!(!is_sum_of_some(10, &[5, 7]));
}
