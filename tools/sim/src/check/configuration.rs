//! Nodes that have applied the same entries work under the same configuration, and it changes
//! by what a majority of both the old and the new one can see (dissertation, section 4.1): by
//! one voter at a time, or into a joint configuration and out of it.

use std::collections::BTreeMap;
use std::fmt::Write;

use raft_kernel::{ConfState, Index, NodeId};

use super::property::{Property, demand};
use super::{FOUNDED, Verdict};

#[derive(Debug)]
pub(super) struct Configurations {
    /// The configuration as of each entry that changed it.
    since: BTreeMap<Index, ConfState>,
}

impl Configurations {
    pub(super) fn founded(conf_state: &ConfState) -> Self {
        Configurations {
            since: BTreeMap::from([(FOUNDED, conf_state.clone())]),
        }
    }

    /// A node's configuration after the change at `index`, and whether nobody had it before.
    pub(super) fn applied(
        &mut self,
        id: NodeId,
        index: Index,
        state: &ConfState,
    ) -> (Verdict, bool) {
        if let Some(known) = self.since.get(&index) {
            let verdict = demand(known == state, Property::Configuration, || {
                format!(
                    "n{id} has the configuration {} as of index {index}, another node {}",
                    words(state),
                    words(known)
                )
            });
            return (verdict, false);
        }
        let before = self.since.range(..index).next_back();
        let verdict = match before {
            Some((_, before)) => demand(overlap(before, state), Property::Configuration, || {
                format!(
                    "at index {index} n{id} goes from the configuration {} to {} in one step",
                    words(before),
                    words(state)
                )
            }),
            None => Ok(()),
        };
        self.since.insert(index, state.clone());
        (verdict, true)
    }
}

/// Whether every quorum of the one meets every quorum of the other.
fn overlap(before: &ConfState, after: &ConfState) -> bool {
    match (is_joint(before), is_joint(after)) {
        (false, false) => one_apart(&before.voters, &after.voters),
        (false, true) => same(&before.voters, &after.voters_outgoing),
        (true, false) => same(&before.voters, &after.voters),
        // Nothing but news about a node.
        (true, true) => {
            same(&before.voters, &after.voters)
                && same(&before.voters_outgoing, &after.voters_outgoing)
        }
    }
}

fn is_joint(state: &ConfState) -> bool {
    !state.voters_outgoing.is_empty()
}

fn same(a: &[NodeId], b: &[NodeId]) -> bool {
    a.len() == b.len() && a.iter().all(|id| b.contains(id))
}

fn one_apart(a: &[NodeId], b: &[NodeId]) -> bool {
    let only_in = |a: &[NodeId], b: &[NodeId]| a.iter().filter(|id| !b.contains(id)).count();
    only_in(a, b) + only_in(b, a) <= 1
}

fn words(state: &ConfState) -> String {
    let mut words = format!("{:?}", state.voters);
    if is_joint(state) {
        let _ = write!(words, "&&{:?}", state.voters_outgoing);
    }
    if !state.learners.is_empty() {
        let _ = write!(words, " learners {:?}", state.learners);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn voters(ids: impl IntoIterator<Item = NodeId>) -> ConfState {
        ConfState::of_voters(ids)
    }

    #[test]
    fn two_configurations_as_of_an_index_are_named() {
        let mut known = Configurations::founded(&voters(1..=3));
        assert_eq!(known.applied(1, 5, &voters(1..=4)), (Ok(()), true));
        assert_eq!(known.applied(2, 5, &voters(1..=4)), (Ok(()), false));
        let violation = known.applied(3, 5, &voters(1..=2)).0.unwrap_err();
        assert_eq!(violation.property, Property::Configuration);
        assert!(
            violation
                .what
                .starts_with("n3 has the configuration [1, 2]")
        );
    }

    #[test]
    fn a_step_whose_majorities_need_not_meet_is_named() {
        let founded = || Configurations::founded(&voters(1..=3));
        assert!(founded().applied(1, 5, &voters(1..=5)).0.is_err());
        assert!(founded().applied(1, 5, &voters(2..=4)).0.is_err());
        let joint = ConfState {
            voters_outgoing: vec![1, 2, 3],
            ..voters(4..=5)
        };
        let mut known = founded();
        known.applied(1, 5, &joint).0.unwrap();
        known.applied(1, 6, &voters(4..=5)).0.unwrap();
        let mut known = founded();
        known.applied(1, 5, &joint).0.unwrap();
        assert!(known.applied(1, 6, &voters(1..=3)).0.is_err());
    }
}
