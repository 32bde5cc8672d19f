//! What the engine did, as values. Text is one rendering of them; a test or a metric is
//! another.

use std::fmt;

use crate::progress::ProgressState;
use crate::state::Role;
use crate::tracker::Configuration;
use crate::{Index, NodeId, Term};

/// Something that happened inside a node. Printed, it is a line for a log.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// The node changed its role or its term.
    BecameRole {
        /// The role that it has now.
        role: Role,
        /// The term that it is in now.
        term: Term,
    },
    /// The node cannot stand for election now.
    CampaignRefused(CampaignRefusal),
    /// The node answered a request for its vote.
    Voted {
        /// Who asked.
        candidate: NodeId,
        /// The term that the candidate would lead.
        term: Term,
        /// Whether this was a pre-vote, which promises nothing.
        pre_vote: bool,
        /// Whether the candidate got it.
        granted: bool,
    },
    /// The node counted the votes that it has so far.
    CountedVotes {
        /// How many were given.
        granted: usize,
        /// How many were refused.
        refused: usize,
    },
    /// A voter ignored a candidate because it hears from a leader.
    IgnoredCandidate {
        /// Who asked.
        candidate: NodeId,
    },
    /// The leader did not hear from a majority in time.
    LostQuorum,
    /// A follower refused to append, because it lacks the entry before.
    RejectedAppend {
        /// The index at which it has no such entry.
        prev_index: Index,
    },
    /// The leader sends to a follower in another way now.
    FollowerProgress {
        /// The follower.
        follower: NodeId,
        /// The new way.
        state: ProgressState,
        /// The next entry that it will be sent.
        next: Index,
    },
    /// The leader sent a snapshot, since its log no longer reaches back far enough.
    SentSnapshot {
        /// To whom.
        follower: NodeId,
        /// Up to which entry.
        index: Index,
    },
    /// The node's log now begins after a snapshot that it received.
    RestoredSnapshot {
        /// The snapshot's last entry.
        index: Index,
        /// That entry's term.
        term: Term,
    },
    /// A received snapshot was of no use.
    IgnoredSnapshot {
        /// The snapshot's last entry.
        index: Index,
    },
    /// The node now works under this configuration.
    SwitchedConfiguration(Configuration),
    /// A proposed configuration change was impossible and became an empty entry.
    RefusedConfChange {
        /// The entry.
        index: Index,
        /// Why.
        why: &'static str,
    },
    /// An acknowledgement of a write was too old to count.
    IgnoredStaleAppend {
        /// The last index that it acknowledged.
        index: Index,
    },
    /// The leader began to move its leadership.
    TransferStarted {
        /// To this node.
        transferee: NodeId,
    },
    /// The leader gave up moving its leadership.
    TransferAborted {
        /// To this node.
        transferee: NodeId,
    },
    /// The node no longer believes in its leader.
    ForgotLeader {
        /// Which it was.
        leader: NodeId,
    },
}

/// Why a node did not stand for election.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CampaignRefusal {
    /// It leads already.
    AlreadyLeader,
    /// It is no voter of the configuration, or a snapshot waits to be applied.
    NotPromotable,
    /// A committed configuration change waits to be applied.
    UnappliedConfChange,
    /// It hears from a leader that may answer reads by a lease.
    HearsFromLeader,
    /// There is no further term to begin, or no index left for the entry that begins it.
    NoMoreTerms,
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Event::BecameRole { role, term } => write!(f, "became {role} at term {term}"),
            Event::CampaignRefused(why) => write!(f, "cannot campaign: {why}"),
            Event::Voted {
                candidate,
                term,
                pre_vote,
                granted,
            } => {
                let verb = if *granted { "gave" } else { "refused" };
                let what = if *pre_vote { "pre-vote" } else { "vote" };
                write!(f, "{verb} its {what} for term {term} to {candidate}")
            }
            Event::CountedVotes { granted, refused } => {
                write!(f, "has {granted} votes and {refused} refusals")
            }
            Event::IgnoredCandidate { candidate } => {
                write!(
                    f,
                    "ignored candidate {candidate}, since it hears from a leader"
                )
            }
            Event::LostQuorum => f.write_str("has not heard from a majority, steps down"),
            Event::RejectedAppend { prev_index } => {
                write!(f, "rejected an append: no such entry at index {prev_index}")
            }
            Event::FollowerProgress {
                follower,
                state,
                next,
            } => {
                let way = match state {
                    ProgressState::Probe => "probes",
                    ProgressState::Replicate => "replicates to",
                    ProgressState::Snapshot => "waits for a snapshot to reach",
                };
                write!(f, "{way} {follower}, next index {next}")
            }
            Event::SentSnapshot { follower, index } => {
                write!(f, "sent {follower} a snapshot up to index {index}")
            }
            Event::RestoredSnapshot { index, term } => {
                write!(f, "restored a snapshot up to index {index} of term {term}")
            }
            Event::IgnoredSnapshot { index } => {
                write!(f, "ignored a snapshot up to index {index}")
            }
            Event::SwitchedConfiguration(config) => {
                write!(f, "switched to configuration {config}")
            }
            Event::RefusedConfChange { index, why } => {
                write!(
                    f,
                    "refused the configuration change at index {index}: {why}"
                )
            }
            Event::IgnoredStaleAppend { index } => {
                write!(f, "ignored a late acknowledgement of index {index}")
            }
            Event::TransferStarted { transferee } => {
                write!(f, "transfers its leadership to {transferee}")
            }
            Event::TransferAborted { transferee } => {
                write!(f, "gave up transferring its leadership to {transferee}")
            }
            Event::ForgotLeader { leader } => write!(f, "forgot its leader {leader}"),
        }
    }
}

impl fmt::Display for CampaignRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            CampaignRefusal::AlreadyLeader => "it is the leader already",
            CampaignRefusal::NotPromotable => "it is not a voter, or a snapshot is to be applied",
            CampaignRefusal::UnappliedConfChange => {
                "a committed configuration change is to be applied first"
            }
            CampaignRefusal::HearsFromLeader => "a leader counts on it for its lease",
            CampaignRefusal::NoMoreTerms => "the term or the log can grow no further",
        })
    }
}

/// Where events go.
pub(crate) struct EventSink(Option<Box<dyn FnMut(Event) + Send>>);

impl EventSink {
    pub(crate) fn none() -> Self {
        EventSink(None)
    }

    pub(crate) fn new(sink: Box<dyn FnMut(Event) + Send>) -> Self {
        EventSink(Some(sink))
    }

    /// Passes an event on. It is made only when somebody listens.
    pub(crate) fn emit(&mut self, event: impl FnOnce() -> Event) {
        if let Some(sink) = &mut self.0 {
            sink(event());
        }
    }
}
