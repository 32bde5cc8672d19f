//! Chapter 1: a node elects itself.
//!
//! One node, alone in its cluster: no messages, no snapshots, no state machine. What is
//! left is the loop that every later chapter grows: take a `Ready`, do what it asks for,
//! say that it is done.

pub mod cli;
pub mod narration;
pub mod story;

use raft_kernel::{Config, Entries, HardState, MemoryStorage, RawNode, Ready, SoftState};

/// What the chapters' functions return: nothing here is meant to fail, and what does is
/// told to the person at the terminal.
pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// The only node there is.
pub const NODE: raft_kernel::NodeId = 1;

/// Makes a node and the storage that it reads from, and lets it found a cluster of one.
// ANCHOR: start
pub fn start(seed: u64) -> Result<(RawNode<MemoryStorage>, MemoryStorage)> {
    let storage = MemoryStorage::new();
    let mut raft = RawNode::new(&config(seed), storage.clone())?;
    raft.bootstrap([(NODE, "")])?;
    Ok((raft, storage))
}
// ANCHOR_END: start

/// The node's settings.
// ANCHOR: config
pub fn config(seed: u64) -> Config {
    Config {
        seed,
        election_ticks: 10,
        heartbeat_ticks: 1,
        // Two refinements for clusters of several nodes. They come later.
        pre_vote: false,
        check_quorum: false,
        ..Config::new(NODE)
    }
}
// ANCHOR_END: config

/// One turn of the loop: does what the node wants done, and tells what that was.
// ANCHOR: turn
pub fn turn(raft: &mut RawNode<MemoryStorage>, storage: &MemoryStorage) -> Result<Turn> {
    let ready = raft.ready()?;
    let turn = Turn::of(&ready);

    // Persist: the entries, then the promises.
    storage.append(&ready.append.entries)?;
    if let Some(hard_state) = ready.append.hard_state {
        storage.set_hard_state(hard_state);
    }

    // Send: skipped. There is nobody to send to.

    // Apply: changes of the configuration only. Nobody gives commands yet.
    for entry in &ready.apply.entries {
        if let Some(change) = entry.conf_change() {
            raft.apply_conf_change(change)?;
        }
    }

    raft.advance(ready)?;
    Ok(turn)
}
// ANCHOR_END: turn

/// What one `Ready` contained. A `Ready` is used up by the turn, so this is what stays to
/// look at.
// ANCHOR: seen
#[derive(Clone, Debug)]
pub struct Turn {
    /// The leader and the role, if they changed.
    pub soft_state: Option<SoftState>,
    /// The promises, if they changed.
    pub hard_state: Option<HardState>,
    /// The entries that were written.
    pub entries: Entries,
    /// The entries that were committed, and so applied.
    pub committed: Entries,
    /// How many messages there were to send.
    pub messages: usize,
    /// Whether a snapshot was to be installed.
    pub has_snapshot: bool,
}
// ANCHOR_END: seen

impl Turn {
    /// What `ready` contains.
    pub fn of(ready: &Ready) -> Self {
        Turn {
            soft_state: ready.soft_state,
            hard_state: ready.append.hard_state,
            entries: ready.append.entries.clone(),
            committed: ready.apply.entries.clone(),
            messages: ready.messages.len() + ready.append.messages().count(),
            has_snapshot: ready.append.snapshot.is_some(),
        }
    }
}
