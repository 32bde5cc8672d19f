//! When a configuration takes effect, and what follows from it.
//!
//! Chapter 4 of the dissertation. There a change counts as soon as its entry is in the
//! log. Here, as in etcd, it counts once the entry is applied. Both are safe as long as
//! there is one change at a time, and the latter needs no way back when an entry is
//! overwritten.

use crate::conf_change::{self, Changer, ConfChange, Membership};
use crate::entry::Payload;
use crate::error::Error;
use crate::event::Event;
use crate::raft::Raft;
use crate::state::{ConfState, Role, Snapshot};
use crate::storage::Storage;
use crate::{Index, NodeId};

impl<S: Storage> Raft<S> {
    /// Makes a committed change take effect.
    pub(crate) fn apply_conf_change(&mut self, change: &ConfChange) -> Result<ConfState, Error> {
        let last_index = self.log.last_index();
        let outcome = Changer::new(&self.tracker, last_index).apply(change)?;
        self.switch_to(outcome)
    }

    /// Works under another configuration from here on.
    // ANCHOR: switch_to
    pub(crate) fn switch_to(&mut self, (config, progress): Membership) -> Result<ConfState, Error> {
        self.tracker.config = config;
        self.tracker.progress = progress;
        let config = &self.tracker.config;
        self.events
            .emit(|| Event::SwitchedConfiguration(config.clone()));
        let state = config.conf_state();

        if self.role != Role::Leader {
            return Ok(state);
        }
        let leads_as_voter = self
            .tracker
            .progress
            .get(self.id)
            .is_some_and(|own| !own.is_learner);
        if !leads_as_voter && self.step_down_on_removal {
            // Removed or demoted by its own change (dissertation, section 4.2.2).
            self.become_follower(self.term, None);
            return Ok(state);
        }
        self.answer_confirmed_reads();
        if self.maybe_commit()? {
            // Fewer voters may have made a majority of what was none.
            self.release_postponed_reads()?;
            self.broadcast_append()?;
        } else {
            // No need to let newcomers wait for the next proposal.
            for place in 0..self.tracker.progress.len() {
                if let Some(peer) = self.peer_at(place) {
                    self.send_missing(peer)?;
                }
            }
        }
        self.abort_transfer_to_non_voter();
        Ok(state)
    }
    // ANCHOR_END: switch_to

    /// Works under the configuration of a snapshot that is stored now.
    pub(crate) fn adopt_configuration_of(&mut self, snapshot: &Snapshot) -> Result<(), Error> {
        let limit = self.tracker.inflight_limit;
        let restored = conf_change::restore(&snapshot.conf_state, limit, snapshot.index)?;
        self.switch_to(restored).map(|_| ())
    }

    /// Applies the changes of the entries after `from` up to `to` once more, when a node
    /// starts again whose stored configuration is older than its state machine.
    pub(crate) fn replay_conf_changes(&mut self, from: Index, to: Index) -> Result<(), Error> {
        const PAGE: u64 = 1 << 20;
        let mut low = from.saturating_add(1).max(self.log.first_index()?);
        while low <= to {
            let page = self.log.slice(low, to + 1, PAGE)?;
            for change in page.iter().filter_map(|entry| entry.conf_change()) {
                // A change that could not be applied then cannot be now: every node
                // skipped it.
                match self.apply_conf_change(change) {
                    Ok(_) | Err(Error::ConfChange(_)) => {}
                    Err(error) => return Err(error),
                }
            }
            low += (page.len() as Index).max(1);
        }
        Ok(())
    }

    /// Everything up to `index` is applied, `bytes` of entries in all.
    pub(crate) fn applied_to(&mut self, index: Index, bytes: u64) -> Result<(), Error> {
        self.log.applied_to(index.max(self.log.applied()), bytes)?;
        self.leave_joint_automatically()
    }

    /// Proposes to leave a joint configuration that is to be left automatically. If that
    /// cannot be proposed now, it is tried again.
    // ANCHOR: leave_automatically
    pub(crate) fn leave_joint_automatically(&mut self) -> Result<(), Error> {
        let due = self.tracker.config.auto_leave
            && self.role == Role::Leader
            && self.log.applied() >= self.pending_conf_index;
        if !due {
            return Ok(());
        }
        match self.propose([Payload::from(ConfChange::leave_joint())]) {
            Ok(_) | Err(Error::ProposalDropped { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }
    // ANCHOR_END: leave_automatically

    /// Founds a cluster: as if everybody's first entries had added these voters.
    pub(crate) fn bootstrap(&mut self, founders: Vec<(NodeId, bytes::Bytes)>) -> Result<(), Error> {
        use crate::conf_change::Change;
        if self.log.last_index() != 0 || self.term != 0 || !self.tracker.progress.is_empty() {
            return Err(Error::AlreadyBootstrapped);
        }
        // Every founder must write the same entries, whatever order it was given.
        let mut founders = founders;
        founders.sort_by_key(|(id, _)| *id);
        if founders.is_empty() || founders.windows(2).any(|pair| pair[0].0 == pair[1].0) {
            return Err(Error::InvalidConfig(
                "founders must be given, each of them once".to_owned(),
            ));
        }
        if founders.iter().any(|(id, _)| *id == 0) {
            return Err(Error::InvalidConfig(
                "founder 0 stands for nobody".to_owned(),
            ));
        }
        self.become_follower(1, None);
        let changes: Vec<ConfChange> = founders
            .into_iter()
            .map(|(id, context)| ConfChange::single(Change::AddVoter(id)).with_context(context))
            .collect();
        let entries: Vec<_> = changes
            .iter()
            .zip(1..)
            .map(|(change, index)| crate::Entry {
                term: 1,
                index,
                payload: change.clone().into(),
            })
            .collect();
        self.log.append(entries.into())?;
        self.log.commit_to(changes.len() as Index)?;
        // The entries are handed out to be applied like any others. The node must know the
        // configuration at once all the same, or it could not stand for election.
        for change in &changes {
            self.apply_conf_change(change)?;
        }
        Ok(())
    }
}
