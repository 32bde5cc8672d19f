//! What `cargo run -p ch06-two-node-snapshot` prints.
//!
//! The messages are shown by hand, where they come in the same order each time. What is
//! told of the threads is what was waited for, and nothing else.

use std::io::Write;
use std::time::Duration;

use ch01_single_node_cluster::Result;
use ch02_single_node_proposals::CommandList;
use ch05_two_node_cluster::by_hand::ByHand;
use ch05_two_node_cluster::narration::told_message;
use ch05_two_node_cluster::{Clock, Member, Network, Proposal, Replica};
use raft_kernel::{Change, ConfChange, Message, MessageBody, Role, Snapshot, Storage};

use crate::Node;

/// The nodes of this chapter.
type Nodes = ByHand<Node<CommandList>>;

/// How long a tick of the threads' clock is.
const TICK: Duration = Duration::from_millis(1);

/// What node 1 takes before it compacts its log, and what it takes after that.
const BEFORE: [u8; 10] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
const AFTER: [u8; 2] = [11, 12];

/// Tells how a newcomer starts from a snapshot, and how one that is lost is sent again.
pub fn tell(seed: u64, out: &mut dyn Write) -> Result<()> {
    let nodes = compact(seed, out)?;
    join(nodes, seed, out)?;
    lose(seed, out)?;
    with_threads(seed, out)
}

/// Node 1 leads, takes commands, compacts its log, and takes more commands.
// ANCHOR: compact
fn compact(seed: u64, out: &mut dyn Write) -> Result<Nodes> {
    let mut nodes = Nodes::default();
    nodes.add(Node::found(1, &[1], seed)?);
    while nodes.node(1).status().soft_state.role != Role::Leader {
        nodes.tick(1)?;
        nodes.turn()?;
    }
    for command in BEFORE {
        drop(nodes.propose(1, Proposal::Command(command))?);
    }
    nodes.turn()?;
    writeln!(out, "Node 1 is alone, leads, and has taken ten commands:")?;
    writeln!(out, "  {}", nodes.node(1))?;

    nodes.node(1).compact()?;
    writeln!(out, "\nIt makes a snapshot and compacts its log:")?;
    writeln!(out, "  {}", nodes.node(1))?;
    tell_snapshot(&nodes.node(1).storage().snapshot()?, out)?;

    for command in AFTER {
        drop(nodes.propose(1, Proposal::Command(command))?);
    }
    nodes.turn()?;
    writeln!(out, "\nIt takes two more commands:")?;
    writeln!(out, "  {}", nodes.node(1))?;
    Ok(nodes)
}
// ANCHOR_END: compact

/// Node 2 joins, one message at a time.
// ANCHOR: join
fn join(mut nodes: Nodes, seed: u64, out: &mut dyn Write) -> Result<()> {
    writeln!(out, "\nNode 2 joins. Every message:")?;
    nodes.add(Node::join(2, seed)?);
    drop(nodes.propose(1, Proposal::Change(add_node_2()))?);
    nodes.settle(|message| Ok(writeln!(out, "  {}", told_message(message))?))?;

    writeln!(out, "\nWhat each node holds now:")?;
    writeln!(out, "  {}", nodes.node(1))?;
    writeln!(out, "  {}", nodes.node(2))?;
    Ok(())
}
// ANCHOR_END: join

/// The same once more, but the snapshot is lost on its way.
// ANCHOR: lose
fn lose(seed: u64, out: &mut dyn Write) -> Result<()> {
    writeln!(out, "\nOnce more, and this time the snapshot is lost:")?;
    let mut nodes = compact(seed, &mut std::io::sink())?;
    nodes.add(Node::join(2, seed)?);
    drop(nodes.propose(1, Proposal::Change(add_node_2()))?);
    while let Some(message) = nodes.next_message()? {
        writeln!(out, "  {}", told_message(&message))?;
        if is_snapshot(&message) {
            writeln!(out, "         ... which never arrives")?;
        } else {
            nodes.deliver(message)?;
        }
    }

    writeln!(out, "Nobody has anything to say. A tick passes for node 1:")?;
    nodes.tick(1)?;
    nodes.settle(|message| Ok(writeln!(out, "  {}", told_message(message))?))?;
    writeln!(out, "  {}", nodes.node(2))?;
    Ok(())
}
// ANCHOR_END: lose

/// The same with threads, as fast as they come.
// ANCHOR: with_threads
fn with_threads(seed: u64, out: &mut dyn Write) -> Result<()> {
    writeln!(out, "\nThe same with a thread for each node:")?;
    let (network, clock) = (Network::default(), Clock::start(TICK));
    let one = Member::start(Node::<CommandList>::found(1, &[1], seed)?, &network, &clock);
    for command in BEFORE {
        one.insist(&Proposal::Command(command))?;
    }
    let compacted = one.ask(Node::compact)??;
    writeln!(
        out,
        "  node 1 has compacted its log up to entry {compacted}"
    )?;
    for command in AFTER {
        one.insist(&Proposal::Command(command))?;
    }

    let two = Member::start(Node::<CommandList>::join(2, seed)?, &network, &clock);
    let joined = one.insist(&Proposal::Change(add_node_2()))?;
    two.wait_until("all is applied", move |node| {
        node.status().applied >= joined
    })?;
    writeln!(out, "  node 2 has applied everything up to entry {joined}")?;

    let (one, two) = (one.stop()?, two.stop()?);
    let snapshot = two.storage().snapshot()?;
    let first = two.storage().first_index()?;
    writeln!(
        out,
        "  it began with the snapshot up to {}, so its log begins at {first}",
        snapshot.index
    )?;
    writeln!(out, "  node 1: {}", one.machine())?;
    writeln!(out, "  node 2: {}", two.machine())?;
    Ok(())
}
// ANCHOR_END: with_threads

/// Node 2 is to have a vote.
fn add_node_2() -> ConfChange {
    ConfChange::single(Change::AddVoter(2))
}

fn is_snapshot(message: &Message) -> bool {
    matches!(message.body, MessageBody::InstallSnapshot { .. })
}

fn tell_snapshot(snapshot: &Snapshot, out: &mut dyn Write) -> Result<()> {
    let Snapshot {
        index,
        term,
        conf_state,
        data,
    } = snapshot;
    writeln!(
        out,
        "  the snapshot: everything up to entry {index} of term {term}"
    )?;
    writeln!(out, "    state          {} bytes", data.len())?;
    writeln!(out, "    configuration  voters {:?}", conf_state.voters)?;
    Ok(())
}
