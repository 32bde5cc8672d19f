//! What `cargo run -p ch02-single-node-proposals` prints.

use std::io::Write;

use ch01_single_node_cluster::{NODE, Result, start};
use raft_kernel::{Error, MemoryStorage, Proposed, RawNode, Role};

use crate::{CommandList, propose, turn};

/// Tells how commands become entries, and entries reach the state machine.
pub fn tell(seed: u64, out: &mut dyn Write) -> Result<()> {
    let (mut raft, storage) = start(seed)?;
    let mut machine = CommandList::default();
    settle(&mut raft, &storage, &mut machine, &mut std::io::sink())?;

    writeln!(
        out,
        "Node {NODE} is a {} and there is no leader. Propose 10:",
        raft.role()
    )?;
    tell_outcome(10, propose(&mut raft, 10), out)?;

    let mut ticks = 0;
    while raft.role() != Role::Leader {
        raft.tick()?;
        ticks += 1;
        settle(&mut raft, &storage, &mut machine, &mut std::io::sink())?;
    }
    writeln!(
        out,
        "\nAfter {ticks} ticks it is the {}. Propose again: 10, 20 and 30.",
        raft.role()
    )?;
    for command in [10, 20, 30] {
        tell_outcome(command, propose(&mut raft, command), out)?;
    }
    settle(&mut raft, &storage, &mut machine, out)?;

    writeln!(out, "\nThe state machine holds {:?}.", machine.commands())?;
    let last = raft.status().applied;
    writeln!(
        out,
        "{last} entries are applied, {} of them commands.",
        machine.commands().len()
    )?;
    Ok(())
}

/// Tells what became of a proposal.
pub fn tell_outcome(
    command: u8,
    outcome: std::result::Result<Proposed, Error>,
    out: &mut dyn Write,
) -> Result<()> {
    match outcome {
        Ok(Proposed::Appended { term, index }) => {
            writeln!(
                out,
                "  {command} is entry {index} of term {term} now, not yet committed"
            )?;
        }
        Ok(Proposed::Forwarded { to }) => writeln!(out, "  {command} went to node {to}")?,
        Err(error) => writeln!(out, "  refused: {error}")?,
    }
    Ok(())
}

/// Turns the loop until there is nothing to do.
fn settle(
    raft: &mut RawNode<MemoryStorage>,
    storage: &MemoryStorage,
    machine: &mut CommandList,
    out: &mut dyn Write,
) -> Result<()> {
    while raft.has_ready() {
        let seen = turn(raft, storage, machine)?;
        write!(out, "\nReady\n{seen}")?;
    }
    Ok(())
}
