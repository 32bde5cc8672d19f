//! Configuration changes: what may be asked, and how one configuration becomes the
//! next.
//!
//! Dissertation, chapter 4. One voter added or removed at a time is a *simple*
//! change: any majority of the old configuration overlaps any majority of the new
//! one, so no decision can be taken twice (section 4.1). More than that goes through
//! a *joint* configuration, in which both majorities must agree (section 4.3).
//!
//! This module holds the rules only. When a change takes effect, and what a leader
//! does about it, is in `membership`.

use std::fmt;

use bytes::Bytes;

use crate::progress::{InflightLimit, Progress, ProgressMap};
use crate::quorum::JointConfig;
use crate::state::ConfState;
use crate::tracker::{Configuration, Tracker};
use crate::{Index, NodeId};

/// One step of a [`ConfChange`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Change {
    /// The node becomes a voter.
    AddVoter(NodeId),
    /// The node becomes a learner: it receives the log and has no vote.
    AddLearner(NodeId),
    /// The node takes part no longer.
    Remove(NodeId),
    /// The configuration stays as it is. The entry carries news about the node, a new
    /// address say, in the change's context.
    Update(NodeId),
}

impl Change {
    /// The node that the step is about.
    pub fn node(self) -> NodeId {
        match self {
            Change::AddVoter(id)
            | Change::AddLearner(id)
            | Change::Remove(id)
            | Change::Update(id) => id,
        }
    }
}

/// How a [`ConfChange`] gets from the old configuration to the new one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Transition {
    /// In one step where that is safe, else through a joint configuration that the
    /// leader leaves by itself.
    #[default]
    Auto,
    /// Always through a joint configuration, which the leader leaves by itself.
    JointImplicit,
    /// Always through a joint configuration, which stays until somebody proposes
    /// [`ConfChange::leave_joint`].
    JointExplicit,
}

/// A change of the configuration, to be proposed and agreed on like a command.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ConfChange {
    /// By which way.
    pub transition: Transition,
    /// The steps, all of which take effect at once. None means: leave the joint
    /// configuration.
    pub changes: Vec<Change>,
    /// Bytes for whoever applies the entry: a new node's address, for example.
    pub context: Bytes,
}

impl ConfChange {
    /// A change of a single step.
    pub fn single(change: Change) -> Self {
        ConfChange {
            changes: vec![change],
            ..ConfChange::default()
        }
    }

    /// The change that leaves a joint configuration.
    pub fn leave_joint() -> Self {
        ConfChange::default()
    }

    /// The same change with these bytes for whoever applies it.
    #[must_use]
    pub fn with_context(mut self, context: impl Into<Bytes>) -> Self {
        self.context = context.into();
        self
    }

    /// Whether this change leaves a joint configuration.
    pub fn is_leave_joint(&self) -> bool {
        self.changes.is_empty() && self.transition == Transition::Auto
    }

    /// What the change counts against the engine's limits, in bytes. Leaving a joint
    /// configuration counts nothing: it must never be refused for want of room.
    pub(crate) fn encoded_len(&self) -> u64 {
        const CHANGE: u64 = 9;
        (self.changes.len() as u64)
            .saturating_mul(CHANGE)
            .saturating_add(self.context.len() as u64)
    }

    /// Whether the change needs a joint configuration, and if so whether the leader
    /// leaves that by itself.
    fn joint(&self) -> Option<AutoLeave> {
        match self.transition {
            Transition::Auto if self.changes.len() <= 1 => None,
            Transition::Auto | Transition::JointImplicit => Some(AutoLeave::Yes),
            Transition::JointExplicit => Some(AutoLeave::No),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum AutoLeave {
    Yes,
    No,
}

/// Why a configuration change cannot be applied to the present configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfChangeError {
    /// There is no joint configuration to leave.
    NotJoint,
    /// The configuration is joint already; it must be left first.
    AlreadyJoint,
    /// A configuration without voters cannot be joint.
    NoVotersForJoint,
    /// A simple change would have to be made in a joint configuration.
    SimpleWhileJoint,
    /// More than one voter would change without a joint configuration.
    MoreThanOneVoter,
    /// Nobody would be left to vote.
    RemovesAllVoters,
    /// Node 0 does not exist.
    NodeZero,
    /// A stored or received [`ConfState`] contradicts itself.
    Contradiction,
}

impl fmt::Display for ConfChangeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ConfChangeError::NotJoint => "can't leave a non-joint config",
            ConfChangeError::AlreadyJoint => "config is already joint",
            ConfChangeError::NoVotersForJoint => "can't make a zero-voter config joint",
            ConfChangeError::SimpleWhileJoint => "can't apply simple config change in joint config",
            ConfChangeError::MoreThanOneVoter => {
                "more than one voter changed without entering joint config"
            }
            ConfChangeError::RemovesAllVoters => "removed all voters",
            ConfChangeError::NodeZero => "node id 0 does not exist",
            ConfChangeError::Contradiction => "a node is both a voter and a learner",
        })
    }
}

impl std::error::Error for ConfChangeError {}

/// A configuration with the progress of everyone in it.
pub(crate) type Membership = (Configuration, ProgressMap);

type Outcome = Result<Membership, ConfChangeError>;

/// Works out what a change makes of a [`Tracker`]'s configuration, without touching
/// the tracker.
pub(crate) struct Changer<'a> {
    tracker: &'a Tracker,
    last_index: Index,
}

impl<'a> Changer<'a> {
    /// `last_index` is where the log ends: a node that is new is first sent what follows.
    pub(crate) fn new(tracker: &'a Tracker, last_index: Index) -> Self {
        Changer {
            tracker,
            last_index,
        }
    }

    /// The configuration after `change`, by the way that it asks for.
    pub(crate) fn apply(&self, change: &ConfChange) -> Outcome {
        if change.is_leave_joint() {
            self.leave_joint()
        } else if let Some(auto_leave) = change.joint() {
            self.enter_joint(auto_leave == AutoLeave::Yes, &change.changes)
        } else {
            self.simple(&change.changes)
        }
    }

    /// At most one voter added or removed, and any number of learners.
    // ANCHOR: simple
    pub(crate) fn simple(&self, changes: &[Change]) -> Outcome {
        let (mut config, mut progress) = self.copy();
        if config.voters.is_joint() {
            return Err(ConfChangeError::SimpleWhileJoint);
        }
        self.apply_all(&mut config, &mut progress, changes)?;
        if config
            .voters
            .incoming
            .difference(&self.tracker.config.voters.incoming)
            > 1
        {
            return Err(ConfChangeError::MoreThanOneVoter);
        }
        checked(config, progress)
    }
    // ANCHOR_END: simple

    /// Any changes, both the old and the new voters deciding until the joint
    /// configuration is left.
    // ANCHOR: enter_joint
    pub(crate) fn enter_joint(&self, auto_leave: bool, changes: &[Change]) -> Outcome {
        let (mut config, mut progress) = self.copy();
        if config.voters.is_joint() {
            return Err(ConfChangeError::AlreadyJoint);
        }
        if config.voters.incoming.is_empty() {
            return Err(ConfChangeError::NoVotersForJoint);
        }
        config.voters.outgoing = config.voters.incoming.clone();
        self.apply_all(&mut config, &mut progress, changes)?;
        config.auto_leave = auto_leave;
        checked(config, progress)
    }
    // ANCHOR_END: enter_joint

    /// The old voters go; those among them that were to become learners do.
    pub(crate) fn leave_joint(&self) -> Outcome {
        let (mut config, mut progress) = self.copy();
        if !config.voters.is_joint() {
            return Err(ConfChangeError::NotJoint);
        }
        for id in std::mem::take(&mut config.learners_next).iter() {
            config.learners.insert(id);
            if let Some(peer) = progress.get_mut(id) {
                peer.is_learner = true;
            }
        }
        for id in std::mem::take(&mut config.voters.outgoing).iter() {
            if !config.voters.incoming.contains(id) && !config.learners.contains(id) {
                progress.remove(id);
            }
        }
        config.auto_leave = false;
        checked(config, progress)
    }

    fn copy(&self) -> Membership {
        (self.tracker.config.clone(), self.tracker.progress.clone())
    }

    fn apply_all(
        &self,
        config: &mut Configuration,
        progress: &mut ProgressMap,
        changes: &[Change],
    ) -> Result<(), ConfChangeError> {
        for change in changes {
            // Nobody has this id, so the step changes nothing. etcd blanks the id in a step that
            // its application refuses.
            if change.node() == 0 {
                continue;
            }
            match *change {
                Change::AddVoter(id) => self.make_voter(config, progress, id),
                Change::AddLearner(id) => self.make_learner(config, progress, id),
                Change::Remove(id) => remove(config, progress, id),
                Change::Update(_) => {}
            }
        }
        if config.voters.incoming.is_empty() {
            return Err(ConfChangeError::RemovesAllVoters);
        }
        Ok(())
    }

    fn make_voter(&self, config: &mut Configuration, progress: &mut ProgressMap, id: NodeId) {
        config.learners.remove(id);
        config.learners_next.remove(id);
        config.voters.incoming.insert(id);
        match progress.get_mut(id) {
            Some(peer) => peer.is_learner = false,
            None => {
                progress.insert(id, self.newcomer(false));
            }
        }
    }

    fn make_learner(&self, config: &mut Configuration, progress: &mut ProgressMap, id: NodeId) {
        let Some(known) = progress.get(id) else {
            config.learners.insert(id);
            progress.insert(id, self.newcomer(true));
            return;
        };
        if known.is_learner {
            return;
        }
        // Forget the node as a voter, but keep what is known of its log.
        let mut known = known.clone();
        remove(config, progress, id);
        if config.voters.outgoing.contains(id) {
            // It votes until the joint configuration is left: a node cannot be a voter
            // and a learner at once.
            config.learners_next.insert(id);
        } else {
            known.is_learner = true;
            config.learners.insert(id);
        }
        progress.insert(id, known);
    }

    fn newcomer(&self, is_learner: bool) -> Progress {
        let next = self.last_index.max(1);
        let mut peer = Progress::new(next, self.tracker.inflight_limit, is_learner);
        // A newcomer has had no chance to answer yet. Counted as silent, it could make a
        // leader that checks its quorum step down at once.
        peer.recently_active = true;
        peer
    }
}

fn remove(config: &mut Configuration, progress: &mut ProgressMap, id: NodeId) {
    config.voters.incoming.remove(id);
    config.learners.remove(id);
    config.learners_next.remove(id);
    // An outgoing voter still votes, so the leader must still know its progress.
    if !config.voters.outgoing.contains(id) {
        progress.remove(id);
    }
}

/// The configuration and progress that a snapshot or a stored state describes.
pub(crate) fn restore(
    state: &ConfState,
    inflight_limit: InflightLimit,
    last_index: Index,
) -> Outcome {
    let mut tracker = Tracker::new(inflight_limit);
    let ids = [
        &state.voters,
        &state.voters_outgoing,
        &state.learners,
        &state.learners_next,
    ];
    if ids.iter().any(|ids| ids.contains(&0)) {
        return Err(ConfChangeError::NodeZero);
    }
    tracker.config = Configuration {
        voters: JointConfig {
            incoming: state.voters.iter().copied().collect(),
            outgoing: state.voters_outgoing.iter().copied().collect(),
        },
        learners: state.learners.iter().copied().collect(),
        learners_next: state.learners_next.iter().copied().collect(),
        auto_leave: state.auto_leave,
    };
    let config = tracker.config.clone();
    let changer = Changer::new(&tracker, last_index);
    let mut progress = ProgressMap::default();
    for id in config.voters.ids().iter() {
        progress.insert(id, changer.newcomer(false));
    }
    for id in config.learners.iter() {
        if !progress.contains(id) {
            progress.insert(id, changer.newcomer(true));
        }
    }
    checked(config, progress)
}

/// Refuses a configuration that contradicts itself. Ours cannot, but one that was read
/// from a disk or came from a peer can.
fn checked(config: Configuration, progress: ProgressMap) -> Outcome {
    let learner_votes = config
        .learners
        .iter()
        .any(|id| config.voters.contains(id) || config.learners_next.contains(id));
    // Left, the configuration would have a voter that is a learner too.
    let stray_next = config
        .learners_next
        .iter()
        .any(|id| !config.voters.outgoing.contains(id) || config.voters.incoming.contains(id));
    let auto_leave_alone = config.auto_leave && !config.voters.is_joint();
    let no_incoming = config.voters.incoming.is_empty() && !config.voters.outgoing.is_empty();
    if learner_votes || stray_next || auto_leave_alone || no_incoming {
        return Err(ConfChangeError::Contradiction);
    }
    Ok((config, progress))
}
