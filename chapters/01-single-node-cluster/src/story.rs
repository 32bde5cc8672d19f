//! What `cargo run -p ch01-single-node-cluster` prints.

use std::io::Write;

use raft_kernel::{Entry, MemoryStorage, RawNode, Role, Storage};

use crate::narration::told_entry;
use crate::{NODE, Result, start, turn};

/// Tells how a node that is alone becomes its own leader.
pub fn tell(seed: u64, out: &mut dyn Write) -> Result<()> {
    let (mut raft, storage) = start(seed)?;
    writeln!(
        out,
        "Node {NODE} starts with an empty log and founds a cluster of one: itself."
    )?;

    let mut ticks = 0;
    let mut turns = 0;
    turns += settle(&mut raft, &storage, turns, out)?;

    writeln!(
        out,
        "\nNode {NODE} is a {}. It waits to hear from a leader.",
        raft.role()
    )?;
    // ANCHOR: wait
    while raft.role() != Role::Leader {
        raft.tick()?;
        ticks += 1;
        if raft.has_ready() {
            writeln!(
                out,
                "Tick {ticks}: nobody spoke, so it stands for election."
            )?;
            turns += settle(&mut raft, &storage, turns, out)?;
        }
    }
    // ANCHOR_END: wait

    writeln!(
        out,
        "\nNode {NODE} is the leader of term {}.",
        raft.status().hard_state.term
    )?;
    writeln!(
        out,
        "It took {ticks} ticks and {turns} turns of the loop. Its log:"
    )?;
    for entry in stored_entries(&storage)? {
        writeln!(out, "  {}", told_entry(&entry))?;
    }
    Ok(())
}

/// Turns the loop until there is nothing to do, and says how often it turned.
fn settle(
    raft: &mut RawNode<MemoryStorage>,
    storage: &MemoryStorage,
    earlier: usize,
    out: &mut dyn Write,
) -> Result<usize> {
    let mut turns = 0;
    while raft.has_ready() {
        turns += 1;
        let seen = turn(raft, storage)?;
        write!(out, "\nReady {}\n{seen}", earlier + turns)?;
    }
    Ok(turns)
}

/// Every entry that the storage holds.
pub fn stored_entries(storage: &impl Storage) -> Result<Vec<Entry>> {
    let (first, last) = (storage.first_index()?, storage.last_index()?);
    Ok(storage.entries(first..last + 1, u64::MAX)?.to_vec())
}
