//! Whoever proposes is told what became of it.

use ch05_two_node_cluster::{Node, Outcome, Ticket};
use raft_kernel::{Change, DropReason, Payload};

use crate::{
    SEED, alone, applied, change, command, commands, leads, propose, settle, stored, tick_until,
    two_nodes, voters,
};

#[test]
fn the_proposer_is_told_where_its_command_is() {
    let mut cluster = two_nodes();
    let tickets: Vec<Ticket> = (40..50)
        .map(|byte| propose(&mut cluster, 1, command(byte)))
        .collect();
    assert!(tickets.iter().all(|ticket| ticket.outcome().is_none()));
    settle(&mut cluster);
    let stored = stored(&mut cluster, 1);
    for (ticket, byte) in tickets.iter().zip(40..50) {
        let entry = stored.iter().find(|entry| entry.index == applied(ticket));
        let payload = &entry.expect("it is stored").payload;
        assert_eq!(*payload, Payload::Command(vec![byte].into()));
    }
}

#[test]
fn a_follower_drops_a_proposal_and_says_who_leads_and_there_it_can_be_repeated() {
    let mut cluster = two_nodes();
    let ticket = propose(&mut cluster, 2, command(40));
    let dropped = Outcome::Dropped {
        reason: DropReason::NotForwarding,
        leader: Some(1),
    };
    assert_eq!(ticket.outcome(), Some(dropped));
    settle(&mut cluster);
    assert_eq!(commands(&mut cluster, 1), [10, 20, 30], "it is in no log");

    let ticket = propose(&mut cluster, 1, command(40));
    settle(&mut cluster);
    applied(&ticket);
    assert_eq!(commands(&mut cluster, 2), [10, 20, 30, 40]);
}

#[test]
fn without_a_leader_nobody_is_named() {
    let mut cluster = crate::ByHand::default();
    cluster.add(Node::join(2, SEED).expect("a new node"));
    let dropped = Outcome::Dropped {
        reason: DropReason::NoLeader,
        leader: None,
    };
    for proposal in [command(40), change(Change::AddVoter(3))] {
        let ticket = propose(&mut cluster, 2, proposal);
        assert_eq!(ticket.outcome(), Some(dropped));
    }
}

#[test]
fn a_second_change_while_one_is_under_way_is_refused_and_can_be_made_after_it() {
    let mut cluster = two_nodes();
    let first = propose(&mut cluster, 1, change(Change::AddLearner(3)));
    let second = propose(&mut cluster, 1, change(Change::AddLearner(4)));
    settle(&mut cluster);
    applied(&first);
    assert_eq!(second.outcome(), Some(Outcome::Refused));
    let learners = |cluster: &mut crate::ByHand<Node>| {
        let status = ch05_two_node_cluster::Replica::status(cluster.node(2));
        status.config.conf_state().learners
    };
    assert_eq!(learners(&mut cluster), [3]);

    let again = propose(&mut cluster, 1, change(Change::AddLearner(4)));
    settle(&mut cluster);
    applied(&again);
    assert_eq!(learners(&mut cluster), [3, 4]);
}

#[test]
fn a_change_that_is_impossible_is_refused_and_stops_nobody() {
    let mut cluster = alone();
    let ticket = propose(&mut cluster, 1, change(Change::Remove(1)));
    settle(&mut cluster);
    assert_eq!(ticket.outcome(), Some(Outcome::Refused));
    assert_eq!(voters(&mut cluster, 1), [1]);

    let ticket = propose(&mut cluster, 1, command(40));
    settle(&mut cluster);
    applied(&ticket);
}

/// With two voters an entry of the leader's cannot be replaced: the other is not elected
/// without the leader's vote. With three it can.
#[test]
fn an_entry_that_another_leaders_took_the_place_of_is_reported_as_replaced() {
    let mut cluster = two_nodes();
    cluster.add(Node::join(3, SEED).expect("a new node"));
    propose(&mut cluster, 1, change(Change::AddVoter(3)));
    settle(&mut cluster);

    let mut cut_off = crate::ByHand::default();
    cut_off.add(cluster.remove(1).expect("node 1"));
    let lost = propose(&mut cut_off, 1, command(40));
    settle(&mut cut_off);
    tick_until(&mut cluster, &[2, 3], |cluster| {
        leads(cluster, 2) || leads(cluster, 3)
    });
    let leader = if leads(&mut cluster, 2) { 2 } else { 3 };
    let made = propose(&mut cluster, leader, command(50));
    settle(&mut cluster);
    applied(&made);
    assert_eq!(lost.outcome(), None, "node 1 does not know yet");

    cluster.add(cut_off.remove(1).expect("node 1"));
    let ids = [1, 2, 3];
    tick_until(&mut cluster, &ids, |cluster| {
        commands(cluster, 1) == [10, 20, 30, 50]
    });
    assert_eq!(lost.outcome(), Some(Outcome::Replaced));
}

#[test]
fn a_node_that_is_dropped_leaves_the_outcome_unknown() {
    let mut cluster = two_nodes();
    drop(cluster.remove(2));
    let ticket = propose(&mut cluster, 1, command(40));
    settle(&mut cluster);
    drop(cluster.remove(1));
    assert_eq!(ticket.outcome(), Some(Outcome::Unknown));
}
