//! What `cargo run -p ch07-detour-change-state-machine` prints.
//!
//! What depends on the order of messages is shown by hand, where the seed decides it. Of
//! the threads only that is told which is the same whatever their timing.

use std::io::Write;
use std::time::Duration;

use ch01_single_node_cluster::Result;
use ch02_single_node_proposals::CommandList;
use ch05_two_node_cluster::by_hand::ByHand;
use ch05_two_node_cluster::{Clock, Member, Network, Outcome, PATIENCE, Proposal, Replica};
use ch06_two_node_snapshot::{Node, StateMachine};
use raft_kernel::{Change, ConfChange, MessageBody, NodeId, Role, Storage};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::{Answers, Paced, Pipeline, Sum, WINDOW};

/// A node of this chapter.
type Adder = Paced<Sum>;

/// How long a tick of the threads' clock is.
const TICK: Duration = Duration::from_millis(1);

/// Half of the numbers that are proposed in volume.
const HALF: usize = 5_000;

/// After how many entries nodes 1, 2 and 3 compact their logs then. Node 3's pace is so
/// slow that it makes no snapshot of its own: if it has one, it was sent.
const PACES: [u64; 3] = [100, 37, 1_000_000];

/// The largest number that is proposed. Small enough that the sum can be read.
const LARGEST: u64 = 999_999;

/// Tells how numbers are added, and how each node keeps its log short in its own way.
pub fn tell(seed: u64, out: &mut dyn Write) -> Result<()> {
    exchange(out)?;
    two_paces(seed, out)?;
    price_of_a_pace(seed, out)?;
    in_volume(seed, out)
}

/// The same commands in both state machines.
fn exchange(out: &mut dyn Write) -> Result<()> {
    writeln!(out, "A thousand commands, and what a snapshot holds then:")?;
    writeln!(
        out,
        "  the list  {:>4} bytes",
        snapshot_of::<CommandList>(&7)?
    )?;
    writeln!(out, "  the sum   {:>4} bytes", snapshot_of::<Sum>(&7)?)?;
    Ok(())
}

/// How many bytes a snapshot has after a thousand times the same command.
// ANCHOR: snapshot_of
fn snapshot_of<M: StateMachine>(command: &M::Command) -> Result<usize> {
    let mut machine = M::default();
    let command = M::encode(command);
    for _ in 0..1000 {
        machine.apply(&command)?;
    }
    Ok(machine.snapshot().len())
}
// ANCHOR_END: snapshot_of

/// Two nodes apply the same entries and compact at different ones.
// ANCHOR: two_paces
fn two_paces(seed: u64, out: &mut dyn Write) -> Result<()> {
    writeln!(out, "\nNode 1 compacts every 5 entries, node 2 every 3:")?;
    let mut nodes = leading(seed, &[(1, 5), (2, 3)])?;
    for number in 1..=10 {
        let ticket = nodes.propose(1, Proposal::Command(number))?;
        nodes.settle(|_| Ok(()))?;
        let Some(Outcome::Applied { index }) = ticket.outcome() else {
            return Err(format!("{number} was not applied").into());
        };
        let (one, two) = (held(nodes.node(1))?, held(nodes.node(2))?);
        writeln!(
            out,
            "  {number:>2} is entry {index:>2}   node 1 {one:<15} node 2 {two}"
        )?;
    }
    for id in [1, 2] {
        writeln!(out, "  node {id}: {}", nodes.node(id).node().machine())?;
    }
    Ok(())
}
// ANCHOR_END: two_paces

/// What a small pace saves, and what it costs a node that misses messages.
fn price_of_a_pace(seed: u64, out: &mut dyn Write) -> Result<()> {
    writeln!(
        out,
        "\nA thousand numbers, and node 3 misses every tenth message or so:"
    )?;
    for pace in [1, 10, 100, 10_000] {
        let Price { longest, snapshots } = price(seed, pace)?;
        writeln!(
            out,
            "  every {pace:>5}   longest log {longest:>4} entries, {snapshots:>3} snapshots sent"
        )?;
    }
    Ok(())
}

/// What was seen at one pace.
struct Price {
    longest: usize,
    snapshots: usize,
}

// ANCHOR: price
fn price(seed: u64, pace: u64) -> Result<Price> {
    let mut random = StdRng::seed_from_u64(seed);
    let mut nodes = leading(seed, &[(1, pace), (2, pace), (3, pace)])?;
    let (mut longest, mut snapshots) = (0, 0);
    for number in 0..1000 {
        for id in [1, 2, 3] {
            nodes.tick(id)?;
        }
        drop(nodes.propose(1, Proposal::Command(number))?);
        while let Some(message) = nodes.next_message()? {
            if matches!(message.body, MessageBody::InstallSnapshot { .. }) {
                snapshots += 1;
            }
            let is_lost = message.to == 3 && random.random_bool(0.1);
            if !is_lost {
                nodes.deliver(message)?;
            }
            longest = longest.max(nodes.node(1).node().storage().len());
        }
    }
    Ok(Price { longest, snapshots })
}
// ANCHOR_END: price

/// Two nodes with threads take numbers in volume, and a third joins meanwhile.
// ANCHOR: in_volume
fn in_volume(seed: u64, out: &mut dyn Write) -> Result<()> {
    let mut random = StdRng::seed_from_u64(seed);
    let (network, clock) = (Network::default(), Clock::start(TICK));
    let start = |node, pace| -> Result<_> {
        let node = Adder::new(node, pace)?;
        Ok(Member::start(node, &network, &clock))
    };
    let one = start(Node::found(1, &[1], seed)?, PACES[0])?;
    let two = start(Node::join(2, seed)?, PACES[1])?;
    one.insist(&Proposal::Change(add(2)))?;
    two.wait_until("it knows the leader", |node| leader(node) == Some(1))?;

    // The independent count: what was proposed and answered, added up by who proposed it.
    let mut count = 0;
    let members = [&one, &two];
    let mut pipeline = Pipeline::new(&members, |number: &u64| count += number);
    let mut next = || (random.random_range(1..=2), random.random_range(0..=LARGEST));
    for (to, number) in std::iter::repeat_with(&mut next).take(HALF) {
        pipeline.propose(to, number)?;
    }
    let three = start(Node::join(3, seed)?, PACES[2])?;
    let joins = one.propose(Proposal::Change(add(3)));
    for (to, number) in std::iter::repeat_with(&mut next).take(HALF) {
        pipeline.propose(to, number)?;
    }
    let answers = pipeline.finish()?;
    // ANCHOR_END: in_volume

    tell_answers(&answers, count, out)?;
    let last = match joins.wait(PATIENCE) {
        Some(Outcome::Applied { index }) => answers.last.max(index),
        other => return Err(format!("node 3 was to join, and this came of it: {other:?}").into()),
    };
    let members = [one, two, three];
    for member in &members {
        member.wait_until("all is applied", move |node| node.status().applied >= last)?;
    }
    for (member, pace) in members.into_iter().zip(PACES) {
        tell_end(&member.stop()?, pace, out)?;
    }
    Ok(())
}

fn tell_answers(answers: &Answers, count: u64, out: &mut dyn Write) -> Result<()> {
    let Answers {
        accepted,
        retried,
        unknown,
        ..
    } = answers;
    writeln!(
        out,
        "\nIn volume: {} random numbers to nodes 1 and 2, at most {WINDOW} unanswered.\n\
         After half of them node 3 joins.",
        2 * HALF
    )?;
    writeln!(out, "  accepted   {accepted:>10}")?;
    writeln!(out, "  unknown    {unknown:>10}")?;
    writeln!(
        out,
        "  retried    {retried:>10}   dropped by node 2, which named the leader"
    )?;
    writeln!(
        out,
        "  their sum  {count:>10}   counted by who proposed them"
    )?;
    Ok(())
}

/// How a node ended. How many entries it holds depends on the threads; that they are
/// fewer than its pace does not.
fn tell_end(node: &Adder, pace: u64, out: &mut dyn Write) -> Result<()> {
    let (status, storage) = (node.status(), node.node().storage());
    let snapshot = storage.snapshot()?.index;
    let how = if snapshot == 0 || status.applied - snapshot >= pace {
        return Err(format!("this node was to have a snapshot by now\n{node}").into());
    } else if status.id == 3 {
        "it began with a snapshot that it was sent".to_owned()
    } else {
        format!("it has applied fewer than {pace} entries since its snapshot")
    };
    let total = node.node().machine().total();
    writeln!(out, "  node {}     {total:>10}   {how}", status.id)?;
    Ok(())
}

/// Nodes driven by hand, each with its pace, of which node 1 leads.
fn leading(seed: u64, paces: &[(NodeId, u64)]) -> Result<ByHand<Adder>> {
    let voters: Vec<NodeId> = paces.iter().map(|(id, _)| *id).collect();
    let mut nodes = ByHand::default();
    for (id, pace) in paces {
        nodes.add(Adder::new(Node::found(*id, &voters, seed)?, *pace)?);
    }
    while nodes.node(1).status().soft_state.role != Role::Leader {
        nodes.tick(1)?;
        nodes.settle(|_| Ok(()))?;
    }
    Ok(nodes)
}

/// Which entries a node's log holds.
fn held(node: &Adder) -> Result<String> {
    let storage = node.node().storage();
    let (first, last) = (storage.first_index()?, storage.last_index()?);
    Ok(if last < first {
        "holds nothing".to_owned()
    } else {
        format!("holds {first} to {last}")
    })
}

fn leader(node: &Adder) -> Option<NodeId> {
    node.status().soft_state.leader
}

fn add(id: NodeId) -> ConfChange {
    ConfChange::single(Change::AddVoter(id))
}
