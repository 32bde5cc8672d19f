//! Section 5.3 of the paper: log replication.
//!
//! Only the leader appends; it sends its entries to the others until all logs are the
//! same, and an entry that a majority stores is committed. A follower appends only where
//! its log holds the entry before (figure 2), and what conflicts with the leader's log goes.

mod network;

use network::server::MachineFate;
use network::words::{accepted, append, command, heartbeat, message, rejected, vote};
use network::{Network, asynchronous, plain};
use raft_kernel::{Config, Entry, Error, Index, Message, MessageBody, Storage};

/// Node 1 of three, made leader of term 2 by hand, its empty entry at index 2.
fn led_by_hand(config: impl Fn(u64) -> Config) -> Network {
    let mut network = Network::with(3, config);
    network.node(1).campaign().unwrap();
    network.answers(1);
    network.hear(message(2, 1, 2, vote(true)));
    network
}

fn appends_to(to: u64, messages: &[Message]) -> Vec<(Index, usize)> {
    let sent = |m: &Message| match &m.body {
        MessageBody::AppendEntries {
            prev_index,
            entries,
            ..
        } if m.to == to => Some((*prev_index, entries.len())),
        _ => None,
    };
    messages.iter().filter_map(sent).collect()
}

#[test]
fn an_entry_is_committed_once_a_majority_stores_it() {
    let mut network = led_by_hand(plain);
    network.hear(message(2, 1, 2, accepted(2)));
    network.node(1).propose("a").unwrap();
    network.answers(1);
    assert_eq!(network.commit(1), 2, "only the leader stores it");
    network.hear(message(3, 1, 2, accepted(3)));
    assert_eq!(
        (network.commit(1), network.commands(1)),
        (3, vec!["a".to_owned()])
    );
}

/// trap 2: the guard is `appliable`. A driver that writes and applies at the same time
/// must not apply what a crash can take away.
#[test]
fn an_asynchronous_node_applies_only_what_is_stored() {
    let mut network = Network::with(3, asynchronous);
    network.server(1).holds_appends = true;
    let entries = [command(2, 1, "a"), command(3, 1, "b")];
    network.hear(message(2, 1, 1, append((1, 1), 3, &entries)));
    assert_eq!(network.commit(1), 3);
    network.hear(message(2, 1, 1, heartbeat(3)));
    assert!(network.server(1).applies.is_empty());
    network.server(1).holds_appends = false;
    network.work(1);
    assert_eq!(network.commands(1), ["a", "b"]);
}

/// trap 2 once more: of one voter, an entry is committed as soon as it is written.
#[test]
fn a_single_voter_commits_nothing_before_its_write() {
    let mut network = Network::with(1, asynchronous);
    network.elect(1);
    network.server(1).holds_appends = true;
    network.propose(1, "a");
    assert_eq!((network.commit(1), network.commands(1)), (2, vec![]));
    network.server(1).holds_appends = false;
    network.settle();
    assert_eq!(
        (network.commit(1), network.commands(1)),
        (3, vec!["a".to_owned()])
    );
}

#[test]
fn a_follower_that_was_away_gets_all_that_it_missed() {
    let mut network = Network::of(3);
    network.elect(1);
    network.isolate(3);
    for text in ["a", "b", "c"] {
        network.propose(1, text);
    }
    assert_eq!(network.commands(3), [""; 0]);
    network.heal();
    network.tick_all(2);
    assert_eq!(network.commands(3), ["a", "b", "c"]);
}

/// The guard is `contains(prev)` in `maybe_append`.
#[test]
fn an_append_is_refused_where_the_entry_before_it_is_missing_or_another() {
    for (prev, hint) in [((5, 3), (3, 2)), ((3, 3), (3, 2)), ((2, 3), (2, 2))] {
        let mut network = Network::with_logs(&[&[2, 2], &[], &[]], plain);
        let answers = network.hear(message(2, 1, 3, append(prev, 1, &[])));
        assert_eq!(
            answers,
            [message(1, 2, 3, rejected(prev.0, hint))],
            "after {prev:?}"
        );
        assert_eq!(network.terms(1), [2, 2]);
    }
}

#[test]
fn an_entry_that_conflicts_goes_and_so_does_all_that_follows_it() {
    let mut network = Network::with_logs(&[&[2, 2, 2, 2], &[], &[]], plain);
    let entries = [command(3, 2, "old"), command(4, 3, "new")];
    let answers = network.hear(message(2, 1, 3, append((2, 2), 1, &entries)));
    assert_eq!(answers, [message(1, 2, 3, accepted(4))]);
    assert_eq!(network.terms(1), [2, 2, 3]);
    assert_eq!(network.server(1).storage.last_index().unwrap(), 4);
}

/// The guard is the loop in `maybe_append`: "if an existing entry conflicts", not always.
#[test]
fn an_old_append_that_arrives_late_shortens_nothing() {
    let mut network = Network::of(3);
    let entries = [command(2, 1, "a"), command(3, 1, "b"), command(4, 1, "c")];
    network.hear(message(2, 1, 1, append((1, 1), 1, &entries)));
    let late = network.hear(message(2, 1, 1, append((1, 1), 1, &entries[..1])));
    assert_eq!(late, [message(1, 2, 1, accepted(2))]);
    assert_eq!(network.terms(1), [1, 1, 1]);
}

/// Figure 7 of the paper: a new leader of term 8 and the logs that it may meet, here one
/// index later, after the founding snapshot.
#[test]
fn a_leader_brings_every_log_of_figure_7_in_line() {
    let leader: &[u64] = &[1, 1, 1, 4, 4, 5, 5, 6, 6, 6];
    let followers: [&[u64]; 6] = [
        &[1, 1, 1, 4, 4, 5, 5, 6, 6],
        &[1, 1, 1, 4],
        &[1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6],
        &[1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7],
        &[1, 1, 1, 4, 4, 4, 4],
        &[1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3],
    ];
    let logs: Vec<&[u64]> = std::iter::once(leader).chain(followers).collect();
    for max_message_bytes in [0, 1 << 20] {
        let mut network = Network::with_logs(&logs, |id| Config {
            max_message_bytes,
            ..plain(id)
        });
        // The paper's leader leads term 8; the follower of term 7 makes it begin there.
        network.hear(message(5, 1, 7, heartbeat(1)));
        network.elect(1);
        let whole: Vec<u64> = leader.iter().copied().chain([8]).collect();
        for id in network.ids() {
            assert_eq!(network.terms(id), whole, "n{id}");
        }
    }
}

#[test]
fn a_commit_index_counts_only_as_far_as_the_append_vouches_for_the_log() {
    // Beyond index 3 the follower holds what an earlier leader left.
    let mut network = Network::with_logs(&[&[2, 2, 2, 2], &[], &[]], plain);
    network.hear(message(2, 1, 3, append((2, 2), 5, &[command(3, 2, "old")])));
    assert_eq!(network.commit(1), 3);
}

/// trap 7: the guard is the minimum in `broadcast_heartbeat`.
#[test]
fn a_heartbeat_claims_no_more_than_the_follower_is_known_to_hold() {
    let mut network = led_by_hand(plain);
    network.hear(message(2, 1, 2, accepted(2)));
    assert_eq!(network.commit(1), 2);
    network.tick(1);
    let beats = network.answers(1);
    assert_eq!(
        beats,
        [
            message(1, 2, 2, heartbeat(2)),
            message(1, 3, 2, heartbeat(0))
        ]
    );
}

/// traps 7 and 8: the guard is in `RaftLog::commit_to`. A disk that lost its end is
/// reported at each claim; the node neither believes nor stops.
#[test]
fn a_follower_whose_log_lost_its_end_says_so_and_goes_on() {
    let mut network = Network::of(3);
    for _ in 0..2 {
        let error = network
            .node(1)
            .step(message(2, 1, 1, heartbeat(9)))
            .unwrap_err();
        assert!(
            matches!(
                error,
                Error::LostEntries {
                    committed: 9,
                    last_index: 1
                }
            ),
            "{error}"
        );
        assert!(!error.is_fatal());
    }
    assert_eq!(network.commit(1), 1);
    network.hear(message(2, 1, 1, append((1, 1), 2, &[command(2, 1, "a")])));
    assert_eq!(network.commands(1), ["a"]);
}

/// trap 9: the guard is in `fitting`, `MemoryStorage::entries` and `RaftLog::applied_to`.
#[test]
fn no_limit_stops_the_log() {
    let mut network = Network::with(3, |id| Config {
        max_message_bytes: 0,
        max_applying_bytes: 0,
        max_uncommitted_bytes: 0,
        ..plain(id)
    });
    network.elect(1);
    for text in ["a", "b", "c"] {
        network.propose(1, text);
    }
    // Started with nothing but its storage, it reads the log from there.
    network.server(1).start(MachineFate::Lost);
    network.elect(2);
    for id in 1..=3 {
        assert_eq!(network.commands(id), ["a", "b", "c"], "n{id}");
    }
}

/// trap 11: the guards are in `Progress::reject`.
#[test]
fn a_rejection_that_arrives_late_moves_nothing_back() {
    let mut network = led_by_hand(plain);
    network.hear(message(2, 1, 2, accepted(2)));
    network.node(1).propose("a").unwrap();
    network.answers(1);
    network.hear(message(2, 1, 2, accepted(3)));
    for late in [
        rejected(1, (1, 1)),
        rejected(3, (1, 1)),
        rejected(0, (0, 0)),
    ] {
        let answers = network.hear(message(2, 1, 2, late));
        assert_eq!(appends_to(2, &answers), []);
        let progress = network.status(1).progress[&2].clone();
        assert_eq!((progress.match_index, progress.next), (3, 4));
    }
    // One that is news goes back to what is acknowledged, and no further.
    let answers = network.hear(message(2, 1, 2, rejected(4, (0, 0))));
    assert_eq!(appends_to(2, &answers), [(3, 0)]);
    // And one that rejects what is acknowledged is old, although it looks like news.
    let answers = network.hear(message(2, 1, 2, rejected(3, (0, 0))));
    assert_eq!(appends_to(2, &answers), []);
}

/// trap 12: the guard is in `Progress::acknowledge`.
#[test]
fn acknowledgements_out_of_order_lower_nothing() {
    let mut network = led_by_hand(plain);
    for text in ["a", "b"] {
        network.node(1).propose(text).unwrap();
    }
    network.answers(1);
    network.hear(message(2, 1, 2, accepted(4)));
    network.hear(message(2, 1, 2, accepted(2)));
    let progress = network.status(1).progress[&2].clone();
    assert_eq!((progress.match_index, progress.next), (4, 5));
    assert_eq!(network.commit(1), 4);
}

/// trap 6: the guards are `RaftLog::term`, which knows no term where the log is compacted,
/// and `RaftLog::entries_from`. Here either is enough; chaos misses the first by itself.
#[test]
fn at_a_compacted_index_nothing_matches_by_accident() {
    let mut network = Network::of(3);
    network.elect(1);
    network.isolate(3);
    for text in ["a", "b", "c"] {
        network.propose(1, text);
    }
    network.server(1).compact(0);
    // The follower asks for entries from index 3 on; the log begins at 6.
    network.heal();
    network.tick(1);
    network.settle();
    assert_eq!(network.server(3).snapshot().index, 5);
    assert_eq!(network.commands(3), ["a", "b", "c"]);
}

/// trap 3: the guard is the comparison of terms in `appended`. Entries of terms 2 and 3
/// take turns at index 2, and the writes are acknowledged after that.
#[test]
fn a_late_acknowledgement_vouches_for_nothing_that_came_after_its_write() {
    let mut network = Network::with(3, asynchronous);
    network.server(1).holds_appends = true;
    let first: [Entry; 1] = [command(2, 1, "a")];
    network.hear(message(2, 1, 1, append((1, 1), 1, &first)));
    network.hear(message(3, 1, 2, append((1, 1), 1, &[command(2, 2, "b")])));
    network.hear(message(2, 1, 3, append((1, 1), 2, &first)));
    // Only the first write is done. It looks like the entry that is there again by now.
    assert!(network.write_oldest(1) && network.acknowledge_oldest(1));
    network.turn(1);
    assert!(
        network.server(1).applies.is_empty(),
        "the log may still change to 'b'"
    );
    network.server(1).holds_appends = false;
    network.work(1);
    assert_eq!(network.commands(1), ["a"]);
}

/// trap 4: the guard is `last` in `RawNode::ready`. The acknowledgement of the first write
/// comes in a later term and counts for nothing, so that of an empty write must do.
#[test]
fn what_a_late_acknowledgement_leaves_unstored_a_later_one_covers() {
    let mut network = Network::with(3, asynchronous);
    network.server(1).holds_appends = true;
    let entries = [command(2, 1, "a")];
    network.hear(message(2, 1, 1, append((1, 1), 1, &entries)));
    network.hear(message(3, 1, 2, append((2, 1), 2, &[])));
    network.server(1).holds_appends = false;
    network.work(1);
    assert_eq!(network.commands(1), ["a"]);
}
