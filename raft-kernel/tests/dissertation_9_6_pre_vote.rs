//! Section 9.6 of the dissertation: pre-vote.
//!
//! A node asks whether it could win before it begins a term. The question changes nothing,
//! neither at the one who asks nor at those who answer, so a node that was cut off comes
//! back without forcing an election on a leader that serves everyone else. Only with a
//! majority of pre-votes does the real election follow.

mod network;

use network::words::{accepted, append, command, heartbeat, message, vote, vote_request};
use network::{Network, plain};
use raft_kernel::{Config, DropReason, Error, MessageBody, NodeId, Role, Term};

/// Pre-vote alone, without the lease of check-quorum.
fn asking_first(id: NodeId) -> Config {
    Config {
        pre_vote: true,
        ..plain(id)
    }
}

/// Pre-vote and the lease: the usual settings.
fn asking_first_under_a_lease(id: NodeId) -> Config {
    Config {
        check_quorum: true,
        ..asking_first(id)
    }
}

fn pre_vote_request((last_index, last_term): (u64, Term)) -> MessageBody {
    MessageBody::RequestPreVote {
        last_index,
        last_term,
    }
}

fn pre_vote(granted: bool) -> MessageBody {
    MessageBody::RequestPreVoteResponse { granted }
}

/// Node 1 of three has asked the others whether it could win term 2.
fn one_that_asks() -> Network {
    let mut network = Network::with(3, asking_first);
    network.node(1).campaign().unwrap();
    let asked = network.answers(1);
    let expected = [2, 3].map(|to| message(1, to, 2, pre_vote_request((1, 1))));
    assert_eq!(asked, expected, "the question is about the term to come");
    network
}

#[test]
fn to_ask_begins_no_term_and_promises_nothing() {
    let mut network = one_that_asks();
    let promises = network.status(1).hard_state;
    assert_eq!((network.role(1), promises.term), (Role::PreCandidate, 1));
    assert_eq!(promises.vote, None);
    let mut other = Network::with(3, asking_first);
    other.node(1).campaign().unwrap();
    let ready = other.node(1).ready().unwrap();
    assert_eq!(ready.append.hard_state, None, "there is nothing to write");
    assert!(!ready.append.must_sync);
}

#[test]
fn to_answer_promises_nothing_either() {
    let mut network = Network::with(3, asking_first);
    let before = network.status(1).hard_state;
    for candidate in [2, 3] {
        let answers = network.hear(message(candidate, 1, 5, pre_vote_request((1, 1))));
        let granted = message(1, candidate, 5, pre_vote(true));
        assert_eq!(answers, [granted], "one pre-vote excludes no other");
    }
    assert_eq!(network.status(1).hard_state, before);
    let answers = network.hear(message(3, 1, 5, vote_request((1, 1))));
    assert_eq!(answers, [message(1, 3, 5, vote(true))]);
}

#[test]
fn to_answer_does_not_put_an_election_off() {
    let mut network = Network::with(3, asking_first);
    network.node(1).set_election_timeout(7);
    for _ in 0..6 {
        network.tick(1);
    }
    network.hear(message(2, 1, 2, pre_vote_request((1, 1))));
    network.tick(1);
    assert_eq!(network.role(1), Role::PreCandidate);
}

#[test]
fn a_majority_of_pre_votes_begins_the_election() {
    let mut network = one_that_asks();
    let sent = network.hear(message(2, 1, 2, pre_vote(true)));
    assert_eq!((network.role(1), network.term(1)), (Role::Candidate, 2));
    let expected = [2, 3].map(|to| message(1, to, 2, vote_request((1, 1))));
    assert_eq!(sent, expected);
}

#[test]
fn a_pre_vote_is_no_vote() {
    let mut network = one_that_asks();
    network.hear(message(2, 1, 2, pre_vote(true)));
    network.hear(message(3, 1, 2, pre_vote(true)));
    assert_eq!(network.role(1), Role::Candidate, "it came late");
    network.hear(message(3, 1, 2, vote(true)));
    assert_eq!(network.role(1), Role::Leader);
}

#[test]
fn a_majority_of_refusals_ends_the_attempt_in_the_same_term() {
    let mut network = one_that_asks();
    network.hear(message(2, 1, 1, pre_vote(false)));
    assert_eq!(network.role(1), Role::PreCandidate);
    network.hear(message(3, 1, 1, pre_vote(false)));
    assert_eq!((network.role(1), network.term(1)), (Role::Follower, 1));
}

/// The guard is the arm `RequestPreVoteResponse { granted: true }` in `meet_newer_term`.
#[test]
fn a_granted_pre_vote_that_arrives_late_moves_no_term() {
    let mut network = one_that_asks();
    network.hear(message(2, 1, 1, heartbeat(1)));
    assert_eq!(network.role(1), Role::Follower);
    network.hear(message(3, 1, 2, pre_vote(true)));
    assert_eq!((network.role(1), network.term(1)), (Role::Follower, 1));
    assert_eq!(network.node(1).leader(), Some(2));
}

#[test]
fn a_refusal_of_a_newer_term_is_news_of_that_term() {
    let mut network = one_that_asks();
    network.hear(message(2, 1, 6, pre_vote(false)));
    assert_eq!((network.role(1), network.term(1)), (Role::Follower, 6));
}

#[test]
fn one_that_asks_and_hears_from_the_leader_follows_it() {
    for body in [heartbeat(1), append((1, 1), 1, &[command(2, 1, "a")])] {
        let mut network = one_that_asks();
        network.hear(message(3, 1, 1, body));
        assert_eq!(network.role(1), Role::Follower);
        assert_eq!(network.node(1).leader(), Some(3));
    }
}

#[test]
fn a_log_that_lacks_entries_gets_no_pre_vote() {
    let mut network = Network::with_logs(&[&[2, 3], &[], &[]], asking_first);
    for (last, granted) in [((9, 2), false), ((2, 3), false), ((3, 3), true)] {
        let answers = network.hear(message(2, 1, 4, pre_vote_request(last)));
        // A refusal says which term has to be overcome.
        let term = if granted { 4 } else { 3 };
        assert_eq!(answers, [message(1, 2, term, pre_vote(granted))]);
    }
}

/// What pre-vote is for. Without it the same story ends the leader's term.
#[test]
fn a_node_that_was_cut_off_comes_back_without_an_election() {
    let leads_on = |config: fn(NodeId) -> Config| {
        let mut network = Network::with(3, config);
        network.elect(1);
        network.isolate(3);
        for _ in 0..100 {
            network.tick(3);
            network.work(3);
        }
        network.propose(1, "a");
        network.heal();
        network.tick_all(40);
        for id in 1..=3 {
            assert_eq!(network.commands(id), ["a"], "n{id}");
        }
        network.leader() == Some(1) && network.term(1) == 2
    };
    assert!(leads_on(asking_first));
    assert!(leads_on(asking_first_under_a_lease));
    assert!(!leads_on(plain));
}

/// trap 27: the guard is the arm `RequestPreVote` in `answer_older_term`. Node 1 has the
/// most complete log and an old term, node 2 the newest term and a shorter log, and there is
/// nobody else. Unless node 2 tells its term, neither can ever win.
#[test]
fn a_pre_vote_of_an_older_term_is_answered_with_the_newer_one() {
    let mut network = Network::with_logs(&[&[2, 2], &[2], &[2]], asking_first);
    network.crash(3);
    network.hear(message(3, 2, 7, vote_request((1, 1))));
    assert_eq!((network.term(1), network.term(2)), (2, 7));
    let answers = network.hear(message(1, 2, 3, pre_vote_request((3, 2))));
    assert_eq!(answers, [message(2, 1, 7, pre_vote(false))]);
    network.tick_all(100);
    assert_eq!(network.leader(), Some(1));
    assert_eq!(network.term(1), 8);
}

/// trap 27: the guard is `self.leader = None` in `become_pre_candidate`. Both survivors have
/// given the leader up and ask each other at the same time. Each must answer as one that has
/// no leader, or they would ignore each other by the lease.
#[test]
fn one_that_asks_believes_in_no_leader_any_more() {
    let mut network = Network::with(3, asking_first_under_a_lease);
    network.elect(1);
    network.crash(1);
    for id in [2, 3] {
        assert_eq!(network.node(id).leader(), Some(1));
        network.node(id).set_election_timeout(12);
        for _ in 0..12 {
            network.tick(id);
        }
        assert_eq!(network.role(id), Role::PreCandidate);
        assert_eq!(network.node(id).leader(), None);
        let refused = network.node(id).propose("a").unwrap_err();
        let reason = DropReason::NoLeader;
        assert!(
            matches!(refused, Error::ProposalDropped { reason: why, .. } if why == reason),
            "{refused}"
        );
    }
    let answers = network.hear(message(3, 2, 3, pre_vote_request((2, 2))));
    assert!(answers.contains(&message(2, 3, 3, pre_vote(true))));
}

/// The lease is for voters that hear from a leader. Without it a pre-vote is given to
/// whoever could win, and the leader stays if its followers hear from it in time.
#[test]
fn a_voter_under_a_lease_does_not_even_answer() {
    for (config, answered) in [
        (asking_first as fn(NodeId) -> Config, 1),
        (asking_first_under_a_lease, 0),
    ] {
        let mut network = Network::with(3, config);
        network.elect(1);
        let answers = network.hear(message(3, 2, 3, pre_vote_request((2, 2))));
        assert_eq!(answers.len(), answered);
        assert_eq!(network.term(2), 2);
    }
}

#[test]
fn a_single_voter_needs_nobody_to_ask() {
    let mut network = Network::with(1, asking_first);
    network.elect(1);
    network.propose(1, "a");
    assert_eq!(
        (network.term(1), network.commands(1)),
        (2, vec!["a".to_owned()])
    );
}

/// Some ask first and some do not, as during an upgrade.
#[test]
fn nodes_with_and_without_pre_vote_elect_each_other() {
    let mut network = Network::with(3, |id| if id == 1 { asking_first(id) } else { plain(id) });
    for (id, term) in [(1, 2), (2, 3), (1, 4)] {
        network.elect(id);
        assert_eq!(network.term(id), term);
    }
    // The one that does not ask hears an answer of a leader that does.
    let answers = network.hear(message(2, 1, 4, accepted(4)));
    assert_eq!(answers, []);
}
