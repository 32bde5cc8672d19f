//! Break: a judge of loops.
//!
//! Leave `apply_conf_change` out of the chapter's loop, and its story still ends with a
//! leader. So what proves that a loop is right? Write a judge: given any loop, it starts a
//! node, lets the loop drive it, and says what is wrong; or `Ok(())` if it finds nothing.
//! The tests bring the chapter's loop before it, which is innocent, and four broken ones.
//!
//! What a judge can use: `start(1)?` makes a node and its storage; `raft.tick()`,
//! `raft.propose(b"a".to_vec())` and `raft.propose_conf_change(…)` make work for the loop;
//! `raft.status()`, `storage.hard_state()` and `stored_entries(&storage)` (in the chapter's
//! module `story`) show what came of it. A broken loop may return an error, or never get a
//! leader: wait for nothing without a limit.

use ch01_single_node_cluster::Result;
use raft_kernel::{MemoryStorage, RawNode};

/// One turn of a loop, right or wrong.
pub type Turn = fn(&mut RawNode<MemoryStorage>, &MemoryStorage) -> Result<()>;

/// Says what is wrong with a loop, if anything is.
pub fn judge(turn: Turn) -> Result<()> {
    todo!("judge: start a node, let the loop drive it, look at what it stored")
}
