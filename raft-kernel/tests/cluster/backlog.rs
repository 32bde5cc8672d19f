//! A leader whose storage is slow.

use raft_kernel::{Bytes, Message};

use super::{Cluster, Shape, Tally};

/// An asynchronous cluster of one with many writes under way. What is proposed is handed
/// to the storage at once, and the storage is always so many writes behind.
pub(crate) struct Backlog {
    cluster: Cluster,
    outbox: Vec<Message>,
    /// How many writes of an entry are under way.
    depth: u64,
}

impl Backlog {
    pub(crate) fn of(depth: u64) -> Self {
        let cluster = Cluster::start(Shape::asynchronous(1));
        let mut backlog = Backlog {
            cluster,
            outbox: Vec::new(),
            depth: 0,
        };
        while backlog.depth < depth {
            backlog.begin_write();
        }
        backlog
    }

    /// One more command is proposed, and the oldest one is written and applied.
    pub(crate) fn shift(&mut self) {
        self.begin_write();
        self.end_write();
    }

    fn begin_write(&mut self) {
        self.cluster
            .propose(Bytes::from_static(b"sixteen bytes..."));
        self.cluster.leader().hand_out(&mut self.outbox);
        self.depth += 1;
    }

    /// The oldest write of an entry ends, and those of the commit index before it.
    fn end_write(&mut self) {
        let leader = self.cluster.leader();
        while leader.append_next(&mut self.outbox) == Some(0) {}
        self.depth -= 1;
        leader.hand_out(&mut self.outbox);
        while leader.apply_next() {}
    }

    pub(crate) fn compact(&mut self) {
        self.cluster.compact_to(0);
    }

    pub(crate) fn storage(&self) -> Tally {
        self.cluster.storage()
    }
}
