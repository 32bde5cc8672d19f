//! A node joins by a change of the configuration.

use ch05_two_node_cluster::narration::told_message;
use ch05_two_node_cluster::{Node, Replica};
use raft_kernel::{Change, HardState, Role};

use crate::{
    MANY_TICKS, SEED, alone, applied, change, command, commands, propose, settle, stored, tick,
    two_nodes, voters,
};

#[test]
fn the_newcomer_receives_the_whole_log_and_comes_to_the_same_state() {
    let mut cluster = two_nodes();
    assert_eq!(stored(&mut cluster, 1).len(), 6);
    assert_eq!(stored(&mut cluster, 2), stored(&mut cluster, 1));
    assert_eq!(commands(&mut cluster, 2), [10, 20, 30]);
    assert_eq!(voters(&mut cluster, 1), [1, 2]);
    assert_eq!(voters(&mut cluster, 2), [1, 2]);
}

#[test]
fn the_leader_begins_behind_its_own_log_and_the_newcomer_says_where_its_ends() {
    let mut cluster = alone();
    cluster.add(Node::join(2, SEED).expect("a new node"));
    propose(&mut cluster, 1, change(Change::AddVoter(2)));
    let mut told = Vec::new();
    let watch = |message: &raft_kernel::Message| {
        told.push(told_message(message));
        Ok(())
    };
    cluster.settle(watch).expect("the nodes go on");
    assert_eq!(
        told,
        [
            "1 → 2  AppendEntries, term 2: after entry 5 of term 2 comes entry 6; committed up to 6",
            "2 → 1  AppendEntriesResponse, term 2: I have no such entry 5; try after 0",
            "1 → 2  AppendEntries, term 2: after entry 0 of term 0 come entries 1 to 6; committed up to 6",
            "2 → 1  AppendEntriesResponse, term 2: I have the same up to 6",
        ]
    );
}

#[test]
fn the_change_is_committed_by_those_who_voted_before_it() {
    let mut cluster = alone();
    cluster.add(Node::join(2, SEED).expect("a new node"));
    let ticket = propose(&mut cluster, 1, change(Change::AddVoter(2)));
    cluster.turn().expect("the nodes go on");
    assert_eq!(applied(&ticket), 6, "and no message has been delivered yet");
    assert_eq!(voters(&mut cluster, 1), [1, 2]);
    assert!(stored(&mut cluster, 2).is_empty());
}

#[test]
fn a_node_that_waits_to_join_stands_for_no_election() {
    let mut node = Node::join(2, SEED).expect("a new node");
    for _ in 0..MANY_TICKS {
        node.tick().expect("a tick");
        let turn = node.turn(&mut crate::undelivered::Nobody::default());
        assert!(turn.expect("a turn").is_none(), "{node}");
    }
    assert_eq!(node.status().soft_state.role, Role::Follower);
    assert_eq!(node.status().hard_state, HardState::default());
}

#[test]
fn what_comes_after_the_join_reaches_both() {
    let mut cluster = two_nodes();
    for byte in 0..100 {
        propose(&mut cluster, 1, command(byte));
        settle(&mut cluster);
    }
    let expected: Vec<u8> = [10, 20, 30].into_iter().chain(0..100).collect();
    assert_eq!(commands(&mut cluster, 1), expected);
    assert_eq!(commands(&mut cluster, 2), expected);
}

#[test]
fn more_nodes_can_join_in_the_same_way() {
    let mut cluster = two_nodes();
    for id in 3..=5 {
        cluster.add(Node::join(id, SEED).expect("a new node"));
        let ticket = propose(&mut cluster, 1, change(Change::AddVoter(id)));
        settle(&mut cluster);
        applied(&ticket);
    }
    tick(&mut cluster, &[1, 2, 3, 4, 5]);
    for id in 2..=5 {
        assert_eq!(stored(&mut cluster, id), stored(&mut cluster, 1));
        assert_eq!(voters(&mut cluster, id), [1, 2, 3, 4, 5]);
    }
}
