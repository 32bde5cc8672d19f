//! Chapter 2: commands, and a state machine that keeps them.
//!
//! The node of chapter 1 now takes proposals. What is committed reaches a state machine,
//! the simplest that there is: a list of all commands in the order of the log.

mod command_list;
pub mod story;

pub use command_list::{CommandList, NotACommand};

use ch01_single_node_cluster::{Result, Turn};
use raft_kernel::{Error, MemoryStorage, Payload, Proposed, RawNode};

/// Proposes a command of one byte.
///
/// # Errors
/// [`Error::ProposalDropped`] with the reason, for as long as there is no leader.
// ANCHOR: propose
pub fn propose(
    raft: &mut RawNode<MemoryStorage>,
    command: u8,
) -> std::result::Result<Proposed, Error> {
    raft.propose(vec![command])
}
// ANCHOR_END: propose

/// One turn of the loop: does what the node wants done, and tells what that was.
// ANCHOR: turn
pub fn turn(
    raft: &mut RawNode<MemoryStorage>,
    storage: &MemoryStorage,
    machine: &mut CommandList,
) -> Result<Turn> {
    let ready = raft.ready()?;
    let turn = Turn::of(&ready);

    // Persist: the entries, then the promises.
    storage.append(&ready.append.entries)?;
    if let Some(hard_state) = ready.append.hard_state {
        storage.set_hard_state(hard_state);
    }

    // Send: skipped. There is nobody to send to.

    // Apply: each entry goes to whom it is for.
    for entry in &ready.apply.entries {
        match &entry.payload {
            Payload::Command(command) => machine.apply(command)?,
            Payload::ConfChange(change) => drop(raft.apply_conf_change(change)?),
            Payload::Empty => {}
        }
    }

    raft.advance(ready)?;
    Ok(turn)
}
// ANCHOR_END: turn
