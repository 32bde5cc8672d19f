//! Write: the loop that drives the engine.
//!
//! Write both functions without looking at the chapter's own; you have read it, and that is
//! enough. `turn` does once what the engine asks for. `lead` lets time pass until the node
//! leads. It must come to an end even if the node never will.
//!
//! What you need of the engine: `raft.has_ready()`, `raft.ready()`, `raft.advance(ready)`,
//! `raft.tick()`, `raft.role()`, `raft.apply_conf_change(change)`. Of a `Ready`:
//! `ready.append.entries`, `ready.append.hard_state`, `ready.apply.entries`. Of the storage:
//! `append` and `set_hard_state`. Of an entry: `conf_change()`.

use ch01_single_node_cluster::Result;
use raft_kernel::{MemoryStorage, RawNode};

/// One turn of the loop: takes a `Ready`, does what it asks for, and says that it is done.
/// To be called when there is one.
pub fn turn(raft: &mut RawNode<MemoryStorage>, storage: &MemoryStorage) -> Result<()> {
    todo!("turn: persist, apply, advance")
}

/// Turns the loop and lets time pass, until the node leads and nothing is left to do.
/// Returns how many ticks that took; or an error, if after `patience` ticks it does not lead.
pub fn lead(
    raft: &mut RawNode<MemoryStorage>,
    storage: &MemoryStorage,
    patience: u32,
) -> Result<u32> {
    todo!("lead: turn the loop, tick, and know when to give up")
}
