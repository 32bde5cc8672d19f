//! What `cargo run -p ch09-asynchronous-storage-writes` prints.
//!
//! The first part is driven by hand. The second runs in threads, so it prints only what
//! was waited for and holds whatever the threads' timing was.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ch01_single_node_cluster::Result;
use ch05_two_node_cluster::narration::told_message;
use ch05_two_node_cluster::{Proposal, Replica};
use ch07_detour_change_state_machine::Sum;
use raft_kernel::{MemoryStorage, Message, NodeId, Storage};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::held::Held;
use crate::{Asynchronous, Cluster, Disk, Hands, SlowDisk, Write as DiskWrite};

/// How many messages in a hundred are lost.
pub const LOSS: u32 = 25;

/// How many numbers are proposed before the third node joins, and again after.
const NUMBERS: u64 = 50;

/// How long the disks need for a write.
const DELAY: Duration = Duration::from_millis(1);
const TICK: Duration = Duration::from_millis(1);

/// No snapshots: without them the outcome of every proposal becomes known.
const NEVER: u64 = u64::MAX;

/// Tells how a proposal goes through an asynchronous cluster.
pub fn tell(seed: u64, out: &mut dyn Write) -> Result<()> {
    tell_one_proposal(seed, out)?;
    tell_a_lossy_cluster(seed, out)
}

// ANCHOR: one_proposal
fn tell_one_proposal(seed: u64, out: &mut dyn Write) -> Result<()> {
    writeln!(out, "Nodes 1, 2 and 3, driven by hand. Node 1 leads.")?;
    let mut held: Held<Sum> = Held::led_by_1(&[1, 2, 3], seed, NEVER)?;

    writeln!(out, "\nPropose 5 to node 1. It sends at once:")?;
    let ticket = held.propose(1, Proposal::Command(5))?;
    let appends = held.sent()?;
    tell_messages(&appends, out)?;
    tell_log(&mut held, 1, out)?;

    writeln!(out, "\nNodes 2 and 3 get it, and say nothing:")?;
    for message in appends {
        held.deliver(message)?;
    }
    tell_messages(&held.sent()?, out)?;

    for id in [2, 3] {
        writeln!(out, "\nNode {id}'s disk writes. Now node {id} answers:")?;
        let answers = held.write(id)?;
        tell_messages(&answers, out)?;
        for message in answers {
            held.deliver(message)?;
        }
    }
    tell_progress(&mut held, out)?;

    writeln!(out, "\nNode 1's disk writes, and node 1 applies.")?;
    held.write(1)?;
    held.apply(1)?;
    tell_progress(&mut held, out)?;
    // ANCHOR_END: one_proposal
    let outcome = ticket.outcome().ok_or("there is an answer by now")?;
    let state = held.hands(1).machine.state();
    writeln!(out, "  5 is {outcome}; {state}")?;
    Ok(())
}

fn tell_messages(messages: &[Message], out: &mut dyn Write) -> Result<()> {
    for message in messages {
        writeln!(out, "  {}", told_message(message))?;
    }
    if messages.is_empty() {
        writeln!(out, "  (no message)")?;
    }
    Ok(())
}

fn tell_log(held: &mut Held<Sum>, id: NodeId, out: &mut dyn Write) -> Result<()> {
    let last = held.hands(id).disk.storage.last_index()?;
    writeln!(out, "  On the disk of node {id}: entries up to {last}.")?;
    Ok(())
}

fn tell_progress(held: &mut Held<Sum>, out: &mut dyn Write) -> Result<()> {
    tell_log(held, 1, out)?;
    let status = held.node(1).status();
    writeln!(
        out,
        "  Node 1: committed up to {}, applied up to {}.",
        status.hard_state.commit, status.applied
    )?;
    Ok(())
}

fn tell_a_lossy_cluster(seed: u64, out: &mut dyn Write) -> Result<()> {
    writeln!(
        out,
        "\nNow in threads: each node a loop, an append thread and an apply thread.\n\
         Nodes 1 and 2 found a cluster. {LOSS} of 100 messages are lost."
    )?;
    let mut cluster = Cluster::new(TICK);
    let mut chance = StdRng::seed_from_u64(seed);
    let mut sum = 0;
    for id in [1, 2] {
        let hands = Hands::new(disk(), NEVER)?;
        let node = Asynchronous::found(id, &[1, 2], seed, hands.disk.storage.clone())?;
        cluster.start(node, hands, LOSS, seed);
    }
    sum += add_numbers(&cluster, &mut chance)?;
    writeln!(out, "{NUMBERS} numbers are acknowledged: {sum} in all.")?;

    let breaks = Arc::new(AtomicBool::new(false));
    let disk = BreakableDisk {
        disk: disk(),
        breaks: Arc::clone(&breaks),
    };
    let hands = Hands::new(disk, NEVER)?;
    let node = Asynchronous::join(3, seed, hands.disk.storage().clone())?;
    cluster.start(node, hands, LOSS, seed);
    cluster.admit(3)?;
    writeln!(out, "\nNode 3 takes part.")?;
    sum += add_numbers(&cluster, &mut chance)?;
    writeln!(out, "{NUMBERS} more are acknowledged: {sum} in all.")?;
    tell_sums(&cluster, &[1, 2, 3], out)?;

    breaks.store(true, Ordering::Relaxed);
    // Something to write. Nobody minds if it gets lost.
    cluster.insist(&Proposal::Command(0))?;
    let failure = cluster.failure_of(3)?;
    writeln!(out, "\nNode 3 has stopped: {failure}.")?;
    sum += add_numbers(&cluster, &mut chance)?;
    writeln!(out, "{NUMBERS} more are acknowledged: {sum} in all.")?;
    tell_sums(&cluster, &[1, 2], out)
}

/// Proposes random numbers, one after the other, each until it is acknowledged. Says what
/// they come to.
fn add_numbers(cluster: &Cluster<Sum>, chance: &mut StdRng) -> Result<u64> {
    let mut sum = 0;
    for _ in 0..NUMBERS {
        let number = chance.random_range(0..1000);
        let acknowledged = cluster.insist(&Proposal::Command(number))?;
        acknowledged.ok_or("nobody can tell what became of a number")?;
        sum += number;
    }
    Ok(sum)
}

/// What the nodes' state machines say, after everything that was acknowledged.
fn tell_sums(cluster: &Cluster<Sum>, ids: &[NodeId], out: &mut dyn Write) -> Result<()> {
    let last = cluster.insist(&Proposal::Command(0))?;
    cluster.wait_for_all(last.ok_or("nobody can tell where the log ends")?)?;
    for id in ids {
        let state = cluster.look(*id, Sum::to_string)?;
        writeln!(out, "  node {id}: {state}")?;
    }
    Ok(())
}

/// A disk that fails from a certain moment on.
struct BreakableDisk {
    disk: SlowDisk,
    breaks: Arc<AtomicBool>,
}

impl Disk for BreakableDisk {
    fn write(&mut self, writes: &[DiskWrite<'_>]) -> Result<()> {
        if self.breaks.load(Ordering::Relaxed) {
            return Err("no space left on the device".into());
        }
        self.disk.write(writes)
    }

    fn storage(&self) -> &MemoryStorage {
        self.disk.storage()
    }
}

fn disk() -> SlowDisk {
    SlowDisk {
        storage: MemoryStorage::new(),
        delay: DELAY,
    }
}
