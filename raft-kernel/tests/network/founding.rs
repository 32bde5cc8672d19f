//! Settings and storages that tests begin with.

use raft_kernel::{
    ConfState, Config, Entry, HardState, MemoryStorage, NodeId, Snapshot, StorageWrites, Term,
};

use super::words;

/// The settings of most tests: plain Raft as in the paper, without pre-vote and without
/// check-quorum.
pub(crate) fn plain(id: NodeId) -> Config {
    Config {
        pre_vote: false,
        check_quorum: false,
        ..Config::new(id)
    }
}

/// The same with the loop of the asynchronous driver.
pub(crate) fn asynchronous(id: NodeId) -> Config {
    Config {
        storage_writes: StorageWrites::Asynchronous,
        ..plain(id)
    }
}

/// The storage of a member of a founded cluster.
pub(crate) fn founded(conf_state: ConfState) -> MemoryStorage {
    let storage = MemoryStorage::from_snapshot(Snapshot {
        index: 1,
        term: 1,
        conf_state,
        ..Snapshot::default()
    });
    storage.set_hard_state(HardState {
        term: 1,
        vote: None,
        commit: 1,
    });
    storage
}

/// The same with a log of commands of these terms from index 2 on, in the last of them.
pub(crate) fn with_log(conf_state: ConfState, terms: &[Term]) -> MemoryStorage {
    let storage = founded(conf_state);
    let entries: Vec<Entry> = terms
        .iter()
        .zip(2..)
        .map(|(term, index)| words::command(index, *term, "old"))
        .collect();
    storage.append(&entries).expect("they follow the log");
    storage.set_hard_state(HardState {
        term: terms.last().copied().unwrap_or(1),
        vote: None,
        commit: 1,
    });
    storage
}
