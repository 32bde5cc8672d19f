//! Each entry is handed out to be applied once, in order, and none before the snapshot that it
//! follows is in place; applied is never ahead of commit (paper, figure 2).

use raft_kernel::{Index, NodeId, Ready};

use super::Verdict;
use super::property::{Property, demand};
use super::witness::Node;

pub(super) fn check(node: &mut Node, id: NodeId, ready: &Ready) -> Verdict {
    let indexes = ready.apply.entries.iter().map(|entry| entry.index);
    let snapshot = ready.append.snapshot.as_ref();
    check_handed_out(node, id, snapshot.map(|snapshot| snapshot.index), indexes)
}

fn check_handed_out(
    node: &mut Node,
    id: NodeId,
    snapshot: Option<Index>,
    indexes: impl IntoIterator<Item = Index>,
) -> Verdict {
    if let Some(snapshot) = snapshot {
        node.handed_out = node.handed_out.max(snapshot);
    }
    for index in indexes {
        demand(snapshot.is_none(), Property::OnceInOrder, || {
            format!("n{id} is to apply index {index} beside a snapshot that is not in place")
        })?;
        let last = node.handed_out;
        demand(index == last + 1, Property::OnceInOrder, || {
            format!("n{id} is to apply index {index} after index {last}")
        })?;
        demand(index <= node.commit, Property::OnceInOrder, || {
            format!(
                "n{id} is to apply index {index}, but knows only {} to be committed",
                node.commit
            )
        })?;
        node.handed_out = index;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::witness::examples::node;
    use super::*;

    #[test]
    fn what_is_left_out_or_repeated_is_named() {
        let node = || Node {
            handed_out: 2,
            commit: 5,
            ..node(&[1; 5])
        };
        check_handed_out(&mut node(), 1, None, [3, 4]).unwrap();
        for wrong in [[2, 3], [4, 5], [3, 5]] {
            let violation = check_handed_out(&mut node(), 1, None, wrong).unwrap_err();
            assert_eq!(violation.property, Property::OnceInOrder);
        }
        assert!(check_handed_out(&mut node(), 1, Some(3), [4]).is_err());
        assert!(check_handed_out(&mut node(), 1, None, 3..=6).is_err());
    }
}
