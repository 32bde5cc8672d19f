//! Section 5.2 of the paper: leader election.
//!
//! A follower that hears nothing for its timeout stands for election. Each node gives at
//! most one vote a term, so at most one candidate gets a majority and leads. Timeouts
//! are random, so that votes are seldom split, and a split vote is followed by another.

mod network;

use network::server::MachineFate;
use network::words::{append, command, heartbeat, message, vote, vote_request};
use network::{Network, asynchronous, founded, plain};
use raft_kernel::{ConfState, Config, Message, MessageBody, NodeId, RawNode, Role};

fn requests(messages: &[Message]) -> Vec<&Message> {
    let is_request = |m: &&Message| matches!(m.body, MessageBody::RequestVote { .. });
    messages.iter().filter(is_request).collect()
}

#[test]
fn a_follower_that_hears_nothing_for_its_timeout_stands_for_election() {
    let mut network = Network::of(3);
    network.node(1).set_election_timeout(7);
    for _ in 0..6 {
        network.tick(1);
    }
    assert_eq!((network.role(1), network.term(1)), (Role::Follower, 1));
    network.tick(1);
    assert_eq!((network.role(1), network.term(1)), (Role::Candidate, 2));
    let sent = network.answers(1);
    let expected = [2, 3].map(|to| message(1, to, 2, vote_request((1, 1))));
    assert_eq!(sent, expected);
}

#[test]
fn to_hear_from_the_leader_puts_an_election_off() {
    let mut network = Network::of(3);
    network.node(1).set_election_timeout(7);
    for body in [heartbeat(1), append((1, 1), 1, &[]), heartbeat(1)] {
        for _ in 0..6 {
            network.tick(1);
        }
        network.hear(message(2, 1, 1, body));
    }
    assert_eq!(network.role(1), Role::Follower);
}

#[test]
fn to_give_a_vote_puts_an_election_off_and_to_refuse_one_does_not() {
    for (last, role) in [((1, 1), Role::Follower), ((0, 0), Role::Candidate)] {
        let mut network = Network::of(3);
        network.hear(message(2, 1, 5, vote_request((0, 0))));
        network.node(1).set_election_timeout(7);
        for _ in 0..6 {
            network.tick(1);
        }
        network.hear(message(2, 1, 5, vote_request(last)));
        network.tick(1);
        assert_eq!(
            network.role(1),
            role,
            "after a candidate whose log ends at {last:?}"
        );
    }
}

#[test]
fn a_candidate_with_a_majority_leads_and_says_so_at_once() {
    let mut network = Network::of(5);
    network.node(1).campaign().unwrap();
    network.answers(1);
    assert_eq!(network.hear(message(2, 1, 2, vote(true))), []);
    assert_eq!(network.role(1), Role::Candidate);
    let sent = network.hear(message(3, 1, 2, vote(true)));
    assert_eq!(network.role(1), Role::Leader);
    let to: Vec<NodeId> = sent.iter().map(|message| message.to).collect();
    assert_eq!(to, [2, 3, 4, 5]);
}

#[test]
fn a_candidate_that_a_majority_refuses_waits_for_another_election() {
    let mut network = Network::of(3);
    network.node(1).campaign().unwrap();
    network.answers(1);
    network.hear(message(2, 1, 2, vote(false)));
    assert_eq!(network.role(1), Role::Candidate);
    network.hear(message(3, 1, 2, vote(false)));
    assert_eq!((network.role(1), network.term(1)), (Role::Follower, 2));
}

#[test]
fn a_vote_that_arrives_twice_counts_once() {
    let mut network = Network::of(5);
    network.node(1).campaign().unwrap();
    network.answers(1);
    for _ in 0..3 {
        network.hear(message(2, 1, 2, vote(true)));
    }
    assert_eq!(network.role(1), Role::Candidate);
}

/// The guard is `free` in `answer_vote_request`.
#[test]
fn a_node_gives_one_vote_a_term() {
    let mut network = Network::of(3);
    let first = network.hear(message(2, 1, 5, vote_request((1, 1))));
    let second = network.hear(message(3, 1, 5, vote_request((4, 4))));
    assert_eq!(first, [message(1, 2, 5, vote(true))]);
    assert_eq!(second, [message(1, 3, 5, vote(false))]);
    let next_term = network.hear(message(3, 1, 6, vote_request((4, 4))));
    assert_eq!(next_term, [message(1, 3, 6, vote(true))]);
}

/// The guard is `self.leader.is_none()` in `answer_vote_request`. Node 1 still has its vote of
/// this term, since node 2 was elected without it.
#[test]
fn who_knows_the_leader_of_a_term_votes_for_nobody_else_in_it() {
    let mut network = Network::of(3);
    network.hear(message(2, 1, 5, heartbeat(1)));
    let answers = network.hear(message(3, 1, 5, vote_request((4, 4))));
    assert_eq!(answers, [message(1, 3, 5, vote(false))]);
    assert_eq!(network.status(1).hard_state.vote, None);
    assert_eq!(network.node(1).leader(), Some(2));
}

#[test]
fn a_candidate_that_hears_from_its_terms_leader_follows_it() {
    for body in [heartbeat(1), append((1, 1), 1, &[command(2, 2, "a")])] {
        let mut network = Network::of(3);
        network.isolate(1);
        network.campaign(1);
        network.hear(message(2, 1, 2, body));
        assert_eq!(
            (network.role(1), network.node(1).leader()),
            (Role::Follower, Some(2))
        );
        assert_eq!(network.term(1), 2);
    }
}

#[test]
fn a_split_vote_elects_nobody_and_the_next_term_somebody() {
    let mut network = Network::of(4);
    network.node(1).campaign().unwrap();
    network.node(2).campaign().unwrap();
    network.cut(1, 4);
    network.cut(2, 3);
    network.settle();
    assert_eq!(network.leader(), None, "two votes each");
    network.heal();
    for _ in 0..100 {
        network.tick_all(1);
    }
    let leader = network.leader().expect("timeouts differ");
    assert!(network.term(leader) > 2);
}

/// trap 32: nothing but the seed decides.
#[test]
fn timeouts_are_drawn_from_the_seed_between_one_and_two_base_times() {
    let ticks_until_candidate = |seed| {
        let config = Config { seed, ..plain(1) };
        let storage = founded(ConfState::of_voters([1, 2, 3]));
        let mut node = RawNode::new(&config, storage).unwrap();
        (1..=100).find(|_| {
            node.tick().unwrap();
            node.role() == Role::Candidate
        })
    };
    let waits: Vec<_> = (0..50)
        .map(|seed| ticks_until_candidate(seed).unwrap())
        .collect();
    let again: Vec<_> = (0..50)
        .map(|seed| ticks_until_candidate(seed).unwrap())
        .collect();
    assert_eq!(waits, again);
    assert!(
        waits.iter().all(|wait| (10..20).contains(wait)),
        "{waits:?}"
    );
    assert!(waits.iter().any(|wait| *wait < 13) && waits.iter().any(|wait| *wait > 16));
}

#[test]
fn a_leader_says_that_it_is_there_as_often_as_it_was_told() {
    let mut network = Network::with(3, |id| Config {
        heartbeat_ticks: 3,
        ..plain(id)
    });
    network.elect(1);
    for round in 1..=9 {
        network.tick(1);
        let beats = network.answers(1).len();
        assert_eq!(
            beats,
            if round % 3 == 0 { 2 } else { 0 },
            "after {round} ticks"
        );
    }
}

#[test]
fn a_single_voter_elects_itself_once_its_vote_is_stored() {
    let mut network = Network::with(1, asynchronous);
    network.server(1).holds_appends = true;
    network.campaign(1);
    assert_eq!(network.role(1), Role::Candidate);
    network.server(1).holds_appends = false;
    network.settle();
    assert_eq!(network.role(1), Role::Leader);
}

#[test]
fn a_learner_stands_for_no_election() {
    let mut network = Network::with_learner(2);
    network.campaign(3);
    for _ in 0..100 {
        network.tick(3);
    }
    assert_eq!((network.role(3), network.term(3)), (Role::Follower, 1));
}

/// trap 5: the guard is `has_voted` in `count_vote`. The request for votes goes out before
/// the candidate's own vote is written. Were it to lead by the votes of others alone, a
/// crash would let it lead the same term twice, with different entries. Chaos found that.
#[test]
fn a_candidate_leads_only_once_its_own_vote_is_stored() {
    let mut network = Network::with(3, asynchronous);
    network.server(1).holds_appends = true;
    network.campaign(1);
    assert_eq!(network.role(1), Role::Candidate, "both others voted for it");
    // What would happen otherwise: a crash, and the same votes arrive again.
    let votes = [2, 3].map(|from| message(from, 1, 2, vote(true)));
    network.server(1).start(MachineFate::Survived);
    network.server(1).holds_appends = false;
    assert_eq!(network.term(1), 1, "it has forgotten that it stood");
    network.campaign(1);
    for vote in votes {
        network.hear(vote);
    }
    assert_eq!((network.role(1), network.term(1)), (Role::Leader, 2));
}

/// trap 5: the guard is `stored_last_id` in `campaign`. A vote that was given to a log
/// which a crash then shortened would elect a leader without committed entries.
#[test]
fn a_candidate_speaks_only_of_entries_that_are_stored() {
    let mut network = Network::with(3, asynchronous);
    network.server(1).holds_appends = true;
    let entries = [command(2, 1, "a"), command(3, 1, "b")];
    network.hear(message(2, 1, 1, append((1, 1), 1, &entries)));
    network.node(1).campaign().unwrap();
    let sent = network.answers(1);
    let asked: Vec<_> = requests(&sent).iter().map(|m| m.body.clone()).collect();
    assert_eq!(asked, [vote_request((1, 1)), vote_request((1, 1))]);
    network.server(1).holds_appends = false;
    network.work(1);
    network.node(1).campaign().unwrap();
    let sent = network.answers(1);
    assert_eq!(requests(&sent)[0].body, vote_request((3, 1)));
}
