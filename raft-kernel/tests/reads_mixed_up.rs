//! Section 6.4 of the dissertation, where it leaves the details to the reader: which answer
//! belongs to which read.
//!
//! Every read has a number that its node never gave before, whatever bytes the caller knows
//! it by. An answer that comes late, twice, to the wrong term or from nowhere is nobody's.

mod network;

use network::words::message;
use network::{Network, plain};
use raft_kernel::{Config, Error, Message, MessageBody, NodeId, ReadId};

fn led() -> Network {
    let mut network = Network::of(3);
    network.elect(1);
    network
}

/// Asks node 1, and gives the number that its heartbeats name.
fn ask_leader(network: &mut Network, context: &'static str) -> ReadId {
    network.node(1).read_index(context).unwrap();
    let named = network.answers(1).into_iter().find_map(|m| match m.body {
        MessageBody::Heartbeat { read, .. } => read,
        _ => None,
    });
    named.expect("a round of heartbeats")
}

/// Asks node 2, and gives the number under which it asks its leader.
fn ask_follower(network: &mut Network, context: &'static str) -> ReadId {
    network.node(2).read_index(context).unwrap();
    let passed_on = network.answers(2);
    let [
        Message {
            to: 1,
            term: 0,
            body: MessageBody::ReadIndex { read },
            ..
        },
    ] = passed_on[..]
    else {
        panic!("a question to the leader: {passed_on:?}");
    };
    read
}

fn confirmed(from: NodeId, term: u64, read: ReadId) -> Message {
    message(
        from,
        1,
        term,
        MessageBody::HeartbeatResponse { read: Some(read) },
    )
}

fn answered(term: u64, read: ReadId, index: u64) -> Message {
    message(1, 2, term, MessageBody::ReadIndexResponse { read, index })
}

/// trap 30: the guard is `Reads::number`, which gives no number twice. The same bytes are
/// read again after another leader took over, unknown to this one; the answer to the first
/// round arrives once more.
#[test]
fn the_same_context_again_is_another_read_to_the_leader() {
    let mut network = led();
    let first = ask_leader(&mut network, "x");
    network.hear(confirmed(2, 2, first));
    assert_eq!(network.take_reads(1).len(), 1);
    network.isolate(1);
    network.elect(2);
    network.propose(2, "new");
    let second = ask_leader(&mut network, "x");
    assert_ne!(first, second);
    for from in [2, 3] {
        network.hear(confirmed(from, 2, first));
    }
    assert_eq!(
        network.take_reads(1),
        [],
        "it leads no longer and cannot know"
    );
}

/// trap 30: the guard is `Reads::number`. The leader answered the first question with index
/// 2; 'a' was committed since.
#[test]
fn the_same_context_again_is_another_read_to_a_follower() {
    let mut network = led();
    let first = ask_follower(&mut network, "x");
    network.hear(answered(2, first, 2));
    assert_eq!(network.take_reads(2), [(2, "x".to_owned())]);
    network.propose(1, "a");
    let second = ask_follower(&mut network, "x");
    network.hear(answered(2, first, 2));
    assert_eq!(network.take_reads(2), [], "a late copy of the first answer");
    network.hear(answered(2, second, 3));
    assert_eq!(network.take_reads(2), [(3, "x".to_owned())]);
}

#[test]
fn an_answer_in_an_older_term_counts_for_nothing() {
    let mut network = led();
    network.elect(2);
    network.elect(1);
    let read = ask_leader(&mut network, "x");
    network.hear(confirmed(2, 2, read));
    assert_eq!(network.take_reads(1), []);
    let read = ask_follower(&mut network, "y");
    network.hear(answered(2, read, 2));
    assert_eq!(network.take_reads(2), []);
}

#[test]
fn an_answer_to_what_nobody_asked_is_nobodys() {
    let mut network = led();
    let read = ask_leader(&mut network, "x");
    let from_the_future = confirmed(2, 2, ReadId(read.0 + 1));
    let refused = network.node(1).step(from_the_future).unwrap_err();
    assert!(matches!(refused, Error::InvalidMessage { .. }), "{refused}");
    let refused = network.node(1).step(confirmed(9, 2, read)).unwrap_err();
    assert!(matches!(refused, Error::UnknownPeer(9)), "{refused}");
    let read = ask_follower(&mut network, "y");
    for number in [0, read.0 - 1, read.0 + 1, u64::MAX] {
        network.hear(answered(2, ReadId(number), 2));
    }
    assert_eq!(
        (network.take_reads(1), network.take_reads(2)),
        (vec![], vec![])
    );
}

#[test]
fn an_older_round_after_a_newer_one_takes_nothing_back() {
    let mut network = Network::of(5);
    network.elect(1);
    let first = ask_leader(&mut network, "a");
    let second = ask_leader(&mut network, "b");
    network.hear(confirmed(2, 2, second));
    network.hear(confirmed(2, 2, first));
    network.hear(confirmed(3, 2, second));
    let contexts = network
        .take_reads(1)
        .into_iter()
        .map(|(_, context)| context);
    assert_eq!(contexts.collect::<Vec<_>>(), ["a", "b"]);
}

#[test]
fn a_follower_that_changes_its_leader_forgets_what_it_asked() {
    let mut network = led();
    let read = ask_follower(&mut network, "x");
    network.elect(3);
    let late = message(3, 2, 3, MessageBody::ReadIndexResponse { read, index: 2 });
    network.hear(late);
    assert_eq!(network.take_reads(2), []);
}

/// Answers get lost, so what a follower asked cannot wait for ever.
#[test]
fn a_follower_remembers_only_so_many_questions_the_newest_ones() {
    let mut network = Network::with(3, |id| Config {
        max_pending_reads: 2,
        ..plain(id)
    });
    network.elect(1);
    let reads = ["a", "b", "c"].map(|context| ask_follower(&mut network, context));
    for read in reads {
        network.hear(answered(2, read, 2));
    }
    let contexts = network
        .take_reads(2)
        .into_iter()
        .map(|(_, context)| context);
    assert_eq!(contexts.collect::<Vec<_>>(), ["b", "c"]);
}

/// A node counts its reads from a place that its seed gives. Started again with another
/// seed, it takes no answer to a question from before the crash for one of its own.
#[test]
fn another_seed_after_a_restart_gives_other_numbers() {
    let mut network = led();
    let before = ask_follower(&mut network, "x");
    network.crash(2);
    network.server(2).config.seed += 1;
    network.restart(2);
    network.tick_all(1);
    network.propose(1, "a");
    let after = ask_follower(&mut network, "x");
    assert_ne!(before, after);
    network.hear(answered(2, before, 2));
    assert_eq!(network.take_reads(2), []);
}

/// The guard is in `step_as_follower`: what a node asked as a follower is not passed on to it
/// when it leads by now. It would refuse the message as one that cannot be.
#[test]
fn a_question_does_not_come_back_to_a_node_that_leads_by_now() {
    let mut network = led();
    network.node(2).read_index("x").unwrap();
    let question = network.answers(2).remove(0);
    network.elect(2);
    assert_eq!(network.hear(question), []);
    network.settle();
    assert!(network.refused.is_empty(), "{:?}", network.refused);
}
