//! A node's term and commit index never fall, and what it has committed it never overwrites
//! (paper, figure 2: "increases monotonically").
//!
//! The term not across crashes either: a node that starts again begins with what its disk
//! holds, and whatever it promised is there.

use raft_kernel::{NodeId, Ready, Term};

use super::Verdict;
use super::property::{Property, demand};
use super::witness::Node;

pub(super) fn check(node: &Node, id: NodeId, ready: &Ready) -> Verdict {
    if let Some(hard_state) = ready.append.hard_state {
        check_promise(node, id, hard_state.term, hard_state.commit)?;
    }
    let first = ready.append.entries.first();
    check_first(node, id, first.map(|entry| entry.index))
}

fn check_promise(node: &Node, id: NodeId, term: Term, commit: u64) -> Verdict {
    demand(term >= node.term, Property::NeverBack, || {
        format!("n{id}'s term falls from {} to {term}", node.term)
    })?;
    demand(commit >= node.commit, Property::NeverBack, || {
        format!(
            "n{id}'s commit index falls from {} to {commit}",
            node.commit
        )
    })
}

fn check_first(node: &Node, id: NodeId, first: Option<u64>) -> Verdict {
    demand(
        first.is_none_or(|first| first > node.commit),
        Property::NeverBack,
        || {
            let first = first.unwrap_or(0);
            format!(
                "n{id} overwrites index {first}, though all up to {} is committed",
                node.commit
            )
        },
    )
}

#[cfg(test)]
mod tests {
    use super::super::witness::examples::node;
    use super::*;

    #[test]
    fn what_falls_is_named() {
        let node = Node {
            term: 4,
            commit: 2,
            ..node(&[1, 1, 2])
        };
        check_promise(&node, 1, 4, 2).unwrap();
        let violation = check_promise(&node, 1, 3, 2).unwrap_err();
        assert_eq!(
            violation.to_string(),
            "never-back: n1's term falls from 4 to 3"
        );
        let violation = check_promise(&node, 1, 5, 1).unwrap_err();
        assert!(violation.what.contains("commit index falls from 2 to 1"));
        check_first(&node, 1, Some(3)).unwrap();
        assert!(check_first(&node, 1, Some(2)).is_err());
    }
}
