//! Section 5.3 of the paper, from the client's side: what becomes of a proposal.
//!
//! Only the leader appends. A follower passes a proposal on, or says that it does not. What is
//! not taken comes back whole, with a reason that says what to wait for.

mod network;

use bytes::Bytes;
use network::words::{accepted, message, vote};
use network::{Network, plain};
use raft_kernel::{
    AppendMessages, Change, ConfChange, ConfState, Config, DropReason, Entry, Error, Event,
    MAX_INDEX, MemoryStorage, MessageBody, NodeId, Payload, Proposed, RawNode, Role, Snapshot,
    Transition,
};

fn payloads() -> Vec<Payload> {
    vec![
        Payload::Command(Bytes::from_static(b"a")),
        ConfChange::single(Change::Update(1))
            .with_context("b")
            .into(),
        Payload::Command(Bytes::from_static(b"c")),
    ]
}

fn led(config: impl Fn(NodeId) -> Config) -> Network {
    let mut network = Network::with(3, config);
    network.elect(1);
    network
}

/// Several at once, as a follower passes them on. A test is node 2 or somebody else.
fn forwarded(to: NodeId, payloads: Vec<Payload>) -> raft_kernel::Message {
    let from = if to == 2 { 3 } else { 2 };
    message(from, to, 0, MessageBody::Propose { payloads })
}

/// That the node takes nothing, says why and gives all of it back, three ways.
#[track_caller]
fn assert_dropped(node: &mut RawNode<MemoryStorage>, expected: DropReason, text: &str) {
    let id = node.id();
    let commit = node.status().hard_state.commit;
    let change = ConfChange::single(Change::Remove(3)).with_context("why");
    let results = [
        (
            node.propose("command").map(|_| ()),
            vec![Payload::Command("command".into())],
        ),
        (
            node.propose_conf_change(change.clone()).map(|_| ()),
            vec![change.into()],
        ),
        (node.step(forwarded(id, payloads())), payloads()),
    ];
    for (result, given) in results {
        let Err(error) = result else {
            panic!("{given:?} was taken");
        };
        assert_eq!(error.to_string(), format!("proposal dropped: {text}"));
        assert!(!error.is_fatal());
        let Error::ProposalDropped { reason, payloads } = error else {
            panic!("{error}");
        };
        assert_eq!((reason, payloads), (expected, given));
    }
    assert!(!node.has_ready(), "nothing came of it");
    assert_eq!(node.status().hard_state.commit, commit);
}

#[test]
fn a_leader_says_where_a_proposal_stands() {
    let mut network = led(plain);
    let first = network.propose(1, "a");
    assert_eq!(first, Proposed::Appended { term: 2, index: 3 });
    let second = network.propose(1, "b");
    assert_eq!(second, Proposed::Appended { term: 2, index: 4 });
    assert_eq!(network.commands(3), ["a", "b"]);
}

#[test]
fn a_follower_passes_a_proposal_on() {
    let mut network = led(plain);
    let proposed = network.propose(2, "a");
    assert_eq!(proposed, Proposed::Forwarded { to: 1 });
    let change = ConfChange::single(Change::Remove(3));
    assert_eq!(network.change(2, change), Proposed::Forwarded { to: 1 });
    assert_eq!(network.commands(2), ["a"]);
    assert_eq!(network.status(1).config.conf_state().voters, [1, 2]);
}

#[test]
fn a_follower_passes_on_what_another_took_for_the_leaders() {
    let mut network = led(plain);
    network.deliver(forwarded(2, payloads()));
    network.settle();
    assert_eq!(network.commands(1), ["a", "c"]);
}

#[test]
fn what_is_proposed_together_is_appended_together_in_order() {
    for append_messages in [AppendMessages::PerReady, AppendMessages::PerProposal] {
        let mut network = led(|id| Config {
            append_messages,
            ..plain(id)
        });
        network.deliver(forwarded(1, payloads()));
        let ready = network.node(1).ready().unwrap();
        let appended: Vec<Payload> = ready
            .append
            .entries
            .iter()
            .map(|e| e.payload.clone())
            .collect();
        assert_eq!(appended, payloads());
    }
}

/// Each proposal in messages of its own, or all of a `Ready` in one.
#[test]
fn proposals_are_sent_one_by_one_or_together() {
    for (append_messages, expected) in [
        (AppendMessages::PerReady, vec![3]),
        (AppendMessages::PerProposal, vec![1, 1, 1]),
    ] {
        let mut network = led(|id| Config {
            append_messages,
            ..plain(id)
        });
        for text in ["a", "b", "c"] {
            network.node(1).propose(text).unwrap();
        }
        let sent: Vec<usize> = network
            .answers(1)
            .iter()
            .filter_map(|m| match &m.body {
                MessageBody::AppendEntries { entries, .. } if m.to == 2 => Some(entries.len()),
                _ => None,
            })
            .collect();
        assert_eq!(sent, expected);
    }
}

#[test]
fn without_a_leader_a_proposal_comes_back() {
    let mut network = Network::of(3);
    let text = "there is no leader yet";
    assert_dropped(network.node(1), DropReason::NoLeader, text);
    network.isolate(1);
    network.campaign(1);
    assert_eq!(network.role(1), Role::Candidate);
    assert_dropped(network.node(1), DropReason::NoLeader, text);
}

#[test]
fn a_follower_that_does_not_forward_gives_a_proposal_back() {
    let mut network = led(|id| Config {
        forward_proposals: false,
        ..plain(id)
    });
    let text = "this node is not the leader and does not forward";
    assert_dropped(network.node(2), DropReason::NotForwarding, text);
    network.propose(1, "a");
    assert_eq!(network.commands(2), ["a"]);
}

#[test]
fn during_a_transfer_a_proposal_comes_back() {
    let mut network = led(plain);
    network.drop_when(|message| message.body == MessageBody::TimeoutNow);
    network.node(1).transfer_leader(2).unwrap();
    network.settle();
    let text = "leadership is being transferred";
    assert_dropped(network.node(1), DropReason::TransferInProgress, text);
}

#[test]
fn when_too_much_waits_a_proposal_comes_back() {
    let mut network = led(|id| Config {
        max_uncommitted_bytes: 4,
        ..plain(id)
    });
    network.isolate(1);
    network.propose(1, "four");
    let text = "too many bytes wait to be committed";
    assert_dropped(network.node(1), DropReason::TooMuchUncommitted, text);
}

#[test]
fn a_removed_leader_gives_a_proposal_back() {
    let mut network = led(|id| Config {
        step_down_on_removal: false,
        ..plain(id)
    });
    network.change(1, ConfChange::single(Change::Remove(1)));
    let text = "this leader has been removed from the cluster";
    assert_dropped(network.node(1), DropReason::NotAMember, text);
}

/// Close to the last index, which no log reaches in a lifetime, but a broken one might.
#[test]
fn when_the_log_can_grow_no_further_a_proposal_comes_back() {
    let mut network = Network::founded_as(&ConfState::default(), []);
    let storage = MemoryStorage::from_snapshot(Snapshot {
        index: MAX_INDEX - 2,
        term: 1,
        conf_state: ConfState::of_voters([1]),
        ..Snapshot::default()
    });
    network.add_with(plain(1), storage);
    network.elect(1);
    network.propose(1, "the last one");
    let text = "the log or the term can grow no further";
    assert_dropped(network.node(1), DropReason::Exhausted, text);
}

#[test]
fn nothing_is_no_proposal() {
    let mut network = led(plain);
    for id in [1, 2] {
        let error = network.node(id).step(forwarded(id, vec![])).unwrap_err();
        assert_eq!(error.to_string(), "proposal dropped: it is empty");
    }
    network.propose(1, "");
    assert_eq!(network.commands(2), [""], "a command without bytes is one");
}

/// A batch that does not fit is refused whole: half of it would be of use to nobody.
#[test]
fn a_batch_is_taken_whole_or_not_at_all() {
    let mut network = led(|id| Config {
        max_uncommitted_bytes: 6,
        ..plain(id)
    });
    network.isolate(1);
    network.propose(1, "four");
    let batch = vec![Payload::Command("x".into()), Payload::Command("yz".into())];
    let refused = network.node(1).step(forwarded(1, batch));
    assert!(matches!(refused, Err(Error::ProposalDropped { payloads, .. }) if payloads.len() == 2));
    assert_eq!(network.terms(1).len(), 2);
    network.propose(1, "x");
    assert_eq!(network.terms(1).len(), 3);
}

fn joint_for_good() -> ConfChange {
    ConfChange {
        transition: Transition::JointExplicit,
        changes: vec![Change::Remove(3)],
        ..ConfChange::default()
    }
}

/// Of what the leader sees to be impossible. What only whoever applies it can see is applied
/// to no effect.
#[test]
fn an_impossible_change_becomes_an_empty_entry() {
    let mut network = led(plain);
    network.change(1, joint_for_good());
    network.take_events(1);
    let proposed = network.change(1, ConfChange::single(Change::Remove(2)));
    assert_eq!(proposed, Proposed::Appended { term: 2, index: 4 });
    let why = "the joint configuration must be left first";
    let refusal = Event::RefusedConfChange { index: 4, why };
    assert!(network.take_events(1).contains(&refusal));
    let entry: &Entry = network.server(2).shadow.entry(4).expect("it is replicated");
    assert_eq!(entry.payload, Payload::Empty);
}

#[test]
fn without_validation_an_impossible_change_is_appended_and_fails_where_it_is_applied() {
    let mut network = led(|id| Config {
        validate_conf_changes: false,
        ..plain(id)
    });
    network.change(1, joint_for_good());
    network.take_events(1);
    let change = ConfChange::single(Change::Remove(2));
    network.change(1, change.clone());
    let is_refusal = |event: &Event| matches!(event, Event::RefusedConfChange { .. });
    assert!(!network.take_events(1).iter().any(is_refusal));
    let entry: &Entry = network.server(2).shadow.entry(4).expect("it is replicated");
    assert_eq!(entry.conf_change(), Some(&change));
    for id in [1, 2] {
        let error = network.node(id).apply_conf_change(&change).unwrap_err();
        assert!(matches!(error, Error::ConfChange(_)) && !error.is_fatal());
        let state = network.status(id).config.conf_state();
        assert_eq!(
            (state.voters, state.voters_outgoing),
            (vec![1, 2], vec![1, 2, 3])
        );
    }
    network.propose(1, "a");
    assert_eq!(network.commands(2), ["a"]);
}

/// What was appended may still be lost: the term of the entry that is applied there tells.
#[test]
fn an_appended_proposal_is_no_promise() {
    let mut network = led(plain);
    network.isolate(1);
    let lost = network.propose(1, "lost");
    assert_eq!(lost, Proposed::Appended { term: 2, index: 3 });
    network.elect(2);
    network.propose(2, "kept");
    network.heal();
    network.tick_all(3);
    assert_eq!(network.terms(1), [2, 3, 3], "index 3 is of another term");
    assert_eq!(network.commands(1), ["kept"]);
}

/// A leader that leads alone for lack of votes does not commit, and takes proposals all the
/// same: it cannot know.
#[test]
fn a_leader_takes_proposals_before_its_first_commit() {
    let mut network = Network::of(3);
    network.node(1).campaign().unwrap();
    network.answers(1);
    network.hear(message(2, 1, 2, vote(true)));
    network.node(1).propose("a").unwrap();
    network.answers(1);
    assert_eq!(network.commit(1), 1);
    network.hear(message(2, 1, 2, accepted(3)));
    assert_eq!(network.commands(1), ["a"]);
}
