//! What is in a snapshot, and what is cut off the log.

use ch01_single_node_cluster::Result;
use ch02_single_node_proposals::CommandList;
use ch05_two_node_cluster::{Outcome, Replica};
use ch06_two_node_snapshot::Node;
use raft_kernel::{Change, ConfState, MemoryStorage, Storage};

use crate::nodes::{
    Nodes, SEED, SNAPSHOT, change, compacted, is_acceptance, join_2, joined, joining, leader,
    log_of, newcomer, propose, restart, settle, settle_up_to, snapshot_of, snapshot_on_its_way,
};

#[test]
fn a_snapshot_holds_the_state_and_the_configuration_as_of_its_index() -> Result<()> {
    let mut nodes = compacted()?;
    let snapshot = snapshot_of(&mut nodes, 1)?;
    assert_eq!((snapshot.index, snapshot.term), (SNAPSHOT, 2));
    assert_eq!(*snapshot.data, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    assert_eq!(snapshot.conf_state, ConfState::of_voters([1]));

    drop(join_2(&mut nodes, newcomer()?)?);
    settle(&mut nodes)?;
    for id in [1, 2] {
        let older = snapshot_of(&mut nodes, id)?;
        assert_eq!(older.conf_state, ConfState::of_voters([1]), "node {id}");
        nodes.node(id).compact()?;
        let newer = snapshot_of(&mut nodes, id)?;
        assert_eq!(newer.conf_state, ConfState::of_voters([1, 2]), "node {id}");
    }
    Ok(())
}

#[test]
fn a_node_that_starts_from_a_snapshot_knows_who_votes() -> Result<()> {
    let mut nodes = leader([1])?;
    nodes.add(newcomer()?);
    drop(change(&mut nodes, Change::AddLearner(2))?);
    settle(&mut nodes)?;
    nodes.node(1).compact()?;
    let snapshot = snapshot_of(&mut nodes, 1)?;
    let storage = MemoryStorage::from_snapshot(snapshot.clone());
    let started = Node::<CommandList>::start(1, SEED, storage)?;
    assert_eq!(started.status().config.conf_state(), snapshot.conf_state);
    assert_eq!(snapshot.conf_state.voters, [1]);
    assert_eq!(snapshot.conf_state.learners, [2]);
    Ok(())
}

/// The entry that made node 2 a voter is in the snapshot, so node 2 never applies it: what
/// it knows of the configuration, it knows from the snapshot.
#[test]
fn a_received_configuration_is_part_of_the_next_snapshot() -> Result<()> {
    let mut nodes = joining()?;
    let probe = settle_up_to(&mut nodes, |message| message.to == 2)?;
    nodes.node(1).compact()?;
    nodes.deliver(probe)?;
    settle(&mut nodes)?;
    assert_eq!(snapshot_of(&mut nodes, 2)?.index, SNAPSHOT + 3);
    the_next_snapshot_of_2_names_both_voters(nodes)
}

/// The same for a node that started again from its own snapshot.
#[test]
fn a_configuration_that_was_read_at_the_start_is_part_of_the_next_snapshot() -> Result<()> {
    let mut nodes = joined()?;
    nodes.node(2).compact()?;
    restart(&mut nodes, 2)?;
    the_next_snapshot_of_2_names_both_voters(nodes)
}

/// Node 2 compacts its log after one more command.
#[track_caller]
fn the_next_snapshot_of_2_names_both_voters(mut nodes: Nodes) -> Result<()> {
    drop(propose(&mut nodes, 1, 13)?);
    settle(&mut nodes)?;
    nodes.node(2).compact()?;
    let snapshot = snapshot_of(&mut nodes, 2)?;
    assert_eq!(snapshot.index, SNAPSHOT + 4);
    assert_eq!(snapshot.conf_state, ConfState::of_voters([1, 2]));
    Ok(())
}

/// Its entry is applied and changes nothing, and the snapshot says so.
#[test]
fn a_refused_change_is_not_in_the_snapshot() -> Result<()> {
    let mut nodes = leader([1])?;
    let ticket = change(&mut nodes, Change::Remove(1))?;
    settle(&mut nodes)?;
    assert_eq!(ticket.outcome(), Some(Outcome::Refused));
    nodes.node(1).compact()?;
    let snapshot = snapshot_of(&mut nodes, 1)?;
    assert_eq!(snapshot.conf_state, ConfState::of_voters([1]));
    Ok(())
}

// ANCHOR: only_applied
#[test]
fn what_is_not_applied_is_not_cut_off() -> Result<()> {
    let mut nodes = joined()?;
    // Two voters: as long as node 2 hears nothing, the entry is not committed.
    let ticket = propose(&mut nodes, 1, 13)?;
    nodes.turn()?;
    assert_eq!(nodes.node(1).compact()?, SNAPSHOT + 3);
    assert_eq!(log_of(&mut nodes, 1)?, (SNAPSHOT + 4, SNAPSHOT + 4));

    settle(&mut nodes)?;
    assert_eq!(ticket.outcome(), Some(Outcome::Applied { index: 16 }));
    Ok(())
}
// ANCHOR_END: only_applied

/// Between a message and the turn that follows, more is committed than applied.
#[test]
fn what_is_committed_and_not_yet_applied_is_not_cut_off() -> Result<()> {
    let mut nodes = joined()?;
    let ticket = propose(&mut nodes, 1, 13)?;
    let acceptance = settle_up_to(&mut nodes, is_acceptance)?;
    nodes.deliver(acceptance)?;
    let status = nodes.node(1).status();
    assert_eq!((status.hard_state.commit, status.applied), (16, 15));
    assert_eq!(nodes.node(1).compact()?, 15);
    assert_eq!(log_of(&mut nodes, 1)?, (16, 16));

    settle(&mut nodes)?;
    assert_eq!(ticket.outcome(), Some(Outcome::Applied { index: 16 }));
    Ok(())
}

#[test]
fn to_compact_twice_is_to_compact_once() -> Result<()> {
    let mut nodes = leader(1..=10)?;
    assert_eq!(nodes.node(1).compact()?, SNAPSHOT);
    let before = (nodes.node(1).to_string(), snapshot_of(&mut nodes, 1)?);
    assert_eq!(nodes.node(1).compact()?, SNAPSHOT);
    let after = (nodes.node(1).to_string(), snapshot_of(&mut nodes, 1)?);
    assert_eq!(after, before);
    Ok(())
}

#[test]
fn a_node_that_has_applied_nothing_compacts_nothing() -> Result<()> {
    let mut node = newcomer()?;
    assert_eq!(node.compact()?, 0);
    assert!(node.storage().snapshot()?.is_empty());
    Ok(())
}

#[test]
fn a_log_that_is_compacted_all_the_time_holds_no_more_than_what_is_new() -> Result<()> {
    let mut nodes = leader([])?;
    for command in 0..=255 {
        let ticket = propose(&mut nodes, 1, command)?;
        nodes.turn()?;
        assert!(matches!(ticket.outcome(), Some(Outcome::Applied { .. })));
        nodes.node(1).compact()?;
        assert!(nodes.node(1).storage().is_empty());
    }
    let all: Vec<u8> = (0..=255).collect();
    assert_eq!(nodes.node(1).machine().commands(), all);
    Ok(())
}

/// Who compacts while a snapshot is on its way cuts off the entries that were to follow it.
/// Then the newcomer gets the newer snapshot too.
#[test]
fn compaction_while_a_snapshot_is_on_its_way_leaves_nobody_behind() -> Result<()> {
    let (mut nodes, snapshot) = snapshot_on_its_way()?;
    assert_eq!(nodes.node(1).compact()?, SNAPSHOT + 3);
    nodes.deliver(snapshot)?;
    settle(&mut nodes)?;
    assert_eq!(snapshot_of(&mut nodes, 2)?.index, SNAPSHOT + 3);
    let commands: Vec<u8> = (1..=12).collect();
    assert_eq!(nodes.node(2).machine().commands(), commands);
    Ok(())
}
