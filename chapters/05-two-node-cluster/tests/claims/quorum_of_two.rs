//! With two voters a majority is both of them.

use ch05_two_node_cluster::{Node, Outcome, Replica};
use raft_kernel::{Change, DropReason, Role};

use crate::{
    MANY_TICKS, SEED, alone, applied, change, command, commands, committed, leads, propose, settle,
    tick, tick_until, two_nodes,
};

#[test]
fn while_one_is_missing_nothing_is_committed_and_when_it_is_back_it_is() {
    let mut cluster = two_nodes();
    let absent = cluster.remove(2).expect("node 2");
    let before = committed(&mut cluster, 1);
    let ticket = propose(&mut cluster, 1, command(40));
    for _ in 0..5 {
        tick(&mut cluster, &[1]);
    }
    assert_eq!(committed(&mut cluster, 1), before);
    assert_eq!(commands(&mut cluster, 1), [10, 20, 30]);
    assert_eq!(ticket.outcome(), None, "nobody knows yet");

    cluster.add(absent);
    tick(&mut cluster, &[1]);
    assert_eq!(applied(&ticket), before + 1);
    assert_eq!(commands(&mut cluster, 1), [10, 20, 30, 40]);
    assert_eq!(commands(&mut cluster, 2), [10, 20, 30, 40]);
}

#[test]
fn a_leader_that_hears_from_nobody_steps_down_and_then_takes_no_proposals() {
    let mut cluster = two_nodes();
    let absent = cluster.remove(2).expect("node 2");
    let waiting = propose(&mut cluster, 1, command(40));
    tick_until(&mut cluster, &[1], |cluster| !leads(cluster, 1));
    let refused = propose(&mut cluster, 1, command(50));
    let reason = DropReason::NoLeader;
    let dropped = Outcome::Dropped {
        reason,
        leader: None,
    };
    assert_eq!(refused.outcome(), Some(dropped));
    assert_eq!(
        waiting.outcome(),
        None,
        "40 is in the log, and may come true"
    );

    // Node 2 has fewer entries, so node 1 does not vote for it, and leads again.
    cluster.add(absent);
    tick_until(&mut cluster, &[1, 2], |cluster| {
        waiting.outcome().is_some() || !leads(cluster, 1) && leads(cluster, 2)
    });
    assert!(leads(&mut cluster, 1), "{}", cluster.node(1));
    settle(&mut cluster);
    assert_eq!(commands(&mut cluster, 1), [10, 20, 30, 40]);
    assert_eq!(commands(&mut cluster, 2), [10, 20, 30, 40]);
}

#[test]
fn a_follower_alone_elects_nobody_and_begins_no_terms() {
    let mut cluster = two_nodes();
    drop(cluster.remove(1));
    let term = cluster.node(2).status().hard_state.term;
    for _ in 0..MANY_TICKS {
        tick(&mut cluster, &[2]);
    }
    let status = cluster.node(2).status();
    assert_eq!(status.hard_state.term, term, "a pre-vote begins no term");
    assert_eq!(status.soft_state.role, Role::PreCandidate);
    assert_eq!(status.soft_state.leader, None);
}

#[test]
fn a_voter_that_was_never_there_stops_a_cluster_of_two_until_it_comes() {
    let mut cluster = alone();
    let added = propose(&mut cluster, 1, change(Change::AddVoter(2)));
    settle(&mut cluster);
    applied(&added);
    let ticket = propose(&mut cluster, 1, command(40));
    for _ in 0..MANY_TICKS {
        tick(&mut cluster, &[1]);
    }
    assert_eq!(ticket.outcome(), None, "two of two are needed");
    assert!(!leads(&mut cluster, 1));

    cluster.add(Node::join(2, SEED).expect("a new node"));
    tick_until(&mut cluster, &[1, 2], |cluster| {
        commands(cluster, 2) == [10, 20, 30, 40]
    });
    applied(&ticket);
}
