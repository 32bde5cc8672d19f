//! A judge of loops: gives one work of every kind, and looks at what came of it.

use ch01_single_node_cluster::{Result, start};
use raft_kernel::{MemoryStorage, RawNode, Role};

/// One turn of a loop, right or wrong.
pub type Turn = fn(&mut RawNode<MemoryStorage>, &MemoryStorage) -> Result<()>;

/// Longer than any election timeout, and more turns than any work here needs.
const LIMIT: usize = 50;

/// Says what is wrong with a loop, if anything is.
pub fn judge(turn: Turn) -> Result<()> {
    let (mut raft, storage) = start(1)?;
    for _ in 0..LIMIT {
        settle(turn, &mut raft, &storage)?;
        raft.tick()?;
    }
    if raft.role() != Role::Leader {
        return Err("it gets no leader".into());
    }
    Ok(())
}

fn settle(turn: Turn, raft: &mut RawNode<MemoryStorage>, storage: &MemoryStorage) -> Result<()> {
    for _ in 0..LIMIT {
        if !raft.has_ready() {
            return Ok(());
        }
        turn(raft, storage)?;
    }
    Err("it turns without an end".into())
}
