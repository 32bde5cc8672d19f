//! Chapter 4 of the dissertation: changes of who takes part.
//!
//! One change at a time, each an entry in the log. A single voter comes or goes in one step
//! (4.1); more go through a joint configuration, in which two majorities decide (4.3).
//! Here a change counts once it is applied.

mod network;

use network::server::MachineFate;
use network::words::{accepted, append, heartbeat, message, vote, vote_request};
use network::{Network, asynchronous, plain};
use raft_kernel::{
    CampaignRefusal, Change, ConfChange, ConfState, Config, Entry, Event, Message, MessageBody,
    NodeId, Proposed, Role, Transition,
};

fn voters(network: &mut Network, id: NodeId) -> Vec<NodeId> {
    network.status(id).config.conf_state().voters
}

fn is_joint(network: &mut Network, id: NodeId) -> bool {
    network.status(id).config.voters.is_joint()
}

fn explicit(changes: Vec<Change>) -> ConfChange {
    ConfChange {
        transition: Transition::JointExplicit,
        changes,
        ..ConfChange::default()
    }
}

fn add_voter(id: NodeId) -> ConfChange {
    ConfChange::single(Change::AddVoter(id))
}

#[test]
fn a_new_voter_is_brought_up_to_date_and_counts() {
    let mut network = Network::of(1);
    network.elect(1);
    network.propose(1, "a");
    network.add(plain(2));
    network.change(1, add_voter(2));
    network.tick_all(2);
    assert_eq!(network.commands(2), ["a"]);
    network.cut(1, 2);
    network.propose(1, "b");
    assert_eq!(network.commands(1), ["a"], "one of two is no majority");
    network.heal();
    network.tick_all(3);
    assert_eq!(network.commands(2), ["a", "b"]);
}

#[test]
fn a_learner_gets_the_log_and_counts_for_nothing() {
    let mut network = Network::of(1);
    network.elect(1);
    network.add(plain(2));
    network.change(1, ConfChange::single(Change::AddLearner(2)));
    network.tick_all(2);
    network.isolate(2);
    network.propose(1, "a");
    assert_eq!(network.commands(1), ["a"]);
    network.heal();
    network.tick_all(3);
    assert_eq!(network.commands(2), ["a"]);
}

/// trap 20: the guard is what `answer_vote_request` does not ask. Node 3 was promoted, and
/// only its vote can elect somebody, but the news did not reach it.
#[test]
fn a_learner_that_does_not_know_of_its_promotion_votes() {
    let mut network = Network::with_learner(2);
    let answers = network.hear(message(2, 3, 5, vote_request((4, 4))));
    assert_eq!(answers, [message(3, 2, 5, vote(true))]);
}

/// trap 21: the guard is `has_unapplied_conf_change` in `campaign_refusal`.
#[test]
fn a_node_stands_for_no_election_before_it_applied_every_committed_change() {
    let mut network = Network::with(3, asynchronous);
    network.server(1).holds_applies = true;
    let change = Entry {
        term: 1,
        index: 2,
        payload: ConfChange::single(Change::Remove(1)).into(),
    };
    network.hear(message(2, 1, 1, append((1, 1), 2, &[change])));
    network.take_events(1);
    network.campaign(1);
    assert_eq!((network.role(1), network.term(1)), (Role::Follower, 1));
    let refusal = Event::CampaignRefused(CampaignRefusal::UnappliedConfChange);
    assert_eq!(network.take_events(1), [refusal]);
}

/// trap 22: the guard is `conf_change_refusal`.
#[test]
fn of_two_changes_at_a_time_the_second_becomes_an_empty_entry() {
    let mut network = Network::with(3, asynchronous);
    network.elect(1);
    network.server(1).holds_applies = true;
    network.change(1, ConfChange::single(Change::Remove(3)));
    network.take_events(1);
    let second = network.change(1, ConfChange::single(Change::Remove(2)));
    assert_eq!(second, Proposed::Appended { term: 2, index: 4 }, "no error");
    let why = "an earlier change is not applied yet";
    let refusal = Event::RefusedConfChange { index: 4, why };
    assert!(network.take_events(1).contains(&refusal));
    network.server(1).holds_applies = false;
    network.settle();
    assert_eq!(voters(&mut network, 1), [1, 2]);
    network.change(1, ConfChange::single(Change::Remove(2)));
    assert_eq!(
        voters(&mut network, 1),
        [1],
        "after the first there is room for another"
    );
}

/// trap 22: the guard is `pending_conf_index` in `become_leader`. What a new leader finds
/// uncommitted in its log may hold a change.
#[test]
fn a_new_leader_takes_no_change_before_it_applied_what_it_found() {
    let mut network = Network::of(3);
    network.elect(1);
    network.cut(1, 2);
    network.cut(1, 3);
    network
        .node(2)
        .step(message(
            1,
            2,
            2,
            append(
                (2, 2),
                2,
                &[Entry {
                    term: 2,
                    index: 3,
                    payload: ConfChange::single(Change::Remove(3)).into(),
                }],
            ),
        ))
        .unwrap();
    network.node(2).campaign().unwrap();
    network.answers(2);
    network.hear(message(3, 2, 3, vote(true)));
    assert_eq!(network.role(2), Role::Leader);
    network.take_events(2);
    let _ = network
        .node(2)
        .propose_conf_change(ConfChange::single(Change::Remove(1)));
    let why = "an earlier change is not applied yet";
    let refusal = Event::RefusedConfChange { index: 5, why };
    assert!(network.take_events(2).contains(&refusal));
}

/// trap 25: the guard is in `switch_to`.
#[test]
fn a_leader_that_was_removed_steps_down_and_falls_silent() {
    let mut network = Network::of(3);
    network.elect(1);
    network.change(1, ConfChange::single(Change::Remove(1)));
    assert_eq!(network.role(1), Role::Follower);
    for _ in 0..100 {
        network.tick(1);
    }
    assert_eq!(network.answers(1), [], "neither heartbeats nor elections");
    network.elect(2);
    network.propose(2, "a");
    assert_eq!(network.commands(3), ["a"]);
}

/// trap 25: the guard is the check of `progress` in `may_propose`. Told not to step down, it
/// leads on, but takes nothing more.
#[test]
fn a_removed_leader_that_does_not_step_down_takes_no_proposals() {
    let mut network = Network::with(3, |id| Config {
        step_down_on_removal: false,
        ..plain(id)
    });
    network.elect(1);
    network.change(1, ConfChange::single(Change::Remove(1)));
    assert_eq!(network.role(1), Role::Leader);
    let refused = network.node(1).propose("a").unwrap_err();
    assert_eq!(
        refused.to_string(),
        "proposal dropped: this leader has been removed from the cluster"
    );
}

/// trap 25 in a cluster of two: the one that stays commits alone.
#[test]
fn of_two_voters_either_can_be_removed() {
    for removed in [1, 2] {
        let mut network = Network::of(2);
        network.elect(1);
        network.change(1, ConfChange::single(Change::Remove(removed)));
        network.isolate(removed);
        let stays = 3 - removed;
        if removed == 1 {
            network.elect(stays);
        }
        network.propose(stays, "a");
        assert_eq!(network.commands(stays), ["a"]);
    }
}

#[test]
fn in_a_joint_configuration_both_majorities_must_agree() {
    let mut network = Network::of(3);
    network.elect(1);
    network.add(plain(4));
    network.add(plain(5));
    network.change(
        1,
        explicit(vec![
            Change::Remove(2),
            Change::Remove(3),
            Change::AddVoter(4),
            Change::AddVoter(5),
        ]),
    );
    network.tick_all(3);
    assert!(is_joint(&mut network, 5));
    network.partition(&[&[1, 4, 5], &[2, 3]]);
    network.propose(1, "a");
    assert_eq!(
        network.commands(1),
        [""; 0],
        "the new majority alone commits nothing"
    );
    network.heal();
    network.tick_all(3);
    network.partition(&[&[1, 2, 3], &[4, 5]]);
    network.propose(1, "b");
    assert_eq!(network.commands(1), ["a"], "nor does the old one");
    network.heal();
    network.tick_all(3);
    assert_eq!(network.commands(1), ["a", "b"]);
    network.change(1, ConfChange::leave_joint());
    assert_eq!(voters(&mut network, 4), [1, 4, 5]);
    assert!(!is_joint(&mut network, 1));
}

#[test]
fn a_change_of_several_voters_is_left_automatically() {
    let mut network = Network::of(3);
    network.elect(1);
    let change = ConfChange {
        changes: vec![Change::Remove(2), Change::Remove(3)],
        ..ConfChange::default()
    };
    network.change(1, change);
    assert_eq!(voters(&mut network, 1), [1]);
    assert!(!is_joint(&mut network, 1));
}

/// trap 23: the guard is `pending_conf_index` in `leave_joint_automatically`. Entries that
/// are applied while the leader's proposal to leave is under way are no reason for another.
#[test]
fn leaving_automatically_is_proposed_once() {
    let mut network = Network::with(1, |id| Config {
        max_applying_bytes: 0,
        ..plain(id)
    });
    network.elect(1);
    let change = ConfChange {
        changes: vec![Change::Update(1), Change::Update(1)],
        ..ConfChange::default()
    };
    network.node(1).propose_conf_change(change).unwrap();
    network.node(1).propose("a").unwrap();
    network.settle();
    assert_eq!(
        network.commit(1),
        5,
        "an empty entry, the change, 'a', the way out"
    );
}

/// trap 23: the guard is where `leave_joint_automatically` is called. While leadership is
/// being moved nothing can be proposed, so the leader tries again when that was given up.
#[test]
fn a_joint_configuration_is_left_after_a_transfer_that_came_in_between() {
    let mut network = Network::with(3, asynchronous);
    network.elect(1);
    network.server(1).holds_applies = true;
    let change = ConfChange {
        changes: vec![Change::Update(2), Change::Update(3)],
        ..ConfChange::default()
    };
    network.change(1, change);
    network.drop_when(|message| message.body == MessageBody::TimeoutNow);
    network.node(1).transfer_leader(2).unwrap();
    network.server(1).holds_applies = false;
    network.settle();
    assert!(is_joint(&mut network, 1));
    network.tick_all(12);
    assert_eq!(network.role(1), Role::Leader);
    assert!(!is_joint(&mut network, 1), "the transfer was given up");
}

/// trap 23: the leader changes while the configuration is joint.
#[test]
fn a_new_leader_leaves_the_joint_configuration_of_its_predecessor() {
    let mut network = Network::of(3);
    network.elect(1);
    let mut kept_back = false;
    // The predecessor's own entry for leaving gets nowhere.
    network.drop_when(move |message| {
        let is_leave = |entry: &Entry| entry.conf_change().is_some_and(ConfChange::is_leave_joint);
        if let MessageBody::AppendEntries { entries, .. } = &message.body {
            kept_back |= entries.iter().any(is_leave);
        }
        kept_back
    });
    let change = ConfChange {
        changes: vec![Change::Update(2), Change::Update(3)],
        ..ConfChange::default()
    };
    network.change(1, change);
    network.isolate(1);
    network.drop_when(|_| false);
    network.tick_all(1);
    network.elect(2);
    network.settle();
    assert!(!is_joint(&mut network, 2));
}

/// trap 24: the guard is `abort_transfer_to_non_voter`.
#[test]
fn a_transfer_to_a_node_that_loses_its_vote_is_given_up() {
    let mut network = Network::with(3, asynchronous);
    network.elect(1);
    network.server(1).holds_applies = true;
    network.change(1, ConfChange::single(Change::Remove(3)));
    network.drop_when(|message| message.body == MessageBody::TimeoutNow);
    network.node(1).transfer_leader(3).unwrap();
    assert_eq!(network.status(1).transferee, Some(3));
    network.server(1).holds_applies = false;
    network.settle();
    assert_eq!(network.status(1).transferee, None);
    network.propose(1, "a");
}

/// trap 26: the guard is `is_leave_joint`.
#[test]
fn a_change_without_steps_leaves_the_joint_configuration() {
    assert!(ConfChange::default().is_leave_joint());
    assert!(
        ConfChange::leave_joint()
            .with_context("why")
            .is_leave_joint()
    );
    assert!(!explicit(vec![]).is_leave_joint());
    let mut network = Network::of(3);
    network.elect(1);
    network.change(1, explicit(vec![Change::Remove(3)]));
    assert!(is_joint(&mut network, 1));
    network.change(1, ConfChange::default());
    assert!(!is_joint(&mut network, 2));
    assert_eq!(voters(&mut network, 2), [1, 2]);
}

#[test]
fn without_a_joint_configuration_there_is_nothing_to_leave() {
    let mut network = Network::of(3);
    network.elect(1);
    network.take_events(1);
    network.change(1, ConfChange::leave_joint());
    let why = "there is no joint configuration to leave";
    let refusal = Event::RefusedConfChange { index: 3, why };
    assert!(network.take_events(1).contains(&refusal));
}

/// A change that empties the configuration is impossible for everyone who applies it.
#[test]
fn the_last_voter_cannot_be_removed() {
    let mut network = Network::of(1);
    network.elect(1);
    network.change(1, ConfChange::single(Change::Remove(1)));
    assert_eq!(voters(&mut network, 1), [1]);
    network.propose(1, "a");
    assert_eq!(network.commands(1), ["a"]);
}

#[test]
fn a_node_that_starts_again_works_under_the_configuration_that_it_applied() {
    for machine in [MachineFate::Survived, MachineFate::Lost] {
        let mut network = Network::of(3);
        network.elect(1);
        network.change(1, ConfChange::single(Change::Remove(3)));
        network.propose(1, "a");
        network.tick_all(2);
        network.crash(2);
        network.server(2).start(machine);
        network.settle();
        assert_eq!(voters(&mut network, 2), [1, 2], "{machine:?}");
    }
}

/// A newcomer is sent to as soon as its change is applied, and its answers count at once.
#[test]
fn a_newcomer_need_not_wait_for_the_next_proposal() {
    let mut network = Network::of(1);
    network.elect(1);
    network.node(1).propose_conf_change(add_voter(2)).unwrap();
    let sent = network.answers(1);
    assert!(sent.iter().any(|message| message.to == 2), "{sent:?}");
    network.hear(message(2, 1, 2, accepted(3)));
    assert_eq!(network.status(1).progress[&2].match_index, 3);
}

/// The guard is `is_stranger` in `answer_older_term`. Node 3 has not heard that node 1 was
/// taken in, so it never asks it for its vote, and node 1, which leads an older term, would
/// send it entries in vain for ever.
#[test]
fn a_leader_learns_of_the_newer_term_of_a_node_that_does_not_know_it() {
    let mut network = Network::founded_as(&ConfState::of_voters(2..=3), (1..=3).map(plain));
    network.hear(message(1, 3, 4, append((0, 0), 0, &[])));
    assert_eq!(network.term(3), 4);
    let sent = network.hear(message(1, 3, 2, heartbeat(0)));
    let terms: Vec<_> = sent
        .iter()
        .map(|message| (message.to, message.term))
        .collect();
    assert_eq!(terms, [(1, 4)]);
}

/// The guard is the same, for candidates. Nodes 1 and 3 do not ask each other, so neither would
/// learn how far the other's terms have come.
#[test]
fn a_candidate_learns_of_the_newer_term_of_a_node_that_does_not_know_it() {
    let mut network = Network::founded_as(&ConfState::of_voters(2..=3), (1..=3).map(plain));
    network.node(3).campaign().unwrap();
    network.answers(3);
    network.node(3).campaign().unwrap();
    network.answers(3);
    assert_eq!(network.term(3), 3);
    let sent = network.hear(message(1, 3, 2, vote_request((9, 2))));
    let refusals: Vec<_> = sent
        .iter()
        .map(|message| (message.to, message.term))
        .collect();
    assert_eq!(refusals, [(1, 3)]);
    // A node that hears from a leader keeps silent: the candidate may have been removed.
    network.hear(message(2, 3, 3, append((1, 1), 1, &[])));
    assert_eq!(network.hear(message(1, 3, 2, vote_request((9, 2)))), []);
}

/// The guard is in `switch_to`: a leader that goes on without a vote looks too whether fewer
/// voters have made a majority of what was none. Nothing else would, since node 3 has said all
/// that it has to say.
#[test]
fn a_leader_without_a_vote_commits_what_a_smaller_configuration_holds() {
    let mut network = Network::with(3, |id| Config {
        step_down_on_removal: false,
        max_uncommitted_bytes: 0,
        ..plain(id)
    });
    network.elect(1);
    network.change(1, ConfChange::single(Change::AddLearner(1)));
    let leaving = ConfChange {
        transition: Transition::JointExplicit,
        changes: vec![Change::Remove(2)],
        ..ConfChange::default()
    };
    network.change(1, leaving);
    // Node 2 holds what leaves the joint configuration, and not the command after it.
    network
        .node(1)
        .propose_conf_change(ConfChange::leave_joint())
        .unwrap();
    let sent = network.answers(1);
    network.node(1).propose("a").unwrap();
    let command = network.answers(1);
    let to = |id| move |message: &&Message| message.to == id;
    let to_3: Vec<_> = sent.iter().chain(&command).filter(to(3)).cloned().collect();
    let answers: Vec<_> = to_3.into_iter().flat_map(|m| network.hear(m)).collect();
    for answer in answers {
        network.hear(answer);
    }
    let to_2: Vec<_> = sent.iter().filter(to(2)).cloned().collect();
    let answers: Vec<_> = to_2.into_iter().flat_map(|m| network.hear(m)).collect();
    for answer in answers {
        network.hear(answer);
    }
    assert_eq!(network.commands(1), ["a"]);
}
