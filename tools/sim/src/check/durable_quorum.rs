//! What is committed is on the disks of a majority of the voters; in a joint configuration,
//! of both majorities (paper, section 5.3; dissertation, section 4.3).
//!
//! This is the moment before the harm: a commit that rests on memory, or on the majority of
//! the wrong configuration, loses entries only when the right nodes crash.

use raft_kernel::{ConfState, Index, NodeId};

use super::ledger::Ledger;
use super::property::{Property, demand};
use super::witness::Node;
use super::{Verdict, place};

/// `id` is the first to say that all up to `index` is committed. It may have switched its
/// configuration since it came to know, so any that was in force since then will do.
pub(super) fn check(ledger: &Ledger, nodes: &[Node], id: NodeId, index: Index) -> Verdict {
    let configurations = &nodes[place(id)].configurations;
    let backed = configurations
        .iter()
        .any(|state| is_backed(ledger, nodes, state, index));
    demand(backed, Property::DurableQuorum, || {
        let state = configurations.last().cloned().unwrap_or_default();
        let holders = (1..)
            .zip(nodes)
            .filter(|(_, node)| holds(ledger, node, index))
            .map(|(id, _): (NodeId, _)| format!("n{id}"))
            .collect::<Vec<_>>()
            .join(" ");
        let outgoing = match state.voters_outgoing.as_slice() {
            [] => String::new(),
            outgoing => format!(" and {outgoing:?}"),
        };
        format!(
            "n{id} commits index {index}, which is on the disks of [{holders}]; the voters are \
             {:?}{outgoing}",
            state.voters
        )
    })
}

fn is_backed(ledger: &Ledger, nodes: &[Node], state: &ConfState, index: Index) -> bool {
    let majority = |voters: &[NodeId]| {
        let known = voters.iter().filter_map(|id| nodes.get(place(*id)));
        known.filter(|node| holds(ledger, node, index)).count() > voters.len() / 2
    };
    majority(&state.voters)
        && (state.voters_outgoing.is_empty() || majority(&state.voters_outgoing))
}

fn holds(ledger: &Ledger, node: &Node, index: Index) -> bool {
    index <= node.stored.base()
        || node.stored.mark(index) == ledger.get(index).map(|known| known.mark)
}

#[cfg(test)]
mod tests {
    use super::super::witness::examples::{log, node};
    use super::*;

    fn commits(state: ConfState, stored: [&[u64]; 5]) -> Verdict {
        let mut nodes = stored.map(node);
        nodes[0].configurations = vec![state];
        check(&Ledger::of(&log(&[1, 1]), 1), &nodes, 1, 2)
    }

    #[test]
    fn a_commit_without_a_majority_of_disks_is_named() {
        let three = || ConfState::of_voters(1..=3);
        commits(three(), [&[1, 1], &[1, 1], &[1], &[], &[]]).unwrap();
        let violation = commits(three(), [&[1, 1], &[1, 2], &[1], &[1, 1], &[]]).unwrap_err();
        assert_eq!(violation.property, Property::DurableQuorum);
        assert_eq!(
            violation.what,
            "n1 commits index 2, which is on the disks of [n1 n4]; the voters are [1, 2, 3]"
        );
    }

    #[test]
    fn a_joint_configuration_needs_both_majorities() {
        let joint = || ConfState {
            voters_outgoing: vec![3, 4, 5],
            ..ConfState::of_voters(1..=3)
        };
        commits(joint(), [&[1, 1], &[1, 1], &[], &[1, 1], &[1, 1]]).unwrap();
        assert!(commits(joint(), [&[1, 1], &[1, 1], &[], &[1, 1], &[]]).is_err());
        assert!(commits(joint(), [&[1, 1], &[], &[], &[1, 1], &[1, 1]]).is_err());
    }
}
