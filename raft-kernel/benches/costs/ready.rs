//! What a `Ready` costs: whether there is one, the taking, the acknowledging.
//!
//! A node hands out one `Ready` at a time, so a round measures many leaders, each once.

use std::hint::black_box;

use raft_kernel::Ready;

use crate::cluster::{Cluster, Shape, carved, write};
use crate::options::Options;
use crate::table::{Case, Table};

/// What is measured.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    /// `has_ready`
    Ask,
    /// `ready`
    Take,
    /// `advance`
    Advance,
}

struct Leaders {
    step: Step,
    /// Voters of each cluster.
    voters: u64,
    /// What each leader is proposed before.
    entries: usize,
    clusters: Vec<Cluster>,
    readys: Vec<Ready>,
}

impl Leaders {
    fn take(&mut self) {
        for cluster in &mut self.clusters {
            let ready = cluster.leader().raft.ready().expect("a Ready");
            self.readys.push(ready);
        }
    }

    fn advance(&mut self) {
        for (cluster, ready) in self.clusters.iter_mut().zip(self.readys.drain(..)) {
            cluster.leader().raft.advance(ready).expect("an advance");
        }
    }
}

impl Case for Leaders {
    fn prepare(&mut self, operations: u64) {
        let shape = Shape::synchronous(self.voters);
        let count = usize::try_from(operations).expect("few clusters");
        self.clusters.resize_with(count, || Cluster::start(shape));
        self.readys.reserve(count);
        // A leader goes on after what the last round began, so that its buffers have grown.
        self.advance();
        for cluster in &mut self.clusters {
            cluster.settle();
            cluster.compact_to(0);
            for command in carved(self.entries, 16) {
                cluster.propose(command);
            }
        }
        if self.step == Step::Advance {
            self.take();
            for (cluster, ready) in self.clusters.iter_mut().zip(&mut self.readys) {
                write(&cluster.leader().storage, &ready.append);
                ready.take_messages().for_each(drop);
            }
        }
    }

    fn run(&mut self) {
        match self.step {
            Step::Ask => {
                for cluster in &mut self.clusters {
                    black_box(cluster.leader().raft.has_ready());
                }
            }
            Step::Take => self.take(),
            Step::Advance => self.advance(),
        }
    }
}

pub(crate) fn table(options: &Options) -> Table {
    let about = "one call on a leader, synchronous; entries of 16 B wait for the disk and for \
                 the followers";
    let mut table = Table::new("ready", about);
    for (step, call) in [
        (Step::Ask, "has_ready"),
        (Step::Take, "ready"),
        (Step::Advance, "advance"),
    ] {
        for (voters, entries) in [
            (1, 0),
            (1, 1),
            (1, 64),
            (3, 0),
            (3, 1),
            (3, 64),
            (5, 1),
            (5, 64),
        ] {
            let name = match entries {
                0 => format!("{call}, of {voters}, nothing to do"),
                1 => format!("{call}, of {voters}, 1 entry"),
                _ => format!("{call}, of {voters}, {entries} entries"),
            };
            table.line(name, options.operations(256), move || Leaders {
                step,
                voters,
                entries,
                clusters: Vec::new(),
                readys: Vec::new(),
            });
        }
    }
    table
}
