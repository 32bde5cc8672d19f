//! Section 5.1 of the paper: terms.
//!
//! "Terms act as a logical clock in Raft." Each node has a current term that only grows
//! and that it never forgets. Whoever sees a newer term takes it over and follows;
//! whatever is said in an older term is void.

mod network;

use network::words::{accepted, append, heartbeat, install, message, vote, vote_request};
use network::{Network, asynchronous, plain};
use raft_kernel::{AppendOutcome, ConfState, Config, MessageBody, Role, Snapshot};

fn every_kind() -> Vec<MessageBody> {
    vec![
        vote_request((1, 1)),
        vote(false),
        append((1, 1), 1, &[]),
        accepted(1),
        heartbeat(1),
        MessageBody::HeartbeatResponse { read: None },
        install(Snapshot {
            index: 1,
            term: 1,
            ..Snapshot::default()
        }),
    ]
}

/// Node 1 hears this in term 9, and follows.
#[track_caller]
fn a_newer_term_makes_a_follower(network: &mut Network, body: MessageBody) {
    let name = body.name();
    network.hear(message(2, 1, 9, body));
    assert_eq!(
        (network.role(1), network.term(1)),
        (Role::Follower, 9),
        "{name}"
    );
}

/// The guard is `meet_newer_term`.
#[test]
fn a_leader_that_sees_a_newer_term_in_any_message_follows() {
    for body in every_kind() {
        let mut network = Network::of(3);
        network.elect(1);
        a_newer_term_makes_a_follower(&mut network, body);
    }
}

#[test]
fn a_candidate_that_sees_a_newer_term_in_any_message_follows() {
    for body in every_kind() {
        let mut network = Network::of(3);
        network.isolate(1);
        network.campaign(1);
        assert_eq!(network.role(1), Role::Candidate);
        a_newer_term_makes_a_follower(&mut network, body);
    }
}

#[test]
fn what_is_said_in_an_older_term_is_void() {
    for body in every_kind() {
        let name = body.name();
        let mut network = Network::of(3);
        network.elect(1);
        network.elect(2);
        let before = format!("{:?}", network.status(2));
        network.hear(message(1, 2, 2, body));
        assert_eq!(format!("{:?}", network.status(2)), before, "{name}");
    }
}

/// trap 28: the guard is `answer_older_term`. "Reply false if term < currentTerm" (paper,
/// figure 2). A leader that is not told of a newer term would keep out, for ever, a node
/// that is in it and cannot win an election: because others ignore candidates while they
/// hear from a leader, or because it is no voter yet. Chaos found the latter.
#[test]
fn a_leader_of_an_older_term_is_told_of_the_newer_one() {
    let voters = ConfState::of_voters(1..=3);
    let a_learner = ConfState {
        voters: vec![1, 2],
        learners: vec![3],
        ..ConfState::default()
    };
    let told_by_a_node = |conf_state: &ConfState, check_quorum, pre_vote, body| {
        let settings = |id| Config {
            check_quorum,
            pre_vote,
            ..plain(id)
        };
        let mut network = Network::founded_as(conf_state, (1..=3).map(settings));
        network.hear(message(2, 3, 7, vote_request((0, 0))));
        let answers = network.hear(message(1, 3, 2, body));
        let outcome = AppendOutcome::Accepted { match_index: 0 };
        answers
            == [message(
                3,
                1,
                7,
                MessageBody::AppendEntriesResponse(outcome),
            )]
    };
    for body in [append((1, 1), 1, &[]), heartbeat(1)] {
        assert!(told_by_a_node(&voters, true, false, body.clone()));
        assert!(told_by_a_node(&voters, false, true, body.clone()));
        assert!(told_by_a_node(&a_learner, false, false, body.clone()));
        // Where nobody ignores candidates, this node's own candidacy says it.
        assert!(!told_by_a_node(&voters, false, false, body));
    }
}

/// trap 5: the guard is the choice of a queue in `Raft::send_at_term`.
#[test]
fn nothing_is_promised_in_a_term_that_is_not_durable() {
    let promises = [
        vote_request((1, 1)),
        append((1, 1), 1, &[]),
        append((7, 5), 1, &[]),
    ];
    for body in promises {
        let mut network = Network::with(3, asynchronous);
        network.server(1).holds_appends = true;
        let early = network.hear(message(2, 1, 5, body.clone()));
        assert_eq!(early, [], "{body:?} was answered before the write");
        network.server(1).holds_appends = false;
        let answers = network.answers(1);
        assert_eq!(answers.len(), 1, "{body:?}");
        assert_eq!(network.server(1).storage.hard_state().term, 5);
    }
}

#[test]
fn a_term_is_never_forgotten() {
    let mut network = Network::of(3);
    network.elect(1);
    network.elect(2);
    for id in network.ids() {
        network.crash(id);
        network.restart(id);
        assert_eq!((network.role(id), network.term(id)), (Role::Follower, 3));
    }
}

#[test]
fn a_vote_is_never_forgotten() {
    let mut network = Network::of(3);
    let granted = network.hear(message(2, 1, 5, vote_request((1, 1))));
    assert_eq!(granted, [message(1, 2, 5, vote(true))]);
    network.crash(1);
    network.restart(1);
    let other = network.hear(message(3, 1, 5, vote_request((9, 4))));
    assert_eq!(
        other,
        [message(1, 3, 5, vote(false))],
        "it has voted for node 2"
    );
    let again = network.hear(message(2, 1, 5, vote_request((1, 1))));
    assert_eq!(again, [message(1, 2, 5, vote(true))]);
}
