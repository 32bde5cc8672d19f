//! Moving leadership to a chosen node without waiting for a timeout.
//!
//! Section 3.10 of the dissertation: the leader takes no more proposals, brings the
//! chosen node's log up to date, and tells it to stand for election at once.

use crate::NodeId;
use crate::error::{DropReason, Error};
use crate::event::Event;
use crate::message::MessageBody;
use crate::raft::Raft;
use crate::state::Role;
use crate::storage::Storage;

impl<S: Storage> Raft<S> {
    /// Moves leadership to `transferee`, or passes the wish on to the leader.
    pub(crate) fn transfer_leader(&mut self, transferee: NodeId) -> Result<(), Error> {
        if self.role != Role::Leader {
            let leader = self
                .leader
                .ok_or(Error::RequestDropped(DropReason::NoLeader))?;
            self.send(leader, MessageBody::TransferLeader { transferee });
            return Ok(());
        }
        let last_index = self.log.last_index();
        let Some(peer) = self
            .tracker
            .progress
            .get(transferee)
            .filter(|peer| !peer.is_learner)
        else {
            return Err(Error::CannotTransfer(transferee));
        };
        let up_to_date = peer.match_index == last_index;
        if self.transferee == Some(transferee) {
            return Ok(());
        }
        self.abort_transfer();
        if transferee == self.id {
            // Leadership stays: that takes an earlier wish back.
            return Ok(());
        }
        // A transfer is given one election timeout.
        self.election_elapsed = 0;
        self.transferee = Some(transferee);
        self.events.emit(|| Event::TransferStarted { transferee });
        if up_to_date {
            self.tell_to_stand(transferee);
            Ok(())
        } else {
            self.send_append(transferee)
        }
    }

    // ANCHOR: tell_to_stand
    /// Tells the chosen node to stand as soon as its log is complete.
    pub(crate) fn finish_transfer(&mut self, from: NodeId) {
        if self.transferee != Some(from) {
            return;
        }
        let last_index = self.log.last_index();
        let complete = self
            .tracker
            .progress
            .get(from)
            .is_some_and(|peer| peer.match_index == last_index);
        if complete {
            self.tell_to_stand(from);
        }
    }

    /// From here on another may lead without waiting for a timeout, so the lease ends.
    fn tell_to_stand(&mut self, transferee: NodeId) {
        self.reads.give_lease_up();
        self.send(transferee, MessageBody::TimeoutNow);
    }
    // ANCHOR_END: tell_to_stand

    /// Takes proposals again.
    pub(crate) fn abort_transfer(&mut self) {
        if let Some(transferee) = self.transferee.take() {
            self.events.emit(|| Event::TransferAborted { transferee });
        }
    }

    /// A node that has lost its vote cannot lead (trap 24).
    pub(crate) fn abort_transfer_to_non_voter(&mut self) {
        if self
            .transferee
            .is_some_and(|id| !self.tracker.config.voters.contains(id))
        {
            self.abort_transfer();
        }
    }
}
