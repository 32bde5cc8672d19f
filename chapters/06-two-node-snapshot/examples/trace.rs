//! Writes the trace of a newcomer that starts from a snapshot, after one was lost on its
//! way. The page's diagram is drawn from it.

#[path = "../../05-two-node-cluster/examples/told/mod.rs"]
mod told;

use std::io::Write;
use std::process::ExitCode;

use ch01_single_node_cluster::{Result, cli};
use ch02_single_node_proposals::CommandList;
use ch05_two_node_cluster::{Proposal, Replica};
use ch06_two_node_snapshot::Node;
use raft_kernel::{Change, ConfChange, MessageBody, Role};
use told::{Told, command};
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
            "A newcomer is sent a snapshot, twice: the first is lost",
        ),
        (
            "command",
            "cargo run -q -p ch06-two-node-snapshot --example trace",
        ),
        ("unit", "steps"),
    ];
    let trace = Writer::begin(out, command, &heading)?;
    let mut told = Told::new(trace, Node::<CommandList>::storage);

    // What node 1 does alone is told in chapter 2.
    told.cluster.add(Node::found(1, &[1], SEED)?);
    while told.cluster.node(1).status().soft_state.role != Role::Leader {
        told.cluster.tick(1)?;
        told.cluster.turn()?;
    }
    for number in 1..=10 {
        drop(told.cluster.propose(1, Proposal::Command(number))?);
    }
    told.cluster.turn()?;
    told.stands(1)?;

    told.next_step();
    let compacted = told.cluster.node(1).compact()?;
    let what = format_args!("makes a snapshot up to {compacted}, and compacts its log");
    told.trace.node(1, what)?;
    told.stands(1)?;
    for number in [11, 12] {
        told.propose(1, Proposal::Command(number))?;
    }

    told.starts(Node::join(2, SEED)?)?;
    told.loses = Some(|message| matches!(message.body, MessageBody::InstallSnapshot { .. }));
    let add_node_2 = ConfChange::single(Change::AddVoter(2));
    told.propose(1, Proposal::Change(add_node_2))?;
    told.deliver_all()?;

    told.next_step();
    told.trace.node(1, "a tick passes")?;
    told.cluster.tick(1)?;
    told.turn(1)?;
    told.deliver_all()
}
