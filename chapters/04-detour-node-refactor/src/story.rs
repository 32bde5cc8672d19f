//! What `cargo run -p ch04-detour-node-refactor` prints: chapter 2's story, word for word.

use std::io::Write;

use ch01_single_node_cluster::{NODE, Result};
use ch02_single_node_proposals::story::tell_outcome;
use raft_kernel::Role;

use crate::Node;

/// Tells how commands become entries, and entries reach the state machine.
// ANCHOR: story
pub fn tell(seed: u64, out: &mut dyn Write) -> Result<()> {
    let mut node = Node::start(seed)?;
    settle(&mut node, &mut std::io::sink())?;

    let role = node.status().soft_state.role;
    writeln!(
        out,
        "Node {NODE} is a {role} and there is no leader. Propose 10:"
    )?;
    tell_outcome(10, node.propose(10), out)?;

    let mut ticks = 0;
    while node.status().soft_state.role != Role::Leader {
        node.tick()?;
        ticks += 1;
        settle(&mut node, &mut std::io::sink())?;
    }
    writeln!(
        out,
        "\nAfter {ticks} ticks it is the {}. Propose again: 10, 20 and 30.",
        node.status().soft_state.role
    )?;
    for command in [10, 20, 30] {
        tell_outcome(command, node.propose(command), out)?;
    }
    settle(&mut node, out)?;
    // ANCHOR_END: story

    let commands = node.machine().commands();
    writeln!(out, "\nThe state machine holds {commands:?}.")?;
    let last = node.status().applied;
    writeln!(
        out,
        "{last} entries are applied, {} of them commands.",
        commands.len()
    )?;
    Ok(())
}

/// Turns the loop until there is nothing to do.
fn settle(node: &mut Node, out: &mut dyn Write) -> Result<()> {
    while let Some(seen) = node.turn()? {
        write!(out, "\nReady\n{seen}")?;
    }
    Ok(())
}
