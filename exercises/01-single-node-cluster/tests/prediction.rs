//! What an election with a long timeout is really like, measured on the chapter's node.

use std::ops::RangeInclusive;

use ch01_single_node_cluster::story::stored_entries;
use ch01_single_node_cluster::{NODE, config, turn};
use ex01_single_node_cluster::prediction::predict;
use raft_kernel::{Config, MemoryStorage, RawNode, Role};

/// How a node came to lead.
struct Election {
    ticks: u32,
    term: u64,
    turns: usize,
    entries: u64,
}

/// Which way a prediction is off. The number itself is to be found by thinking.
fn off<T: PartialOrd + Copy>(predicted: T, seen: T) -> &'static str {
    if predicted > seen {
        "too many"
    } else {
        "too few"
    }
}

/// Enough seeds that every timeout comes up.
const SEEDS: RangeInclusive<u64> = 1..=1000;

fn elect(seed: u64) -> Election {
    let storage = MemoryStorage::new();
    let config = Config {
        election_ticks: 100,
        ..config(seed)
    };
    let mut raft = RawNode::new(&config, storage.clone()).expect("a new node");
    raft.bootstrap([(NODE, "")]).expect("a founder");
    let (mut ticks, mut turns) = (0, 0);
    loop {
        while raft.has_ready() {
            turn(&mut raft, &storage).expect("a turn of the loop");
            turns += 1;
        }
        if raft.role() == Role::Leader {
            break;
        }
        raft.tick().expect("a tick");
        ticks += 1;
    }
    Election {
        ticks,
        term: raft.status().hard_state.term,
        turns,
        entries: stored_entries(&storage).expect("the log").len() as u64,
    }
}

#[test]
fn no_node_stands_sooner_than_the_shortest_wait() {
    let predicted = predict().shortest_wait;
    let seen = SEEDS.map(|seed| elect(seed).ticks).min();
    let seen = seen.expect("there are seeds");
    assert!(
        predicted == seen,
        "You say that a node may stand for election after {predicted} ticks. That is {} \
         for the quickest of {} nodes. A node hears nothing for its whole election timeout before \
         it stands. Which is the smallest that can be drawn?",
        off(predicted, seen),
        SEEDS.end()
    );
}

#[test]
fn no_node_waits_longer_than_the_longest_wait() {
    let predicted = predict().longest_wait;
    let seen = SEEDS.map(|seed| elect(seed).ticks).max();
    let seen = seen.expect("there are seeds");
    assert!(
        predicted == seen,
        "You say that no node waits longer than {predicted} ticks. That is {} for the \
         slowest of {} nodes. The timeout is not election_ticks itself: it is drawn at random for \
         each node, so that not all stand at the same moment. Between which numbers?",
        off(predicted, seen),
        SEEDS.end()
    );
}

#[test]
fn it_leads_the_predicted_term() {
    let (predicted, seen) = (predict().term, elect(1).term);
    assert!(
        predicted == seen,
        "You say that it leads term {predicted}, and it does not. Founding the \
         cluster was no election, and yet it had a term: the founder's entry carries it. A \
         candidate begins a new term, the next one."
    );
}

#[test]
fn it_takes_the_predicted_number_of_turns() {
    let (predicted, seen) = (predict().turns, elect(1).turns);
    assert!(
        predicted == seen,
        "You say {predicted} turns. That is {}. Count what must be stored before \
         the next thing may happen: each of those is a turn, because something counts only \
         once it is stored. The commit index of the last entry needs a turn as well. And how \
         long the node waits makes no difference: a tick is no turn.",
        off(predicted, seen)
    );
}

#[test]
fn its_log_has_the_predicted_length() {
    let (predicted, seen) = (predict().entries, elect(1).entries);
    assert!(
        predicted == seen,
        "You say that its log has {predicted} entries. That is {}. Two things put an \
         entry into the log here: founding the cluster, and becoming its leader. A vote is no \
         entry: it is in the hard state.",
        off(predicted, seen)
    );
}
