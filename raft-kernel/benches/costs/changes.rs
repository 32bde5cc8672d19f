//! What must not cost more after many configuration changes.

use raft_kernel::{Change, ConfChange};

use crate::cluster::{Cluster, Shape, Tally};
use crate::options::{Options, Scale};
use crate::table::{Case, Table};

/// A learner that does not exist comes and goes.
const LEARNER: u64 = 9;

struct Changes {
    cluster: Cluster,
    earlier: u64,
    operations: u64,
    operation: fn(&mut Cluster),
}

impl Changes {
    fn new(earlier: u64, operation: fn(&mut Cluster)) -> Self {
        let cluster = Cluster::start(Shape::synchronous(3));
        Changes {
            cluster,
            earlier,
            operations: 0,
            operation,
        }
    }
}

impl Case for Changes {
    fn prepare(&mut self, operations: u64) {
        self.operations = operations;
        while self.cluster.changes < self.earlier {
            add_and_remove(&mut self.cluster);
        }
        self.cluster.compact_to(0);
    }

    fn run(&mut self) {
        for _ in 0..self.operations {
            (self.operation)(&mut self.cluster);
        }
    }

    fn storage(&self) -> Tally {
        self.cluster.storage()
    }
}

fn add_and_remove(cluster: &mut Cluster) {
    for change in [Change::AddLearner(LEARNER), Change::Remove(LEARNER)] {
        cluster.change(ConfChange::single(change));
    }
}

fn commit(cluster: &mut Cluster) {
    cluster.propose(&b"sixteen bytes..."[..]);
    cluster.settle();
}

pub(crate) fn table(options: &Options) -> Table {
    let about = "operations after different numbers of configuration changes; 3 nodes, \
                 synchronous. All are to be flat";
    let mut table = Table::new("changes", about);
    let most = if options.scale == Scale::Smoke {
        10
    } else {
        10_000
    };
    // A pair of changes adds to their number, so a round has few of them.
    let pairs: (&str, fn(&mut Cluster), u64) = ("a learner added and removed", add_and_remove, 4);
    let proposals: (&str, fn(&mut Cluster), u64) = ("a proposal to commit", commit, 128);
    for (name, operation, operations) in [pairs, proposals] {
        for earlier in [10, 100, 1_000, 10_000]
            .into_iter()
            .filter(|earlier| *earlier <= most)
        {
            let name = format!("{name}, after {earlier} changes");
            let operations = options.operations(operations);
            table.line(name, operations, move || Changes::new(earlier, operation));
        }
    }
    table
}
