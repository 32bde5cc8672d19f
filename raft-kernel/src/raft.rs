//! One node's part of the protocol: its state, and how time and messages change it.
//!
//! Figure 2 of the paper. This module has what every role shares: the rule about terms
//! ("if a message's term is greater, become a follower") and the way to the module
//! that knows the rest. Nothing here does I/O; [`ready`](crate::ready) collects what the
//! caller is to do.

use crate::conf_change;
use crate::config::{AppendMessages, Config, ReadMode, StorageWrites};
use crate::election::{ElectionTimeout, vote_response};
use crate::error::{DropReason, Error};
use crate::event::{Event, EventSink};
use crate::log::{RaftLog, storage_failed};
use crate::message::{AppendOutcome, Message, MessageBody, ReadState};
use crate::progress::Progress;
use crate::reads::Reads;
use crate::replication::Due;
use crate::state::{HardState, Role, SoftState};
use crate::storage::Storage;
use crate::tracker::Tracker;
use crate::{Index, NodeId, Term};

/// The state of one node (paper, figure 2, "State").
#[allow(clippy::struct_excessive_bools)] // Each is one switch of `Config`.
pub(crate) struct Raft<S> {
    pub(crate) id: NodeId,
    pub(crate) term: Term,
    pub(crate) vote: Option<NodeId>,
    pub(crate) role: Role,
    pub(crate) leader: Option<NodeId>,
    pub(crate) log: RaftLog<S>,
    pub(crate) tracker: Tracker,

    /// Messages that may go at once.
    pub(crate) messages: Vec<Message>,
    /// Messages that promise something, and wait until what they promise is durable.
    /// Those to this node itself are among them.
    pub(crate) messages_after_append: Vec<Message>,
    /// Reads that may be answered.
    pub(crate) read_states: Vec<ReadState>,

    /// Ticks since a leader was heard from; on a leader, since it last looked at its quorum.
    pub(crate) election_elapsed: u32,
    heartbeat_elapsed: u32,
    pub(crate) election_timeout: ElectionTimeout,

    /// The node that leadership is being moved to.
    pub(crate) transferee: Option<NodeId>,
    /// No configuration change may be proposed before this index is applied.
    pub(crate) pending_conf_index: Index,
    /// The bytes of payloads that this leader took and that are not applied yet.
    pub(crate) uncommitted_bytes: u64,
    /// What is due to be sent with the next `Ready`, unless each append goes by itself.
    pub(crate) due: Due,
    pub(crate) reads: Reads,
    pub(crate) events: EventSink,

    heartbeat_ticks: u32,
    pub(crate) append_messages: AppendMessages,
    pub(crate) max_message_bytes: u64,
    pub(crate) max_uncommitted_bytes: u64,
    pub(crate) storage_writes: StorageWrites,
    pub(crate) read_mode: ReadMode,
    pub(crate) check_quorum: bool,
    pub(crate) pre_vote: bool,
    pub(crate) forward_proposals: bool,
    pub(crate) validate_conf_changes: bool,
    pub(crate) step_down_on_removal: bool,
}

impl<S: Storage> Raft<S> {
    pub(crate) fn new(config: &Config, storage: S, events: EventSink) -> Result<Self, Error> {
        config.validate()?;
        let initial = storage.initial_state().map_err(storage_failed)?;
        let log = RaftLog::new(storage, config.max_applying_bytes)?;
        let mut election_timeout =
            ElectionTimeout::new(config.election_ticks, config.seed, config.id);
        let reads = Reads::new(config.max_pending_reads, election_timeout.number());
        let mut raft = Raft {
            id: config.id,
            term: initial.hard_state.term,
            vote: initial.hard_state.vote,
            role: Role::Follower,
            leader: None,
            log,
            tracker: Tracker::new(config.inflight),
            messages: Vec::new(),
            messages_after_append: Vec::new(),
            read_states: Vec::new(),
            election_elapsed: 0,
            heartbeat_elapsed: 0,
            election_timeout,
            transferee: None,
            pending_conf_index: 0,
            uncommitted_bytes: 0,
            due: Due::default(),
            reads,
            events,
            heartbeat_ticks: config.heartbeat_ticks,
            append_messages: config.append_messages,
            max_message_bytes: config.max_message_bytes,
            max_uncommitted_bytes: config.max_uncommitted_bytes,
            storage_writes: config.storage_writes,
            read_mode: config.reads,
            check_quorum: config.check_quorum,
            pre_vote: config.pre_vote,
            forward_proposals: config.forward_proposals,
            validate_conf_changes: config.validate_conf_changes,
            step_down_on_removal: config.step_down_on_removal,
        };
        raft.restart(config.applied, &initial)?;
        Ok(raft)
    }

    /// Takes up the state that storage kept (paper, figure 2: "updated on stable storage
    /// before responding", so it is what was promised).
    // ANCHOR: restart
    fn restart(&mut self, applied: Index, initial: &crate::InitialState) -> Result<(), Error> {
        let last_index = self.log.last_index();
        let restored =
            conf_change::restore(&initial.conf_state, self.tracker.inflight_limit, last_index)?;
        self.switch_to(restored)?;
        if initial.hard_state.term > crate::MAX_TERM {
            return Err(Error::Invariant("the stored term is out of range"));
        }
        // A state machine that did not survive begins with the snapshot, which holds the
        // entries up to it, their configuration changes too, even where the log keeps them.
        let applied = match applied {
            0 => self.log.snapshot()?.map_or(0, |snapshot| snapshot.index),
            survived => survived,
        };
        if applied < initial.conf_index {
            return Err(Error::InvalidConfig(format!(
                "the state machine is at entry {applied}, but the storage's configuration is \
                 that of entry {}, so the changes in between would be made twice: begin with a \
                 snapshot (applied 0), or let the storage report its snapshot's configuration",
                initial.conf_index
            )));
        }
        // The stored commit index is a hint: it is written without waiting, so the log on
        // disk may be shorter or the state machine further (trap 10).
        self.log
            .commit_to(initial.hard_state.commit.min(last_index))?;
        self.log.commit_to(applied)?;
        self.log.applied_to(applied, 0)?;
        self.replay_conf_changes(initial.conf_index, applied)?;
        self.become_follower(self.term, None);
        Ok(())
    }
    // ANCHOR_END: restart

    pub(crate) fn hard_state(&self) -> HardState {
        HardState {
            term: self.term,
            vote: self.vote,
            commit: self.log.committed(),
        }
    }

    pub(crate) fn soft_state(&self) -> SoftState {
        SoftState {
            leader: self.leader,
            role: self.role,
        }
    }

    /// Forgets what belonged to the role and, in a new term, what belonged to the term.
    pub(crate) fn reset(&mut self, term: Term) {
        if self.term != term {
            self.term = term;
            self.vote = None;
        }
        self.leader = None;
        self.election_elapsed = 0;
        self.heartbeat_elapsed = 0;
        self.election_timeout.draw();
        self.abort_transfer();
        self.tracker.reset_votes();
        self.pending_conf_index = 0;
        self.uncommitted_bytes = 0;
        self.due = Due::default();
        self.reads.reset();
        let last_index = self.log.last_index();
        let limit = self.tracker.inflight_limit;
        for (id, peer) in self.tracker.progress.iter_mut() {
            *peer = Progress::new(last_index + 1, limit, peer.is_learner);
            if id == self.id {
                peer.match_index = last_index;
            }
        }
    }

    /// Sends what this node says in its own term.
    pub(crate) fn send(&mut self, to: NodeId, body: MessageBody) {
        // A forwarded request speaks for its sender, not for a term.
        let term = match body {
            MessageBody::Propose { .. } | MessageBody::ReadIndex { .. } => 0,
            _ => self.term,
        };
        self.send_at_term(to, term, body);
    }

    /// Sends what this node says about another term: in an election.
    // ANCHOR: send_at_term
    pub(crate) fn send_at_term(&mut self, to: NodeId, term: Term, body: MessageBody) {
        // A vote and an acknowledgement are promises, a refusal too: the sender must still
        // know of it after a crash. Trap 5: a message of these kinds that goes before the
        // write breaks election safety or loses entries.
        let list = match body {
            MessageBody::RequestVoteResponse { .. }
            | MessageBody::RequestPreVoteResponse { .. }
            | MessageBody::AppendEntriesResponse(_) => &mut self.messages_after_append,
            _ => &mut self.messages,
        };
        let from = self.id;
        list.push(Message {
            from,
            to,
            term,
            body,
        });
    }
    // ANCHOR_END: send_at_term

    // ANCHOR: tick
    /// One unit of the caller's time passes.
    pub(crate) fn tick(&mut self) -> Result<(), Error> {
        self.election_elapsed = self.election_elapsed.saturating_add(1);
        if self.role == Role::Leader {
            self.tick_as_leader()
        } else if self.promotable() && self.election_elapsed >= self.election_timeout.drawn() {
            self.election_elapsed = 0;
            self.hup(false)
        } else {
            Ok(())
        }
    }

    fn tick_as_leader(&mut self) -> Result<(), Error> {
        self.heartbeat_elapsed += 1;
        self.reads.tick();
        if self.election_elapsed >= self.election_timeout.base() {
            self.election_elapsed = 0;
            if self.check_quorum {
                self.step_down_without_quorum();
            }
            // A transfer that took this long has failed; proposals may come again, and so may
            // the one that a transfer kept the leader from making (trap 23).
            self.abort_transfer();
            self.leave_joint_automatically()?;
        }
        if self.role == Role::Leader && self.heartbeat_elapsed >= self.heartbeat_ticks {
            self.heartbeat_elapsed = 0;
            self.broadcast_heartbeat();
        }
        Ok(())
    }
    // ANCHOR_END: tick

    fn step_down_without_quorum(&mut self) {
        if let Some(own) = self.tracker.progress.get_mut(self.id) {
            own.recently_active = true;
        }
        if !self.tracker.quorum_active() {
            self.events.emit(|| Event::LostQuorum);
            self.become_follower(self.term, None);
        }
        for (id, peer) in self.tracker.progress.iter_mut() {
            peer.recently_active = id == self.id;
        }
    }

    /// Takes a message that passed [`check`](crate::check).
    pub(crate) fn step(&mut self, message: Message) -> Result<(), Error> {
        if message.term > self.term {
            if !self.meet_newer_term(&message) {
                return Ok(());
            }
        } else if message.term < self.term && message.term != 0 {
            self.answer_older_term(&message);
            return Ok(());
        }
        if let Some((last, pre_vote)) = Self::candidate_last(&message.body) {
            return self.answer_vote_request(&message, last, pre_vote);
        }
        match self.role {
            Role::Leader => self.step_as_leader(message),
            Role::Candidate | Role::PreCandidate => self.step_as_candidate(message),
            Role::Follower => self.step_as_follower(message),
        }
    }

    // ANCHOR: newer_term
    /// "If RPC request or response contains term T > currentTerm: set currentTerm = T,
    /// convert to follower" (paper, figure 2). Says whether the message is to be read on.
    fn meet_newer_term(&mut self, message: &Message) -> bool {
        use MessageBody as Body;
        match message.body {
            Body::RequestVote {
                transfer: false, ..
            }
            | Body::RequestPreVote { .. }
                if self.in_lease() =>
            {
                let candidate = message.from;
                self.events.emit(|| Event::IgnoredCandidate { candidate });
                return false;
            }
            // A pre-vote asks about a term that nobody has begun, and a granted answer
            // speaks of the same one: neither is a newer term.
            Body::RequestPreVote { .. } | Body::RequestPreVoteResponse { granted: true } => {}
            // These only a leader sends.
            Body::AppendEntries { .. } | Body::Heartbeat { .. } | Body::InstallSnapshot { .. } => {
                self.become_follower(message.term, Some(message.from));
            }
            _ => self.become_follower(message.term, None),
        }
        true
    }
    // ANCHOR_END: newer_term

    /// A message of an older term is void. Two kinds are answered all the same, so that
    /// their sender learns of the newer term instead of being ignored for ever.
    // ANCHOR: older_term
    fn answer_older_term(&mut self, message: &Message) {
        // This node's own candidacies do not reach everybody: its configuration may be an old
        // one. Whoever is not in it can learn of the newer term in no other way.
        let is_stranger = !self.tracker.config.voters.contains(message.from);
        match message.body {
            // A leader that was cut off, and voters that ignore candidates while they hear
            // from it, or a node that may not stand for election: only this answer ends
            // that leader's term (trap 28). Elsewhere the next candidate does.
            MessageBody::AppendEntries { .. } | MessageBody::Heartbeat { .. }
                if self.check_quorum || self.pre_vote || !self.promotable() || is_stranger =>
            {
                self.send(
                    message.from,
                    MessageBody::AppendEntriesResponse(AppendOutcome::Accepted { match_index: 0 }),
                );
            }
            // Two candidates that do not ask each other could go on for ever, the one with the
            // more complete log always behind. Somebody who was removed is not helped along.
            MessageBody::RequestVote { .. } if is_stranger && self.leader.is_none() => {
                self.send(message.from, vote_response(false, false));
            }
            // A pre-candidate whose log is the most complete but whose term is behind would
            // otherwise never get a vote, nor a term (trap 27).
            MessageBody::RequestPreVote { .. } => {
                self.send(message.from, vote_response(true, false));
            }
            _ => {}
        }
    }
    // ANCHOR_END: older_term

    fn step_as_candidate(&mut self, message: Message) -> Result<(), Error> {
        use MessageBody as Body;
        match message.body {
            Body::AppendEntries { .. } | Body::Heartbeat { .. } | Body::InstallSnapshot { .. } => {
                // Somebody else won this term.
                self.become_follower(message.term, Some(message.from));
                self.step_as_follower(message)
            }
            Body::RequestVoteResponse { granted } if self.role == Role::Candidate => {
                self.count_vote(message.from, granted)
            }
            Body::RequestPreVoteResponse { granted } if self.role == Role::PreCandidate => {
                self.count_vote(message.from, granted)
            }
            Body::Propose { payloads } => Err(Error::ProposalDropped {
                reason: DropReason::NoLeader,
                payloads,
            }),
            _ => Ok(()),
        }
    }

    fn step_as_follower(&mut self, message: Message) -> Result<(), Error> {
        use MessageBody as Body;
        let from = message.from;
        match message.body {
            Body::AppendEntries {
                prev_index,
                prev_term,
                commit,
                entries,
            } => {
                self.hear_from_leader(from);
                let prev = crate::entry::EntryId {
                    index: prev_index,
                    term: prev_term,
                };
                self.handle_append(from, prev, commit, entries)
            }
            Body::Heartbeat { commit, read } => {
                self.hear_from_leader(from);
                self.log.commit_to(commit)?;
                self.send(from, Body::HeartbeatResponse { read });
                Ok(())
            }
            Body::InstallSnapshot { snapshot } => {
                self.hear_from_leader(from);
                self.handle_snapshot(from, *snapshot)
            }
            Body::TimeoutNow => self.hup(true),
            Body::Propose { payloads } => self.propose(payloads).map(|_| ()),
            Body::TransferLeader { transferee } => self.transfer_leader(transferee),
            Body::ReadIndexResponse { read, index } => {
                self.read_states.extend(self.reads.answered(read, index));
                Ok(())
            }
            Body::ReadIndex { read } => match self.leader {
                // Passed on as it is; the answer goes straight to the node that asked. That
                // one may lead by now, and has forgotten what it asked as a follower.
                Some(leader) if leader != from => {
                    self.messages.push(Message {
                        from,
                        to: leader,
                        term: 0,
                        body: Body::ReadIndex { read },
                    });
                    Ok(())
                }
                _ => Ok(()),
            },
            _ => Ok(()),
        }
    }

    fn hear_from_leader(&mut self, leader: NodeId) {
        self.election_elapsed = 0;
        self.leader = Some(leader);
    }

    fn step_as_leader(&mut self, message: Message) -> Result<(), Error> {
        use MessageBody as Body;
        let from = message.from;
        match message.body {
            Body::Propose { payloads } => self.propose(payloads).map(|_| ()),
            Body::ReadIndex { read } => self.lead_read(crate::reads::Origin::Remote { from, read }),
            Body::AppendEntriesResponse(outcome) => self.handle_append_response(from, outcome),
            Body::HeartbeatResponse { read } => self.handle_heartbeat_response(from, read),
            Body::TransferLeader { transferee } => self.transfer_leader(transferee),
            _ => Ok(()),
        }
    }

    /// The other node at this place of everybody's, or nobody if it is this node's own.
    pub(crate) fn peer_at(&self, place: usize) -> Option<NodeId> {
        let id = self.tracker.progress.id_at(place)?;
        (id != self.id).then_some(id)
    }
}
