//! Chapter 9: one thread writes, one applies, and the loop waits for neither.
//!
//! Up to here a node stood still while its disk wrote. Now the engine's storage work goes
//! to an append thread and its apply work to an apply thread. The loop goes on: it hears
//! heartbeats, sends what promises nothing, and takes the next `Ready`.

mod asynchronous;
pub mod cli;
mod cluster;
mod disk;
mod engine;
pub mod held;
mod lossy;
mod machine;
pub mod measure;
pub mod story;
pub mod synchronous;
pub mod threads;
mod work;

pub use asynchronous::Asynchronous;
pub use cluster::Cluster;
pub use disk::{Disk, SlowDisk, Write};
pub use lossy::Lossy;
pub use machine::{Hands, Machine};
pub use synchronous::Synchronous;
pub use work::{AppendJob, Applied, ApplyJob, Written, append, apply};

use ch01_single_node_cluster::Result;
use ch05_two_node_cluster::{Lines, Replica, Tick, Watches};

/// How much of a kind is taken in at once, at most.
const BATCH: usize = 1024;

/// Takes what else has come in, so that all of it shares one `Ready` and one write.
// ANCHOR: take_more
fn take_more<N: Replica>(node: &mut N, lines: &Lines<N>, watches: &mut Watches<N>) -> Result<()> {
    for message in lines.inbox.try_iter().take(BATCH) {
        node.step(message)?;
    }
    if let Ok(Tick) = lines.ticks.try_recv() {
        node.tick()?;
    }
    for request in lines.requests.try_iter().take(BATCH) {
        watches.serve(request, node)?;
    }
    Ok(())
}
// ANCHOR_END: take_more
