//! Leader Append-Only: "a leader never overwrites or deletes entries in its log; it only
//! appends new entries" (paper, figure 3).
//!
//! Looked at from one `Ready` to the next, both of the same leader in the same term: between
//! those it has done nothing but lead.

use raft_kernel::{NodeId, Ready};

use super::Verdict;
use super::property::{Property, demand};
use super::witness::Node;

pub(super) fn check(node: &Node, id: NodeId, ready: &Ready) -> Verdict {
    check_write(
        node,
        id,
        ready.append.entries.first().map(|entry| entry.index),
        ready
            .append
            .snapshot
            .as_ref()
            .map(|snapshot| snapshot.index),
    )
}

fn check_write(node: &Node, id: NodeId, first: Option<u64>, snapshot: Option<u64>) -> Verdict {
    let Some(term) = node.leads.filter(|_| node.leads == node.completed) else {
        return Ok(());
    };
    let end = node.log.last();
    if let Some(index) = snapshot {
        return demand(false, Property::LeaderAppendOnly, || {
            format!("n{id}, which leads term {term}, replaces its log by a snapshot up to {index}")
        });
    }
    demand(
        first.is_none_or(|first| first == end + 1),
        Property::LeaderAppendOnly,
        || {
            let first = first.unwrap_or(0);
            format!("n{id}, which leads term {term}, writes index {first}; its log ends at {end}")
        },
    )
}

#[cfg(test)]
mod tests {
    use super::super::witness::examples::node;
    use super::*;

    #[test]
    fn a_leader_that_overwrites_is_named() {
        let leader = Node {
            leads: Some(3),
            completed: Some(3),
            ..node(&[1, 1, 3])
        };
        check_write(&leader, 1, Some(4), None).unwrap();
        let violation = check_write(&leader, 1, Some(3), None).unwrap_err();
        assert_eq!(violation.property, Property::LeaderAppendOnly);
        assert!(violation.what.contains("term 3"), "{violation}");
        assert!(check_write(&leader, 1, None, Some(9)).is_err());
        // As a follower it may.
        check_write(&node(&[1, 1, 3]), 1, Some(3), None).unwrap();
    }
}
