//! What the chapter's node does with three commands, and with one that it refused.

use ch01_single_node_cluster::story::stored_entries;
use ch01_single_node_cluster::{config, start};
use ch02_single_node_proposals::{CommandList, propose, turn};
use ex02_single_node_proposals::prediction::predict;
use raft_kernel::{MemoryStorage, RawNode, Role};

/// What the node did.
struct Seen {
    after_each_turn: [Vec<u8>; 3],
    index_of_30: u64,
}

fn settle(raft: &mut RawNode<MemoryStorage>, storage: &MemoryStorage, machine: &mut CommandList) {
    while raft.has_ready() {
        turn(raft, storage, machine).expect("a turn of the loop");
    }
}

fn watch() -> Seen {
    let (mut raft, storage) = start(1).expect("a new node");
    let mut machine = CommandList::default();
    settle(&mut raft, &storage, &mut machine);
    propose(&mut raft, 5).expect_err("there is no leader yet");
    for _ in 0..2 * config(1).election_ticks {
        raft.tick().expect("a tick");
        settle(&mut raft, &storage, &mut machine);
    }
    assert!(
        raft.role() == Role::Leader,
        "the chapter's node leads by now"
    );

    let mut turn_once = |raft: &mut RawNode<MemoryStorage>| {
        turn(raft, &storage, &mut machine).expect("a turn of the loop");
        machine.commands().to_vec()
    };
    propose(&mut raft, 10).expect("the leader takes it");
    propose(&mut raft, 20).expect("the leader takes it");
    let first = turn_once(&mut raft);
    propose(&mut raft, 30).expect("the leader takes it");
    let second = turn_once(&mut raft);
    let third = turn_once(&mut raft);
    let entries = stored_entries(&storage).expect("the log");
    let of_30 = |command: &[u8]| command == [30];
    let entry = entries
        .iter()
        .find(|entry| entry.command().is_some_and(|it| of_30(it)));
    Seen {
        after_each_turn: [first, second, third],
        index_of_30: entry.expect("30 is in the log").index,
    }
}

#[test]
fn what_it_holds_after_the_first_turn() {
    let (predicted, [seen, ..]) = (predict().after_the_first_turn, watch().after_each_turn);
    assert!(
        predicted == seen,
        "After the first turn you expect {predicted:?}, and the state machine does not hold that. \
         An entry is committed once a majority has stored it. The node is that majority, but \
         it has stored nothing before the turn is over: advance() says so, at its end."
    );
}

#[test]
fn what_it_holds_after_the_second_turn() {
    let (predicted, [_, seen, _]) = (predict().after_the_second_turn, watch().after_each_turn);
    assert!(
        predicted == seen,
        "After the second turn you expect {predicted:?}, and the state machine does not hold that. \
         A turn applies everything that the turns before it have committed, however much that \
         is. And a command that was refused is not kept for later: only the client knows \
         whether it still wants it."
    );
}

#[test]
fn what_it_holds_after_the_third_turn() {
    let (predicted, [_, _, seen]) = (predict().after_the_third_turn, watch().after_each_turn);
    assert!(
        predicted == seen,
        "After the third turn you expect {predicted:?}, and the state machine does not hold that. \
         While the second turn applied 10 and 20, it stored 30 as well. So 30 is applied in \
         the third. What was refused does not come back."
    );
}

#[test]
fn where_30_is_in_the_log() {
    let (predicted, seen) = (predict().index_of_30, watch().index_of_30);
    assert!(
        predicted == seen,
        "You expect 30 at index {predicted}, and it is not there. The log holds more than \
         commands: the founder's configuration is an entry, and so is the empty one with which \
         a leader begins. What was refused is in no log."
    );
}
