//! The claims of chapter 1: what a single node does, and what each `Ready` held.

use ch01_single_node_cluster::{NODE, Turn, config, start, turn};
use raft_kernel::{
    Change, Entries, Entry, HardState, MemoryStorage, Payload, RawNode, Role, Snapshot, SoftState,
    Storage,
};

/// Turns the loop until nothing is left to do, and keeps what each `Ready` held.
fn settle(raft: &mut RawNode<MemoryStorage>, storage: &MemoryStorage) -> Vec<Turn> {
    let mut turns = Vec::new();
    while raft.has_ready() {
        turns.push(turn(raft, storage).expect("a turn of the loop"));
    }
    turns
}

/// Lets time pass until the node wants something, and says how many ticks that took.
fn wait(raft: &mut RawNode<MemoryStorage>) -> u32 {
    let longest = 2 * config(1).election_ticks;
    let mut ticks = 0;
    while !raft.has_ready() {
        raft.tick().expect("a tick");
        ticks += 1;
        assert!(
            ticks < longest,
            "nothing happened for {longest} ticks: {:?}",
            raft.status()
        );
    }
    ticks
}

fn promises(term: u64, vote: Option<u64>, commit: u64) -> HardState {
    HardState { term, vote, commit }
}

// ANCHOR: claim
#[test]
fn a_node_alone_becomes_follower_then_candidate_then_leader() {
    let (mut raft, storage) = start(1).expect("a new node");
    settle(&mut raft, &storage);
    assert_eq!(raft.role(), Role::Follower);

    wait(&mut raft);
    let roles: Vec<Role> = settle(&mut raft, &storage)
        .iter()
        .filter_map(|turn| turn.soft_state)
        .map(|state| state.role)
        .collect();
    assert_eq!(roles, [Role::Candidate, Role::Leader]);
}
// ANCHOR_END: claim

#[test]
fn the_first_ready_holds_the_configuration_as_an_entry() {
    let (mut raft, storage) = start(1).expect("a new node");
    let turns = settle(&mut raft, &storage);
    assert_eq!(turns.len(), 1);
    let first = &turns[0];
    assert_eq!(first.hard_state, Some(promises(1, None, 1)));
    assert_eq!(
        first.soft_state, None,
        "it begins as a follower and stays one"
    );
    assert_eq!(
        first.entries, first.committed,
        "a founder's entry is committed from the start"
    );
    let change = first.entries[0]
        .conf_change()
        .expect("a configuration change");
    assert_eq!(change.changes, [Change::AddVoter(NODE)]);
}

#[test]
fn each_ready_of_the_election_holds_what_the_protocol_needs_and_no_more() {
    let (mut raft, storage) = start(1).expect("a new node");
    settle(&mut raft, &storage);
    wait(&mut raft);
    let turns = settle(&mut raft, &storage);
    assert_eq!(turns.len(), 3);
    let [candidate, leader, committed] = &turns[..] else {
        unreachable!()
    };

    // The candidate begins a term and votes for itself.
    assert_eq!(
        candidate.soft_state,
        Some(SoftState {
            leader: None,
            role: Role::Candidate
        })
    );
    assert_eq!(candidate.hard_state, Some(promises(2, Some(NODE), 1)));
    assert!(candidate.entries.is_empty() && candidate.committed.is_empty());

    // The leader appends an empty entry of its term.
    let empty = Entry {
        term: 2,
        index: 2,
        payload: Payload::Empty,
    };
    let empty: Entries = [empty].into_iter().collect();
    assert_eq!(
        leader.soft_state,
        Some(SoftState {
            leader: Some(NODE),
            role: Role::Leader
        })
    );
    assert_eq!(
        leader.hard_state, None,
        "term, vote and commit are as they were"
    );
    assert_eq!((&leader.entries, leader.committed.len()), (&empty, 0));

    // Stored on a majority, which is one node, it is committed.
    assert_eq!(committed.hard_state, Some(promises(2, Some(NODE), 2)));
    assert_eq!((committed.entries.len(), &committed.committed), (0, &empty));
}

#[test]
fn a_vote_counts_only_once_it_is_stored() {
    let (mut raft, storage) = start(1).expect("a new node");
    settle(&mut raft, &storage);
    wait(&mut raft);
    let ready = raft.ready().expect("the candidate's Ready");
    assert_eq!(
        ready.append.hard_state.map(|state| state.vote),
        Some(Some(NODE))
    );
    assert!(ready.append.must_sync, "a vote is a promise");
    assert_eq!(
        raft.role(),
        Role::Candidate,
        "one vote is enough, but it is not durable yet"
    );
    raft.advance(ready).expect("the vote is stored now");
    assert_eq!(raft.role(), Role::Leader);
}

#[test]
fn what_this_chapter_skips_never_comes_up() {
    let (mut raft, storage) = start(1).expect("a new node");
    let mut turns = settle(&mut raft, &storage);
    for _ in 0..1000 {
        raft.tick().expect("a tick");
        turns.extend(settle(&mut raft, &storage));
    }
    assert!(
        turns.iter().all(|turn| turn.messages == 0),
        "nobody to send to"
    );
    assert!(
        turns.iter().all(|turn| !turn.has_snapshot),
        "nobody to receive a snapshot from"
    );
}

#[test]
fn the_wait_is_random_within_bounds_and_the_seed_decides_it() {
    let wait_with = |seed| {
        let (mut raft, storage) = start(seed).expect("a new node");
        settle(&mut raft, &storage);
        wait(&mut raft)
    };
    let waits: Vec<u32> = (0..200).map(wait_with).collect();
    assert!(
        waits.iter().all(|wait| (10..20).contains(wait)),
        "{waits:?}"
    );
    assert!(
        (10..20).all(|wait| waits.contains(&wait)),
        "every wait comes up: {waits:?}"
    );
    assert_eq!(wait_with(7), wait_with(7));
}

#[test]
fn a_node_that_is_in_no_configuration_never_stands_for_election() {
    let mut raft = RawNode::new(&config(1), MemoryStorage::new()).expect("a new node");
    for _ in 0..1000 {
        raft.tick().expect("a tick");
    }
    assert_eq!(raft.role(), Role::Follower);
    assert!(!raft.has_ready());
}

#[test]
fn after_the_election_nothing_more_is_to_be_done() {
    let (mut raft, storage) = start(1).expect("a new node");
    settle(&mut raft, &storage);
    wait(&mut raft);
    settle(&mut raft, &storage);
    for _ in 0..100 {
        raft.tick().expect("a tick");
        assert!(
            !raft.has_ready(),
            "a leader alone has nobody to send heartbeats to"
        );
    }
}

/// The page's question: in memory, which comes first, the snapshot or the entries?
// ANCHOR: order
#[test]
fn a_snapshot_installed_after_the_entries_would_wipe_them_out() {
    let snapshot = Snapshot {
        index: 10,
        term: 2,
        ..Snapshot::default()
    };
    let entry = |term, index| Entry {
        term,
        index,
        payload: Payload::Empty,
    };
    let ten_old_entries = || {
        let storage = MemoryStorage::new();
        let entries: Vec<Entry> = (1..=10).map(|index| entry(1, index)).collect();
        storage.append(&entries).expect("a log that ends at 10");
        storage
    };
    let next = [entry(2, 11)];

    let storage = ten_old_entries();
    storage.apply_snapshot(snapshot.clone()).expect("is newer");
    storage.append(&next).expect("the entry after it");
    assert_eq!(storage.last_index(), Ok(11));

    let storage = ten_old_entries();
    storage.append(&next).expect("the entry after the old ones");
    storage.apply_snapshot(snapshot).expect("is newer");
    assert_eq!(storage.last_index(), Ok(10), "entry 11 is lost");
}
// ANCHOR_END: order
