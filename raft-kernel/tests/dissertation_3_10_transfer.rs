//! Section 3.10 of the dissertation: leadership moves to a chosen server.
//!
//! The leader takes no more proposals, brings the target's log up to date, and tells it to
//! stand for election at once. If that comes to nothing within an election timeout, the
//! leader goes on leading.

mod network;

use network::words::{accepted, message};
use network::{Network, plain};
use raft_kernel::{
    CampaignRefusal, Change, ConfChange, Config, DropReason, Error, Event, MessageBody, Payload,
    Role,
};

fn led() -> Network {
    let mut network = Network::of(3);
    network.elect(1);
    network
}

/// Node 1 leads, and was asked to hand over to node 3, which does not get to know.
fn one_that_waits_for_node_3() -> Network {
    let mut network = led();
    network.drop_when(|message| message.body == MessageBody::TimeoutNow);
    network.node(1).transfer_leader(3).unwrap();
    network.settle();
    network
}

fn tick(network: &mut Network, ticks: u32) {
    for _ in 0..ticks {
        network.tick(1);
        network.settle();
    }
}

fn drop_reason(network: &mut Network) -> Option<DropReason> {
    match network.node(1).propose("x") {
        Ok(_) => None,
        Err(Error::ProposalDropped { reason, payloads }) => {
            assert_eq!(payloads, [Payload::Command("x".into())], "it is given back");
            Some(reason)
        }
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn a_target_that_is_up_to_date_is_told_at_once() {
    let mut network = led();
    network.take_events(1);
    network.node(1).transfer_leader(3).unwrap();
    let told = message(1, 3, 2, MessageBody::TimeoutNow);
    assert_eq!(network.answers(1), std::slice::from_ref(&told));
    let started = Event::TransferStarted { transferee: 3 };
    assert_eq!(network.take_events(1), [started]);
    let requests = network.hear(told);
    assert_eq!((network.role(3), network.term(3)), (Role::Candidate, 3));
    let body = MessageBody::RequestVote {
        last_index: 2,
        last_term: 2,
        transfer: true,
    };
    assert!(requests.contains(&message(3, 1, 3, body)), "{requests:?}");
}

/// Neither the lease nor pre-vote holds it up: the leader itself wants the election.
#[test]
fn the_target_wins_without_waiting_for_anything() {
    for config in [plain, Config::new] {
        let mut network = Network::with(3, config);
        network.elect(1);
        network.node(1).transfer_leader(2).unwrap();
        network.settle();
        assert_eq!((network.leader(), network.term(2)), (Some(2), 3));
        assert_eq!(network.role(1), Role::Follower);
        network.propose(2, "a");
        assert_eq!(network.commands(1), ["a"]);
    }
}

#[test]
fn a_target_that_lags_is_brought_up_to_date_first() {
    let mut network = led();
    network.cut(1, 3);
    for text in ["a", "b"] {
        network.propose(1, text);
    }
    network.heal();
    network.node(1).transfer_leader(3).unwrap();
    let sent = network.answers(1);
    assert!(
        sent.iter().all(|m| m.body != MessageBody::TimeoutNow),
        "{sent:?}"
    );
    assert_eq!(network.hear(message(3, 1, 2, accepted(3))), []);
    let told = message(1, 3, 2, MessageBody::TimeoutNow);
    assert_eq!(network.hear(message(3, 1, 2, accepted(4))), [told]);
}

#[test]
fn a_target_that_needs_a_snapshot_gets_it_and_leads() {
    let mut network = led();
    network.isolate(3);
    for text in ["a", "b"] {
        network.propose(1, text);
    }
    network.server(1).compact(0);
    network.heal();
    network.node(1).transfer_leader(3).unwrap();
    network.tick_all(5);
    assert_eq!(network.server(3).snapshot().index, 4);
    assert_eq!(network.leader(), Some(3));
}

#[test]
fn a_follower_passes_the_wish_on() {
    let mut network = led();
    network.node(2).transfer_leader(3).unwrap();
    let wish = message(2, 1, 2, MessageBody::TransferLeader { transferee: 3 });
    assert_eq!(network.answers(2), std::slice::from_ref(&wish));
    network.deliver(wish);
    network.settle();
    assert_eq!(network.leader(), Some(3));
}

#[test]
fn who_knows_no_leader_cannot_pass_the_wish_on() {
    let mut network = Network::of(3);
    let refused = network.node(1).transfer_leader(2).unwrap_err();
    let expected = "request dropped: there is no leader yet";
    assert_eq!(refused.to_string(), expected);
}

#[test]
fn proposals_are_dropped_meanwhile_with_the_reason() {
    let mut network = one_that_waits_for_node_3();
    assert_eq!(
        drop_reason(&mut network),
        Some(DropReason::TransferInProgress)
    );
    let change = ConfChange::single(Change::Remove(2));
    let refused = network.node(1).propose_conf_change(change).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "proposal dropped: leadership is being transferred"
    );
    assert_eq!(network.terms(1), [2], "nothing was appended");
}

#[test]
fn reads_are_answered_meanwhile() {
    let mut network = one_that_waits_for_node_3();
    network.node(1).read_index("x").unwrap();
    network.settle();
    assert_eq!(network.take_reads(1), [(2, "x".to_owned())]);
}

#[test]
fn it_is_given_up_after_an_election_timeout() {
    let mut network = one_that_waits_for_node_3();
    network.take_events(1);
    tick(&mut network, 9);
    assert_eq!(
        drop_reason(&mut network),
        Some(DropReason::TransferInProgress)
    );
    tick(&mut network, 1);
    assert_eq!(
        network.take_events(1),
        [Event::TransferAborted { transferee: 3 }]
    );
    assert_eq!(network.status(1).transferee, None);
    assert_eq!((network.role(1), network.term(1)), (Role::Leader, 2));
    assert_eq!(drop_reason(&mut network), None);
}

#[test]
fn who_cannot_lead_is_no_target() {
    let mut network = Network::with_learner(3);
    network.elect(1);
    network.change(1, ConfChange::single(Change::Remove(3)));
    for (target, what) in [
        (4, "a learner"),
        (3, "removed"),
        (9, "unknown"),
        (0, "nobody"),
    ] {
        let refused = network.node(1).transfer_leader(target).unwrap_err();
        assert!(
            matches!(refused, Error::CannotTransfer(id) if id == target),
            "{what}: {refused}"
        );
        // The same wish by way of a follower.
        let body = MessageBody::TransferLeader { transferee: target };
        let refused = network.node(1).step(message(2, 1, 2, body)).unwrap_err();
        assert!(!refused.is_fatal());
        assert_eq!(network.status(1).transferee, None);
    }
    assert_eq!(network.answers(1), []);
    assert_eq!(drop_reason(&mut network), None);
}

#[test]
fn to_ask_twice_is_to_ask_once() {
    let mut network = one_that_waits_for_node_3();
    tick(&mut network, 5);
    network.node(1).transfer_leader(3).unwrap();
    assert_eq!(network.answers(1), []);
    tick(&mut network, 5);
    assert_eq!(
        network.status(1).transferee,
        None,
        "the time was not begun anew"
    );
}

#[test]
fn another_target_takes_the_place_of_the_first() {
    let mut network = one_that_waits_for_node_3();
    network.heal();
    network.node(1).transfer_leader(2).unwrap();
    assert_eq!(network.status(1).transferee, Some(2));
    network.settle();
    assert_eq!(network.leader(), Some(2));
}

#[test]
fn a_leader_that_is_told_to_keep_its_leadership_takes_proposals_again() {
    let mut network = one_that_waits_for_node_3();
    network.node(1).transfer_leader(1).unwrap();
    assert_eq!(network.status(1).transferee, None);
    assert_eq!(drop_reason(&mut network), None);
}

#[test]
fn a_leader_that_is_deposed_no_longer_moves_anything() {
    let mut network = one_that_waits_for_node_3();
    network.elect(2);
    network.elect(1);
    assert_eq!(network.status(1).transferee, None);
    network.propose(1, "a");
}

#[test]
fn one_that_may_not_stand_does_not_stand_when_it_is_told() {
    let mut network = led();
    network.change(1, ConfChange::single(Change::Remove(3)));
    network.take_events(3);
    network.hear(message(1, 3, 2, MessageBody::TimeoutNow));
    assert_eq!((network.role(3), network.term(3)), (Role::Follower, 2));
    let refusal = Event::CampaignRefused(CampaignRefusal::NotPromotable);
    assert_eq!(network.take_events(3), [refusal]);
}

#[test]
fn what_an_earlier_leader_told_is_void() {
    let mut network = led();
    network.elect(2);
    network.hear(message(1, 3, 2, MessageBody::TimeoutNow));
    assert_eq!((network.role(3), network.term(3)), (Role::Follower, 3));
    assert_eq!(network.leader(), Some(2));
}

/// The lease is there to ignore candidates that nobody sent.
#[test]
fn only_the_leaders_wish_breaks_the_lease() {
    for (transfer, answers) in [(true, 1), (false, 0)] {
        let mut network = Network::with(3, Config::new);
        network.elect(1);
        let body = MessageBody::RequestVote {
            last_index: 2,
            last_term: 2,
            transfer,
        };
        let heard = network.hear(message(3, 2, 3, body));
        assert_eq!(heard.len(), answers);
    }
}
