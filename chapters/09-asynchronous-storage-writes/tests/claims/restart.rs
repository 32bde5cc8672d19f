//! A node that stops while works wait for its disk, and starts again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use ch01_single_node_cluster::Result;
use ch05_two_node_cluster::{Outcome, PATIENCE, Proposal, Replica};
use ch07_detour_change_state_machine::Sum;
use ch09_asynchronous_storage_writes::held::Held;
use ch09_asynchronous_storage_writes::{Asynchronous, Cluster, Hands, SlowDisk};
use raft_kernel::{MemoryStorage, Storage};

use crate::disks::{DyingDisk, VOTERS, seeds};

#[test]
fn a_work_that_was_not_written_is_lost_and_was_promised_to_nobody() {
    let mut held: Held<Sum> = Held::led_by_1(&VOTERS, 1, u64::MAX).unwrap();
    let last = held.hands(2).disk.storage.last_index().unwrap();
    let ticket = held.propose(1, Proposal::Command(5)).unwrap();
    for message in held.sent().unwrap() {
        held.deliver(message).unwrap();
    }
    // Node 2 was given the entry to write, and stops.
    let storage = held.hands(2).disk.storage.clone();
    let node = Asynchronous::join(2, 1, storage.clone()).unwrap();
    held.add(node, storage.clone(), u64::MAX).unwrap();
    assert_eq!(storage.last_index().unwrap(), last, "it is lost");
    // Node 1 never heard that node 2 has it.
    held.isolate(Some(3));
    held.settle().unwrap();
    assert_eq!(ticket.outcome(), None, "one of three is no majority");
    // It is sent again, and now it stays.
    while ticket.outcome().is_none() {
        held.node(1).tick().unwrap();
        held.settle().unwrap();
    }
    let outcome = ticket.outcome();
    assert!(
        matches!(outcome, Some(Outcome::Applied { .. })),
        "{outcome:?}"
    );
    assert!(storage.last_index().unwrap() > last);
}

/// Node 3's disk fails at its n-th write, for many n, and node 3 starts again with what
/// is on it.
#[test]
fn a_node_whose_disk_fails_at_any_write_starts_again_from_what_it_holds() {
    for writes_left in 0..seeds(10).end.min(40) {
        if let Err(error) = fail_and_restart(writes_left) {
            panic!("after {writes_left} writes: {error}");
        }
    }
}

fn fail_and_restart(writes_left: u64) -> Result<()> {
    let delay = Duration::from_micros(100);
    let new_disk = |storage| SlowDisk { storage, delay };
    let mut cluster = Cluster::new(Duration::from_millis(1));
    let storage_of_3 = MemoryStorage::new();
    for id in [1, 2] {
        let hands = Hands::new(new_disk(MemoryStorage::new()), 5)?;
        let node = Asynchronous::found(id, &VOTERS, writes_left, hands.disk.storage.clone())?;
        cluster.start(node, hands, 0, writes_left);
    }
    let died = Arc::new(AtomicBool::new(false));
    let dying = DyingDisk {
        disk: new_disk(storage_of_3.clone()),
        writes_left: usize::try_from(writes_left)?,
        died: Arc::clone(&died),
    };
    let node = Asynchronous::found(3, &VOTERS, writes_left, storage_of_3.clone())?;
    cluster.start(node, Hands::new(dying, 5)?, 0, writes_left);

    // Something to write, until it fails. Nobody minds what becomes of a zero.
    let deadline = Instant::now() + PATIENCE;
    while !died.load(Ordering::SeqCst) {
        assert!(Instant::now() < deadline, "{}", cluster.states());
        cluster.insist(&Proposal::Command(0))?;
    }
    let failure = cluster.failure_of(3)?;
    assert_eq!(
        failure,
        "the append thread failed: no space left on the device"
    );
    let mut sum = 0;
    for number in 1..=10 {
        let acknowledged = cluster.insist(&Proposal::Command(number))?;
        assert!(acknowledged.is_some(), "the two others go on");
        sum += number;
    }

    let hands = Hands::new(new_disk(storage_of_3.clone()), 5)?;
    let again = if storage_of_3.hard_state().term == 0 {
        // It had written nothing, so it founds again with the others.
        Asynchronous::found(3, &VOTERS, writes_left, storage_of_3)?
    } else {
        Asynchronous::join(3, writes_left, storage_of_3)?
    };
    cluster.start(again, hands, 0, writes_left);
    let last = cluster.insist(&Proposal::Command(0))?;
    cluster.wait_for_all(last.ok_or("nobody failed since")?)?;
    for id in VOTERS {
        assert_eq!(cluster.look(id, |sum: &Sum| sum.total())?, sum, "node {id}");
    }
    Ok(())
}

#[test]
fn the_status_of_a_restarted_node_is_that_of_its_storage() {
    let mut held: Held<Sum> = Held::led_by_1(&VOTERS, 1, 3).unwrap();
    for number in 1..=10 {
        held.propose(1, Proposal::Command(number)).unwrap();
        held.settle().unwrap();
    }
    let storage = held.hands(2).disk.storage.clone();
    let snapshot = storage.snapshot().unwrap();
    assert!(!snapshot.is_empty());
    let mut node = Asynchronous::<Sum>::join(2, 1, storage.clone()).unwrap();
    assert_eq!(node.status().applied, snapshot.index);
    let hands = Hands::<Sum, _>::new(
        SlowDisk {
            storage,
            delay: Duration::ZERO,
        },
        3,
    )
    .unwrap();
    assert_eq!(hands.machine.state().to_string(), held_sum(&snapshot.data));
    assert!(node.apply_jobs().next().is_none());
}

fn held_sum(data: &[u8]) -> String {
    use ch06_two_node_snapshot::StateMachine;
    Sum::restore(data).expect("a sum").to_string()
}
