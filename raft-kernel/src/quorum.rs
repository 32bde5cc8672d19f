//! Majorities: how many voters must agree, and on what.
//!
//! Section 5.4.2 of the paper counts replicas to find what is committed; section
//! 4.3 of the dissertation asks for two majorities at once while a configuration is
//! joint. Nothing here knows about logs or messages.

use crate::{Index, NodeId};

/// A sorted set of node ids. Sorted, so that whoever walks it walks in the same order
/// in every run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct NodeSet(Vec<NodeId>);

impl NodeSet {
    /// Whether nobody is in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many are in it.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether `id` is in it.
    pub fn contains(&self, id: NodeId) -> bool {
        self.0.binary_search(&id).is_ok()
    }

    /// Its members in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = NodeId> + '_ {
        self.0.iter().copied()
    }

    /// Its members in ascending order, as a slice.
    pub fn as_slice(&self) -> &[NodeId] {
        &self.0
    }

    pub(crate) fn insert(&mut self, id: NodeId) {
        if let Err(place) = self.0.binary_search(&id) {
            self.0.insert(place, id);
        }
    }

    pub(crate) fn remove(&mut self, id: NodeId) {
        if let Ok(place) = self.0.binary_search(&id) {
            self.0.remove(place);
        }
    }

    /// How many ids are in one of the two sets and not in the other.
    pub(crate) fn difference(&self, other: &NodeSet) -> usize {
        let missing_in = |a: &NodeSet, b: &NodeSet| a.iter().filter(|id| !b.contains(*id)).count();
        missing_in(self, other) + missing_in(other, self)
    }
}

impl FromIterator<NodeId> for NodeSet {
    fn from_iter<I: IntoIterator<Item = NodeId>>(ids: I) -> Self {
        let mut ids: Vec<_> = ids.into_iter().collect();
        ids.sort_unstable();
        ids.dedup();
        NodeSet(ids)
    }
}

/// How a vote stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VoteResult {
    /// A majority said yes.
    Won,
    /// A majority can no longer say yes.
    Lost,
    /// Neither yet.
    Pending,
}

// ANCHOR: majority
impl NodeSet {
    /// How many of the set make a majority.
    pub fn majority(&self) -> usize {
        self.len() / 2 + 1
    }

    /// How the vote stands when `vote_of` tells what each node said, if anything.
    /// Nobody to ask means that nobody objects.
    pub fn vote(&self, vote_of: impl Fn(NodeId) -> Option<bool>) -> VoteResult {
        if self.is_empty() {
            return VoteResult::Won;
        }
        let yes = self.iter().filter(|id| vote_of(*id) == Some(true)).count();
        let no = self.iter().filter(|id| vote_of(*id) == Some(false)).count();
        if yes >= self.majority() {
            VoteResult::Won
        } else if self.len() - no < self.majority() {
            VoteResult::Lost
        } else {
            VoteResult::Pending
        }
    }
    // ANCHOR_END: majority

    /// The highest index that a majority holds, when `match_of` tells up to where each
    /// node's log is known to be stored. Nobody to ask sets no bound.
    pub fn committed_index(&self, match_of: impl Fn(NodeId) -> Index) -> Index {
        /// Clusters up to this size are counted without an allocation.
        const USUAL: usize = 9;
        let count = self.len();
        if count == 0 {
            return Index::MAX;
        }
        let mut few = [0; USUAL];
        let mut many = Vec::new();
        let matches = if let Some(few) = few.get_mut(..count) {
            few
        } else {
            many.resize(count, 0);
            &mut many[..]
        };
        for (slot, id) in matches.iter_mut().zip(self.iter()) {
            *slot = match_of(id);
        }
        // In descending order, the majority-th node and all before it hold its index.
        matches.sort_unstable_by(|a, b| b.cmp(a));
        matches.get(self.majority() - 1).copied().unwrap_or(0)
    }
}

/// The voters: of an ordinary configuration, `incoming` alone; of a joint one, those
/// that are coming and those that are going.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct JointConfig {
    /// The voters of the configuration that is, or will be, in force.
    pub incoming: NodeSet,
    /// The voters of the configuration that is being left, or nobody.
    pub outgoing: NodeSet,
}

impl JointConfig {
    /// Whether two majorities are needed.
    pub fn is_joint(&self) -> bool {
        !self.outgoing.is_empty()
    }

    /// Whether `id` is a voter of either half.
    pub fn contains(&self, id: NodeId) -> bool {
        self.incoming.contains(id) || self.outgoing.contains(id)
    }

    /// Every voter once, in ascending order.
    pub fn ids(&self) -> NodeSet {
        self.incoming.iter().chain(self.outgoing.iter()).collect()
    }

    /// Whether `id` is the only voter there is. In a joint configuration it may be that of
    /// both halves.
    pub fn is_singleton(&self, id: NodeId) -> bool {
        self.incoming.as_slice() == [id] && (!self.is_joint() || self.outgoing.as_slice() == [id])
    }

    // ANCHOR: joint
    /// How the vote stands: both halves must win it, and either can lose it.
    pub fn vote(&self, vote_of: impl Fn(NodeId) -> Option<bool>) -> VoteResult {
        match (self.incoming.vote(&vote_of), self.outgoing.vote(&vote_of)) {
            (VoteResult::Won, VoteResult::Won) => VoteResult::Won,
            (VoteResult::Lost, _) | (_, VoteResult::Lost) => VoteResult::Lost,
            _ => VoteResult::Pending,
        }
    }

    /// The highest index that a majority of each half holds.
    pub fn committed_index(&self, match_of: impl Fn(NodeId) -> Index) -> Index {
        let index = self.incoming.committed_index(&match_of);
        if self.is_joint() {
            index.min(self.outgoing.committed_index(&match_of))
        } else {
            index
        }
    }
    // ANCHOR_END: joint
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(ids: &[NodeId]) -> NodeSet {
        ids.iter().copied().collect()
    }

    #[test]
    fn a_majority_is_more_than_half() {
        let sizes = [(1, 1), (2, 2), (3, 2), (4, 3), (5, 3), (6, 4), (7, 4)];
        for (size, majority) in sizes {
            assert_eq!(
                (1..=size).collect::<NodeSet>().majority(),
                majority,
                "of {size} voters"
            );
        }
    }

    #[test]
    fn a_vote_is_lost_as_soon_as_it_cannot_be_won() {
        let voters = set(&[1, 2, 3]);
        let refused_by = |no: &[NodeId]| voters.vote(|id| no.contains(&id).then_some(false));
        assert_eq!(refused_by(&[1]), VoteResult::Pending);
        assert_eq!(refused_by(&[1, 3]), VoteResult::Lost);
        // Of two voters, one refusal decides.
        assert_eq!(
            set(&[1, 2]).vote(|id| (id == 2).then_some(false)),
            VoteResult::Lost
        );
    }

    #[test]
    fn the_committed_index_is_held_by_a_majority() {
        let matches = |id| [0, 100, 101, 99, 7, 7][usize::try_from(id).unwrap()];
        assert_eq!(set(&[1]).committed_index(matches), 100);
        assert_eq!(set(&[1, 2]).committed_index(matches), 100);
        assert_eq!(set(&[1, 2, 3]).committed_index(matches), 100);
        assert_eq!(set(&[1, 2, 3, 4]).committed_index(matches), 99);
        assert_eq!(set(&[1, 2, 3, 4, 5]).committed_index(matches), 99);
    }

    #[test]
    fn more_voters_than_usual_are_counted_the_same_way() {
        let voters: NodeSet = (1..=31).collect();
        assert_eq!(voters.committed_index(|id| id), 16);
    }

    #[test]
    fn a_joint_decision_needs_both_majorities() {
        let joint = JointConfig {
            incoming: set(&[1, 2, 3]),
            outgoing: set(&[4, 5, 6]),
        };
        let yes_from = |yes: &[NodeId]| joint.vote(|id| yes.contains(&id).then_some(true));
        assert_eq!(yes_from(&[1, 2, 3]), VoteResult::Pending);
        assert_eq!(yes_from(&[1, 2, 4, 5]), VoteResult::Won);
        assert_eq!(joint.committed_index(|id| if id <= 3 { 10 } else { 4 }), 4);
    }

    #[test]
    fn an_empty_half_decides_nothing() {
        let simple = JointConfig {
            incoming: set(&[1, 2]),
            outgoing: set(&[]),
        };
        assert_eq!(simple.committed_index(|_| 5), 5);
        assert_eq!(simple.vote(|_| Some(true)), VoteResult::Won);
        assert!(!simple.is_joint());
    }
}
