//! What `cargo run -p ch05-two-node-cluster` prints: a node joins another, once by hand
//! and once with threads.

use std::io::Write;
use std::time::Duration;

use ch01_single_node_cluster::Result;
use raft_kernel::{Change, ConfChange, Message, NodeId};

use crate::by_hand::ByHand;
use crate::narration::told_message;
use crate::{Clock, Member, Network, Node, PATIENCE, Proposal, Replica, Ticket};

/// How often the clock ticks. The shorter, the sooner the story is told; nothing else
/// depends on it.
const PERIOD: Duration = Duration::from_millis(1);

/// Tells how a second node joins a cluster of one.
pub fn tell(seed: u64, out: &mut dyn Write) -> Result<()> {
    by_hand(seed, out)?;
    with_threads(seed, out)
}

fn add_voter(id: NodeId) -> Proposal<u8> {
    Proposal::Change(ConfChange::single(Change::AddVoter(id)))
}

// ANCHOR: by_hand
fn by_hand(seed: u64, out: &mut dyn Write) -> Result<()> {
    writeln!(out, "By hand: one message at a time.\n")?;
    let mut cluster = ByHand::default();
    cluster.add(Node::found(1, seed)?);
    cluster.turn()?;
    while cluster.node(1).status().soft_state.leader.is_none() {
        cluster.tick(1)?;
        cluster.turn()?;
    }
    for command in [10, 20, 30] {
        let _ = cluster.propose(1, Proposal::Command(command))?;
    }
    cluster.turn()?;
    cluster.add(Node::join(2, seed)?);
    for id in [1, 2] {
        writeln!(out, "{}", cluster.node(id))?;
    }

    writeln!(out, "\nNode 2 becomes a voter.")?;
    let ticket = cluster.propose(1, add_voter(2))?;
    deliver_all(&mut cluster, out)?;
    tell_answer(&ticket, out)?;

    writeln!(out, "\nOne more command: 40.")?;
    let ticket = cluster.propose(1, Proposal::Command(40))?;
    deliver_all(&mut cluster, out)?;
    tell_answer(&ticket, out)?;
    // ANCHOR_END: by_hand

    writeln!(out, "\nNode 2 goes away. Node 1 is given 50.")?;
    let absent = cluster.remove(2);
    let ticket = cluster.propose(1, Proposal::Command(50))?;
    deliver_all(&mut cluster, out)?;
    tell_answer(&ticket, out)?;

    writeln!(out, "\nNode 2 is back, and a tick passes.")?;
    cluster.add(absent.ok_or("node 2 was there")?);
    cluster.tick(1)?;
    deliver_all(&mut cluster, out)?;
    tell_answer(&ticket, out)
}

/// Delivers messages until there are none. Under each stands what became of the node that
/// got it.
// ANCHOR: deliver_all
fn deliver_all(cluster: &mut ByHand<Node>, out: &mut dyn Write) -> Result<()> {
    while let Some(message) = cluster.next_message()? {
        let Message { to, .. } = message;
        writeln!(out, "  {}", told_message(&message))?;
        cluster.deliver(message)?;
        cluster.turn()?;
        writeln!(out, "       {}", cluster.node(to))?;
    }
    Ok(())
}
// ANCHOR_END: deliver_all

fn tell_answer(ticket: &Ticket, out: &mut dyn Write) -> Result<()> {
    match ticket.outcome() {
        Some(outcome) => writeln!(out, "The proposer is told: {outcome}.")?,
        None => writeln!(out, "The proposer has no answer yet.")?,
    }
    Ok(())
}

// ANCHOR: with_threads
fn with_threads(seed: u64, out: &mut dyn Write) -> Result<()> {
    writeln!(out, "\nWith threads: the same nodes, each in its own.\n")?;
    let (network, clock) = (Network::default(), Clock::start(PERIOD));
    let one = Member::start(Node::found(1, seed)?, &network, &clock);
    for command in [10, 20, 30] {
        let index = one.insist(&Proposal::Command(command))?;
        writeln!(out, "Node 1: {command} is applied as entry {index}.")?;
    }

    let two = Member::start(Node::join(2, seed)?, &network, &clock);
    let joined = one.insist(&add_voter(2))?;
    two.wait_until("it has joined", move |node| node.status().applied >= joined)?;
    writeln!(out, "Node 2 has joined and applied all {joined} entries.")?;

    let ticket = two.propose(Proposal::Command(40));
    let answer = ticket.wait(PATIENCE).ok_or("node 2 does not answer")?;
    writeln!(out, "Node 2: 40 is {answer}.")?;

    let index = one.insist(&Proposal::Command(40))?;
    writeln!(out, "Node 1: 40 is applied as entry {index}.")?;
    two.wait_until("it has 40", move |node| node.status().applied >= index)?;
    // ANCHOR_END: with_threads

    for member in [one, two] {
        let (id, node) = (member.id(), member.stop()?);
        writeln!(out, "Node {id} has stopped with {}.", node.machine())?;
    }
    Ok(())
}
