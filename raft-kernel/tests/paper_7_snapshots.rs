//! Section 7 of the paper: log compaction.
//!
//! A snapshot of the state machine, with the configuration of that moment, stands for
//! the beginning of the log. A leader sends it to a follower that needs entries which are
//! gone. A follower keeps what it has beyond the snapshot if its log leads up to it, and
//! otherwise starts over from it.

mod network;

use network::server::MachineFate;
use network::words::{accepted, append, command, heartbeat, install, message, rejected};
use network::{Network, asynchronous, plain};
use raft_kernel::{
    CampaignRefusal, Change, ConfChange, ConfState, Event, MessageBody, ProgressState, Role,
    Snapshot, SnapshotOutcome, Storage,
};

fn snapshot(index: u64, term: u64) -> Snapshot {
    Snapshot {
        index,
        term,
        conf_state: ConfState::of_voters([1, 2, 3]),
        data: format!("{index} snapped\n").into(),
    }
}

fn sign_of_life() -> MessageBody {
    MessageBody::HeartbeatResponse { read: None }
}

/// Node 3 was away while the others committed three commands and forgot them.
fn one_behind_the_log(config: impl Fn(u64) -> raft_kernel::Config) -> Network {
    let mut network = Network::with(3, config);
    network.elect(1);
    network.isolate(3);
    for text in ["a", "b", "c"] {
        network.propose(1, text);
    }
    network.server(1).compact(0);
    network.server(2).compact(0);
    network
}

#[test]
fn a_follower_that_needs_compacted_entries_gets_the_snapshot_and_what_follows() {
    for config in [plain, asynchronous] {
        let mut network = one_behind_the_log(config);
        network.propose(1, "d");
        network.heal();
        network.tick_all(2);
        assert_eq!(network.server(3).snapshot().index, 5);
        assert_eq!(network.commands(3), ["a", "b", "c", "d"]);
        assert_eq!(
            network.status(1).progress[&3].state,
            ProgressState::Replicate
        );
    }
}

/// "If existing log entry has same index and term as snapshot's last included entry,
/// retain log entries following it" (figure 13).
#[test]
fn a_follower_whose_log_leads_up_to_the_snapshot_keeps_its_log() {
    let mut network = Network::with_logs(&[&[2, 2, 2], &[], &[]], plain);
    let answers = network.hear(message(2, 1, 2, install(snapshot(3, 2))));
    assert_eq!(answers, [message(1, 2, 2, accepted(3))]);
    assert_eq!((network.commit(1), network.terms(1)), (3, vec![2, 2, 2]));
    assert_eq!(network.server(1).snapshot().index, 1);
}

#[test]
fn a_follower_whose_log_differs_starts_over_from_the_snapshot() {
    let mut network = Network::with_logs(&[&[2, 2, 2], &[], &[]], plain);
    let answers = network.hear(message(2, 1, 3, install(snapshot(3, 3))));
    assert_eq!(answers, [message(1, 2, 3, accepted(3))]);
    assert_eq!((network.commit(1), network.terms(1)), (3, vec![]));
    assert_eq!(network.commands(1), ["snapped"]);
}

/// The guard is the first comparison in `restore`. The node has forgotten the entry at which
/// the snapshot ends, on its disk and in memory, so that its log cannot tell.
#[test]
fn a_snapshot_of_what_is_committed_already_takes_nothing_back() {
    let mut network = Network::of(3);
    let entries = [command(2, 1, "a"), command(3, 1, "b")];
    network.hear(message(2, 1, 1, append((1, 1), 3, &entries)));
    network.server(1).compact(0);
    network.crash(1);
    network.restart(1);
    let old = message(2, 1, 1, install(snapshot(2, 1)));
    network.node(1).step(old).unwrap();
    assert_eq!(network.commit(1), 3);
    assert_eq!(network.answers(1), [message(1, 2, 1, accepted(3))]);
    assert_eq!(network.commands(1), ["a", "b"]);
    let events = network.take_events(1);
    assert!(events.contains(&Event::IgnoredSnapshot { index: 2 }));
}

/// trap 16: the guard is the arm `ProgressState::Snapshot` of `handle_accepted`. The
/// follower is brought up to date by other means, and never says that it has the snapshot.
#[test]
fn any_acknowledgement_that_leads_to_the_log_ends_the_wait_for_a_snapshot() {
    let mut network = one_behind_the_log(plain);
    network
        .node(1)
        .step(message(3, 1, 2, rejected(5, (2, 2))))
        .unwrap();
    network.tick(1);
    network.answers(1);
    network.hear(message(3, 1, 2, sign_of_life()));
    assert_eq!(
        network.status(1).progress[&3].state,
        ProgressState::Snapshot
    );
    assert_eq!(network.status(1).progress[&3].pending_snapshot, 5);
    network.hear(message(3, 1, 2, accepted(4)));
    assert_eq!(
        network.status(1).progress[&3].state,
        ProgressState::Snapshot
    );
    network.propose(1, "d");
    network.hear(message(3, 1, 2, accepted(6)));
    assert_eq!(
        network.status(1).progress[&3].state,
        ProgressState::Replicate
    );
}

/// The guard is the condition `log_leads_on` in `handle_accepted`. To send ahead from there,
/// the leader would need what it has forgotten: a second snapshot would go while the first
/// one is on its way.
#[test]
fn an_acknowledgement_that_does_not_lead_to_the_log_sends_no_second_snapshot() {
    let mut network = one_behind_the_log(plain);
    network.tick(1);
    network.answers(1);
    let first = [
        network.hear(message(3, 1, 2, rejected(5, (2, 2)))),
        network.hear(message(3, 1, 2, sign_of_life())),
    ];
    let names: Vec<&str> = first.iter().flatten().map(|m| m.body.name()).collect();
    assert_eq!(names, ["InstallSnapshot"]);
    for index in [3, 4] {
        assert_eq!(network.hear(message(3, 1, 2, accepted(index))), []);
        let state = network.status(1).progress[&3].state;
        assert_eq!(state, ProgressState::Snapshot, "index {index}");
    }
}

/// trap 16: the snapshot is as new as the log, so nothing follows it.
#[test]
fn a_snapshot_at_the_end_of_the_log_brings_a_follower_up_to_date() {
    let mut network = one_behind_the_log(plain);
    network.heal();
    network.tick_all(2);
    let progress = network.status(1).progress[&3].clone();
    assert_eq!(
        (progress.state, progress.match_index),
        (ProgressState::Replicate, 5)
    );
    network.propose(1, "d");
    assert_eq!(network.commands(3), ["a", "b", "c", "d"]);
}

#[test]
fn a_snapshot_that_did_not_arrive_is_sent_again() {
    let mut network = one_behind_the_log(plain);
    network.heal();
    let mut losses = 2;
    network.drop_when(move |message| {
        let is_lost = losses > 0 && matches!(message.body, MessageBody::InstallSnapshot { .. });
        losses -= u32::from(is_lost);
        is_lost
    });
    network.tick_all(6);
    let sent = network.lost.iter().map(|message| message.body.name());
    assert_eq!(sent.filter(|name| *name == "InstallSnapshot").count(), 2);
    assert_eq!(network.commands(3), ["a", "b", "c"]);
}

#[test]
fn nothing_is_sent_while_a_snapshot_is_on_its_way() {
    let mut network = one_behind_the_log(plain);
    network.heal();
    network.cut(1, 2);
    network.tick(1);
    network.answers(1);
    let first = network.hear(message(3, 1, 2, rejected(5, (2, 2))));
    let second = network.hear(message(3, 1, 2, sign_of_life()));
    let snapshots = [first, second].concat();
    assert_eq!(snapshots.len(), 1, "{snapshots:?}");
    network.node(1).report_snapshot(3, SnapshotOutcome::Failed);
    let again = network.hear(message(3, 1, 2, sign_of_life()));
    assert_eq!(again, snapshots);
}

/// trap 17: the guard is `has_snapshot` in `has_next_committed`.
#[test]
fn nothing_is_handed_out_to_apply_before_the_snapshot_that_it_follows() {
    let mut network = Network::with(3, asynchronous);
    network.server(1).holds_appends = true;
    network.hear(message(2, 1, 2, install(snapshot(5, 2))));
    let entries = [command(6, 2, "after")];
    network.hear(message(2, 1, 2, append((5, 2), 6, &entries)));
    assert_eq!(network.commit(1), 6);
    assert!(network.server(1).applies.is_empty());
    network.server(1).holds_appends = false;
    network.work(1);
    assert_eq!(network.commands(1), ["snapped", "after"]);
}

/// trap 21: the guard is in `promotable`.
#[test]
fn a_node_stands_for_no_election_while_a_snapshot_waits() {
    let mut network = Network::with(3, asynchronous);
    network.server(1).holds_appends = true;
    network.hear(message(2, 1, 2, install(snapshot(5, 2))));
    network.take_events(1);
    network.campaign(1);
    assert_eq!(network.role(1), Role::Follower);
    let refusal = Event::CampaignRefused(CampaignRefusal::NotPromotable);
    assert_eq!(network.take_events(1), [refusal]);
}

/// trap 19: the guard is where `adopt_configuration_of` is called. Chaos found that the
/// change below was applied on top of the snapshot's configuration.
#[test]
fn a_change_from_before_a_snapshot_does_not_alter_the_snapshots_configuration() {
    let mut network = Network::with(3, asynchronous);
    network.server(1).holds_applies = true;
    let add = raft_kernel::Entry {
        term: 1,
        index: 2,
        payload: ConfChange::single(Change::AddVoter(4)).into(),
    };
    network.hear(message(2, 1, 1, append((1, 1), 2, &[add])));
    assert_eq!(
        network.server(1).applies.len(),
        1,
        "under way to the state machine"
    );
    // Node 4 was removed again by index 5, where the snapshot was taken.
    network.server(1).holds_appends = true;
    network.hear(message(2, 1, 1, install(snapshot(5, 1))));
    network.apply_oldest(1);
    assert_eq!(network.status(1).config.conf_state().voters, [1, 2, 3, 4]);
    network.server(1).holds_appends = false;
    network.work(1);
    assert_eq!(network.status(1).config.conf_state().voters, [1, 2, 3]);
}

/// trap 19: the guard is what `restore` does not ask: whether the snapshot names this node. A
/// newcomer is added after the snapshot was taken. Chaos found that leader and newcomer sent
/// and refused the snapshot without end.
#[test]
fn a_newcomer_takes_a_snapshot_that_does_not_name_it() {
    let mut network = Network::of(2);
    network.elect(1);
    network.propose(1, "a");
    network.server(1).compact(0);
    network.add(plain(3));
    network.change(1, ConfChange::single(Change::AddVoter(3)));
    network.tick_all(3);
    assert_eq!(network.server(3).snapshot().conf_state.voters, [1, 2]);
    assert_eq!(network.status(3).config.conf_state().voters, [1, 2, 3]);
    assert_eq!(network.commands(3), ["a"]);
}

#[test]
fn a_node_that_starts_again_begins_with_its_snapshot() {
    let mut network = one_behind_the_log(plain);
    network.propose(1, "d");
    network.crash(1);
    network.server(1).start(MachineFate::Lost);
    assert_eq!(network.commands(1), ["a", "b", "c"]);
    network.settle();
    assert_eq!(network.commands(1), ["a", "b", "c", "d"]);
}

/// The guard is the choice of `applied` in `Raft::restart`. Chaos found that entries
/// which the snapshot holds were handed out once more, and that the changes among
/// them were made twice.
#[test]
fn what_a_snapshot_holds_is_not_handed_out_again_where_the_log_keeps_it() {
    let mut network = Network::of(1);
    network.elect(1);
    let joint = ConfChange {
        transition: raft_kernel::Transition::JointImplicit,
        changes: vec![Change::Update(1)],
        ..ConfChange::default()
    };
    network.change(1, joint);
    network.propose(1, "a");
    network.server(1).compact(100);
    assert_eq!(
        network.server(1).storage.first_index().unwrap(),
        2,
        "all is kept"
    );
    network.crash(1);
    network.server(1).start(MachineFate::Lost);
    network.settle();
    assert_eq!(network.commands(1), ["a"]);
    assert!(!network.status(1).config.voters.is_joint());
}

#[test]
fn a_heartbeat_about_what_a_snapshot_holds_is_harmless() {
    let mut network = Network::of(3);
    network.hear(message(2, 1, 1, install(snapshot(5, 1))));
    let answers = network.hear(message(2, 1, 1, heartbeat(3)));
    assert_eq!(answers, [message(1, 2, 1, sign_of_life())]);
    assert_eq!(network.commit(1), 5);
}
