//! The state that a node keeps: what must be on disk, what may be forgotten, and
//! the snapshot that stands for the beginning of the log.

use bytes::Bytes;

use crate::{Index, NodeId, Term};

/// What a node must never forget: figure 2 of the paper, "persistent state on all
/// servers", less the log itself.
///
/// Only `term` and `vote` are promises. `commit` is kept so that a restarted node
/// can apply at once what it already knows to be committed; the protocol would
/// learn it again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct HardState {
    /// The latest term that the node has seen.
    pub term: Term,
    /// Whom the node voted for in that term.
    pub vote: Option<NodeId>,
    /// The highest index known to be committed.
    pub commit: Index,
}

/// What a node may forget when it restarts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct SoftState {
    /// The leader of the current term, where the node knows of one.
    pub leader: Option<NodeId>,
    /// What the node is doing.
    pub role: Role,
}

/// The roles of section 5.1 of the paper, and the one that pre-vote adds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Role {
    /// Answers leaders and candidates, and waits.
    #[default]
    Follower,
    /// Asks whether it *could* win an election before it disturbs anyone with a new
    /// term (dissertation, section 9.6).
    PreCandidate,
    /// Asks for votes in a new term.
    Candidate,
    /// The one node of its term that may append to the log.
    Leader,
}

impl std::fmt::Display for Role {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Role::Follower => "follower",
            Role::PreCandidate => "pre-candidate",
            Role::Candidate => "candidate",
            Role::Leader => "leader",
        })
    }
}

/// Who takes part in the cluster, as a snapshot records it.
///
/// While a configuration is *joint* (dissertation, section 4.3) a decision needs a
/// majority of `voters` and a majority of `voters_outgoing`. Otherwise
/// `voters_outgoing` is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ConfState {
    /// The voters; of a joint configuration, the incoming ones.
    pub voters: Vec<NodeId>,
    /// The voters of the configuration that is being left.
    pub voters_outgoing: Vec<NodeId>,
    /// Nodes that receive the log and have no vote (dissertation, section 4.2.1).
    pub learners: Vec<NodeId>,
    /// Voters of the outgoing configuration that become learners when it is left.
    pub learners_next: Vec<NodeId>,
    /// Whether the leader leaves the joint configuration by itself.
    pub auto_leave: bool,
}

impl ConfState {
    /// A configuration of these voters and nobody else.
    pub fn of_voters(voters: impl IntoIterator<Item = NodeId>) -> Self {
        ConfState {
            voters: voters.into_iter().collect(),
            ..ConfState::default()
        }
    }

    /// Whether `id` takes part, in whatever way.
    pub fn contains(&self, id: NodeId) -> bool {
        [
            &self.voters,
            &self.voters_outgoing,
            &self.learners,
            &self.learners_next,
        ]
        .iter()
        .any(|ids| ids.contains(&id))
    }

    /// Whether nobody takes part: the configuration of a node that has yet to join.
    pub fn is_empty(&self) -> bool {
        self.voters.is_empty() && self.learners.is_empty()
    }
}

/// A state machine's state at one index of the log, standing for every entry up to
/// and including it (section 7 of the paper).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Snapshot {
    /// The last entry that the snapshot contains; 0 for no snapshot.
    pub index: Index,
    /// That entry's term.
    pub term: Term,
    /// The configuration as of that entry.
    pub conf_state: ConfState,
    /// The state machine's state, in whatever form it chose.
    pub data: Bytes,
}

impl Snapshot {
    /// Whether this is the snapshot of nothing, which stands for no entries.
    pub fn is_empty(&self) -> bool {
        self.index == 0
    }
}
