//! Traps: what went wrong in Raft implementations, and the test that keeps it from going
//! wrong here.
//!
//! Each was a bug or nearly one in etcd, `raft-rs`, openraft or `LogCabin`, or is in the
//! papers. The test's comment names the guard: take it out, and the test fails. The last
//! column says where the test is, `file::test`; those that fit nowhere else are below.
//!
//! | trap | what goes wrong | test |
//! |---|---|---|
//! | 1 | A leader commits an old leader's entry because a majority stores it, and a later one overwrites it. | `paper_5_4_safety::a_leader_never_commits_an_entry_of_an_earlier_term_by_counting_replicas` |
//! | 2 | A driver that writes and applies at once applies what a crash then takes from its disk. | `paper_5_3_replication::an_asynchronous_node_applies_only_what_is_stored` |
//! | 3 | A late acknowledgement of a write marks other entries as stored that came to stand in the same places. | `paper_5_3_replication::a_late_acknowledgement_vouches_for_nothing_that_came_after_its_write` |
//! | 4 | After an acknowledgement that came too late nobody acknowledges those entries any more. | `paper_5_3_replication::what_a_late_acknowledgement_leaves_unstored_a_later_one_covers` |
//! | 5 | A vote or an answer to an append is sent, the sender crashes before its write, and denies it. | `paper_5_1_terms::nothing_is_promised_in_a_term_that_is_not_durable`, `paper_5_2_election::a_candidate_leads_only_once_its_own_vote_is_stored`, `paper_5_2_election::a_candidate_speaks_only_of_entries_that_are_stored` |
//! | 6 | The term of a compacted entry is taken for 0, and a slow follower is asked about an entry that nobody has. | `traps::what_is_compacted_has_no_term` |
//! | 7 | A heartbeat tells a follower to commit entries that differ in its log. | `paper_5_3_replication::a_heartbeat_claims_no_more_than_the_follower_is_known_to_hold` |
//! | 8 | A node whose disk lost its end stops at the leader's first word, each time that it is started. | `traps::a_node_whose_disk_lost_its_end_can_be_replaced_while_it_runs` |
//! | 9 | An entry larger than a limit is never sent, stored or applied. | `paper_5_3_replication::no_limit_stops_the_log` |
//! | 10 | A node does not start because it has applied more than its stored commit index says. | `paper_5_4_safety::a_node_whose_stored_commit_index_is_behind_its_state_machine_starts`, `paper_5_4_safety::a_node_whose_stored_commit_index_is_beyond_its_log_starts` |
//! | 11 | A rejection that was overtaken makes a leader send again what is long acknowledged. | `paper_5_3_replication::a_rejection_that_arrives_late_moves_nothing_back`, `traps::a_rejection_of_an_earlier_probe_is_not_acted_on`, `traps::a_rejection_of_what_was_acknowledged_is_not_answered` |
//! | 12 | Acknowledgements in the wrong order make a leader forget what a follower has. | `paper_5_3_replication::acknowledgements_out_of_order_lower_nothing` |
//! | 13 | All messages that may be under way are lost, and the leader waits for their answers for ever. | `flow_control::a_window_that_was_lost_as_a_whole_is_sent_again` |
//! | 14 | Bytes under way are not taken off when their messages are, until nothing may be sent any more. | `flow_control::the_bytes_on_their_way_are_forgotten_with_their_messages` |
//! | 15 | A follower that was reported unreachable and lacks nothing is probed for ever. | `flow_control::a_follower_that_was_unreachable_is_sent_ahead_to_again` |
//! | 16 | A leader waits for a snapshot to arrive that the follower has come to do without. | `paper_7_snapshots::any_acknowledgement_that_leads_to_the_log_ends_the_wait_for_a_snapshot` |
//! | 17 | Entries are applied to a state machine that still lacks the snapshot before them. | `paper_7_snapshots::nothing_is_handed_out_to_apply_before_the_snapshot_that_it_follows` |
//! | 18 | The limit on waiting bytes refuses what has none, or is upset by bytes that were never counted. | `flow_control::what_is_empty_always_fits_and_so_does_anything_alone`, `flow_control::the_quota_of_a_new_leader_is_not_upset_by_what_it_found` |
//! | 19 | A snapshot and the entries around it leave a node with a configuration of no moment. | `paper_7_snapshots::a_change_from_before_a_snapshot_does_not_alter_the_snapshots_configuration`, `paper_7_snapshots::a_newcomer_takes_a_snapshot_that_does_not_name_it` |
//! | 20 | A new voter that has not heard of its vote refuses to give it, and nobody can be elected. | `dissertation_4_membership::a_learner_that_does_not_know_of_its_promotion_votes` |
//! | 21 | A node is elected by a configuration that has already been replaced. | `dissertation_4_membership::a_node_stands_for_no_election_before_it_applied_every_committed_change`, `paper_7_snapshots::a_node_stands_for_no_election_while_a_snapshot_waits` |
//! | 22 | Two changes are under way at once, and their majorities do not meet. | `dissertation_4_membership::of_two_changes_at_a_time_the_second_becomes_an_empty_entry`, `dissertation_4_membership::a_new_leader_takes_no_change_before_it_applied_what_it_found` |
//! | 23 | Nobody leaves the joint configuration, or the leader proposes it again and again. | `dissertation_4_membership::a_joint_configuration_is_left_after_a_transfer_that_came_in_between`, `dissertation_4_membership::leaving_automatically_is_proposed_once` |
//! | 24 | Leadership is being moved to a node that has lost its vote, and proposals wait for it. | `dissertation_4_membership::a_transfer_to_a_node_that_loses_its_vote_is_given_up` |
//! | 25 | A leader that was removed goes on leading. | `dissertation_4_membership::a_leader_that_was_removed_steps_down_and_falls_silent`, `dissertation_4_membership::a_removed_leader_that_does_not_step_down_takes_no_proposals` |
//! | 26 | A change without any steps is taken for a broken one, and the joint configuration stays. | `dissertation_4_membership::a_change_without_steps_leaves_the_joint_configuration` |
//! | 27 | Nodes that could elect each other ignore each other's pre-votes. | `dissertation_9_6_pre_vote::a_pre_vote_of_an_older_term_is_answered_with_the_newer_one`, `dissertation_9_6_pre_vote::one_that_asks_believes_in_no_leader_any_more` |
//! | 28 | A node in a newer term is ignored as a candidate and ignores the leader, so it never comes back. | `dissertation_6_2_check_quorum::a_node_that_comes_back_in_a_newer_term_is_not_kept_out`, `dissertation_6_2_check_quorum::a_newcomer_counts_as_active_until_the_next_look` |
//! | 29 | A new leader answers a read before it can know what the one before it committed. | `dissertation_6_4_reads::a_read_waits_until_the_leader_has_committed_in_its_own_term`, `dissertation_6_4_reads::only_so_many_reads_wait_for_a_leader` |
//! | 30 | Two reads that look alike are taken for one, and the second gets the first one's answer. | `reads_mixed_up::the_same_context_again_is_another_read_to_the_leader`, `reads_mixed_up::the_same_context_again_is_another_read_to_a_follower` |
//! | 31 | A special case commits without a majority; or a leader whom few hear keeps those from electing another. | `traps::no_configuration_commits_without_its_majorities`, `dissertation_6_2_check_quorum::a_leader_that_reaches_one_follower_only_gives_way_to_one_that_reaches_all` |
//! | 32 | A set without an order decides whom to send to first, and no run can be repeated. | `traps::every_message_of_a_run_comes_again_in_the_next` |

mod network;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use network::words::{accepted, message, rejected, vote};
use network::{Network, founded, plain};
use raft_kernel::{
    Change, ConfChange, ConfState, Config, Error, HardState, InflightLimit, Message, MessageBody,
    NodeId, ProgressState, Role, Storage,
};

/// trap 6: the guard is `RaftLog::term`, which knows no term where the log is compacted. The
/// window of node 2 is full, so that it would be sent an empty append: about an entry that
/// the leader has forgotten, of a term that nobody knows.
#[test]
fn what_is_compacted_has_no_term() {
    let mut network = Network::with(3, |id| Config {
        inflight: InflightLimit {
            messages: 1,
            bytes: 0,
        },
        ..plain(id)
    });
    network.elect(1);
    network.isolate(2);
    // So many that none of the first ones is in memory any more either.
    for _ in 0..30 {
        network.propose(1, "a");
    }
    let progress = &network.status(1).progress[&2];
    assert_eq!((progress.next, progress.inflight()), (4, 1));
    network.server(1).compact(0);
    assert_eq!(network.server(1).storage.first_index().unwrap(), 33);
    let alive = MessageBody::HeartbeatResponse { read: None };
    let sent = network.hear(message(2, 1, 2, alive));
    let names: Vec<&str> = sent.iter().map(|message| message.body.name()).collect();
    assert_eq!(names, ["InstallSnapshot"]);
}

/// trap 11: the guard is the comparison with `next` in `Progress::reject`. A rejection of an
/// earlier probe says nothing about the one that is under way.
#[test]
fn a_rejection_of_an_earlier_probe_is_not_acted_on() {
    let mut network = Network::with_logs(&[&[2; 6], &[], &[]], plain);
    network.node(1).campaign().unwrap();
    network.answers(1);
    network.hear(message(3, 1, 3, vote(true)));
    let sent = network.hear(message(2, 1, 3, rejected(7, (4, 2))));
    assert_eq!((sent.len(), network.status(1).progress[&2].next), (1, 5));
    for late in [
        rejected(7, (4, 2)),
        rejected(7, (1, 1)),
        rejected(6, (2, 2)),
    ] {
        assert_eq!(network.hear(message(2, 1, 3, late)), []);
        assert_eq!(network.status(1).progress[&2].next, 5);
    }
    let sent = network.hear(message(2, 1, 3, rejected(4, (3, 1))));
    assert_eq!((sent.len(), network.status(1).progress[&2].next), (1, 2));
}

/// trap 11: the guard is the comparison with `match_index` in `Progress::reject`. Only a
/// disk that lost its end, or a message that comes late, rejects what was acknowledged. Were
/// each rejection answered by the same entries again, that would go round and round, and twice
/// as often for every message that arrives twice.
#[test]
fn a_rejection_of_what_was_acknowledged_is_not_answered() {
    let mut network = Network::with(3, plain);
    network.elect(1);
    network.propose(1, "a");
    let progress = &network.status(1).progress[&2];
    let (match_index, next) = (progress.match_index, progress.next);
    assert_eq!(next, match_index + 1, "node 2 has all");
    network.node(1).report_unreachable(2);
    assert_eq!(network.status(1).progress[&2].state, ProgressState::Probe);
    for _ in 0..2 {
        let refusal = rejected(match_index, (match_index - 1, 1));
        assert_eq!(network.hear(message(2, 1, 2, refusal)), []);
        assert_eq!(network.status(1).progress[&2].next, next);
    }
}

/// trap 8: the guard is the error of `RaftLog::commit_to`, which stops nobody. The node says
/// that it has lost entries as often as it is told to commit them, it can be started again,
/// and meanwhile the others replace it.
#[test]
fn a_node_whose_disk_lost_its_end_can_be_replaced_while_it_runs() {
    let mut network = Network::of(3);
    network.elect(1);
    for text in ["a", "b"] {
        network.propose(1, text);
    }
    let before = network.server(3).storage.entries(2..3, 0).unwrap();
    for _ in 0..2 {
        let storage = founded(ConfState::of_voters(1..=3));
        storage.append(&before).unwrap();
        storage.set_hard_state(HardState {
            term: 2,
            vote: Some(1),
            commit: 2,
        });
        network.crash(3);
        network.server(3).storage = storage;
        network.server(3).start(network::server::MachineFate::Lost);
        network.tick_all(5);
        let reports = std::mem::take(&mut network.refused);
        assert_eq!(reports.len(), 5, "one for each heartbeat: {reports:?}");
        let is_report = |error: &Error| {
            matches!(
                error,
                Error::LostEntries {
                    committed: 4,
                    last_index: 2
                }
            )
        };
        assert!(reports.iter().all(is_report), "{reports:?}");
    }
    network.add(plain(4));
    network.change(1, ConfChange::single(Change::Remove(3)));
    network.change(1, ConfChange::single(Change::AddVoter(4)));
    network.tick_all(2);
    network.isolate(2);
    network.propose(1, "c");
    assert_eq!(network.commands(4), ["a", "b", "c"]);
}

fn config_of(voters: &[NodeId], outgoing: &[NodeId], learners: &[NodeId]) -> ConfState {
    ConfState {
        voters: voters.to_vec(),
        voters_outgoing: outgoing.to_vec(),
        learners: learners.to_vec(),
        ..ConfState::default()
    }
}

/// trap 31: the guard is `committed_index` of `NodeSet` and of `JointConfig`. Here are those
/// configurations for which somebody could think of a shorter way.
#[test]
fn no_configuration_commits_without_its_majorities() {
    let even = config_of(&[1, 2, 3, 4], &[], &[]);
    let two = config_of(&[1, 2], &[], &[]);
    let one_and_learners = config_of(&[1], &[], &[2, 3]);
    let shrinking_to_one = config_of(&[1], &[1, 2, 3], &[]);
    let growing_from_one = config_of(&[1, 2, 3], &[1], &[]);
    let moving_away = config_of(&[2, 3, 4], &[1], &[]);
    let cases: [(&ConfState, &[NodeId], bool); 12] = [
        (&even, &[2], false),
        (&even, &[2, 3], true),
        (&two, &[], false),
        (&two, &[2], true),
        (&one_and_learners, &[], true),
        (&shrinking_to_one, &[], false),
        (&shrinking_to_one, &[3], true),
        (&growing_from_one, &[], false),
        (&growing_from_one, &[2], true),
        (&moving_away, &[], false),
        (&moving_away, &[2], false),
        (&moving_away, &[2, 4], true),
    ];
    for (conf_state, acknowledged, expected) in cases {
        let everybody = (1..=4).filter(|id| conf_state.contains(*id));
        let mut network = Network::founded_as(conf_state, everybody.map(plain));
        network.node(1).campaign().unwrap();
        network.answers(1);
        for from in (2..=4).filter(|id| conf_state.contains(*id)) {
            network.hear(message(from, 1, 2, vote(true)));
        }
        assert_eq!(network.role(1), Role::Leader, "{conf_state:?}");
        for from in acknowledged {
            network.hear(message(*from, 1, 2, accepted(2)));
        }
        let committed = network.commit(1) == 2;
        assert_eq!(committed, expected, "{acknowledged:?} of {conf_state:?}");
        network.node(1).read_index("x").unwrap();
        network.answers(1);
        let is_alone = acknowledged.is_empty() && expected;
        assert_eq!(!network.take_reads(1).is_empty(), is_alone, "a read alone");
    }
}

/// What everybody sends, in order, when a cluster of seven lives through a little of all.
fn everything_sent() -> Vec<String> {
    let everybody = config_of(&[1, 2, 3, 4, 5], &[1, 2, 6], &[7]);
    let mut network = Network::founded_as(&everybody, (1..=7).map(Config::new));
    let sent = Arc::new(Mutex::new(Vec::new()));
    let list = Arc::clone(&sent);
    network.drop_when(move |message: &Message| {
        list.lock().unwrap().push(format!("{message:?}"));
        false
    });
    for round in 0..40 {
        network.tick_all(1);
        let Some(leader) = network.leader() else {
            continue;
        };
        network.node(leader).propose("x").unwrap();
        network.node(leader % 7 + 1).read_index("y").unwrap();
        network.settle();
        if round % 10 == 9 {
            network.campaign(leader % 5 + 1);
        }
    }
    let sent = sent.lock().unwrap().clone();
    assert!(sent.len() > 1000, "{} messages", sent.len());
    sent
}

/// trap 32: the guard is that `ProgressMap` and `NodeSet` are sorted, and that nothing else is
/// walked. A hash set has another order in every run.
#[test]
fn every_message_of_a_run_comes_again_in_the_next() {
    let (first, second) = (everything_sent(), everything_sent());
    let differs = first.iter().zip(&second).position(|(a, b)| a != b);
    assert_eq!(differs, None, "the message at which the runs part");
    assert_eq!(first.len(), second.len());
}

/// The tests that the table above names for each trap.
fn named_tests() -> BTreeMap<u32, Vec<(String, String)>> {
    let rows = include_str!("traps.rs").lines();
    let rows = rows.filter_map(|line| line.strip_prefix("//! | "));
    rows.filter_map(|row| {
        let mut cells = row.split(" | ");
        let number = cells.next()?.parse().ok()?;
        let tests = cells.nth(1)?.trim_end_matches(" |").split(", ");
        let path = |test: &str| {
            let (file, name) = test.trim_matches('`').split_once("::")?;
            Some((file.to_owned(), name.to_owned()))
        };
        Some((number, tests.filter_map(path).collect()))
    })
    .collect()
}

/// The comment that stands above a test, as one text.
fn comment_above(source: &str, test: &str) -> Option<String> {
    let lines: Vec<&str> = source.lines().collect();
    let signature = format!("fn {test}() {{");
    let place = lines.iter().position(|line| *line == signature)?;
    let above = lines[..place].iter().rev();
    let mut comment: Vec<&str> = above
        .take_while(|line| line.starts_with("///") || line.starts_with("#["))
        .filter_map(|line| line.strip_prefix("/// "))
        .collect();
    comment.reverse();
    Some(comment.join(" "))
}

#[test]
fn every_trap_has_a_test_that_names_its_guard() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let named = named_tests();
    assert!(named.keys().copied().eq(1..=32), "{:?}", named.keys());
    for (trap, names) in named {
        assert!(!names.is_empty(), "trap {trap} has no test");
        for (file, test) in names {
            let path = tests.join(format!("{file}.rs"));
            let source = std::fs::read_to_string(&path)
                .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            let comment = comment_above(&source, &test)
                .unwrap_or_else(|| panic!("there is no test {file}::{test}"));
            assert!(
                comment.starts_with(&format!("trap {trap}: the guard")),
                "{file}::{test} is to name the guard against trap {trap}: {comment}"
            );
        }
    }
}
