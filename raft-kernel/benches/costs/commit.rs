//! From a proposal to its commit.

use raft_kernel::{Bytes, StorageWrites};

use crate::cluster::{Cluster, Shape, Tally, carved};
use crate::options::Options;
use crate::table::{Case, Table};

struct Commit {
    cluster: Cluster,
    payload: usize,
    batch: usize,
    commands: Vec<Bytes>,
    proposed: u64,
}

impl Case for Commit {
    fn prepare(&mut self, operations: u64) {
        self.cluster.compact_to(0);
        let count = usize::try_from(operations).expect("a round fits into memory");
        self.commands = carved(count, self.payload);
    }

    fn run(&mut self) {
        self.proposed += self.commands.len() as u64;
        self.cluster.commit(self.commands.drain(..), self.batch);
        // A round that did not do its work measures nothing.
        assert!(
            self.cluster
                .applied()
                .all(|applied| applied == self.proposed)
        );
    }

    fn storage(&self) -> Tally {
        self.cluster.storage()
    }
}

pub(crate) fn table(options: &Options) -> Table {
    let about = "a command from its proposal until every node has applied it; a batch is \
                 proposed before the loop turns";
    let mut table = Table::new("commit", about);
    let operations = options.operations(2048);
    for (nodes, payload, batch, writes) in cases() {
        let name = match writes {
            StorageWrites::Synchronous => "synchronous",
            StorageWrites::Asynchronous => "asynchronous",
        };
        let plural = if nodes == 1 { "node" } else { "nodes" };
        let name = format!("{nodes} {plural}, {payload} B, batch {batch}, {name}");
        table.line(name, operations, move || Commit {
            cluster: Cluster::start(Shape {
                writes,
                ..Shape::synchronous(nodes)
            }),
            payload,
            batch,
            commands: Vec::new(),
            proposed: 0,
        });
    }
    table
}

fn cases() -> impl Iterator<Item = (u64, usize, usize, StorageWrites)> {
    let nodes = [1, 3, 5].into_iter();
    let payloads = nodes.flat_map(|nodes| [16, 256, 4096].map(|payload| (nodes, payload)));
    let batches =
        payloads.flat_map(|(nodes, payload)| [1, 64].map(|batch| (nodes, payload, batch)));
    batches.flat_map(|(nodes, payload, batch)| {
        [StorageWrites::Synchronous, StorageWrites::Asynchronous]
            .map(|writes| (nodes, payload, batch, writes))
    })
}
