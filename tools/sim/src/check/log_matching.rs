//! Log Matching: "if two logs contain an entry with the same index and term, then the logs
//! are identical in all entries up through the given index" (paper, figure 3).

use raft_kernel::{Index, NodeId, Term};

use super::Verdict;
use super::property::{Property, demand};
use super::witness::{Chain, Mark};

#[derive(Debug, Default)]
pub(super) struct LogMatching {
    /// Of each index, what was ever written there: rarely more than one or two entries.
    written: Vec<Vec<(Term, Chain, NodeId)>>,
}

impl LogMatching {
    pub(super) fn written(&mut self, id: NodeId, index: Index, mark: Option<Mark>) -> Verdict {
        let Some(mark) = mark else {
            return Ok(());
        };
        let at = usize::try_from(index).unwrap_or(0);
        if self.written.len() <= at {
            self.written.resize_with(at + 1, Vec::new);
        }
        let known = &mut self.written[at];
        match known.iter().find(|(term, ..)| *term == mark.term) {
            None => {
                known.push((mark.term, mark.chain, id));
                Ok(())
            }
            Some((term, chain, first)) => {
                demand(*chain == mark.chain, Property::LogMatching, || {
                    format!(
                        "n{id} and n{first} have different entries at index {index} of term \
                         {term}, or before it"
                    )
                })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::witness::examples::log;
    use super::*;

    #[test]
    fn two_entries_of_an_index_and_a_term_are_named() {
        let mut matching = LogMatching::default();
        let (a, b) = (log(&[1, 2]), log(&[2, 2]));
        matching.written(1, 2, a.mark(2)).unwrap();
        matching.written(3, 2, a.mark(2)).unwrap();
        let violation = matching.written(2, 2, b.mark(2)).unwrap_err();
        assert_eq!(violation.property, Property::LogMatching);
        assert!(
            violation.what.contains("n2 and n1") && violation.what.contains("index 2 of term 2"),
            "{violation}"
        );
    }
}
