//! Leader Completeness: "if a log entry is committed in a given term, then that entry will be
//! present in the logs of the leaders for all higher-numbered terms" (paper, figure 3).
//!
//! Looked at when a leader begins, and when something is committed while there is a leader of
//! a later term. The last entry is enough, since its chain vouches for those before.

use raft_kernel::{Index, NodeId};

use super::Verdict;
use super::ledger::Ledger;
use super::property::{Property, demand};
use super::witness::Node;

/// A node begins to lead.
pub(super) fn check_leader(ledger: &Ledger, node: &Node, id: NodeId) -> Verdict {
    let Some(term) = node.leads else {
        return Ok(());
    };
    holds(ledger, node, id, ledger.last_before(term))
}

/// Everything up to `index` is committed.
pub(super) fn check_commit(ledger: &Ledger, nodes: &[Node], index: Index) -> Verdict {
    let Some(committed) = ledger.get(index) else {
        return Ok(());
    };
    for (node, id) in nodes.iter().zip(1..) {
        // One that has not handed out anything as a leader is looked at when it does.
        let leads_later = node.leads == node.completed && node.leads > Some(committed.in_term);
        if leads_later {
            holds(ledger, node, id, index)?;
        }
    }
    Ok(())
}

fn holds(ledger: &Ledger, node: &Node, id: NodeId, index: Index) -> Verdict {
    // What a received snapshot holds is committed.
    if index <= node.log.base() {
        return Ok(());
    }
    let Some(committed) = ledger.get(index) else {
        return Ok(());
    };
    let found = node.log.mark(index);
    demand(
        found == Some(committed.mark),
        Property::LeaderCompleteness,
        || {
            let term = node.leads.unwrap_or(0);
            let has = match found {
                Some(found) => format!(
                    "has an entry of term {} there, or others before",
                    found.term
                ),
                None => format!("ends at {}", node.log.last()),
            };
            format!(
                "n{id} leads term {term} without the entry {index} of term {}, committed in term \
                 {}: its log {has}",
                committed.mark.term, committed.in_term
            )
        },
    )
}

#[cfg(test)]
mod tests {
    use super::super::witness::examples::{log, node};
    use super::*;

    fn leader(terms: &[u64], term: u64) -> Node {
        Node {
            leads: Some(term),
            completed: Some(term),
            ..node(terms)
        }
    }

    #[test]
    fn a_leader_without_a_committed_entry_is_named() {
        let ledger = Ledger::of(&log(&[1, 1, 2]), 2);
        check_leader(&ledger, &leader(&[1, 1, 2, 3], 3), 1).unwrap();
        let violation = check_leader(&ledger, &leader(&[1, 1, 3], 3), 2).unwrap_err();
        assert_eq!(violation.property, Property::LeaderCompleteness);
        assert!(
            violation
                .what
                .starts_with("n2 leads term 3 without the entry 3 of term 2"),
            "{violation}"
        );
        // Terms before that in which it was committed need not have it.
        check_leader(&ledger, &leader(&[1], 2), 2).unwrap();
    }

    #[test]
    fn a_commit_that_a_later_leader_lacks_is_named() {
        let ledger = Ledger::of(&log(&[1, 1, 2]), 2);
        let nodes = [leader(&[1, 1, 2], 2), leader(&[1, 1, 3], 3)];
        let violation = check_commit(&ledger, &nodes, 3).unwrap_err();
        assert_eq!(violation.property, Property::LeaderCompleteness);
    }
}
