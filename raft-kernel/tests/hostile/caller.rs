//! A caller that does what the node asks of it, for tests of what others do to the node.

use raft_kernel::{MemoryStorage, RawNode, Ready};

/// Writes what is to be written, and makes the changes that are to be applied. What is
/// left is to say that it is done.
///
/// # Panics
/// When the storage refuses something, or a change stops the node.
pub(crate) fn store_and_apply(node: &mut RawNode<MemoryStorage>, ready: &Ready) {
    let storage = node.storage().clone();
    if let Some(snapshot) = ready.append.snapshot.as_deref() {
        storage
            .apply_snapshot(snapshot.clone())
            .expect("it is news");
    }
    storage.append(&ready.append.entries).expect("they follow");
    if let Some(hard_state) = ready.append.hard_state {
        storage.set_hard_state(hard_state);
    }
    for entry in &ready.apply.entries {
        // An impossible one is so for everyone.
        if let Some(change) = entry.conf_change()
            && let Err(error) = node.apply_conf_change(change)
        {
            assert!(!error.is_fatal(), "a change stopped the node: {error}");
        }
    }
}
