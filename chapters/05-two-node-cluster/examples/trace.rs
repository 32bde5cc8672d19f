//! Writes the trace of how node 2 joins, from which the page's diagram is drawn.

mod told;

use std::io::Write;
use std::process::ExitCode;

use ch01_single_node_cluster::{Result, cli};
use ch05_two_node_cluster::{Node, Proposal, Replica};
use raft_kernel::{Change, ConfChange};
use told::{Told, command};
use trace::Writer;

/// As on the page.
const SEED: u64 = 7;

fn main() -> ExitCode {
    cli::run(env!("CARGO_PKG_NAME"), Ok(()), |(), out| tell(out))
}

fn tell(out: &mut dyn Write) -> Result<()> {
    let heading = [
        ("title", "Node 2 joins, and is sent what it lacks"),
        (
            "command",
            "cargo run -q -p ch05-two-node-cluster --example trace",
        ),
        ("unit", "steps"),
    ];
    let trace = Writer::begin(out, command, &heading)?;
    let mut told = Told::new(trace, Node::storage);

    // What node 1 does alone is told in chapter 2.
    told.cluster.add(Node::found(1, SEED)?);
    told.cluster.turn()?;
    while told.cluster.node(1).status().soft_state.leader.is_none() {
        told.cluster.tick(1)?;
        told.cluster.turn()?;
    }
    for number in [10, 20, 30] {
        drop(told.cluster.propose(1, Proposal::Command(number))?);
    }
    told.cluster.turn()?;
    told.stands(1)?;

    told.starts(Node::join(2, SEED)?)?;
    let add_node_2 = ConfChange::single(Change::AddVoter(2));
    told.propose(1, Proposal::Change(add_node_2))?;
    told.deliver_all()?;
    told.propose(1, Proposal::Command(40))?;
    told.deliver_all()
}
