//! Section 6.4 of the dissertation: reads without an entry in the log.
//!
//! A leader that has committed something of its own term knows all that is committed. For a
//! read it takes its commit index, makes sure that it still leads, and only then answers:
//! whoever has applied that index may read. It makes sure by a round of heartbeats (6.4) or
//! by its lease (6.4.1). A follower asks its leader (6.4, last paragraph).
//!
//! What goes wrong with the numbers of reads is in `reads_mixed_up.rs`, what a lease is worth
//! in `dissertation_6_4_1_lease.rs`.

mod network;

use network::words::{accepted, append, command, message, vote};
use network::{Network, plain};
use raft_kernel::{
    Change, ConfChange, ConfState, Config, DropReason, Error, Message, MessageBody, NodeId, ReadId,
    ReadMode, Role, Transition,
};

fn under_a_lease(id: NodeId) -> Config {
    Config {
        check_quorum: true,
        reads: ReadMode::Lease,
        ..plain(id)
    }
}

/// The reads that the messages speak of, and to whom.
fn named(messages: &[Message]) -> Vec<(NodeId, ReadId)> {
    let read = |message: &Message| match message.body {
        MessageBody::Heartbeat { read, .. } => read.map(|read| (message.to, read)),
        _ => None,
    };
    messages.iter().filter_map(read).collect()
}

fn confirmed(from: NodeId, term: u64, read: ReadId) -> Message {
    message(
        from,
        1,
        term,
        MessageBody::HeartbeatResponse { read: Some(read) },
    )
}

fn ask(network: &mut Network, id: NodeId, context: &'static str) -> Vec<Message> {
    network.node(id).read_index(context).expect("it is taken");
    network.answers(id)
}

fn answer(index: u64, context: &str) -> [(u64, String); 1] {
    [(index, context.to_owned())]
}

fn assert_dropped(result: &Result<(), Error>, expected: DropReason) {
    assert!(
        matches!(result, Err(Error::RequestDropped(reason)) if *reason == expected),
        "{result:?}"
    );
}

/// Node 1 leads, and nobody has answered its first append.
fn just_elected(count: NodeId, config: fn(NodeId) -> Config) -> Network {
    let mut network = Network::with(count, config);
    network.node(1).campaign().unwrap();
    network.answers(1);
    for from in 2..=count / 2 + 1 {
        network.hear(message(from, 1, 2, vote(true)));
    }
    assert_eq!(network.role(1), Role::Leader);
    network
}

#[test]
fn a_read_waits_for_a_round_of_heartbeats() {
    let mut network = Network::of(5);
    network.elect(1);
    let sent = ask(&mut network, 1, "x");
    let asked = named(&sent);
    let to: Vec<NodeId> = asked.iter().map(|(to, _)| *to).collect();
    assert_eq!(to, [2, 3, 4, 5]);
    let read = asked[0].1;
    network.hear(confirmed(2, 2, read));
    assert_eq!(network.take_reads(1), [], "two of five");
    network.hear(confirmed(2, 2, read));
    assert_eq!(network.take_reads(1), [], "the same answer once more");
    network.hear(confirmed(3, 2, read));
    assert_eq!(network.take_reads(1), answer(2, "x"));
    network.hear(confirmed(4, 2, read));
    assert_eq!(network.take_reads(1), [], "it is answered once");
}

#[test]
fn a_heartbeat_that_names_no_read_confirms_none() {
    let mut network = Network::of(3);
    network.elect(1);
    ask(&mut network, 1, "x");
    let body = MessageBody::HeartbeatResponse { read: None };
    network.hear(message(2, 1, 2, body));
    assert_eq!(network.take_reads(1), []);
}

#[test]
fn a_round_confirms_the_reads_that_came_before_it_and_none_that_came_after() {
    let mut network = Network::of(3);
    network.elect(1);
    ask(&mut network, 1, "a");
    let second = named(&ask(&mut network, 1, "b"))[0].1;
    ask(&mut network, 1, "c");
    network.hear(confirmed(2, 2, second));
    let expected = [(2, "a".to_owned()), (2, "b".to_owned())];
    assert_eq!(network.take_reads(1), expected);
}

#[test]
fn a_round_that_was_lost_is_followed_by_another() {
    let mut network = Network::of(3);
    network.elect(1);
    ask(&mut network, 1, "x");
    assert_eq!(network.take_reads(1), []);
    network.tick_all(1);
    assert_eq!(network.take_reads(1), answer(2, "x"));
}

/// The point of it all: a leader that does not know of its successor answers nothing.
#[test]
fn a_leader_that_was_replaced_answers_no_read() {
    let mut network = Network::of(3);
    network.elect(1);
    network.isolate(1);
    network.elect(2);
    network.propose(2, "new");
    network.node(1).read_index("x").unwrap();
    for _ in 0..30 {
        network.tick(1);
        network.settle();
    }
    assert_eq!(network.take_reads(1), []);
    network.heal();
    network.tick_all(3);
    assert_eq!(network.role(1), Role::Follower);
    assert_eq!(network.take_reads(1), [], "its read went with its term");
    network.node(1).read_index("x").unwrap();
    network.settle();
    assert_eq!(
        network.take_reads(1),
        answer(4, "x"),
        "the new leader's commit index"
    );
}

#[test]
fn reads_of_an_earlier_term_stay_forgotten_when_the_node_leads_again() {
    let mut network = Network::of(3);
    network.elect(1);
    let read = named(&ask(&mut network, 1, "x"))[0].1;
    network.elect(2);
    network.elect(1);
    network.hear(confirmed(2, 2, read));
    network.tick_all(3);
    assert_eq!(network.take_reads(1), []);
}

#[test]
fn under_a_lease_a_read_is_answered_without_a_message() {
    let mut network = Network::with(3, under_a_lease);
    network.elect(1);
    network.tick_all(1);
    assert_eq!(ask(&mut network, 1, "x"), []);
    assert_eq!(network.take_reads(1), answer(2, "x"));
}

/// trap 29: the guard is `committed_in_own_term` in `lead_read`. The leader before this one
/// has committed index 3, which this one cannot know yet; read at 1, 'a' would be missing.
#[test]
fn a_read_waits_until_the_leader_has_committed_in_its_own_term() {
    for config in [plain, under_a_lease] {
        let mut network = Network::with(3, config);
        let entries = [command(2, 1, "a"), command(3, 1, "b")];
        network.hear(message(2, 1, 1, append((1, 1), 1, &entries)));
        for _ in 0..10 {
            network.tick(1);
        }
        network.node(1).campaign().unwrap();
        network.answers(1);
        network.hear(message(3, 1, 2, vote(true)));
        assert_eq!((network.role(1), network.commit(1)), (Role::Leader, 1));
        assert_eq!(named(&ask(&mut network, 1, "x")), []);
        network.tick(1);
        for (_, read) in named(&network.answers(1)) {
            network.hear(confirmed(3, 2, read));
        }
        assert_eq!(network.take_reads(1), [], "to lead is not enough");
        // Not dropped either: with the first commit it goes on by itself.
        let sent = network.hear(message(3, 1, 2, accepted(4)));
        if let Some((_, read)) = named(&sent).first() {
            network.hear(confirmed(3, 2, *read));
        }
        assert_eq!(network.take_reads(1), answer(4, "x"));
    }
}

#[test]
fn a_followers_read_is_postponed_like_the_leaders_own() {
    let mut network = just_elected(3, plain);
    let read = ReadId(7);
    network.hear(message(2, 1, 0, MessageBody::ReadIndex { read }));
    let sent = network.hear(message(3, 1, 2, accepted(2)));
    let own = named(&sent)[0].1;
    let sent = network.hear(confirmed(3, 2, own));
    let body = MessageBody::ReadIndexResponse { read, index: 2 };
    assert!(sent.contains(&message(1, 2, 2, body)), "{sent:?}");
}

/// trap 29: the guard is `is_full` in `lead_read`. Those that wait for a commit and those
/// that wait for heartbeats count together.
#[test]
fn only_so_many_reads_wait_for_a_leader() {
    let few = |id| Config {
        max_pending_reads: 2,
        ..plain(id)
    };
    let mut network = just_elected(3, few);
    for context in ["a", "b"] {
        ask(&mut network, 1, context);
    }
    assert_dropped(&network.node(1).read_index("c"), DropReason::TooManyReads);
    let from_a_follower = message(2, 1, 0, MessageBody::ReadIndex { read: ReadId(1) });
    let refused = network.node(1).step(from_a_follower);
    assert_dropped(&refused, DropReason::TooManyReads);
    let sent = network.hear(message(3, 1, 2, accepted(2)));
    assert_dropped(&network.node(1).read_index("c"), DropReason::TooManyReads);
    let newest = named(&sent).last().expect("both go on").1;
    network.hear(confirmed(3, 2, newest));
    assert_eq!(network.take_reads(1).len(), 2);
    network
        .node(1)
        .read_index("c")
        .expect("there is room again");
}

#[test]
fn a_follower_asks_its_leader() {
    let mut network = Network::of(3);
    network.elect(1);
    network.propose(1, "a");
    for (id, context) in [(2, "x"), (3, "y")] {
        network.node(id).read_index(context).unwrap();
        network.settle();
        assert_eq!(network.take_reads(id), answer(3, context), "n{id}");
    }
    assert_eq!(network.take_reads(1), []);
}

#[test]
fn a_learner_asks_too_and_confirms_nothing() {
    let mut network = Network::with_learner(3);
    network.elect(1);
    network.node(4).read_index("x").unwrap();
    network.settle();
    assert_eq!(network.take_reads(4), answer(2, "x"));
    let read = named(&ask(&mut network, 1, "y"))[0].1;
    network.hear(confirmed(4, 2, read));
    assert_eq!(network.take_reads(1), []);
}

#[test]
fn who_knows_no_leader_says_so() {
    let mut network = Network::of(3);
    assert_dropped(&network.node(1).read_index("x"), DropReason::NoLeader);
    network.node(1).campaign().unwrap();
    assert_eq!(network.role(1), Role::Candidate);
    assert_dropped(&network.node(1).read_index("x"), DropReason::NoLeader);
}

/// A follower that was taken for the leader passes the question on; the answer goes straight
/// to the one who asked.
#[test]
fn a_question_finds_its_way_over_a_former_leader() {
    let mut network = Network::of(3);
    network.elect(1);
    let read = ReadId(3);
    let sent = network.hear(message(3, 2, 0, MessageBody::ReadIndex { read }));
    assert_eq!(sent, [message(3, 1, 0, MessageBody::ReadIndex { read })]);
}

#[test]
fn a_single_voter_answers_at_once_but_not_before_its_first_commit() {
    let mut network = Network::of(1);
    network.elect(1);
    network.propose(1, "a");
    network.crash(1);
    network.restart(1);
    assert_dropped(&network.node(1).read_index("x"), DropReason::NoLeader);
    network.node(1).campaign().unwrap();
    while network.role(1) != Role::Leader {
        network.turn(1);
    }
    network.node(1).read_index("x").unwrap();
    assert_eq!(network.commit(1), 3, "its own entry is not committed yet");
    network.settle();
    assert_eq!(network.take_reads(1), answer(4, "x"));
    assert_eq!(ask(&mut network, 1, "y"), [], "there is nobody to ask");
    assert_eq!(network.take_reads(1), answer(4, "y"));
}

#[test]
fn a_joint_configuration_confirms_by_both_majorities() {
    let joint = ConfState {
        voters: vec![1, 4, 5],
        voters_outgoing: vec![1, 2, 3],
        ..ConfState::default()
    };
    for (first, second) in [([2, 3], 4), ([4, 5], 2)] {
        let mut network = Network::founded_as(&joint, (1..=5).map(plain));
        network.elect(1);
        let read = named(&ask(&mut network, 1, "x"))[0].1;
        for from in first {
            network.hear(confirmed(from, 2, read));
        }
        assert_eq!(network.take_reads(1), [], "{first:?} are one majority");
        network.hear(confirmed(second, 2, read));
        assert_eq!(network.take_reads(1), answer(2, "x"));
    }
}

/// The guard is `JointConfig::is_singleton`: a joint configuration may have one voter, the
/// same in both halves. Nobody is there whose answer to a heartbeat would confirm a read.
#[test]
fn the_only_voter_of_a_joint_configuration_answers_at_once() {
    let mut network = Network::of(1);
    network.elect(1);
    network.change(
        1,
        ConfChange {
            transition: Transition::JointExplicit,
            changes: vec![Change::Update(1)],
            ..ConfChange::default()
        },
    );
    assert!(network.status(1).config.voters.is_joint());
    ask(&mut network, 1, "x");
    assert_eq!(network.take_reads(1), answer(3, "x"));
}

/// The guard is `answer_confirmed_reads` in `switch_to`. A read waits for the answer of a node
/// that is then removed: nobody is left to answer, and the read would keep its place for ever.
#[test]
fn a_read_that_waited_for_a_node_that_was_removed_is_answered() {
    let mut network = Network::with(2, |id| Config {
        max_pending_reads: 1,
        ..plain(id)
    });
    network.elect(1);
    network.drop_when(|message| matches!(message.body, MessageBody::Heartbeat { .. }));
    ask(&mut network, 1, "x");
    network.change(1, ConfChange::single(Change::Remove(2)));
    assert_eq!(network.take_reads(1), answer(2, "x"));
    ask(&mut network, 1, "y");
    assert_eq!(network.take_reads(1), answer(3, "y"));
}
