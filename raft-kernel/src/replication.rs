//! Log replication, seen from the leader: what it sends, and what the answers mean.
//!
//! Section 5.3 of the paper; the commit rule is section 5.4.2, what pipelining adds is
//! section 10.2.2 of the dissertation.

use crate::config::{AppendMessages, ReadMode};
use crate::entry::{Entries, Entry, EntryId, Payload, payload_bytes};
use crate::error::Error;
use crate::event::Event;
use crate::message::{AppendOutcome, MessageBody, ReadId};
use crate::progress::ProgressState;
use crate::raft::Raft;
use crate::state::Role;
use crate::storage::Storage;
use crate::{Index, NodeId};

/// Whether a message without entries is worth sending.
#[derive(Clone, Copy, PartialEq, Eq)]
enum WhenEmpty {
    Send,
    SendNewCommit,
    Skip,
}

/// What a leader has to send with the next `Ready`.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Due {
    /// Its own acknowledgement of what it appended.
    own_acknowledgement: bool,
    /// News for the followers: entries, or the commit index.
    appends: bool,
    /// A round of heartbeats, for reads that wait for one.
    heartbeats: bool,
}

impl Due {
    pub(crate) fn anything(self) -> bool {
        self.own_acknowledgement || self.appends || self.heartbeats
    }
}

impl<S: Storage> Raft<S> {
    /// Appends payloads to the leader's own log as entries of its term.
    pub(crate) fn append_as_leader(&mut self, payloads: impl IntoIterator<Item = Payload>) {
        let term = self.term;
        for payload in payloads {
            let index = self.log.last_index() + 1;
            self.log.push(Entry {
                term,
                index,
                payload,
            });
        }
        match self.append_messages {
            AppendMessages::PerReady => self.due.own_acknowledgement = true,
            AppendMessages::PerProposal => self.acknowledge_own_entries(),
        }
    }

    /// The leader counts itself like a follower: when its own write is durable.
    fn acknowledge_own_entries(&mut self) {
        let outcome = AppendOutcome::Accepted {
            match_index: self.log.last_index(),
        };
        self.send(self.id, MessageBody::AppendEntriesResponse(outcome));
    }

    /// Sends everybody what they may have, or sees to it that this is done with the next
    /// `Ready`.
    pub(crate) fn broadcast_append(&mut self) -> Result<(), Error> {
        match self.append_messages {
            AppendMessages::PerReady => {
                self.due.appends = true;
                Ok(())
            }
            AppendMessages::PerProposal => self.send_to_all(WhenEmpty::Send),
        }
    }

    /// Sends what is due with a `Ready`.
    // ANCHOR: send_due
    pub(crate) fn send_due(&mut self) -> Result<(), Error> {
        if !self.due.anything() {
            return Ok(());
        }
        let due = std::mem::take(&mut self.due);
        if due.own_acknowledgement {
            self.acknowledge_own_entries();
        }
        if due.appends {
            self.send_to_all(WhenEmpty::SendNewCommit)?;
        }
        if due.heartbeats {
            self.broadcast_heartbeat();
        }
        Ok(())
    }
    // ANCHOR_END: send_due

    fn send_to_all(&mut self, when_empty: WhenEmpty) -> Result<(), Error> {
        for place in 0..self.tracker.progress.len() {
            if let Some(peer) = self.peer_at(place) {
                self.maybe_send_append(peer, when_empty)?;
            }
        }
        Ok(())
    }

    /// Sends what the follower lacks, or at least the commit index.
    pub(crate) fn send_append(&mut self, to: NodeId) -> Result<(), Error> {
        self.maybe_send_append(to, WhenEmpty::Send).map(|_| ())
    }

    /// Sends one message if the follower lacks entries.
    pub(crate) fn send_missing(&mut self, to: NodeId) -> Result<(), Error> {
        self.maybe_send_append(to, WhenEmpty::Skip).map(|_| ())
    }

    /// Sends what the follower lacks, message by message, until it has all or its window
    /// is full.
    pub(crate) fn send_appends(&mut self, to: NodeId) -> Result<(), Error> {
        while self.maybe_send_append(to, WhenEmpty::Skip)? {}
        Ok(())
    }

    /// Sends one message, and says whether it did.
    // ANCHOR: send_append
    fn maybe_send_append(&mut self, to: NodeId, when_empty: WhenEmpty) -> Result<bool, Error> {
        // ANCHOR: send_whether
        let Some(peer) = self.tracker.progress.get(to) else {
            return Ok(false);
        };
        if peer.is_paused() {
            return Ok(false);
        }
        let (next, prev_index, sent_commit) = (peer.next, peer.next - 1, peer.sent_commit);
        // Beyond a full window only an empty message goes. Without it, a follower whose
        // whole window was lost would never be sent anything again (trap 13).
        let full = peer.state == ProgressState::Replicate && peer.inflights.is_full();
        let commit = self.log.committed();
        let send_empty = match when_empty {
            WhenEmpty::Send => true,
            WhenEmpty::SendNewCommit => commit > sent_commit,
            WhenEmpty::Skip => false,
        };
        let has_entries = next <= self.log.last_index() && !full;
        if !has_entries && !send_empty {
            return Ok(false);
        }
        // ANCHOR_END: send_whether

        // ANCHOR: send_what
        let Some(prev_term) = self.log.term(prev_index)? else {
            return self.send_snapshot(to);
        };
        let entries = if has_entries {
            match self.log.entries_from(next, self.max_message_bytes)? {
                Some(entries) => entries,
                None => return self.send_snapshot(to),
            }
        } else {
            Entries::default()
        };
        let (count, bytes) = (entries.len(), payload_bytes(&entries));
        self.send(
            to,
            MessageBody::AppendEntries {
                prev_index,
                prev_term,
                commit,
                entries,
            },
        );
        if let Some(peer) = self.tracker.progress.get_mut(to) {
            peer.sent_entries(count, bytes);
            peer.sent_commit = commit;
        }
        Ok(true)
        // ANCHOR_END: send_what
    }
    // ANCHOR_END: send_append

    /// The log does not reach back to what the follower lacks: it needs the snapshot.
    // ANCHOR: send_snapshot
    fn send_snapshot(&mut self, follower: NodeId) -> Result<bool, Error> {
        let Some(peer) = self.tracker.progress.get_mut(follower) else {
            return Ok(false);
        };
        if !peer.recently_active {
            // A snapshot is large; first let the follower be heard from.
            return Ok(false);
        }
        let Some(snapshot) = self.log.snapshot()? else {
            return Ok(false);
        };
        if snapshot.is_empty() {
            return Err(Error::Invariant(
                "the log was compacted, but there is no snapshot",
            ));
        }
        let index = snapshot.index;
        peer.become_snapshot(index);
        self.events.emit(|| Event::SentSnapshot { follower, index });
        self.send(
            follower,
            MessageBody::InstallSnapshot {
                snapshot: Box::new(snapshot),
            },
        );
        Ok(true)
    }
    // ANCHOR_END: send_snapshot

    /// Sends a round of heartbeats for a read that waits for one, or sees to it that this
    /// is done with the next `Ready`: one round serves all reads before it.
    pub(crate) fn heartbeat_for_reads(&mut self) {
        match self.append_messages {
            AppendMessages::PerReady => self.due.heartbeats = true,
            AppendMessages::PerProposal => self.broadcast_heartbeat(),
        }
    }

    /// Says to everybody that the leader is there.
    // ANCHOR: heartbeat
    pub(crate) fn broadcast_heartbeat(&mut self) {
        self.due.heartbeats = false;
        let read = match self.read_mode {
            ReadMode::Safe => self.reads.newest(),
            ReadMode::Lease => Some(self.reads.begin_round()),
        };
        let committed = self.log.committed();
        for place in 0..self.tracker.progress.len() {
            let Some(to) = self.peer_at(place) else {
                continue;
            };
            let Some(peer) = self.tracker.progress.get_mut(to) else {
                continue;
            };
            // No further than what the follower is known to hold: its log may differ
            // beyond that (trap 7).
            let commit = peer.match_index.min(committed);
            peer.sent_commit = commit;
            self.send(to, MessageBody::Heartbeat { commit, read });
        }
    }
    // ANCHOR_END: heartbeat

    /// Commits what enough voters hold, and says whether that moved the commit index.
    ///
    /// Only an entry of the leader's own term is committed by counting; those before it
    /// are committed with it (paper, section 5.4.2 and figure 8, trap 1).
    // ANCHOR: maybe_commit
    pub(crate) fn maybe_commit(&mut self) -> Result<bool, Error> {
        let index = self.tracker.committed_index();
        if index <= self.log.committed()
            || !self.log.contains(EntryId {
                index,
                term: self.term,
            })?
        {
            return Ok(false);
        }
        self.log.commit_to(index)?;
        Ok(true)
    }
    // ANCHOR_END: maybe_commit

    /// Whether anything of this leader's own term is committed: only then does it know
    /// everything that is (paper, section 8).
    pub(crate) fn committed_in_own_term(&self) -> Result<bool, Error> {
        Ok(self.log.term(self.log.committed())? == Some(self.term))
    }

    /// A follower, or this node's own storage, answered an append.
    pub(crate) fn handle_append_response(
        &mut self,
        from: NodeId,
        outcome: AppendOutcome,
    ) -> Result<(), Error> {
        let Some(peer) = self.tracker.progress.get_mut(from) else {
            return Ok(());
        };
        peer.recently_active = true;
        match outcome {
            AppendOutcome::Accepted { match_index } => self.handle_accepted(from, match_index),
            AppendOutcome::Rejected {
                prev_index,
                hint_index,
                hint_term,
            } => {
                let hint = EntryId {
                    index: hint_index,
                    term: hint_term,
                };
                self.handle_rejected(from, prev_index, hint)
            }
        }
    }

    /// The follower's log differs at `prev_index`. Goes back to where the logs can match,
    /// skipping all entries of a term at once: the end of section 5.3 of the paper.
    fn handle_rejected(
        &mut self,
        follower: NodeId,
        prev_index: Index,
        hint: EntryId,
    ) -> Result<(), Error> {
        let probe = if hint.term > 0 {
            self.log.find_conflict_by_term(hint.index, hint.term)?.index
        } else {
            hint.index
        };
        let Some(peer) = self.tracker.progress.get_mut(follower) else {
            return Ok(());
        };
        if !peer.reject(prev_index, probe) {
            return Ok(());
        }
        if peer.state == ProgressState::Replicate {
            peer.become_probe();
        }
        self.announce_progress(follower);
        self.send_append(follower)
    }

    fn handle_accepted(&mut self, from: NodeId, match_index: Index) -> Result<(), Error> {
        let Some(peer) = self.tracker.progress.get_mut(from) else {
            return Ok(());
        };
        // ANCHOR: accepted_state
        // An answer that is no news still proves to a probing leader that the logs match.
        let matches_probe = peer.match_index == match_index && peer.state == ProgressState::Probe;
        if !peer.acknowledge(match_index) && !matches_probe {
            return Ok(());
        }
        let state = peer.state;
        let log_leads_on =
            state == ProgressState::Snapshot && peer.match_index + 1 >= self.log.first_index()?;
        match state {
            ProgressState::Probe => peer.become_replicate(),
            // Any acknowledgement from which the log leads on will do. Waiting for that of
            // the very snapshot could be for ever (trap 16).
            ProgressState::Snapshot if log_leads_on => {
                peer.become_probe();
                peer.become_replicate();
            }
            ProgressState::Snapshot => {}
            ProgressState::Replicate => peer.inflights.free_up_to(match_index),
        }
        // ANCHOR_END: accepted_state
        let lacks_commit = peer.can_advance_commit(self.log.committed());
        let lacks_entries = peer.next <= self.log.last_index();
        if state != ProgressState::Replicate {
            self.announce_progress(from);
        }
        // What is committed already cannot be committed by this.
        if match_index > self.log.committed() && self.maybe_commit()? {
            self.release_postponed_reads()?;
            self.broadcast_append()?;
        } else if from != self.id && lacks_commit {
            self.send_append(from)?;
        }
        if from != self.id {
            if lacks_entries {
                // The window may have room for several messages now.
                self.send_appends(from)?;
            }
            self.finish_transfer(from);
        }
        Ok(())
    }

    pub(crate) fn handle_heartbeat_response(
        &mut self,
        from: NodeId,
        read: Option<ReadId>,
    ) -> Result<(), Error> {
        let last_index = self.log.last_index();
        let Some(peer) = self.tracker.progress.get_mut(from) else {
            return Ok(());
        };
        peer.recently_active = true;
        peer.paused_until_answer = false;
        // The follower is there. If it lacks anything, or if the leader is not sure,
        // this is the moment to send.
        if peer.match_index < last_index || peer.state == ProgressState::Probe {
            self.send_append(from)?;
        }
        if let Some(read) = read {
            self.acknowledge_read(from, read);
        }
        Ok(())
    }

    /// The caller could not deliver something to `follower`. What was sent ahead may be
    /// lost, so the leader goes back to probing.
    pub(crate) fn report_unreachable(&mut self, follower: NodeId) {
        if self.role != Role::Leader {
            return;
        }
        if let Some(peer) = self.tracker.progress.get_mut(follower)
            && peer.state == ProgressState::Replicate
        {
            peer.become_probe();
            self.announce_progress(follower);
        }
    }

    /// The caller's transport says what became of a snapshot.
    pub(crate) fn report_snapshot(&mut self, follower: NodeId, arrived: bool) {
        if self.role != Role::Leader {
            return;
        }
        let Some(peer) = self.tracker.progress.get_mut(follower) else {
            return;
        };
        if peer.state != ProgressState::Snapshot {
            return;
        }
        if !arrived {
            peer.pending_snapshot = 0;
        }
        peer.become_probe();
        // Wait for the follower to say that it applied the snapshot, or, if it never
        // arrived, for its next sign of life.
        peer.paused_until_answer = true;
        self.announce_progress(follower);
    }

    fn announce_progress(&mut self, follower: NodeId) {
        if let Some(peer) = self.tracker.progress.get(follower) {
            let (state, next) = (peer.state, peer.next);
            self.events.emit(|| Event::FollowerProgress {
                follower,
                state,
                next,
            });
        }
    }
}
