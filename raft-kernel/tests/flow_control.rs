//! How much a node sends, takes and hands out before it waits.
//!
//! Section 10.2.2 of the dissertation lets a leader send ahead of the answers (pipelining);
//! section 3.8 speaks of the state machine that cannot follow. Every limit here slows the log
//! and none stops it: whatever was lost is sent again, and one entry always goes.

mod network;

use network::words::{accepted, message, rejected, vote};
use network::{Network, asynchronous, plain};
use raft_kernel::{
    Config, DropReason, Error, Event, InflightLimit, Message, MessageBody, NodeId, Payload,
    Progress, ProgressState, Role, SnapshotOutcome,
};

/// What one of the commands below costs with its overhead, and its payload alone.
const ENTRY: u64 = 20 + 10;
const PAYLOAD: u64 = 10;

fn ten_bytes() -> Vec<u8> {
    vec![b'x'; 10]
}

/// One entry in each message, and so many messages on their way.
fn window(messages: usize, bytes: u64) -> impl Fn(NodeId) -> Config {
    move |id| Config {
        max_message_bytes: 1,
        inflight: InflightLimit { messages, bytes },
        ..plain(id)
    }
}

/// Node 1 leads three; node 2 has acknowledged its first entry, and plays along by hand.
fn led_by_hand(config: impl Fn(NodeId) -> Config) -> Network {
    let mut network = Network::with(3, config);
    network.node(1).campaign().unwrap();
    network.answers(1);
    network.hear(message(2, 1, 2, vote(true)));
    network.hear(message(2, 1, 2, accepted(2)));
    assert_eq!(network.role(1), Role::Leader);
    network
}

/// How many entries each append to node 2 holds.
fn appends(messages: &[Message]) -> Vec<usize> {
    let count = |message: &Message| match &message.body {
        MessageBody::AppendEntries { entries, .. } if message.to == 2 => Some(entries.len()),
        _ => None,
    };
    messages.iter().filter_map(count).collect()
}

fn propose(network: &mut Network, count: usize) -> Vec<usize> {
    let mut sent = Vec::new();
    for _ in 0..count {
        network.node(1).propose(ten_bytes()).unwrap();
        sent.extend(appends(&network.answers(1)));
    }
    sent
}

fn progress(network: &mut Network) -> Progress {
    network.status(1).progress[&2].clone()
}

fn alive(network: &mut Network) -> Vec<usize> {
    let body = MessageBody::HeartbeatResponse { read: None };
    let sent = network.hear(message(2, 1, 2, body));
    appends(&sent)
}

#[test]
fn only_so_many_messages_are_on_their_way() {
    let mut network = led_by_hand(window(3, 0));
    assert_eq!(propose(&mut network, 5), [1, 1, 1]);
    assert_eq!(progress(&mut network).inflight(), 3);
    let sent = network.hear(message(2, 1, 2, accepted(4)));
    assert_eq!(appends(&sent), [1, 1], "room for two more");
    assert_eq!(progress(&mut network).inflight(), 3);
}

/// The guard is the pause in `sent_entries`. Node 3 makes the commit index move, which would
/// be worth a message to node 2 if that one was not waited for.
#[test]
fn to_a_follower_whose_window_is_full_nothing_goes_before_it_is_heard() {
    let mut network = led_by_hand(window(2, 0));
    assert_eq!(propose(&mut network, 4), [1, 1]);
    for index in 3..=6 {
        let sent = network.hear(message(3, 1, 2, accepted(index)));
        assert_eq!(network.commit(1), index);
        assert_eq!(appends(&sent), [0; 0], "index {index} is committed");
    }
}

/// The guard is `!full` in `maybe_send_append`. A heartbeat was answered, and nothing says
/// that the window has become any emptier.
#[test]
fn a_sign_of_life_lets_no_entries_pass_a_full_window() {
    let mut network = led_by_hand(window(2, 0));
    assert_eq!(propose(&mut network, 4), [1, 1]);
    for _ in 0..3 {
        assert_eq!(alive(&mut network), [0], "an empty message");
        let after = progress(&mut network);
        assert_eq!((after.next, after.inflight()), (5, 2));
    }
}

#[test]
fn only_so_many_bytes_are_on_their_way() {
    let mut network = led_by_hand(window(100, 2 * PAYLOAD));
    assert_eq!(propose(&mut network, 5), [1, 1]);
    let sent = network.hear(message(2, 1, 2, accepted(3)));
    assert_eq!(appends(&sent), [1]);
}

/// trap 13: the guard is `has_entries` in `maybe_send_append`, which lets an empty append
/// pass a full window. All that is in the window is lost, and so no answer to it can come:
/// the answer to the empty append shows what is missing.
#[test]
fn a_window_that_was_lost_as_a_whole_is_sent_again() {
    let mut network = Network::with(3, window(2, 0));
    network.elect(1);
    network.isolate(2);
    for text in ["a", "b", "c", "d"] {
        network.propose(1, text);
    }
    assert_eq!(progress(&mut network).inflight(), 2);
    network.heal();
    network.tick_all(4);
    assert_eq!(network.commands(2), ["a", "b", "c", "d"]);
}

/// trap 14: the guards are `free_up_to`, which takes off what it frees, and `clear`, which
/// takes off all. What leaks adds up until nothing fits any more.
#[test]
fn the_bytes_on_their_way_are_forgotten_with_their_messages() {
    let mut network = led_by_hand(window(100, 3 * PAYLOAD));
    for round in 0..20 {
        assert_eq!(propose(&mut network, 2), [1, 1], "round {round}");
        let last = network.terms(1).len() as u64 + 1;
        if round % 2 == 0 {
            network.hear(message(2, 1, 2, accepted(last)));
        } else {
            network.node(1).report_unreachable(2);
            alive(&mut network);
            network.hear(message(2, 1, 2, accepted(last)));
        }
        assert_eq!(progress(&mut network).inflight(), 0);
    }
}

/// trap 15: the guard is `matches_probe` in `handle_accepted`. The follower has all there
/// is, so no answer of it is news, and yet one of them must end the probing.
#[test]
fn a_follower_that_was_unreachable_is_sent_ahead_to_again() {
    let mut network = Network::of(3);
    network.elect(1);
    network.node(1).report_unreachable(2);
    assert_eq!(progress(&mut network).state, ProgressState::Probe);
    network.tick_all(1);
    assert_eq!(progress(&mut network).state, ProgressState::Replicate);
}

#[test]
fn to_an_unreachable_follower_one_message_goes_and_then_it_waits() {
    let mut network = led_by_hand(window(100, 0));
    network.node(1).report_unreachable(2);
    assert_eq!(propose(&mut network, 3), [1]);
    assert_eq!(alive(&mut network), [1], "the same once more");
    let sent = network.hear(message(2, 1, 2, accepted(3)));
    assert_eq!(appends(&sent), [1, 1], "and then the rest");
}

#[test]
fn a_report_about_nobody_or_to_a_follower_changes_nothing() {
    let mut network = led_by_hand(plain);
    let before = format!("{:?}", network.status(1));
    network.node(1).report_unreachable(9);
    for outcome in [SnapshotOutcome::Arrived, SnapshotOutcome::Failed] {
        network.node(1).report_snapshot(9, outcome);
        network.node(1).report_snapshot(2, outcome);
    }
    assert_eq!(format!("{:?}", network.status(1)), before);
    network.node(2).report_unreachable(1);
    network.node(2).report_snapshot(1, SnapshotOutcome::Failed);
    assert!(!network.node(2).has_ready());
}

#[test]
fn a_message_holds_what_fits_and_at_least_one_entry() {
    for (max_message_bytes, expected) in [
        (2 * ENTRY, vec![2, 2, 1]),
        (2 * ENTRY - 1, vec![1; 5]),
        (0, vec![1; 5]),
        (u64::MAX, vec![5]),
    ] {
        let mut network = led_by_hand(|id| Config {
            max_message_bytes,
            ..plain(id)
        });
        for _ in 0..5 {
            network.node(1).propose(ten_bytes()).unwrap();
        }
        let mut sent = appends(&network.answers(1));
        while sent.iter().sum::<usize>() < 5 {
            let acknowledged = 2 + sent.iter().sum::<usize>() as u64;
            let more = network.hear(message(2, 1, 2, accepted(acknowledged)));
            sent.extend(appends(&more));
        }
        assert_eq!(sent, expected, "at most {max_message_bytes} bytes");
    }
}

fn refused_for_its_size(result: &Result<raft_kernel::Proposed, Error>) -> bool {
    let expected = DropReason::TooMuchUncommitted;
    matches!(result, Err(Error::ProposalDropped { reason, .. }) if *reason == expected)
}

fn with_quota(id: NodeId) -> Config {
    Config {
        max_uncommitted_bytes: 2 * PAYLOAD,
        ..plain(id)
    }
}

#[test]
fn only_so_much_waits_to_be_committed() {
    let mut network = led_by_hand(with_quota);
    assert_eq!(propose(&mut network, 2).len(), 2);
    assert!(refused_for_its_size(&network.node(1).propose(ten_bytes())));
    network.hear(message(2, 1, 2, accepted(3)));
    network
        .node(1)
        .propose(ten_bytes())
        .expect("one was applied");
    assert!(refused_for_its_size(&network.node(1).propose("x")));
}

/// trap 18: the guard is `bytes > 0` in `may_propose`, and `waiting > 0` beside it.
#[test]
fn what_is_empty_always_fits_and_so_does_anything_alone() {
    let mut network = led_by_hand(with_quota);
    network
        .node(1)
        .propose(vec![0; 1000])
        .expect("nothing waits yet");
    assert!(refused_for_its_size(&network.node(1).propose("x")));
    network.node(1).propose("").expect("it costs nothing");
    let batch = MessageBody::Propose {
        payloads: vec![Payload::Empty],
    };
    network.node(1).step(message(2, 1, 0, batch)).unwrap();
    // A joint configuration must be left whatever waits.
    let leave = raft_kernel::ConfChange::leave_joint();
    network
        .node(1)
        .propose_conf_change(leave)
        .expect("it costs nothing");
}

/// trap 18: the guard is `saturating_sub` in `applied`. What an earlier leader took is
/// applied here and was never counted here.
#[test]
fn the_quota_of_a_new_leader_is_not_upset_by_what_it_found() {
    let mut network = Network::with_logs(&[&[1, 1, 1], &[], &[]], with_quota);
    network.node(1).campaign().unwrap();
    network.answers(1);
    network.hear(message(2, 1, 2, vote(true)));
    network.node(1).propose(ten_bytes()).unwrap();
    network.answers(1);
    network.hear(message(2, 1, 2, accepted(6)));
    assert_eq!(
        network.status(1).applied,
        6,
        "'old' three times, ten bytes once"
    );
    assert_eq!(propose(&mut network, 2).len(), 2);
    assert!(refused_for_its_size(&network.node(1).propose("x")));
}

#[test]
fn the_quota_begins_anew_with_the_term() {
    let mut network = Network::with(3, with_quota);
    network.elect(1);
    network.isolate(1);
    propose(&mut network, 2);
    assert!(refused_for_its_size(&network.node(1).propose("x")));
    network.elect(2);
    network.heal();
    network.tick_all(3);
    network.elect(1);
    assert_eq!(propose(&mut network, 2).len(), 2);
}

/// Several works may be under way to the state machine; the limit is on all of them.
#[test]
fn only_so_much_is_on_its_way_to_be_applied() {
    let mut network = Network::with(1, |id| Config {
        max_applying_bytes: 3 * ENTRY,
        ..asynchronous(id)
    });
    network.elect(1);
    network.server(1).holds_applies = true;
    for _ in 0..8 {
        network.node(1).propose(ten_bytes()).unwrap();
        network.settle();
    }
    let handed_out = |network: &mut Network| -> usize {
        let works = &network.server(1).applies;
        works.iter().map(|work| work.entries.len()).sum()
    };
    assert_eq!(network.commit(1), 10);
    assert_eq!(handed_out(&mut network), 3);
    assert!(network.server(1).applies.len() > 1, "in several works");
    network.apply_oldest(1);
    network.settle();
    assert_eq!(handed_out(&mut network), 3, "one was applied, one came");
    network.server(1).holds_applies = false;
    network.settle();
    assert_eq!(network.commands(1).len(), 8);
}

#[test]
fn a_synchronous_node_is_handed_out_no_more_at_once() {
    let mut network = Network::with(1, |id| Config {
        max_applying_bytes: 2 * ENTRY,
        ..plain(id)
    });
    network.elect(1);
    for _ in 0..5 {
        network.node(1).propose(ten_bytes()).unwrap();
    }
    let mut applied = Vec::new();
    while network.turn(1) {
        applied.push(network.commands(1).len());
    }
    applied.dedup();
    assert_eq!(applied, [0, 2, 4, 5]);
}

/// Node 2 was away while the leader forgot what it lacks.
fn behind_the_log() -> Network {
    let mut network = Network::of(3);
    network.elect(1);
    network.isolate(2);
    for text in ["a", "b", "c"] {
        network.propose(1, text);
    }
    network.server(1).compact(0);
    network.heal();
    network.drop_when(|message| message.to == 2);
    network
}

/// A snapshot is large, and whoever does not answer does not need it now. The leader looks
/// who is there when it looks at its quorum.
#[test]
fn no_snapshot_goes_to_a_follower_that_is_not_heard_from() {
    let mut network = Network::with(3, |id| Config {
        check_quorum: true,
        ..plain(id)
    });
    network.elect(1);
    network.crash(2);
    for _ in 0..30 {
        network.propose(1, "a");
    }
    network.server(1).compact(0);
    network.tick_all(20);
    assert!(!progress(&mut network).recently_active);
    network.node(1).report_unreachable(2);
    network.propose(1, "b");
    let is_snapshot = |event: &Event| matches!(event, Event::SentSnapshot { .. });
    assert!(!network.take_events(1).iter().any(is_snapshot));
    assert_eq!(progress(&mut network).state, ProgressState::Probe);
    network.restart(2);
    network.tick_all(3);
    assert!(network.take_events(1).iter().any(is_snapshot));
    assert_eq!(network.commands(2).len(), 31);
}

#[test]
fn a_snapshot_that_failed_is_tried_again_with_the_next_sign_of_life() {
    let mut network = behind_the_log();
    network.hear(message(2, 1, 2, rejected(5, (2, 2))));
    network.node(1).report_unreachable(2);
    alive(&mut network);
    assert_eq!(progress(&mut network).state, ProgressState::Snapshot);
    network.node(1).report_snapshot(2, SnapshotOutcome::Failed);
    let after = progress(&mut network);
    assert_eq!((after.state, after.next), (ProgressState::Probe, 3));
    assert!(after.is_paused() && after.pending_snapshot == 0);
    alive(&mut network);
    assert_eq!(progress(&mut network).state, ProgressState::Snapshot);
}

#[test]
fn a_snapshot_that_arrived_is_followed_by_what_comes_after_it() {
    let mut network = behind_the_log();
    network.node(1).report_unreachable(2);
    alive(&mut network);
    network.node(1).report_snapshot(2, SnapshotOutcome::Arrived);
    let after = progress(&mut network);
    assert_eq!((after.state, after.next), (ProgressState::Probe, 6));
    assert!(after.is_paused(), "until the follower says that it has it");
    network.hear(message(2, 1, 2, accepted(5)));
    assert_eq!(progress(&mut network).state, ProgressState::Replicate);
    assert_eq!(propose(&mut network, 1), [1]);
}
