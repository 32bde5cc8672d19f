//! The loop that drives the engine, and a wait that comes to an end.

use ch01_single_node_cluster::Result;
use raft_kernel::{MemoryStorage, RawNode, Role};

/// One turn of the loop: takes a `Ready`, does what it asks for, and says that it is done.
/// To be called when there is one.
pub fn turn(raft: &mut RawNode<MemoryStorage>, storage: &MemoryStorage) -> Result<()> {
    let ready = raft.ready()?;
    storage.append(&ready.append.entries)?;
    if let Some(hard_state) = ready.append.hard_state {
        storage.set_hard_state(hard_state);
    }
    raft.advance(ready)?;
    Ok(())
}

/// Turns the loop and lets time pass, until the node leads and nothing is left to do.
/// Returns how many ticks that took; or an error, if after `patience` ticks it does not lead.
pub fn lead(
    raft: &mut RawNode<MemoryStorage>,
    storage: &MemoryStorage,
    patience: u32,
) -> Result<u32> {
    let mut ticks = 0;
    loop {
        while raft.has_ready() {
            turn(raft, storage)?;
        }
        if raft.role() == Role::Leader {
            return Ok(ticks);
        }
        if ticks == patience {
            return Err(format!("no leader after {ticks} ticks").into());
        }
        raft.tick()?;
        ticks += 1;
    }
}
