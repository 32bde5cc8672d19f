//! A node that stops, and starts again from what it had stored.

use ch01_single_node_cluster::Result;
use ch06_two_node_snapshot::Node;
use raft_kernel::{HardState, MemoryStorage, NodeId, Snapshot, Storage, StorageError};

use crate::nodes::{
    Nodes, SEED, SNAPSHOT, compacted, join_2, joined, leader, log_of, newcomer, propose, restart,
    settle_at_list,
};

const ALL: [u8; 12] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];

#[test]
fn a_node_that_starts_again_comes_to_the_same_state() -> Result<()> {
    for mut nodes in [leader(ALL)?, compacted()?] {
        let before = nodes.node(1).to_string();
        restart(&mut nodes, 1)?;
        nodes.turn()?;
        assert_eq!(nodes.node(1).machine().commands(), ALL, "{before}");
        // And once more, from the storage of a node that had one.
        restart(&mut nodes, 1)?;
        nodes.turn()?;
        assert_eq!(nodes.node(1).machine().commands(), ALL, "{before}");
    }
    Ok(())
}

/// Whatever the entries are that a snapshot leaves over.
#[test]
fn after_each_entry_a_snapshot_leads_to_the_same_state() -> Result<()> {
    for compacted_at in 0..=ALL.len() {
        let mut nodes = leader([])?;
        for (place, command) in ALL.into_iter().enumerate() {
            if place == compacted_at {
                nodes.node(1).compact()?;
            }
            drop(propose(&mut nodes, 1, command)?);
            nodes.turn()?;
        }
        restart(&mut nodes, 1)?;
        nodes.turn()?;
        let commands = nodes.node(1).machine().commands();
        assert_eq!(commands, ALL, "compacted before place {compacted_at}");
    }
    Ok(())
}

/// When a node stops.
#[derive(Clone, Copy, Debug)]
enum Stop {
    /// It was given the message, and has not turned its loop.
    BeforeTheTurn,
    /// It has done everything that the message led to.
    AfterTheTurn,
}

/// What becomes of what is on its way then.
#[derive(Clone, Copy, Debug)]
enum OnTheWay {
    Arrives,
    IsLost,
}

/// Node 2 joins, and after so many messages the node `id` stops and starts again. Answers
/// whether there were as many.
// ANCHOR: stopped
fn stopped(
    mut nodes: Nodes,
    id: NodeId,
    messages: usize,
    (stop, on_the_way): (Stop, OnTheWay),
) -> Result<bool> {
    drop(join_2(&mut nodes, newcomer()?)?);
    nodes.turn()?;
    for _ in 0..messages {
        match nodes.next_message()? {
            Some(message) => nodes.deliver(message)?,
            None => return Ok(false),
        }
    }
    if matches!(stop, Stop::AfterTheTurn) {
        nodes.turn()?;
    }
    restart(&mut nodes, id)?;
    if matches!(on_the_way, OnTheWay::IsLost) {
        while nodes.next_message()?.is_some() {}
    }
    settle_at_list(&mut nodes, &ALL)?;
    Ok(true)
}
// ANCHOR_END: stopped

#[test]
fn stopped_after_any_message_each_node_comes_to_the_same_state() -> Result<()> {
    for begin in [compacted, || leader(ALL)] {
        for id in [1, 2] {
            for stop in [Stop::BeforeTheTurn, Stop::AfterTheTurn] {
                for on_the_way in [OnTheWay::Arrives, OnTheWay::IsLost] {
                    let how = (stop, on_the_way);
                    let mut messages = 0;
                    while stopped(begin()?, id, messages, how)
                        .map_err(|error| format!("node {id}, {messages}, {how:?}: {error}"))?
                    {
                        messages += 1;
                    }
                    assert!(messages >= 4, "there was nothing to see");
                }
            }
        }
    }
    Ok(())
}

/// What node 2 writes when the snapshot and the entries after it come together.
struct Writes {
    snapshot: Snapshot,
    entries: raft_kernel::Entries,
    hard_state: HardState,
}

fn writes() -> Result<Writes> {
    let mut nodes = joined()?;
    let (first, last) = log_of(&mut nodes, 2)?;
    let storage = nodes.node(2).storage();
    Ok(Writes {
        snapshot: storage.snapshot()?,
        entries: storage.entries(first..last + 1, u64::MAX)?,
        hard_state: storage.hard_state(),
    })
}

/// The order is snapshot, entries, hard state. Nothing was sent before all three were
/// written, so whatever a crash leaves of them is no more than was promised.
#[test]
fn a_crash_between_two_writes_leaves_what_a_node_can_start_from() -> Result<()> {
    let earlier = HardState {
        term: 2,
        ..HardState::default()
    };
    for promises in [HardState::default(), earlier] {
        for written in 0..=3 {
            let Writes {
                snapshot,
                entries,
                hard_state,
            } = writes()?;
            let storage = MemoryStorage::new();
            storage.set_hard_state(promises);
            if written >= 1 {
                storage.apply_snapshot(snapshot)?;
            }
            if written >= 2 {
                storage.append(&entries)?;
            }
            if written >= 3 {
                storage.set_hard_state(hard_state);
            }
            let mut nodes = compacted()?;
            drop(join_2(&mut nodes, Node::start(2, SEED, storage)?)?);
            settle_at_list(&mut nodes, &ALL)
                .map_err(|error| format!("{written} of 3 written: {error}"))?;
        }
    }
    Ok(())
}

/// The other order is refused where it would leave a hole, and loses the entries where it
/// would not.
// ANCHOR: order
#[test]
fn entries_cannot_be_stored_before_the_snapshot_that_they_follow() -> Result<()> {
    let Writes {
        snapshot, entries, ..
    } = writes()?;
    let empty = MemoryStorage::new();
    let (expected, found) = (1, SNAPSHOT + 1);
    let gap = Err(StorageError::Gap { expected, found });
    assert_eq!(empty.append(&entries), gap);

    empty.apply_snapshot(snapshot)?;
    empty.append(&entries)?;
    assert_eq!(empty.len(), entries.len());
    Ok(())
}
// ANCHOR_END: order
