//! A change of the configuration that gets lost, and one that is made twice.

use ch05_two_node_cluster::{Outcome, Proposal, Replica};
use ch07_detour_change_state_machine::Sum;
use ch09_asynchronous_storage_writes::held::Held;
use raft_kernel::{Change, ConfChange};

use crate::disks::VOTERS;

fn add_voter_4() -> Proposal<u64> {
    Proposal::Change(ConfChange::single(Change::AddVoter(4)))
}

// ANCHOR: lost
#[test]
fn a_lost_change_is_noticed_and_proposed_again() {
    let mut held: Held<Sum> = Held::led_by_1(&VOTERS, 1, u64::MAX).unwrap();
    held.isolate(Some(1));
    let lost = held.propose(1, add_voter_4()).unwrap();
    held.settle().unwrap();
    let leader = held.elect(&[2, 3]).unwrap();
    assert_eq!(lost.outcome(), None, "node 1 cannot tell yet");

    held.isolate(None);
    held.node(leader).tick().unwrap();
    held.settle().unwrap();
    assert_eq!(lost.outcome(), Some(Outcome::Replaced));

    let again = held.propose(leader, add_voter_4()).unwrap();
    held.settle().unwrap();
    assert!(matches!(again.outcome(), Some(Outcome::Applied { .. })));
    for id in VOTERS {
        let configuration = held.node(id).status().config.conf_state();
        assert_eq!(configuration.voters, [1, 2, 3, 4], "node {id}");
    }
}
// ANCHOR_END: lost

#[test]
fn to_add_a_node_that_is_there_changes_nothing() {
    let mut held: Held<Sum> = Held::led_by_1(&VOTERS, 1, u64::MAX).unwrap();
    let before = held.node(1).status().config.conf_state();
    for _ in 0..2 {
        let add = Proposal::Change(ConfChange::single(Change::AddVoter(3)));
        let ticket = held.propose(1, add).unwrap();
        held.settle().unwrap();
        assert!(matches!(ticket.outcome(), Some(Outcome::Applied { .. })));
    }
    for id in VOTERS {
        assert_eq!(held.node(id).status().config.conf_state(), before);
    }
    let ticket = held.propose(1, Proposal::Command(5)).unwrap();
    held.settle().unwrap();
    assert!(matches!(ticket.outcome(), Some(Outcome::Applied { .. })));
}

#[test]
fn a_second_change_is_refused_while_one_is_under_way_and_can_be_made_again() {
    let mut held: Held<Sum> = Held::led_by_1(&VOTERS, 1, u64::MAX).unwrap();
    let first = held.propose(1, add_voter_4()).unwrap();
    let second = held.propose(1, add_voter_4()).unwrap();
    held.settle().unwrap();
    assert!(matches!(first.outcome(), Some(Outcome::Applied { .. })));
    assert_eq!(second.outcome(), Some(Outcome::Refused));
}

#[test]
fn an_impossible_change_is_refused_and_stops_nobody() {
    let mut held: Held<Sum> = Held::led_by_1(&[1], 1, u64::MAX).unwrap();
    let last_voter = Proposal::Change(ConfChange::single(Change::Remove(1)));
    let refused = held.propose(1, last_voter).unwrap();
    held.settle().unwrap();
    assert_eq!(refused.outcome(), Some(Outcome::Refused));
    let next = held.propose(1, Proposal::Command(5)).unwrap();
    held.settle().unwrap();
    assert!(matches!(next.outcome(), Some(Outcome::Applied { .. })));
}
