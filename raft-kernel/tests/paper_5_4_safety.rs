//! Section 5.4 of the paper: safety.
//!
//! A leader has every committed entry: voters refuse candidates whose logs are less
//! complete than theirs (5.4.1), and only an entry of the leader's own term is committed
//! by counting who stores it (5.4.2, figure 8).

mod network;

use network::server::MachineFate;
use network::words::{accepted, append, command, message, vote, vote_request};
use network::{Network, plain};
use raft_kernel::Role;

/// Whether a voter whose log has these terms votes for a candidate whose log ends there.
fn votes_for(own: &[u64], last: (u64, u64)) -> bool {
    let mut network = Network::with_logs(&[own, &[], &[]], plain);
    let answers = network.hear(message(2, 1, 9, vote_request(last)));
    assert_eq!(answers.len(), 1);
    answers == [message(1, 2, 9, vote(true))]
}

/// The guard is `is_up_to_date`.
#[test]
fn of_two_logs_that_end_in_different_terms_the_later_term_wins() {
    assert!(votes_for(&[2, 2, 2], (2, 3)));
    assert!(!votes_for(&[2, 3], (9, 2)));
}

#[test]
fn of_two_logs_that_end_in_the_same_term_the_longer_one_wins() {
    assert!(votes_for(&[2, 2], (4, 2)));
    assert!(votes_for(&[2, 2], (3, 2)), "neither is longer");
    assert!(!votes_for(&[2, 2], (2, 2)));
}

#[test]
fn a_candidate_that_lacks_a_committed_entry_is_not_elected() {
    let mut network = Network::of(3);
    network.elect(1);
    network.isolate(3);
    network.propose(1, "a");
    network.heal();
    network.cut(1, 3);
    network.campaign(3);
    assert_eq!(network.leader(), Some(1), "n3 lacks 'a', and n2 knows it");
    network.campaign(2);
    assert_eq!(network.role(2), Role::Leader);
    network.tick_all(2);
    assert_eq!(network.commands(3), ["a"]);
}

/// trap 1: the guard is the term in `maybe_commit`. Figure 8 of the paper with five nodes:
/// in (c) the entry of term 2 is on a majority, and in (d) it is overwritten all the same.
#[test]
fn a_leader_never_commits_an_entry_of_an_earlier_term_by_counting_replicas() {
    // (b): n1 led term 2 and n5 led term 3, each alone with its entry.
    let logs: [&[u64]; 5] = [&[2], &[2], &[], &[], &[3]];
    let mut network = Network::with_logs(&logs, plain);
    // (c): n1 leads again, and sends n3 the entry of term 2, but not yet its own.
    network.node(1).step(message(5, 1, 3, vote(false))).unwrap();
    network.node(1).campaign().unwrap();
    network.answers(1);
    for from in [2, 3] {
        network.hear(message(from, 1, 4, vote(true)));
    }
    assert_eq!((network.role(1), network.term(1)), (Role::Leader, 4));
    for from in [2, 3] {
        network.hear(message(from, 1, 4, accepted(2)));
    }
    assert_eq!(network.commit(1), 1, "on three of five, and not committed");
    // (e): its own entry on a majority commits both.
    for from in [2, 3] {
        network.hear(message(from, 1, 4, accepted(3)));
    }
    assert_eq!(network.commit(1), 3);
}

/// Figure 8 (d): the same beginning, and n5 overwrites the entry of term 2 everywhere.
#[test]
fn an_entry_of_an_earlier_term_on_a_majority_may_be_overwritten() {
    let logs: [&[u64]; 5] = [&[2], &[2], &[2], &[], &[3]];
    let mut network = Network::with_logs(&logs, plain);
    network.elect(5);
    for id in 1..=5 {
        assert_eq!(network.terms(id), [3, 4], "n{id}");
        assert_eq!(network.commit(id), 3);
    }
}

#[test]
fn a_new_leader_commits_what_its_predecessors_left_with_an_entry_of_its_own() {
    let mut network = Network::with_logs(&[&[2, 2], &[2, 2], &[]], plain);
    network.elect(1);
    assert_eq!(network.terms(3), [2, 2, 3]);
    assert_eq!(network.commands(3), ["old", "old"]);
}

/// trap 10: the guard is in `Raft::restart`, which commits what was applied. The commit index
/// is written without waiting for the disk, so that of a restarted node may be old.
#[test]
fn a_node_whose_stored_commit_index_is_behind_its_state_machine_starts() {
    let mut network = Network::of(3);
    network.elect(1);
    network.propose(1, "a");
    network.propose(1, "b");
    for id in 1..=3 {
        network.server(id).crash_losing_unsynced();
        let stored = network.server(id).storage.hard_state().commit;
        assert!(
            stored < 4,
            "the last commit index was written without a sync"
        );
        network.restart(id);
        assert_eq!(network.commit(id), 4, "what was applied is committed");
    }
    network.elect(2);
    for id in 1..=3 {
        assert_eq!(network.commands(id), ["a", "b"]);
    }
}

/// trap 10: the guard is the minimum in `Raft::restart`, for the other way round.
#[test]
fn a_node_whose_stored_commit_index_is_beyond_its_log_starts() {
    let mut network = Network::of(1);
    let mut hard_state = network.server(1).storage.hard_state();
    hard_state.commit = 7;
    network.server(1).storage.set_hard_state(hard_state);
    network.server(1).start(MachineFate::Lost);
    assert_eq!(network.commit(1), 1);
}

/// The guard is the first comparison in `handle_append`: an append from before what is
/// committed is answered without a look at the log.
#[test]
fn what_is_committed_is_never_overwritten() {
    let mut network = Network::of(3);
    let entries = [command(2, 1, "a"), command(3, 1, "b")];
    network.hear(message(2, 1, 1, append((1, 1), 3, &entries)));
    let other = [command(2, 2, "x"), command(3, 2, "y")];
    let answers = network.hear(message(3, 1, 2, append((1, 1), 3, &other)));
    assert_eq!(answers, [message(1, 3, 2, accepted(3))]);
    assert_eq!(network.terms(1), [1, 1]);
}
