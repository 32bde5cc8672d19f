//! The configuration in force, the progress of everyone in it, and the votes of an
//! election.

use std::collections::BTreeMap;
use std::fmt;

use crate::progress::{InflightLimit, ProgressMap};
use crate::quorum::{JointConfig, NodeSet, VoteResult};
use crate::state::ConfState;
use crate::{Index, NodeId};

/// Who takes part, in the form that the protocol asks its questions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Configuration {
    /// The voters.
    pub voters: JointConfig,
    /// Nodes that receive the log and have no vote.
    pub learners: NodeSet,
    /// Outgoing voters that become learners when the joint configuration is left.
    pub learners_next: NodeSet,
    /// Whether the leader leaves the joint configuration by itself.
    pub auto_leave: bool,
}

impl Configuration {
    /// The same as a snapshot records it.
    pub fn conf_state(&self) -> ConfState {
        ConfState {
            voters: self.voters.incoming.as_slice().to_vec(),
            voters_outgoing: self.voters.outgoing.as_slice().to_vec(),
            learners: self.learners.as_slice().to_vec(),
            learners_next: self.learners_next.as_slice().to_vec(),
            auto_leave: self.auto_leave,
        }
    }
}

/// `voters=(1 2 3)&&(1) learners=(4) autoleave`, leaving out what is empty.
impl fmt::Display for Configuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |set: &NodeSet| {
            set.iter()
                .map(|id| id.to_string())
                .collect::<Vec<_>>()
                .join(" ")
        };
        write!(f, "voters=({})", list(&self.voters.incoming))?;
        if self.voters.is_joint() {
            write!(f, "&&({})", list(&self.voters.outgoing))?;
        }
        if !self.learners.is_empty() {
            write!(f, " learners=({})", list(&self.learners))?;
        }
        if !self.learners_next.is_empty() {
            write!(f, " learners_next=({})", list(&self.learners_next))?;
        }
        if self.auto_leave {
            f.write_str(" autoleave")?;
        }
        Ok(())
    }
}

/// A node's view of the cluster.
#[derive(Clone, Debug)]
pub(crate) struct Tracker {
    pub(crate) config: Configuration,
    pub(crate) progress: ProgressMap,
    pub(crate) inflight_limit: InflightLimit,
    votes: BTreeMap<NodeId, bool>,
}

impl Tracker {
    pub(crate) fn new(inflight_limit: InflightLimit) -> Self {
        Tracker {
            config: Configuration::default(),
            progress: ProgressMap::default(),
            inflight_limit,
            votes: BTreeMap::new(),
        }
    }

    /// The highest index that enough voters hold.
    pub(crate) fn committed_index(&self) -> Index {
        self.config
            .voters
            .committed_index(|id| self.progress.get(id).map_or(0, |p| p.match_index))
    }

    pub(crate) fn reset_votes(&mut self) {
        self.votes.clear();
    }

    /// Counts what `id` said, once. Only voters are asked, so only voters count.
    pub(crate) fn record_vote(&mut self, id: NodeId, granted: bool) {
        if self.config.voters.contains(id) {
            self.votes.entry(id).or_insert(granted);
        }
    }

    pub(crate) fn has_voted(&self, id: NodeId) -> bool {
        self.votes.contains_key(&id)
    }

    pub(crate) fn vote_result(&self) -> VoteResult {
        self.config.voters.vote(|id| self.votes.get(&id).copied())
    }

    /// How many votes were given and how many refused.
    pub(crate) fn votes(&self) -> (usize, usize) {
        let granted = self.votes.values().filter(|granted| **granted).count();
        (granted, self.votes.len() - granted)
    }

    /// Whether enough voters were heard from since the last look.
    pub(crate) fn quorum_active(&self) -> bool {
        let active = |id| {
            self.progress
                .get(id)
                .map(|p| p.recently_active && !p.is_learner)
        };
        self.config.voters.vote(active) == VoteResult::Won
    }
}
