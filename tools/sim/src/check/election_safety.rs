//! Election Safety: "at most one leader can be elected in a given term" (paper, figure 3).
//!
//! A node leads once it says so, and whoever sends what only leaders send leads too. A node
//! that crashed must not lead the same term again: it may have forgotten what it sent.

use std::collections::BTreeMap;

use raft_kernel::{Message, MessageBody, NodeId, Term};

use super::Verdict;
use super::property::{Property, demand};

#[derive(Debug, Default)]
pub(super) struct ElectionSafety {
    /// The node that led each term, and which start of it.
    leaders: BTreeMap<Term, (NodeId, u32)>,
}

impl ElectionSafety {
    pub(super) fn len(&self) -> usize {
        self.leaders.len()
    }

    pub(super) fn leads(&mut self, id: NodeId, start: u32, term: Term) -> Verdict {
        let (first, first_start) = *self.leaders.entry(term).or_insert((id, start));
        demand(
            (first, first_start) == (id, start),
            Property::ElectionSafety,
            || {
                if first == id {
                    format!("n{id} leads term {term} again after a crash")
                } else {
                    format!("n{first} and n{id} both lead term {term}")
                }
            },
        )
    }

    pub(super) fn sent(&mut self, start: u32, message: &Message) -> Verdict {
        let leads = matches!(
            message.body,
            MessageBody::AppendEntries { .. }
                | MessageBody::Heartbeat { .. }
                | MessageBody::InstallSnapshot { .. }
        );
        if leads {
            self.leads(message.from, start, message.term)
        } else {
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_leaders_of_a_term_are_named() {
        let mut elections = ElectionSafety::default();
        elections.leads(1, 1, 5).unwrap();
        elections.leads(1, 1, 5).unwrap();
        let violation = elections.leads(3, 1, 5).unwrap_err();
        assert_eq!(violation.property, Property::ElectionSafety);
        assert_eq!(violation.what, "n1 and n3 both lead term 5");
    }

    #[test]
    fn a_leader_that_comes_back_into_its_term_is_named() {
        let mut elections = ElectionSafety::default();
        elections.leads(2, 1, 5).unwrap();
        let heartbeat = Message {
            from: 2,
            to: 1,
            term: 5,
            body: MessageBody::Heartbeat {
                commit: 0,
                read: None,
            },
        };
        let violation = elections.sent(2, &heartbeat).unwrap_err();
        assert_eq!(violation.what, "n2 leads term 5 again after a crash");
    }
}
