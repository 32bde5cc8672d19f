//! From a client's wish to an entry in the leader's log.
//!
//! Section 5.3 of the paper: only the leader appends. A follower passes the wish on. What
//! cannot be taken is given back with the reason, so that nothing is lost in silence.

use crate::conf_change::ConfChange;
use crate::entry::Payload;
use crate::error::{DropReason, Error};
use crate::event::Event;
use crate::message::MessageBody;
use crate::raft::Raft;
use crate::state::Role;
use crate::storage::Storage;
use crate::{Index, NodeId, Term};

/// What became of a proposal that was taken. Neither says that it will be committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proposed {
    /// It is in this leader's log. If the entry that is applied at `index` has another
    /// term, another leader's entry took its place, and it must be proposed again.
    Appended {
        /// The leader's term.
        term: Term,
        /// The entry's index; of several, the first one's.
        index: Index,
    },
    /// It is on its way to the leader. It may be lost on that way.
    Forwarded {
        /// The leader.
        to: NodeId,
    },
}

/// One payload or many, without a list made for the one.
pub(crate) trait Payloads:
    AsRef<[Payload]> + AsMut<[Payload]> + IntoIterator<Item = Payload> + Into<Vec<Payload>>
{
}

impl Payloads for [Payload; 1] {}
impl Payloads for Vec<Payload> {}

fn total_len(payloads: &[Payload]) -> u64 {
    payloads
        .iter()
        .fold(0, |sum, payload| sum.saturating_add(payload.len()))
}

impl<S: Storage> Raft<S> {
    // ANCHOR: propose
    pub(crate) fn propose(&mut self, payloads: impl Payloads) -> Result<Proposed, Error> {
        match self.may_propose(payloads.as_ref()) {
            Ok(None) => self.propose_as_leader(payloads),
            Ok(Some(leader)) => {
                let payloads = payloads.into();
                self.send(leader, MessageBody::Propose { payloads });
                Ok(Proposed::Forwarded { to: leader })
            }
            Err(reason) => {
                let payloads = payloads.into();
                Err(Error::ProposalDropped { reason, payloads })
            }
        }
    }

    /// Whether the payloads can be taken: to be appended here, or to be passed on.
    fn may_propose(&self, payloads: &[Payload]) -> Result<Option<NodeId>, DropReason> {
        if payloads.is_empty() {
            return Err(DropReason::Nothing);
        }
        if self.role != Role::Leader {
            return match self.leader {
                // A candidate has no leader either.
                None => Err(DropReason::NoLeader),
                Some(_) if !self.forward_proposals => Err(DropReason::NotForwarding),
                Some(leader) => Ok(Some(leader)),
            };
        }
        if !self.tracker.progress.contains(self.id) {
            return Err(DropReason::NotAMember);
        }
        if self.transferee.is_some() {
            return Err(DropReason::TransferInProgress);
        }
        if self.log.last_index() > crate::MAX_INDEX - payloads.len() as Index {
            return Err(DropReason::Exhausted);
        }
        // What is empty always fits, and so does anything when nothing waits: a limit
        // must not refuse for ever (trap 18).
        let bytes = total_len(payloads);
        let waiting = self.uncommitted_bytes;
        if waiting > 0 && bytes > 0 && waiting.saturating_add(bytes) > self.max_uncommitted_bytes {
            return Err(DropReason::TooMuchUncommitted);
        }
        Ok(None)
    }

    fn propose_as_leader(&mut self, mut payloads: impl Payloads) -> Result<Proposed, Error> {
        let index = self.log.last_index() + 1;
        for (payload, index) in payloads.as_mut().iter_mut().zip(index..) {
            let Payload::ConfChange(change) = payload else {
                continue;
            };
            match self.conf_change_refusal(change) {
                Some(why) if self.validate_conf_changes => {
                    // An empty entry in its place: whoever waits for this index learns that
                    // the change did not happen (trap 22).
                    *payload = Payload::Empty;
                    self.events.emit(|| Event::RefusedConfChange { index, why });
                }
                _ => self.pending_conf_index = index,
            }
        }
        let bytes = total_len(payloads.as_ref());
        self.uncommitted_bytes = self.uncommitted_bytes.saturating_add(bytes);
        self.append_as_leader(payloads);
        self.broadcast_append()?;
        Ok(Proposed::Appended {
            term: self.term,
            index,
        })
    }
    // ANCHOR_END: propose

    /// Why a configuration change cannot be appended now.
    // ANCHOR: conf_change_refusal
    fn conf_change_refusal(&self, change: &ConfChange) -> Option<&'static str> {
        let is_joint = self.tracker.config.voters.is_joint();
        if self.pending_conf_index > self.log.applied() {
            Some("an earlier change is not applied yet")
        } else if is_joint && !change.is_leave_joint() {
            Some("the joint configuration must be left first")
        } else if !is_joint && change.is_leave_joint() {
            Some("there is no joint configuration to leave")
        } else {
            None
        }
    }
    // ANCHOR_END: conf_change_refusal
}
