//! Writes the trace of chapter 1's story, from which the page's diagram is drawn.
//!
//! The time counts ticks. What happens between two ticks takes none.

use std::io::Write;
use std::process::ExitCode;

use ch01_single_node_cluster::{NODE, Result, cli, start, turn};
use raft_kernel::{MemoryStorage, RawNode, Role, Storage};
use trace::Writer;

/// As on the page.
const SEED: u64 = 7;

fn main() -> ExitCode {
    cli::run(env!("CARGO_PKG_NAME"), Ok(()), |(), out| tell(out))
}

fn tell(out: &mut dyn Write) -> Result<()> {
    let heading = [
        ("title", "A node that is alone becomes its own leader"),
        (
            "command",
            "cargo run -q -p ch01-single-node-cluster --example trace",
        ),
    ];
    let mut trace = Writer::begin(out, no_command, &heading)?;

    let (mut raft, storage) = start(SEED)?;
    trace.starts(NODE, raft.status().hard_state.term)?;
    settle(&mut raft, &storage, &mut trace)?;

    let mut ticks = 0;
    while raft.role() != Role::Leader {
        raft.tick()?;
        ticks += 1;
        trace.set_time(ticks);
        if raft.has_ready() {
            trace.node(NODE, format_args!("has heard nobody for {ticks} ticks"))?;
            stands(&raft, &storage, &mut trace)?;
        }
        settle(&mut raft, &storage, &mut trace)?;
    }
    Ok(())
}

/// Nobody gives a command in this chapter.
fn no_command(bytes: &[u8]) -> String {
    format!("command {bytes:?}")
}

/// Turns the loop until there is nothing to do. How the node stands is told after each
/// turn: `advance` is where it becomes the leader.
fn settle(
    raft: &mut RawNode<MemoryStorage>,
    storage: &MemoryStorage,
    trace: &mut Writer<impl Write>,
) -> Result<()> {
    while raft.has_ready() {
        let seen = turn(raft, storage)?;
        trace.written(NODE, &seen.entries, seen.hard_state)?;
        trace.applies(NODE, &seen.committed)?;
        stands(raft, storage, trace)?;
    }
    Ok(())
}

fn stands(
    raft: &RawNode<MemoryStorage>,
    storage: &MemoryStorage,
    trace: &mut Writer<impl Write>,
) -> Result<()> {
    let log = (storage.first_index()?, storage.last_index()?);
    Ok(trace.stands(&raft.status(), log)?)
}
