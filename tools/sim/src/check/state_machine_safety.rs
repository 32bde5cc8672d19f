//! State Machine Safety: "if a server has applied a log entry at a given index to its state
//! machine, no other server will ever apply a different log entry for the same index"
//! (paper, figure 3). It holds for what is committed too, and for what a snapshot stands for.

use raft_kernel::{HardState, Index, NodeId, Snapshot};

use super::Verdict;
use super::ledger::{Committed, Ledger};
use super::property::{Property, Violation, demand};
use super::witness::{Chain, Node};

/// A node says that all up to an index is committed. What is news goes into the ledger.
pub(super) fn check_commit(
    ledger: &mut Ledger,
    node: &Node,
    id: NodeId,
    said: HardState,
) -> Verdict {
    let known = said.commit.min(ledger.last());
    if known > node.log.base() {
        let ours = node.log.chain(known);
        let theirs = ledger.get(known).map(|known| known.mark.chain);
        demand(ours == theirs, Property::StateMachineSafety, || {
            difference(ledger, node, id, known)
        })?;
    }
    for index in ledger.last() + 1..=said.commit {
        let Some(mark) = node.log.mark(index) else {
            let what = format!(
                "n{id} says that {index} is committed, but its log ends at {}",
                node.log.last()
            );
            return Err(Violation::new(Property::StateMachineSafety, what));
        };
        ledger.push(Committed {
            mark,
            in_term: said.term,
        });
    }
    Ok(())
}

/// The first index at which a node's log differs from what is committed.
fn difference(ledger: &Ledger, node: &Node, id: NodeId, known: Index) -> String {
    let mut index = known;
    while index > node.log.base() + 1
        && node.log.chain(index - 1) != ledger.get(index - 1).map(|known| known.mark.chain)
    {
        index -= 1;
    }
    let theirs = ledger.get(index).map_or(0, |known| known.mark.term);
    match node.log.mark(index) {
        Some(ours) => format!(
            "n{id} commits its entry {index} of term {}, but another of term {theirs} was \
             committed there",
            ours.term
        ),
        None => format!("n{id} commits index {index}, which it does not have"),
    }
}

/// A node's state machine has gone through this chain.
pub(super) fn check_applied(ledger: &Ledger, id: NodeId, index: Index, chain: Chain) -> Verdict {
    let known = ledger.get(index).map(|known| known.mark.chain);
    demand(known == Some(chain), Property::StateMachineSafety, || {
        if known.is_none() {
            format!("n{id} applies index {index}, which nobody has committed")
        } else {
            format!("n{id} applies another entry at index {index}, or did so before")
        }
    })
}

/// A node takes a snapshot in the place of its log.
pub(super) fn check_snapshot(ledger: &Ledger, id: NodeId, snapshot: &Snapshot) -> Verdict {
    let (index, term) = (snapshot.index, snapshot.term);
    let known = ledger.get(index).map(|known| known.mark.term);
    demand(known == Some(term), Property::StateMachineSafety, || {
        format!(
            "n{id} takes a snapshot up to index {index} of term {term}, but there {} is committed",
            known.map_or("nothing".to_owned(), |term| format!(
                "an entry of term {term}"
            ))
        )
    })
}

#[cfg(test)]
mod tests {
    use super::super::witness::examples::{log, node};
    use super::*;

    fn says(commit: Index) -> HardState {
        HardState {
            term: 3,
            vote: None,
            commit,
        }
    }

    #[test]
    fn two_committed_entries_of_an_index_are_named() {
        let mut ledger = Ledger::of(&log(&[1, 1]), 1);
        check_commit(&mut ledger, &node(&[1, 1, 2]), 1, says(3)).unwrap();
        assert_eq!(ledger.last(), 3);
        let violation = check_commit(&mut ledger, &node(&[1, 3, 3]), 2, says(3)).unwrap_err();
        assert_eq!(violation.property, Property::StateMachineSafety);
        assert!(
            violation
                .what
                .starts_with("n2 commits its entry 2 of term 3"),
            "{violation}"
        );
        assert!(check_commit(&mut ledger, &node(&[1, 1, 2]), 1, says(4)).is_err());
    }

    #[test]
    fn applying_what_is_not_committed_is_named() {
        let (ours, other) = (log(&[1, 1]), log(&[1, 2]));
        let ledger = Ledger::of(&ours, 1);
        let chain = |of: &super::super::witness::Log| of.chain(2).unwrap();
        check_applied(&ledger, 1, 2, chain(&ours)).unwrap();
        let violation = check_applied(&ledger, 1, 2, chain(&other)).unwrap_err();
        assert!(violation.what.contains("another entry at index 2"));
        let violation = check_applied(&ledger, 1, 3, chain(&ours)).unwrap_err();
        assert!(violation.what.contains("nobody has committed"));
    }

    #[test]
    fn a_snapshot_of_what_was_not_committed_is_named() {
        let ledger = Ledger::of(&log(&[1, 1]), 1);
        let snapshot = |index, term| Snapshot {
            index,
            term,
            ..Snapshot::default()
        };
        check_snapshot(&ledger, 3, &snapshot(2, 1)).unwrap();
        assert!(check_snapshot(&ledger, 3, &snapshot(2, 2)).is_err());
        assert!(check_snapshot(&ledger, 3, &snapshot(3, 1)).is_err());
    }
}
