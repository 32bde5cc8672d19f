//! What a leader knows about a follower's log, and what it may send next.
//!
//! Section 5.3 of the paper keeps a `matchIndex` and a `nextIndex` for every
//! follower. The three states here say how bold the leader may be with them: *probe*
//! sends one message and waits, *replicate* sends ahead of the answers, *snapshot*
//! sends nothing until a snapshot has arrived or failed.

use std::fmt;

pub use crate::inflights::InflightLimit;
use crate::inflights::Inflights;
use crate::{Index, NodeId};

/// How a leader sends to a follower.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub enum ProgressState {
    /// The leader does not know where the follower's log ends: one message, then wait.
    #[default]
    Probe,
    /// The logs match so far: entries are sent before earlier ones are acknowledged.
    Replicate,
    /// The follower needs a snapshot, which is on its way.
    Snapshot,
}

/// A leader's view of one follower.
#[derive(Clone, Debug)]
pub struct Progress {
    /// The follower's log equals the leader's up to here, durably (`matchIndex`).
    /// Always less than `next`.
    pub match_index: Index,
    /// The next entry to send (`nextIndex`).
    pub next: Index,
    /// How the leader sends.
    pub state: ProgressState,
    /// In [`ProgressState::Snapshot`], the index of the snapshot that is on its way.
    pub pending_snapshot: Index,
    /// Whether anything was heard from the follower since the last look at the quorum.
    pub recently_active: bool,
    /// Whether the follower has no vote.
    pub is_learner: bool,
    /// Set when nothing more may be sent before an answer or a heartbeat's answer.
    pub(crate) paused_until_answer: bool,
    /// The highest commit index that is known to be on its way or there.
    pub(crate) sent_commit: Index,
    pub(crate) inflights: Inflights,
}

impl Progress {
    pub(crate) fn new(next: Index, limit: InflightLimit, is_learner: bool) -> Self {
        Progress {
            match_index: 0,
            next,
            state: ProgressState::Probe,
            pending_snapshot: 0,
            recently_active: false,
            is_learner,
            paused_until_answer: false,
            sent_commit: 0,
            inflights: Inflights::new(limit),
        }
    }

    /// Whether the leader must send no entries for now.
    pub fn is_paused(&self) -> bool {
        match self.state {
            ProgressState::Probe | ProgressState::Replicate => self.paused_until_answer,
            ProgressState::Snapshot => true,
        }
    }

    /// How many messages with entries are on their way and not yet acknowledged.
    pub fn inflight(&self) -> usize {
        self.inflights.count()
    }

    fn enter(&mut self, state: ProgressState) {
        self.state = state;
        self.paused_until_answer = false;
        self.pending_snapshot = 0;
        self.inflights.clear();
    }

    pub(crate) fn become_probe(&mut self) {
        // Where a snapshot was on its way, it may have arrived: probe behind it.
        let pending = self.pending_snapshot;
        self.enter(ProgressState::Probe);
        self.next = self.match_index.max(pending).saturating_add(1);
        self.sent_commit = self.sent_commit.min(self.next - 1);
    }

    pub(crate) fn become_replicate(&mut self) {
        self.enter(ProgressState::Replicate);
        self.next = self.match_index.saturating_add(1);
    }

    pub(crate) fn become_snapshot(&mut self, index: Index) {
        self.enter(ProgressState::Snapshot);
        self.pending_snapshot = index;
        self.next = index.saturating_add(1);
        self.sent_commit = index;
    }

    /// Entries up to `match_index` are acknowledged. Says whether that was news: an
    /// acknowledgement that was overtaken by a later one changes nothing.
    // ANCHOR: acknowledge
    pub(crate) fn acknowledge(&mut self, match_index: Index) -> bool {
        if match_index <= self.match_index {
            return false;
        }
        self.match_index = match_index;
        self.next = self.next.max(match_index.saturating_add(1));
        self.paused_until_answer = false;
        true
    }
    // ANCHOR_END: acknowledge

    /// The follower rejected an append after `rejected` and says that its log may match
    /// at `hint`. Moves `next` back, never behind what is acknowledged. Says whether
    /// the rejection was news, or an old one that arrived late.
    // ANCHOR: reject
    pub(crate) fn reject(&mut self, rejected: Index, hint: Index) -> bool {
        // What is acknowledged is rejected only by a message that arrives late, or by a follower
        // whose disk has lost it: to send it the same again would help neither.
        if rejected <= self.match_index {
            return false;
        }
        if self.state == ProgressState::Replicate {
            self.next = self.match_index + 1;
        } else {
            // A probe waits for its answer, so only the last one sent can be rejected.
            if self.next - 1 != rejected {
                return false;
            }
            self.next = rejected
                .min(hint.saturating_add(1))
                .max(self.match_index + 1);
            self.paused_until_answer = false;
        }
        self.sent_commit = self.sent_commit.min(self.next - 1);
        true
    }
    // ANCHOR_END: reject

    /// A message with `count` entries of `bytes` in all went out.
    // ANCHOR: sent_entries
    pub(crate) fn sent_entries(&mut self, count: usize, bytes: u64) {
        match self.state {
            ProgressState::Replicate => {
                if count > 0 {
                    self.next = self.next.saturating_add(count as u64);
                    self.inflights.add(self.next - 1, bytes);
                }
                // A message beyond a full window is a probe: it may be the one whose answer
                // shows that everything in the window was lost.
                self.paused_until_answer = self.inflights.is_full();
            }
            ProgressState::Probe => self.paused_until_answer |= count > 0,
            ProgressState::Snapshot => {}
        }
    }
    // ANCHOR_END: sent_entries

    /// Whether sending `commit` now tells the follower something that no message
    /// on its way does.
    pub(crate) fn can_advance_commit(&self, commit: Index) -> bool {
        commit > self.sent_commit && self.sent_commit < self.next - 1
    }
}

/// For monitors: what [`Progress`] tells in public, by name.
#[cfg(feature = "serde")]
impl serde::Serialize for Progress {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;
        let mut fields = serializer.serialize_struct("Progress", 8)?;
        fields.serialize_field("match_index", &self.match_index)?;
        fields.serialize_field("next", &self.next)?;
        fields.serialize_field("state", &self.state)?;
        fields.serialize_field("pending_snapshot", &self.pending_snapshot)?;
        fields.serialize_field("recently_active", &self.recently_active)?;
        fields.serialize_field("is_learner", &self.is_learner)?;
        fields.serialize_field("paused", &self.is_paused())?;
        fields.serialize_field("inflight", &self.inflight())?;
        fields.end()
    }
}

/// Everybody's progress, in the order of their ids.
///
/// A cluster is small and is walked often: a sorted list beats a tree.
#[derive(Clone, Debug, Default)]
pub(crate) struct ProgressMap(Vec<(NodeId, Progress)>);

impl ProgressMap {
    fn place(&self, id: NodeId) -> Result<usize, usize> {
        self.0.binary_search_by_key(&id, |(id, _)| *id)
    }

    pub(crate) fn get(&self, id: NodeId) -> Option<&Progress> {
        self.0
            .iter()
            .find(|(other, _)| *other == id)
            .map(|(_, peer)| peer)
    }

    pub(crate) fn get_mut(&mut self, id: NodeId) -> Option<&mut Progress> {
        self.0
            .iter_mut()
            .find(|(other, _)| *other == id)
            .map(|(_, peer)| peer)
    }

    pub(crate) fn contains(&self, id: NodeId) -> bool {
        self.get(id).is_some()
    }

    pub(crate) fn insert(&mut self, id: NodeId, peer: Progress) {
        match self.place(id) {
            Ok(place) => self.0[place].1 = peer,
            Err(place) => self.0.insert(place, (id, peer)),
        }
    }

    pub(crate) fn remove(&mut self, id: NodeId) {
        if let Ok(place) = self.place(id) {
            self.0.remove(place);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The id at a place, for walking while the rest of the node changes.
    pub(crate) fn id_at(&self, place: usize) -> Option<NodeId> {
        self.0.get(place).map(|(id, _)| *id)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (NodeId, &Progress)> {
        self.0.iter().map(|(id, peer)| (*id, peer))
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = (NodeId, &mut Progress)> {
        self.0.iter_mut().map(|(id, peer)| (*id, peer))
    }
}

/// One line, as it stands in a status report.
impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self.state {
            ProgressState::Probe => "StateProbe",
            ProgressState::Replicate => "StateReplicate",
            ProgressState::Snapshot => "StateSnapshot",
        };
        write!(f, "{state} match={} next={}", self.match_index, self.next)?;
        if self.is_learner {
            f.write_str(" learner")?;
        }
        if self.is_paused() {
            f.write_str(" paused")?;
        }
        if self.pending_snapshot > 0 {
            write!(f, " pendingSnap={}", self.pending_snapshot)?;
        }
        if !self.recently_active {
            f.write_str(" inactive")?;
        }
        if self.inflights.count() > 0 {
            write!(f, " inflight={}", self.inflights.count())?;
            if self.inflights.is_full() {
                f.write_str("[full]")?;
            }
        }
        Ok(())
    }
}
