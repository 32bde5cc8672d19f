//! Writes the trace of a command's way, from which the page's diagram is drawn.
//!
//! The time counts turns of the loop.

use std::io::Write;
use std::process::ExitCode;

use ch01_single_node_cluster::{NODE, Result, cli, start};
use ch02_single_node_proposals::{CommandList, propose, turn};
use raft_kernel::{MemoryStorage, Proposed, RawNode, Role, Storage};
use trace::Writer;

/// As on the page.
const SEED: u64 = 1;

fn main() -> ExitCode {
    cli::run(env!("CARGO_PKG_NAME"), Ok(()), |(), out| tell(out))
}

fn tell(out: &mut dyn Write) -> Result<()> {
    let heading = [
        (
            "title",
            "Three commands become entries, and reach the state machine",
        ),
        (
            "command",
            "cargo run -q -p ch02-single-node-proposals --example trace",
        ),
        ("unit", "turns of the loop"),
    ];
    let mut trace = Writer::begin(out, command, &heading)?;

    // How the node becomes the leader is told in chapter 1.
    let (mut raft, storage) = start(SEED)?;
    let mut machine = CommandList::default();
    while raft.role() != Role::Leader {
        raft.tick()?;
        while raft.has_ready() {
            turn(&mut raft, &storage, &mut machine)?;
        }
    }
    stands(&raft, &storage, &mut trace)?;

    for number in [10, 20, 30] {
        let Proposed::Appended { index, term } = propose(&mut raft, number)? else {
            return Err("a leader forwards nothing".into());
        };
        let what = format_args!("takes command {number} as entry {index} of term {term}");
        trace.node(NODE, what)?;
    }
    let mut turns = 0;
    while raft.has_ready() {
        turns += 1;
        trace.set_time(turns);
        let seen = turn(&mut raft, &storage, &mut machine)?;
        trace.written(NODE, &seen.entries, seen.hard_state)?;
        trace.applies(NODE, &seen.committed)?;
        stands(&raft, &storage, &mut trace)?;
    }
    trace.node(NODE, format_args!("its state machine holds {machine}"))?;
    Ok(())
}

/// A command is one byte.
fn command(bytes: &[u8]) -> String {
    let numbers: Vec<String> = bytes.iter().map(u8::to_string).collect();
    format!("command {}", numbers.join(" "))
}

fn stands(
    raft: &RawNode<MemoryStorage>,
    storage: &MemoryStorage,
    trace: &mut Writer<impl Write>,
) -> Result<()> {
    let log = (storage.first_index()?, storage.last_index()?);
    Ok(trace.stands(&raft.status(), log)?)
}
