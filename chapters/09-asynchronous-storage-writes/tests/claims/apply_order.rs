//! Snapshots and changes of the configuration, between the entries where they belong.

use ch05_two_node_cluster::{Outcome, Proposal, Replica};
use ch07_detour_change_state_machine::Sum;
use ch09_asynchronous_storage_writes::held::Held;
use ch09_asynchronous_storage_writes::{Applied, Asynchronous, apply};
use raft_kernel::{Change, ConfChange, MemoryStorage, NodeId, Storage};

use crate::disks::VOTERS;

/// Every so many entries a node makes a snapshot.
const EVERY: u64 = 3;

fn change(change: Change) -> Proposal<u64> {
    Proposal::Change(ConfChange::single(change))
}

fn do_all(held: &mut Held<Sum>, proposals: impl IntoIterator<Item = Proposal<u64>>) {
    for proposal in proposals {
        let ticket = held.propose(1, proposal).expect("a proposal");
        held.settle().expect("no trouble");
        assert!(matches!(ticket.outcome(), Some(Outcome::Applied { .. })));
    }
}

fn voters(held: &mut Held<Sum>, id: NodeId) -> Vec<NodeId> {
    held.node(id).status().config.conf_state().voters
}

/// Lets time pass for the leader, until node `id` has what it has.
fn catch_up(held: &mut Held<Sum>, id: NodeId) {
    while held.node(id).status().applied < held.node(1).status().applied {
        held.node(1).tick().expect("a tick");
        held.settle().expect("no trouble");
    }
}

#[test]
fn entries_that_were_still_to_be_applied_do_not_undo_a_snapshot() {
    let mut held: Held<Sum> = Held::led_by_1(&VOTERS, 1, EVERY).expect("a cluster");
    // Node 3 is handed a change to apply, and its state machine is busy for long.
    let added = held.propose(1, change(Change::AddLearner(4)));
    added.expect("a proposal");
    for _ in 0..3 {
        for message in held.sent().expect("messages") {
            held.deliver(message).expect("it is taken");
        }
        for id in VOTERS {
            for answer in held.write(id).expect("a write") {
                held.deliver(answer).expect("it is taken");
            }
        }
    }
    let late: Vec<_> = held.node(3).apply_jobs().collect();
    assert_eq!(late.len(), 1, "the change is handed out to be applied");

    // Meanwhile the others take the change back, and forget it.
    held.isolate(Some(3));
    held.settle().expect("no trouble");
    do_all(&mut held, [change(Change::Remove(4))]);
    do_all(&mut held, [10, 20, 30, 40].map(Proposal::Command));
    held.isolate(None);
    let first = held.hands(1).disk.storage.first_index().expect("a log");
    let last = held.hands(3).disk.storage.last_index().expect("a log");
    assert!(first > last + 1, "node 3 needs a snapshot");
    catch_up(&mut held, 3);
    assert!(
        held.node(3)
            .status()
            .config
            .conf_state()
            .learners
            .is_empty()
    );

    // Only now comes the result of the change.
    for job in late {
        let applied = apply(&mut held.hands(3).machine, job).expect("it is applied");
        held.node(3).applied(applied).expect("it is late");
    }
    held.settle().expect("no trouble");
    let learners = held.node(3).status().config.conf_state().learners;
    assert!(learners.is_empty(), "the snapshot holds what came of it");
    do_all(&mut held, [50].map(Proposal::Command));
    catch_up(&mut held, 3);
    assert_eq!(held.hands(3).machine.state().total(), 150);
}

#[test]
fn a_received_snapshot_reaches_the_state_machine_before_the_entries_that_follow() {
    let mut held: Held<Sum> = Held::led_by_1(&VOTERS, 1, EVERY).expect("a cluster");
    held.isolate(Some(3));
    do_all(&mut held, (1..=10).map(Proposal::Command));
    held.isolate(None);
    catch_up(&mut held, 3);
    do_all(&mut held, [100].map(Proposal::Command));
    catch_up(&mut held, 3);
    for id in VOTERS {
        assert_eq!(held.hands(id).machine.state().total(), 155, "node {id}");
    }
}

#[test]
fn an_own_snapshot_has_the_configuration_as_of_its_entry() {
    // Entries 1 to 3 found the cluster, so the first snapshot is that of entry 3.
    let mut held: Held<Sum> = Held::led_by_1(&[1], 1, EVERY).expect("a cluster");
    let last = held.node(1).status().applied;
    // The state machine is done with a number and a change before the loop looks.
    let mut results: Vec<Applied> = Vec::new();
    for proposal in [
        Proposal::Command(5),
        change(Change::AddLearner(2)),
        Proposal::Command(6),
    ] {
        held.propose(1, proposal).expect("a proposal");
        held.sent().expect("messages");
        held.write(1).expect("a write");
        let jobs: Vec<_> = held.node(1).apply_jobs().collect();
        for job in jobs {
            results.push(apply(&mut held.hands(1).machine, job).expect("it is applied"));
        }
    }
    let made: Vec<bool> = results
        .iter()
        .map(|result| matches!(result, Applied::Work { made: Some(_), .. }))
        .collect();
    assert_eq!(
        made,
        [true, false, false],
        "a snapshot with the first number"
    );
    for result in results {
        held.node(1).applied(result).expect("in order");
    }
    held.settle().expect("no trouble");
    let snapshot = held.hands(1).disk.storage.snapshot().expect("a snapshot");
    assert_eq!(snapshot.index, last + 1);
    assert!(
        snapshot.conf_state.learners.is_empty(),
        "the learner came an entry later"
    );
    let status = held.node(1).status();
    assert_eq!(status.config.conf_state().learners, [2]);
}

#[test]
fn a_proposal_that_a_snapshot_covers_is_unknown_to_its_proposer() {
    let mut held: Held<Sum> = Held::led_by_1(&VOTERS, 1, EVERY).expect("a cluster");
    held.isolate(Some(1));
    let covered = held.propose(1, Proposal::Command(5)).expect("a proposal");
    held.settle().expect("no trouble");
    let leader = held.elect(&[2, 3]).expect("an election");
    for number in 1..=10 {
        held.propose(leader, Proposal::Command(number))
            .expect("a proposal");
        held.settle().expect("no trouble");
    }
    assert_eq!(covered.outcome(), None);
    held.isolate(None);
    while held.node(1).status().applied < held.node(leader).status().applied {
        held.node(leader).tick().expect("a tick");
        held.settle().expect("no trouble");
    }
    assert_eq!(covered.outcome(), Some(Outcome::Unknown));
    assert_eq!(held.hands(1).machine.state().total(), 55);
}

#[test]
fn a_newcomer_gets_a_snapshot_and_goes_on_from_it() {
    let mut held: Held<Sum> = Held::led_by_1(&[1, 2], 1, EVERY).expect("a cluster");
    do_all(&mut held, (1..=10).map(Proposal::Command));
    let storage = MemoryStorage::new();
    let node = Asynchronous::join(3, 1, storage.clone()).expect("a node");
    held.add(node, storage, EVERY).expect("a new disk");
    do_all(&mut held, [change(Change::AddVoter(3))]);
    catch_up(&mut held, 3);
    assert_eq!(voters(&mut held, 3), [1, 2, 3]);
    assert_eq!(held.hands(3).machine.state().total(), 55);
}
