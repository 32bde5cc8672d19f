//! A read is no older than what was acknowledged before it began (dissertation, section 6.4).
//!
//! The index that a read is answered at must reach everything that any client was told of, as
//! written or as read, before the read was asked for. The linearizability of histories says
//! more, but only at a run's end; this says it at once.

use raft_kernel::{Index, NodeId};

use super::Verdict;
use super::property::{Property, demand};

#[derive(Debug, Default)]
pub(crate) struct FreshReads {
    acknowledged: Index,
}

impl FreshReads {
    /// A client was told of something that stands at this index.
    pub(crate) fn acknowledged(&mut self, index: Index) {
        self.acknowledged = self.acknowledged.max(index);
    }

    /// A read begins: what it must not be older than.
    pub(crate) fn begins(&self) -> Index {
        self.acknowledged
    }
}

/// A read that was not to be older than `floor` may be answered at `index`.
pub(crate) fn check(id: NodeId, floor: Index, index: Index) -> Verdict {
    demand(index >= floor, Property::FreshReads, || {
        format!(
            "n{id} answers a read as of index {index}, though index {floor} was acknowledged \
             before it began"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stale_read_is_named() {
        let mut reads = FreshReads::default();
        reads.acknowledged(7);
        let floor = reads.begins();
        reads.acknowledged(9);
        check(2, floor, 7).unwrap();
        let violation = check(2, floor, 6).unwrap_err();
        assert_eq!(violation.property, Property::FreshReads);
        assert!(violation.what.contains("as of index 6"), "{violation}");
        assert_eq!(reads.begins(), 9);
    }
}
