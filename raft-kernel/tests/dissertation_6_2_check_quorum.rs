//! Sections 6.2 and 4.2.3 of the dissertation: a leader looks whether it still has a quorum.
//!
//! A leader that hears from no majority for an election timeout steps down, so that clients
//! look for another (6.2). The other side of it is a *lease*: a voter that hears from a
//! leader ignores candidates, so that a removed or returning node disturbs nobody (4.2.3).

mod network;

use network::words::{accepted, heartbeat, message, vote, vote_request};
use network::{Network, plain};
use raft_kernel::{
    Change, ConfChange, ConfState, Config, Event, MessageBody, NodeId, ReadMode, Role,
};

/// Check-quorum alone, without pre-vote.
fn looking(id: NodeId) -> Config {
    Config {
        check_quorum: true,
        ..plain(id)
    }
}

fn asking_first(id: NodeId) -> Config {
    Config {
        pre_vote: true,
        ..looking(id)
    }
}

fn pre_vote_request((last_index, last_term): (u64, u64)) -> MessageBody {
    MessageBody::RequestPreVote {
        last_index,
        last_term,
    }
}

fn led(count: NodeId) -> Network {
    let mut network = Network::with(count, looking);
    network.elect(1);
    network
}

/// So many ticks for one node, and what it does in them.
fn tick(network: &mut Network, id: NodeId, ticks: u32) {
    for _ in 0..ticks {
        network.tick(id);
        network.work(id);
    }
}

#[test]
fn a_leader_that_hears_from_no_majority_steps_down() {
    let mut network = led(5);
    network.take_events(1);
    network.partition(&[&[1, 2], &[3, 4, 5]]);
    // The first look still finds what was heard before the cut.
    for _ in 0..20 {
        network.tick(1);
        network.settle();
    }
    assert_eq!((network.role(1), network.term(1)), (Role::Follower, 2));
    assert_eq!(network.node(1).leader(), None);
    assert!(network.take_events(1).contains(&Event::LostQuorum));
}

#[test]
fn a_leader_that_hears_from_a_majority_leads_on() {
    let mut network = led(5);
    network.partition(&[&[1, 2, 3], &[4, 5]]);
    for _ in 0..100 {
        network.tick(1);
        network.settle();
    }
    assert_eq!((network.role(1), network.term(1)), (Role::Leader, 2));
}

#[test]
fn the_majority_elects_another_and_the_old_leader_follows_it() {
    let mut network = led(5);
    network.partition(&[&[1, 2], &[3, 4, 5]]);
    network.tick_all(60);
    let leader = network.leader().expect("three of five are enough");
    assert!(leader >= 3, "n{leader} leads");
    assert_ne!(network.role(1), Role::Leader);
    network.propose(leader, "a");
    network.heal();
    network.tick_all(60);
    assert_eq!(network.commands(1), ["a"]);
}

#[test]
fn a_voter_that_hears_from_a_leader_ignores_candidates() {
    for body in [vote_request((9, 2)), pre_vote_request((9, 2))] {
        let mut network = led(3);
        for id in [1, 2] {
            network.take_events(id);
            let from = 3;
            assert_eq!(network.hear(message(from, id, 7, body.clone())), []);
            assert_eq!(
                network.term(id),
                2,
                "the leader's lease holds for itself too"
            );
            let ignored = Event::IgnoredCandidate { candidate: from };
            assert_eq!(network.take_events(id), [ignored]);
        }
    }
}

#[test]
fn without_check_quorum_nobody_ignores_a_candidate() {
    let mut network = Network::of(3);
    network.elect(1);
    let answers = network.hear(message(3, 2, 7, vote_request((2, 2))));
    assert_eq!(answers, [message(2, 3, 7, vote(true))]);
}

#[test]
fn a_lease_lasts_for_an_election_timeout_after_the_leader_was_heard() {
    for (ticks, answers) in [(9, 0), (10, 1)] {
        let mut network = led(3);
        network.hear(message(1, 2, 2, heartbeat(2)));
        network.node(2).set_election_timeout(20);
        tick(&mut network, 2, ticks);
        let heard = network.hear(message(3, 2, 7, vote_request((2, 2))));
        assert_eq!(heard.len(), answers, "after {ticks} ticks");
    }
}

#[test]
fn a_candidate_that_the_leader_sent_is_not_ignored() {
    let mut network = led(3);
    let body = MessageBody::RequestVote {
        last_index: 2,
        last_term: 2,
        transfer: true,
    };
    let answers = network.hear(message(3, 2, 3, body));
    assert_eq!(answers, [message(2, 3, 3, vote(true))]);
}

/// trap 28: the guard is `recently_active = true` in `newcomer`. Node 2 was added just
/// before the leader looks, and cannot have answered anything yet.
#[test]
fn a_newcomer_counts_as_active_until_the_next_look() {
    let mut network = led(1);
    tick(&mut network, 1, 9);
    network.change(1, ConfChange::single(Change::AddVoter(2)));
    tick(&mut network, 1, 1);
    assert_eq!(network.role(1), Role::Leader, "it had no chance to answer");
    tick(&mut network, 1, 9);
    assert_eq!(network.role(1), Role::Leader);
    tick(&mut network, 1, 1);
    assert_eq!(network.role(1), Role::Follower, "now it had one");
}

#[test]
fn a_learner_is_no_part_of_the_quorum() {
    let conf_state = ConfState {
        voters: vec![1, 2],
        learners: vec![3, 4],
        ..ConfState::default()
    };
    let mut network = Network::founded_as(&conf_state, (1..=4).map(looking));
    network.elect(1);
    network.isolate(2);
    network.tick_all(20);
    assert_eq!(network.role(1), Role::Follower);
}

#[test]
fn in_a_joint_configuration_both_majorities_must_be_heard() {
    let joint = ConfState {
        voters: vec![1, 4, 5],
        voters_outgoing: vec![1, 2, 3],
        ..ConfState::default()
    };
    for (away, role) in [
        ([2, 4], Role::Leader),
        ([4, 5], Role::Follower),
        ([2, 3], Role::Follower),
    ] {
        let mut network = Network::founded_as(&joint, (1..=5).map(looking));
        network.elect(1);
        for id in away {
            network.isolate(id);
        }
        for _ in 0..20 {
            network.tick(1);
            network.settle();
        }
        assert_eq!(network.role(1), role, "without {away:?}");
    }
}

#[test]
fn a_follower_that_is_told_to_forget_its_leader_votes_at_once() {
    let mut network = led(3);
    network.take_events(2);
    network.node(2).forget_leader().unwrap();
    assert_eq!(network.take_events(2), [Event::ForgotLeader { leader: 1 }]);
    assert_eq!((network.node(2).leader(), network.term(2)), (None, 2));
    let answers = network.hear(message(3, 2, 3, vote_request((2, 2))));
    assert_eq!(answers, [message(2, 3, 3, vote(true))]);
}

#[test]
fn a_forgotten_leader_that_is_heard_again_is_followed_again() {
    let mut network = led(3);
    network.node(2).forget_leader().unwrap();
    network.hear(message(1, 2, 2, heartbeat(2)));
    assert_eq!(network.node(2).leader(), Some(1));
    assert_eq!(network.hear(message(3, 2, 3, vote_request((2, 2)))), []);
}

#[test]
fn only_a_follower_forgets_its_leader() {
    let mut network = led(3);
    network.node(1).forget_leader().unwrap();
    assert_eq!(network.node(1).leader(), Some(1));
    assert_eq!(network.role(1), Role::Leader);
}

/// The leader answers reads because its followers elect nobody else meanwhile.
#[test]
fn under_lease_reads_nobody_forgets_a_leader() {
    let mut network = Network::with(3, |id| Config {
        reads: ReadMode::Lease,
        ..looking(id)
    });
    network.elect(1);
    network.node(2).forget_leader().unwrap();
    assert_eq!(network.node(2).leader(), Some(1));
    assert_eq!(network.hear(message(3, 2, 3, vote_request((2, 2)))), []);
}

/// trap 28: the guard is `answer_older_term`. Node 3 was cut off and has stood for election
/// in vain. Its term is ahead now, and the others ignore it by the lease: only its answer to
/// the leader brings them together.
#[test]
fn a_node_that_comes_back_in_a_newer_term_is_not_kept_out() {
    let mut network = led(3);
    network.isolate(3);
    for _ in 0..100 {
        network.tick(3);
        network.work(3);
    }
    let ahead = network.term(3);
    assert!(ahead > 4, "it stood several times, its term is {ahead}");
    network.heal();
    network.tick_all(60);
    let leader = network.leader().expect("they find together");
    assert!(network.term(leader) > 2);
    network.propose(leader, "a");
    assert_eq!(network.commands(3), ["a"]);
}

/// trap 28: the guard is `answer_older_term`. With pre-vote a node gets ahead by a vote that
/// it gave: the candidate was gone before it won.
#[test]
fn with_pre_vote_too_a_newer_term_is_told() {
    let mut network = Network::with(3, asking_first);
    network.elect(1);
    network.isolate(3);
    network.node(3).forget_leader().unwrap();
    network.hear(message(2, 3, 9, vote_request((5, 3))));
    assert_eq!(network.term(3), 9);
    network.heal();
    network.tick_all(60);
    let leader = network.leader().expect("they find together");
    assert!(network.term(leader) > 9);
    network.propose(leader, "a");
    assert_eq!(network.commands(3), ["a"]);
}

/// trap 31: the guard is `quorum_active` in `step_down_without_quorum`. Node 3 is the only
/// one whom a majority reaches, and it hears from the old leader, which reaches nobody else.
/// As long as that one leads, node 3 believes in it and nobody can be elected.
#[test]
fn a_leader_that_reaches_one_follower_only_gives_way_to_one_that_reaches_all() {
    for config in [looking, asking_first] {
        let mut network = Network::with(5, config);
        network.elect(1);
        for (a, b) in [(1, 2), (1, 4), (1, 5), (2, 4), (2, 5), (4, 5)] {
            network.cut(a, b);
        }
        network.tick_all(200);
        assert_eq!(network.leader(), Some(3));
        network.propose(3, "a");
        network.tick_all(3);
        for id in 1..=5 {
            assert_eq!(network.commands(id), ["a"], "n{id}");
        }
    }
}

/// One connection is down, and the leader at its end still has a majority: the node at the
/// other end cannot unseat it.
#[test]
fn one_lost_connection_costs_no_leader() {
    let mut network = Network::with(3, asking_first);
    network.elect(1);
    network.cut(1, 2);
    network.tick_all(100);
    assert_eq!((network.leader(), network.term(1)), (Some(1), 2));
    network.propose(1, "a");
    assert_eq!(network.commands(3), ["a"]);
}

#[test]
fn any_answer_shows_that_a_follower_is_there() {
    for body in [accepted(2), MessageBody::HeartbeatResponse { read: None }] {
        let mut network = led(3);
        network.isolate(2);
        network.isolate(3);
        tick(&mut network, 1, 10);
        network.hear(message(2, 1, 2, body));
        tick(&mut network, 1, 10);
        assert_eq!(network.role(1), Role::Leader);
        tick(&mut network, 1, 10);
        assert_eq!(network.role(1), Role::Follower);
    }
}
