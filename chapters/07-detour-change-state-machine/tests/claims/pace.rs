//! Each node compacts at its own pace, and only what is applied.

use std::collections::BTreeSet;

use ch05_two_node_cluster::by_hand::ByHand;
use ch05_two_node_cluster::{Outcome, Post, Proposal, Replica, Ticket, Undelivered};
use ch06_two_node_snapshot::Node;
use ch07_detour_change_state_machine::{Paced, Sum};
use proptest::prelude::*;
use raft_kernel::{Index, Message, MessageBody, NodeId};

use crate::property::{config, replay};
use crate::watched::{Record, Watched, add_voter, leading, settle};

fn propose(nodes: &mut ByHand<Watched>, number: u64) -> Ticket {
    nodes
        .propose(1, Proposal::Command(number))
        .expect("node 1 takes it")
}

fn compacted(nodes: &mut ByHand<Watched>) -> (Index, Index) {
    (nodes.node(1).compacted(), nodes.node(2).compacted())
}

// ANCHOR: different_entries
#[test]
fn nodes_compact_at_different_entries_and_agree_all_the_same() {
    let mut nodes = leading(&[5, 3], &Record::default());
    // Two founders' entries and the leader's empty one come before the first number.
    assert_eq!(compacted(&mut nodes), (0, 3));
    let mut seen = Vec::new();
    for number in 1..=10 {
        drop(propose(&mut nodes, number));
        settle(&mut nodes);
        seen.push(compacted(&mut nodes));
        assert_eq!(nodes.node(1).total(), nodes.node(2).total());
    }
    let ones = [0, 5, 5, 5, 5, 5, 10, 10, 10, 10];
    let twos = [3, 3, 6, 6, 6, 9, 9, 9, 12, 12];
    assert_eq!(seen, ones.into_iter().zip(twos).collect::<Vec<_>>());
    assert_eq!(nodes.node(1).total(), 55);
}
// ANCHOR_END: different_entries

#[test]
fn what_is_committed_and_not_applied_stays_in_the_log() {
    let mut nodes = leading(&[1], &Record::default());
    let node = nodes.node(1);
    let mut take = |number| {
        let (promise, _) = Ticket::new();
        node.propose(Proposal::Command(number), promise)
            .expect("it leads");
        node.turn(&mut Nowhere).expect("a turn");
        let status = node.status();
        (status.applied, status.hard_state.commit, node.compacted())
    };
    // The first is stored and so committed, and the turn that applies it is the next.
    assert_eq!(take(10), (2, 3, 2));
    assert_eq!(take(20), (3, 4, 3));
    assert_eq!(take(30), (4, 5, 4));
}

#[test]
fn the_leaders_snapshot_counts_like_one_of_its_own() {
    let record = Record::default();
    let mut nodes = leading(&[10], &record);
    for number in 0..100 {
        drop(propose(&mut nodes, number));
    }
    settle(&mut nodes);
    nodes.add(Watched::join(2, 5, &record));
    drop(
        nodes
            .propose(1, Proposal::Change(add_voter(2)))
            .expect("node 1 takes it"),
    );
    settle(&mut nodes);
    let (sent, after) = (nodes.node(2).compacted(), nodes.node(2).status().applied);
    assert!(sent > 90, "{}", nodes.node(2));
    for applied in after + 1..sent + 5 {
        drop(propose(&mut nodes, 1));
        settle(&mut nodes);
        assert_eq!(nodes.node(2).status().applied, applied);
        assert_eq!(nodes.node(2).compacted(), sent, "{}", nodes.node(2));
    }
    drop(propose(&mut nodes, 1));
    settle(&mut nodes);
    assert_eq!(nodes.node(2).compacted(), sent + 5, "{}", nodes.node(2));
}

/// Lets node 3 miss twenty numbers, and says how many snapshots it is sent after that.
fn snapshots_after_twenty_missed(pace: u64) -> usize {
    let mut nodes = leading(&[pace; 3], &Record::default());
    for number in 0..20 {
        drop(propose(&mut nodes, number));
        while let Some(message) = nodes.next_message().expect("turns") {
            if message.to != 3 {
                nodes.deliver(message).expect("a step");
            }
        }
    }
    let mut snapshots = 0;
    while nodes.node(3).status().applied < nodes.node(1).status().applied {
        nodes.tick(1).expect("a tick");
        nodes
            .settle(|message| {
                snapshots += usize::from(is_snapshot(message));
                Ok(())
            })
            .expect("messages and turns");
    }
    assert_eq!(nodes.node(3).total(), (0..20).sum::<u64>());
    snapshots
}

#[test]
fn a_node_that_missed_what_others_have_compacted_is_sent_a_snapshot() {
    assert_eq!(snapshots_after_twenty_missed(10), 1);
}

#[test]
fn a_node_that_missed_only_what_others_still_have_is_sent_the_entries() {
    assert_eq!(snapshots_after_twenty_missed(1000), 0);
}

#[test]
fn a_pace_of_no_entries_is_refused_and_says_why() {
    let node = Node::<Sum>::join(1, 1).expect("a new node");
    let refused = Paced::new(node, 0).err().expect("an error").to_string();
    assert_eq!(
        refused,
        "a log can be compacted every 1 entry or less often, not every 0"
    );
}

#[test]
fn the_slowest_pace_there_is_never_compacts() {
    let mut nodes = leading(&[u64::MAX, 1], &Record::default());
    for number in 0..100 {
        drop(propose(&mut nodes, number));
    }
    settle(&mut nodes);
    assert_eq!(compacted(&mut nodes), (0, nodes.node(1).status().applied));
}

/// A network that takes everything and delivers nothing.
struct Nowhere;

impl Post for Nowhere {
    fn send(&mut self, _: Message) -> Result<(), Undelivered> {
        Ok(())
    }
}

fn is_snapshot(message: &Message) -> bool {
    matches!(message.body, MessageBody::InstallSnapshot { .. })
}

/// What can happen to three nodes.
#[derive(Clone, Copy, Debug)]
enum Step {
    Propose(NodeId),
    Tick(NodeId),
    Deliver,
    Lose,
    Restart(NodeId),
}

const NODES: [NodeId; 3] = [1, 2, 3];

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let node = || prop::sample::select(NODES.to_vec());
    let step = prop_oneof![
        10 => node().prop_map(Step::Propose),
        8 => node().prop_map(Step::Tick),
        60 => Just(Step::Deliver),
        4 => Just(Step::Lose),
        1 => node().prop_map(Step::Restart),
    ];
    prop::collection::vec(step, 0..400)
}

/// Lets all go well until every node has applied the same, if it ever comes to that.
fn heal(nodes: &mut ByHand<Watched>) -> bool {
    for _ in 0..200 {
        for id in NODES {
            nodes.tick(id).expect("a tick");
        }
        settle(nodes);
        let mut leaders = 0;
        let ends: BTreeSet<_> = NODES
            .iter()
            .map(|id| {
                let status = nodes.node(*id).status();
                leaders += usize::from(status.soft_state.leader == Some(*id));
                let last = raft_kernel::Storage::last_index(nodes.node(*id).storage());
                (status.applied, last.expect("the last index"))
            })
            .collect();
        if leaders == 1 && ends.len() == 1 && ends.iter().all(|(applied, last)| applied == last) {
            return true;
        }
    }
    false
}

proptest! {
    #![proptest_config(config(100))]

    // Each turn of each node is checked on the way: see `watched.rs`.
    #[test]
    fn whatever_happens_logs_stay_short_and_all_come_to_the_same_sum(
        paces in prop::array::uniform3(1..12_u64),
        steps in steps(),
    ) {
        let record = Record::default();
        let mut nodes = leading(&paces, &record);
        let mut asked = Vec::new();
        for step in steps {
            match step {
                Step::Propose(id) => {
                    // No two are the same.
                    let number = (asked.len() as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
                    let ticket = nodes.propose(id, Proposal::Command(number)).expect("an answer");
                    asked.push((number, ticket));
                }
                Step::Tick(id) => nodes.tick(id).expect("a tick"),
                Step::Deliver => {
                    if let Some(message) = nodes.next_message().expect("turns") {
                        nodes.deliver(message).expect("a step");
                    }
                }
                Step::Lose => drop(nodes.next_message().expect("turns")),
                Step::Restart(id) => {
                    nodes.turn().expect("turns");
                    let node = nodes.remove(id).expect("the node");
                    let pace = paces[usize::try_from(id - 1).expect("a small id")];
                    nodes.add(Watched::start(id, node.into_storage(), pace, &record));
                }
            }
        }
        let healed = heal(&mut nodes);
        let states = NODES.map(|id| nodes.node(id).to_string()).join("\n");
        let state = format!("{states}\n{}", replay());
        prop_assert!(healed, "{}", state);
        for id in NODES {
            prop_assert_eq!(nodes.node(id).total(), record.total(), "{}", state);
        }

        let mut places = BTreeSet::new();
        for (number, ticket) in asked {
            match ticket.outcome() {
                Some(Outcome::Applied { index }) => {
                    prop_assert_eq!(record.at(index), Some(number), "{}", state);
                    prop_assert!(places.insert(index), "entry {} twice\n{}", index, state);
                }
                Some(Outcome::Dropped { .. } | Outcome::Replaced) => {
                    prop_assert!(!record.contains(number), "{} counts\n{}", number, state);
                }
                Some(Outcome::Unknown) => {}
                other => prop_assert!(false, "{} has the answer {:?}\n{}", number, other, state),
            }
        }
    }
}
