//! Input that no node following the protocol sends.
//!
//! The paper assumes peers that follow it. A broken one must not stop or corrupt others:
//! each message is refused with a reason, and the node stays as it was.

mod network;

use network::random::Random;
use network::words::{
    accepted, append, command, heartbeat, install, message, rejected, vote, vote_request,
};
use network::{Network, founded, plain};
use raft_kernel::{
    AppendOutcome, ConfState, Config, Error, MAX_INDEX, MAX_TERM, MemoryStorage, Message,
    MessageBody, NodeId, Payload, RawNode, ReadId, Snapshot,
};

/// Node 1 leads term 2; node 2 follows it.
fn led() -> Network {
    let mut network = Network::of(3);
    network.elect(1);
    network
}

/// That node 1 or 2 refuses the message for that reason, and stays as it was.
#[track_caller]
fn assert_refused(message: Message, expected: &str) {
    let mut network = led();
    let to = if message.to == 2 { 2 } else { 1 };
    let before = format!("{:?}", network.status(to));
    let Err(error) = network.node(to).step(message) else {
        panic!("it was taken, and not refused because {expected}");
    };
    assert!(error.to_string().contains(expected), "{error}");
    assert!(!error.is_fatal());
    assert_eq!(format!("{:?}", network.status(to)), before);
    assert!(!network.node(to).has_ready());
}

#[test]
fn a_message_for_another_node_is_refused() {
    assert_refused(message(2, 3, 2, heartbeat(1)), "it is for another node");
}

#[test]
fn a_message_from_nobody_or_from_oneself_is_refused() {
    for from in [0, 1] {
        assert_refused(message(from, 1, 2, accepted(2)), "cannot have sent it");
    }
}

#[test]
fn a_term_that_cannot_be_counted_on_from_is_refused() {
    for term in [MAX_TERM + 1, u64::MAX] {
        assert_refused(message(2, 1, term, vote(true)), "its term is out of range");
    }
}

#[test]
fn a_protocol_message_without_a_term_and_a_request_with_one_are_refused() {
    let request = MessageBody::Propose {
        payloads: vec![Payload::Empty],
    };
    for (term, body) in [
        (0, heartbeat(1)),
        (0, vote_request((0, 0))),
        (2, request),
        (2, MessageBody::ReadIndex { read: ReadId(1) }),
    ] {
        assert_refused(message(2, 1, term, body), "its term is impossible");
    }
}

#[test]
fn an_answer_of_somebody_who_takes_no_part_is_refused() {
    for body in [
        accepted(2),
        vote(true),
        MessageBody::RequestPreVoteResponse { granted: true },
        MessageBody::HeartbeatResponse { read: None },
    ] {
        let mut network = led();
        let error = network.node(1).step(message(9, 1, 7, body)).unwrap_err();
        assert!(matches!(error, Error::UnknownPeer(9)), "{error}");
        assert_eq!(network.term(1), 2, "its term counts for nothing either");
    }
}

#[test]
fn a_candidate_with_an_impossible_log_is_refused() {
    for last in [(3, 4), (MAX_INDEX + 1, 2), (u64::MAX, 2)] {
        let why = "the candidate's last entry is impossible";
        assert_refused(message(3, 2, 3, vote_request(last)), why);
        let (last_index, last_term) = last;
        let pre_vote = MessageBody::RequestPreVote {
            last_index,
            last_term,
        };
        assert_refused(message(3, 2, 3, pre_vote), why);
    }
}

#[test]
fn an_append_with_indexes_out_of_range_is_refused() {
    let why = "its indexes are out of range";
    let last = command(MAX_INDEX + 1, 2, "x");
    for body in [
        append((MAX_INDEX + 1, 2), 1, &[]),
        append((u64::MAX, 2), 1, &[]),
        append((MAX_INDEX, 2), 1, &[last]),
        append((1, 1), MAX_INDEX + 1, &[]),
    ] {
        assert_refused(message(1, 2, 2, body), why);
    }
}

#[test]
fn an_append_whose_entries_do_not_follow_each_other_is_refused() {
    let why = "its entries do not follow each other";
    for (prev, entries) in [
        ((1, 1), vec![command(3, 2, "a gap")]),
        ((2, 2), vec![command(3, 2, "a"), command(3, 2, "twice")]),
        ((2, 2), vec![command(3, 1, "a term that falls")]),
        ((2, 2), vec![command(3, 3, "a term to come")]),
        ((1, 3), vec![]),
    ] {
        assert_refused(message(1, 2, 2, append(prev, 1, &entries)), why);
    }
}

/// Only index 0 is of term 0. An entry of that term would be taken for the log's beginning.
#[test]
fn an_entry_of_no_term_is_refused() {
    let why = "its entries do not follow each other";
    for (prev, entries) in [
        ((0, 0), vec![command(1, 0, "x")]),
        ((2, 0), vec![]),
        ((2, 0), vec![command(3, 2, "x")]),
        ((0, 1), vec![]),
    ] {
        assert_refused(message(1, 2, 2, append(prev, 1, &entries)), why);
    }
    for last in [(3, 0), (0, 1)] {
        let why = "the candidate's last entry is impossible";
        assert_refused(message(3, 2, 3, vote_request(last)), why);
    }
}

#[test]
fn a_commit_index_out_of_range_is_refused() {
    for commit in [MAX_INDEX + 1, u64::MAX] {
        assert_refused(
            message(1, 2, 2, heartbeat(commit)),
            "its commit index is out of range",
        );
    }
}

#[test]
fn an_impossible_snapshot_is_refused() {
    for (index, term) in [(0, 0), (MAX_INDEX + 1, 2), (u64::MAX, 1), (5, 3), (5, 0)] {
        let snapshot = Snapshot {
            index,
            term,
            conf_state: ConfState::of_voters([1, 2, 3]),
            ..Snapshot::default()
        };
        let why = "its snapshot's index or term is impossible";
        assert_refused(message(1, 2, 2, install(snapshot)), why);
    }
}

#[test]
fn a_snapshot_whose_configuration_contradicts_itself_is_refused() {
    let both = ConfState {
        voters: vec![1, 2],
        learners: vec![2],
        ..ConfState::default()
    };
    let stray = ConfState {
        voters: vec![1, 2],
        learners_next: vec![3],
        ..ConfState::default()
    };
    let halved = ConfState {
        voters_outgoing: vec![1, 2],
        ..ConfState::default()
    };
    for conf_state in [both, stray, halved, ConfState::of_voters([0, 1, 2])] {
        let mut network = led();
        let snapshot = Snapshot {
            index: 9,
            term: 2,
            conf_state,
            ..Snapshot::default()
        };
        let refused = network.node(2).step(message(1, 2, 2, install(snapshot)));
        assert!(matches!(refused, Err(Error::ConfChange(_))), "{refused:?}");
        assert!(!network.node(2).has_ready());
        network.propose(1, "a");
        assert_eq!(network.commands(2), ["a"]);
    }
}

#[test]
fn an_acknowledgement_of_what_was_never_sent_is_refused() {
    for index in [3, MAX_INDEX, u64::MAX] {
        let why = "it acknowledges entries that were never sent";
        assert_refused(message(2, 1, 2, accepted(index)), why);
    }
    let read = Some(ReadId(u64::MAX));
    let why = "it acknowledges a read that was never asked";
    assert_refused(
        message(2, 1, 2, MessageBody::HeartbeatResponse { read }),
        why,
    );
}

#[test]
fn a_rejection_with_any_numbers_does_no_harm() {
    let numbers = [0, 1, 2, 3, MAX_INDEX, u64::MAX - 1, u64::MAX];
    let mut network = led();
    for prev in numbers {
        for hint in numbers {
            for hint_term in [0, 1, 2, u64::MAX] {
                let body = rejected(prev, (hint, hint_term));
                network.hear(message(2, 1, 2, body));
            }
        }
    }
    network.heal();
    network.propose(1, "a");
    network.tick_all(3);
    assert_eq!(network.commands(2), ["a"]);
}

#[test]
fn impossible_settings_are_refused() {
    let wrong: [fn(&mut Config); 8] = [
        |config| config.id = 0,
        |config| config.heartbeat_ticks = 0,
        |config| config.election_ticks = config.heartbeat_ticks,
        |config| config.election_ticks = u32::MAX,
        |config| config.inflight.messages = 0,
        |config| config.inflight.bytes = 1,
        |config| config.reads = raft_kernel::ReadMode::Lease,
        |config| config.applied = 7,
    ];
    for (number, spoil) in wrong.into_iter().enumerate() {
        let mut config = plain(1);
        spoil(&mut config);
        let refused = RawNode::new(&config, MemoryStorage::new());
        assert!(refused.is_err(), "number {number}");
    }
}

/// Whatever arrives in whatever order: errors, and never a panic or a node that stopped.
#[test]
fn no_message_makes_a_node_panic_or_stop() {
    for seed in 0..300 {
        let mut random = Random::new(seed);
        let storage = founded(ConfState::of_voters([1, 2, 3]));
        let mut node = RawNode::new(&plain(1), storage.clone()).expect("it starts");
        for _ in 0..60 {
            match random.below(10) {
                0 => node.tick().expect("time passes"),
                1 => node.campaign().expect("it may stand"),
                2 | 3 => turn(&mut node, &storage),
                _ => {
                    let result = node.step(garbage(&mut random));
                    assert!(!result.is_err_and(|error| error.is_fatal()), "seed {seed}");
                }
            }
        }
    }
}

fn turn(node: &mut RawNode<MemoryStorage>, storage: &MemoryStorage) {
    let ready = node.ready().expect("it has not stopped");
    if let Some(snapshot) = ready.append.snapshot.as_deref() {
        storage
            .apply_snapshot(snapshot.clone())
            .expect("it is news");
    }
    storage
        .append(&ready.append.entries)
        .expect("they follow the log");
    if let Some(hard_state) = ready.append.hard_state {
        storage.set_hard_state(hard_state);
    }
    node.advance(ready).expect("it has not stopped");
}

fn garbage(random: &mut Random) -> Message {
    let from: NodeId = random.below(5);
    let term = random.pick(&[0, 1, 2, 3, 4, MAX_TERM, u64::MAX]);
    message(from, 1, term, garbage_body(random))
}

fn garbage_body(random: &mut Random) -> MessageBody {
    let numbers = [
        0,
        1,
        2,
        3,
        4,
        9,
        MAX_INDEX - 1,
        MAX_INDEX,
        MAX_INDEX + 1,
        u64::MAX,
    ];
    let (a, b, c) = (
        random.pick(&numbers),
        random.pick(&numbers),
        random.pick(&numbers),
    );
    let granted = random.coin();
    match random.below(14) {
        0 => vote_request((a, b)),
        1 => vote(granted),
        2 => MessageBody::RequestPreVote {
            last_index: a,
            last_term: b,
        },
        3 => MessageBody::RequestPreVoteResponse { granted },
        4 => append((a, b), c, &[]),
        5 => append(
            (a, b),
            c,
            &[command(a.wrapping_add(1), b, "x"), command(b, c, "y")],
        ),
        6 => MessageBody::AppendEntriesResponse(AppendOutcome::Accepted { match_index: a }),
        7 => rejected(a, (b, c)),
        8 => heartbeat(a),
        9 => MessageBody::HeartbeatResponse {
            read: granted.then_some(ReadId(a)),
        },
        10 => install(Snapshot {
            index: a,
            term: b,
            conf_state: ConfState::of_voters([a, b, 1]),
            ..Snapshot::default()
        }),
        11 => MessageBody::TimeoutNow,
        12 => MessageBody::TransferLeader { transferee: a },
        _ => MessageBody::Propose {
            payloads: vec![Payload::Empty],
        },
    }
}
