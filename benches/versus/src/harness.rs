//! What both engines are put through.

use std::time::Instant;

use bytes::BytesMut;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<std::alloc::System> = &INSTRUMENTED_SYSTEM;

/// What to measure.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// Nodes in the cluster, all voters.
    pub nodes: u64,
    /// The length of a command in bytes.
    pub payload: usize,
    /// How many proposals are made before the loop turns.
    pub batch: usize,
}

/// What was measured.
#[derive(Clone, Copy, Debug)]
pub struct Figures {
    /// Proposals that every node applied, per second.
    pub per_second: f64,
    /// Allocations in the whole cluster for each of them, the command's own included.
    pub allocations: f64,
}

/// A cluster in memory, messages and storage included.
pub trait Cluster {
    /// A cluster of so many voters.
    fn new(nodes: u64) -> Self;
    /// Makes node 1 the leader.
    fn elect(&mut self);
    /// Proposes one command at the leader, taken from what arrived. An engine that can
    /// share the buffer may; one that cannot must copy.
    fn propose(&mut self, command: BytesMut);
    /// Turns all loops until nothing is to be done.
    fn settle(&mut self);
    /// How many commands each node has applied.
    fn applied(&self) -> Vec<u64>;
    /// Drops the log's beginning on every node, up to what is applied.
    fn compact(&mut self);
}

/// A running cluster with a leader.
pub fn start<C: Cluster>(case: Case) -> C {
    let mut cluster = C::new(case.nodes);
    cluster.elect();
    cluster
}

/// What a server's read from a socket gives: many commands in one buffer.
fn receive(payload: usize) -> BytesMut {
    const READ: usize = 64 << 10;
    BytesMut::zeroed(READ.max(payload) / payload * payload)
}

/// One round: some ten milliseconds of proposals.
pub fn measure<C: Cluster>(cluster: &mut C, case: Case) -> Figures {
    let count = 4096 / case.batch * case.batch;
    let before = cluster.applied();
    let mut arrived = BytesMut::new();
    let region = Region::new(ALLOCATOR);
    let start = Instant::now();
    for _ in 0..count / case.batch {
        for _ in 0..case.batch {
            if arrived.len() < case.payload {
                arrived = receive(case.payload);
            }
            cluster.propose(arrived.split_to(case.payload));
        }
        cluster.settle();
    }
    let seconds = start.elapsed().as_secs_f64();
    let allocations = region.change().allocations;
    // A round that did not do its work measures nothing.
    for (before, after) in before.iter().zip(cluster.applied()) {
        assert_eq!(
            after - before,
            count as u64,
            "every node applies every command"
        );
    }
    // Outside the measurement: both logs stay short.
    cluster.compact();
    Figures {
        per_second: count as f64 / seconds,
        allocations: allocations as f64 / count as f64,
    }
}
