//! How fast it is: proposals per second, and how long each took.
//!
//! The prompt's `bench N K` measures in any cluster. `--bench N` starts three nodes as
//! processes of their own on this machine, and has them measure through their prompts.

use std::fmt;
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use raft_kernel::NodeId;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::demo::{self, NodeProcess};
use crate::machine::command;
use crate::outcome::Outcome;
use crate::request::Handle;

/// No more than this is in flight at once: far more than a node can use, and far less than
/// may wait in it.
pub const MOST_IN_FLIGHT: usize = 4096;

/// No run is longer than this: each proposal's time is kept until the end.
pub const MOST_PROPOSALS: u64 = 10_000_000;

/// How many proposals are in flight in the runs of `--bench`.
const IN_FLIGHT: [usize; 3] = [1, 16, 256];

/// What was measured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Measured {
    /// How many proposals were in flight.
    pub in_flight: usize,
    /// How many were applied.
    pub applied: usize,
    /// How many were not, or nobody knows.
    pub failed: usize,
    /// How long all of it took.
    pub total: Duration,
    /// Half of the proposals took no longer than this.
    pub p50: Duration,
    /// All but one in a hundred took no longer than this.
    pub p99: Duration,
}

impl fmt::Display for Measured {
    #[allow(clippy::cast_precision_loss)] // For people to read.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let milliseconds = |time: Duration| time.as_secs_f64() * 1e3;
        write!(
            f,
            "bench: {} in flight, {} applied, {} failed, {:.0} per second, p50 {:.2} ms, p99 {:.2} ms",
            self.in_flight,
            self.applied,
            self.failed,
            self.applied as f64 / self.total.as_secs_f64().max(f64::EPSILON),
            milliseconds(self.p50),
            milliseconds(self.p99)
        )
    }
}

/// Proposes `count` numbers, `in_flight` of them at a time, and measures. The time of a
/// proposal ends when it is applied on the node that was asked.
// ANCHOR: measure
pub async fn measure(handle: &Handle, count: u64, in_flight: usize) -> Measured {
    let left = Arc::new(AtomicU64::new(count.min(MOST_PROPOSALS)));
    let began = Instant::now();
    let mut clients = JoinSet::new();
    for _ in 0..in_flight.min(MOST_IN_FLIGHT) {
        let (handle, left) = (handle.clone(), Arc::clone(&left));
        clients.spawn(async move {
            let (mut times, mut failed) = (Vec::new(), 0);
            let one_less = |left: u64| left.checked_sub(1);
            while left
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less)
                .is_ok()
            {
                let asked = Instant::now();
                match handle.propose(command(1)).await {
                    Outcome::Applied { .. } => times.push(asked.elapsed()),
                    _ => failed += 1,
                }
            }
            (times, failed)
        });
    }
    let (mut times, mut failed) = (Vec::new(), 0);
    while let Some(client) = clients.join_next().await {
        let (client_times, client_failed) = client.unwrap_or_default();
        times.extend(client_times);
        failed += client_failed;
    }
    let total = began.elapsed();
    times.sort_unstable();
    let percentile = |percent: usize| {
        let place = (times.len() * percent).div_ceil(100).saturating_sub(1);
        times.get(place).copied().unwrap_or_default()
    };
    Measured {
        in_flight,
        applied: times.len(),
        failed,
        total,
        p50: percentile(50),
        p99: percentile(99),
    }
}
// ANCHOR_END: measure

/// Starts three nodes, has the leader and then a follower measure `count` proposals for each
/// number in flight, and ends them.
///
/// # Errors
/// A node cannot be started, or ends, or `out` cannot be written to.
pub fn run(count: u64, out: &mut impl Write) -> io::Result<()> {
    run_with(count, out, demo::start)
}

/// The same with nodes that `start` starts, given their ids and how they begin.
///
/// # Errors
/// A node cannot be started, or ends, or `out` cannot be written to.
pub fn run_with(
    count: u64,
    out: &mut impl Write,
    start: impl Fn(NodeId, &[&str]) -> io::Result<NodeProcess>,
) -> io::Result<()> {
    let mut leader = start(1, &["--bootstrap"])?;
    let address = leader.rest_of_line("listening on ")?;
    let member = format!("1={address}");
    let mut nodes = vec![leader];
    for id in [2, 3] {
        let mut node = start(id, &["--join", &member])?;
        node.rest_of_line("joined ")?;
        nodes.push(node);
    }
    for (node, who) in nodes.iter_mut().zip(["leader", "follower"]) {
        for in_flight in IN_FLIGHT {
            node.type_line(&format!("bench {count} {in_flight}"))?;
            let measured = node.rest_of_line("bench: ")?;
            writeln!(out, "{who}: {measured}")?;
            out.flush()?;
        }
    }
    Ok(())
}
