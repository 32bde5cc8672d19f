//! The network may lose messages, and carry them twice. The nodes make up for it.

use ch05_two_node_cluster::Node;
use ch05_two_node_cluster::by_hand::ByHand;
use raft_kernel::Change;

use crate::{SEED, alone, change, command, commands, propose, stored, tick_until};

/// Node 2 joins, and three commands follow. Of each message, so many copies arrive.
/// Answers how many messages were sent until then.
fn played(mut copies: impl FnMut(usize) -> usize) -> (ByHand<Node>, usize) {
    let mut cluster = alone();
    cluster.add(Node::join(2, SEED).expect("a new node"));
    let mut sent = 0;
    let mut deliver = |cluster: &mut ByHand<Node>| {
        while let Some(message) = cluster.next_message().expect("the nodes go on") {
            for _ in 0..copies(sent) {
                let delivered = cluster.deliver(message.clone());
                delivered.expect("the node goes on");
            }
            sent += 1;
        }
    };
    propose(&mut cluster, 1, change(Change::AddVoter(2)));
    deliver(&mut cluster);
    for byte in [40, 50, 60] {
        propose(&mut cluster, 1, command(byte));
        deliver(&mut cluster);
    }
    (cluster, sent)
}

#[track_caller]
fn both_come_to_the_same(mut cluster: ByHand<Node>) {
    let all = [10, 20, 30, 40, 50, 60];
    tick_until(&mut cluster, &[1, 2], |cluster| {
        commands(cluster, 1) == all && commands(cluster, 2) == all
    });
    assert_eq!(stored(&mut cluster, 1), stored(&mut cluster, 2));
}

#[test]
fn whichever_message_is_lost_both_nodes_come_to_the_same_state() {
    let (cluster, sent) = played(|_| 1);
    both_come_to_the_same(cluster);
    assert_eq!(sent, 16, "what is lost below is each of these");
    for lost in 0..sent {
        let (cluster, _) = played(|number| usize::from(number != lost));
        both_come_to_the_same(cluster);
    }
}

#[test]
fn whichever_two_messages_are_lost_both_nodes_come_to_the_same_state() {
    for one in 0..20 {
        for other in 0..one {
            let (cluster, _) = played(|number| usize::from(number != one && number != other));
            both_come_to_the_same(cluster);
        }
    }
}

#[test]
fn even_if_all_messages_are_lost_for_a_while() {
    let (cluster, _) = played(|_| 0);
    both_come_to_the_same(cluster);
}

#[test]
fn a_message_that_arrives_twice_is_believed_once() {
    let (cluster, _) = played(|_| 2);
    both_come_to_the_same(cluster);
}
