//! What goes from the loop to its two threads, and what comes back.
//!
//! The rule: results come back in the order of the jobs. The engine counts on that, and
//! so does the state machine: a snapshot must reach it after the entries before it.

use ch01_single_node_cluster::Result;
use ch05_two_node_cluster::Post;
use ch06_two_node_snapshot::StateMachine;
use raft_kernel::{AppendAck, AppendWork, ApplyAck, ApplyWork, Bytes, Entries, Index, Snapshot};

use crate::{Disk, Machine, Write};

/// What the append thread is to do.
// ANCHOR: jobs
#[derive(Debug)]
pub enum AppendJob {
    /// To write what the engine asks for, and then to send what waits for it.
    Work(AppendWork),
    /// To write a snapshot that the node made itself.
    OwnSnapshot(Snapshot),
}

/// What the apply thread is to do.
pub enum ApplyJob<M> {
    /// To apply committed entries.
    Work(ApplyWork),
    /// To begin again with a snapshot that a leader sent.
    Restore(Snapshot),
    /// To show what the commands so far have come to.
    Show(Box<dyn FnOnce(&M) + Send>),
}
// ANCHOR_END: jobs

/// What the append thread has done.
// ANCHOR: results
#[derive(Debug)]
pub enum Written {
    /// Work of the engine is durable.
    Work {
        /// Says so to the engine.
        ack: AppendAck,
        /// The received snapshot that is stored now, if the work held one.
        received: Option<Snapshot>,
    },
    /// So is this snapshot of the node's own.
    OwnSnapshot(Snapshot),
}

/// What the apply thread has done.
#[derive(Debug)]
pub enum Applied {
    /// Entries are applied.
    Work {
        /// Says so to the engine.
        ack: ApplyAck,
        /// The entries.
        entries: Entries,
        /// What the state machine has come to, if it is time for a snapshot.
        made: Option<Bytes>,
    },
    /// The state machine has begun again with the snapshot up to this entry.
    Restored(Index),
    /// It was shown to somebody.
    Shown,
}
// ANCHOR_END: results

/// Writes all of `jobs` at once, sends what waited for that, and says what is done.
// ANCHOR: append
pub fn append(
    disk: &mut impl Disk,
    jobs: Vec<AppendJob>,
    post: &mut impl Post,
) -> Result<Vec<Written>> {
    let writes: Vec<Write<'_>> = jobs.iter().map(AppendJob::as_write).collect();
    disk.write(&writes)?;
    for message in jobs.iter().flat_map(AppendJob::messages) {
        // An answer that is dropped is like one that gets lost: it will be asked for again.
        let _ = post.send(message.clone());
    }
    Ok(jobs.into_iter().map(AppendJob::done).collect())
}
// ANCHOR_END: append

impl AppendJob {
    fn as_write(&self) -> Write<'_> {
        match self {
            AppendJob::Work(work) => Write::Work(work),
            AppendJob::OwnSnapshot(snapshot) => Write::OwnSnapshot(snapshot),
        }
    }

    fn messages(&self) -> impl Iterator<Item = &raft_kernel::Message> {
        let work = match self {
            AppendJob::Work(work) => Some(work),
            AppendJob::OwnSnapshot(_) => None,
        };
        work.into_iter().flat_map(AppendWork::messages)
    }

    fn done(self) -> Written {
        match self {
            AppendJob::Work(work) => Written::Work {
                received: work.snapshot.as_deref().cloned(),
                ack: work.done(),
            },
            AppendJob::OwnSnapshot(snapshot) => Written::OwnSnapshot(snapshot),
        }
    }
}

/// Does one job, and says what is done.
// ANCHOR: apply
pub fn apply<M: StateMachine>(machine: &mut Machine<M>, job: ApplyJob<M>) -> Result<Applied> {
    Ok(match job {
        ApplyJob::Work(work) => Applied::Work {
            made: machine.apply(&work)?,
            entries: work.entries.clone(),
            ack: work.done(),
        },
        ApplyJob::Restore(snapshot) => {
            machine.restore(&snapshot)?;
            Applied::Restored(snapshot.index)
        }
        ApplyJob::Show(show) => {
            show(machine.state());
            Applied::Shown
        }
    })
}
// ANCHOR_END: apply
