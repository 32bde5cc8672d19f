//! A judge of loops: gives one work of every kind, and looks at what came of it.

use ch01_single_node_cluster::story::stored_entries;
use ch01_single_node_cluster::{NODE, Result, start};
use raft_kernel::{Change, ConfChange, HardState, MemoryStorage, RawNode, Role};

/// One turn of a loop, right or wrong.
pub type Turn = fn(&mut RawNode<MemoryStorage>, &MemoryStorage) -> Result<()>;

/// The election timeout of the chapter's node.
const LIMIT: usize = 10;

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

    // Two at once, so that a Ready has more than one entry.
    raft.propose(b"a".to_vec())?;
    raft.propose(b"b".to_vec())?;
    settle(turn, &mut raft, &storage)?;
    let stored = stored_entries(&storage)?;
    let indexes: Vec<_> = stored.iter().map(|entry| entry.index).collect();
    if indexes != [1, 2, 3, 4] {
        return Err(format!("of the entries 1 to 4 it stored {indexes:?}").into());
    }
    let promised = HardState {
        term: 2,
        vote: Some(NODE),
        commit: 4,
    };
    if storage.hard_state() != promised {
        return Err(format!("it promised {promised:?} and stored something else").into());
    }

    // The founder's change takes effect without the loop. This one does not.
    raft.propose_conf_change(ConfChange::single(Change::AddLearner(2)))?;
    settle(turn, &mut raft, &storage)?;
    if raft.status().config.learners.is_empty() {
        return Err("a committed change of the configuration takes no effect".into());
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
