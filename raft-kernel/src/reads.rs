//! Linearizable reads without an entry in the log.
//!
//! Section 6.4 of the dissertation. A leader remembers its commit index as the *read
//! index*, makes sure that it still leads, and answers: whoever has applied that index
//! may read. It makes sure by a round of heartbeats, or by its lease.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;

use crate::config::ReadMode;
use crate::error::{DropReason, Error};
use crate::message::{MessageBody, ReadId, ReadState};
use crate::raft::Raft;
use crate::state::Role;
use crate::storage::Storage;
use crate::{Index, NodeId};

/// Who asked.
#[derive(Debug)]
pub(crate) enum Origin {
    /// The caller, with these bytes to know the request by.
    Local(Bytes),
    /// Another node, which numbered the request.
    Remote {
        /// That node.
        from: NodeId,
        /// Its number.
        read: ReadId,
    },
}

/// A read that waits for a round of heartbeats.
#[derive(Debug)]
struct Waiting {
    read: ReadId,
    index: Index,
    origin: Origin,
}

/// The reads that a node has under way.
#[derive(Debug)]
pub(crate) struct Reads {
    limit: usize,
    /// Numbers are never used twice, so that an answer to an earlier request cannot be
    /// taken for one to a later request, whatever bytes the caller gave (trap 30).
    next: u64,
    /// On a leader: reads that wait for heartbeats to be answered, oldest first.
    waiting: VecDeque<Waiting>,
    /// On a leader: reads that wait until an entry of its own term is committed.
    postponed: VecDeque<Origin>,
    /// On a leader: the newest read that each follower has answered a heartbeat for.
    acknowledged: BTreeMap<NodeId, ReadId>,
    /// On a follower: what was passed on to the leader.
    forwarded: BTreeMap<ReadId, Bytes>,
    lease: Lease,
}

/// What a leader knows of its lease (dissertation, section 6.4.1).
///
/// A follower that has just heard from the leader votes for nobody else for an election
/// timeout. So the leader may lead for as long, counted from the *sending* of a round of
/// heartbeats that a majority answered.
#[derive(Debug, Default)]
struct Lease {
    /// Ticks since the node started.
    now: u64,
    /// The rounds that are not answered yet, and when they were sent.
    rounds: VecDeque<(ReadId, u64)>,
    /// When the newest round was sent that a majority has answered.
    start: Option<u64>,
    /// Set when the leader told another node to stand: that one waits for nobody.
    given_up: bool,
}

// ANCHOR: lease
impl Lease {
    /// Rounds that wait for their answers are remembered up to so many.
    const MAX_ROUNDS: usize = 64;

    /// Whether nobody else can have been elected, as long as ticks pass at the same speed.
    fn holds(&self, election_ticks: u32) -> bool {
        // Ticks of two nodes do not fall together: one of them is the margin.
        let held = |start: u64| self.now.saturating_sub(start) + 1 < u64::from(election_ticks);
        !self.given_up && self.start.is_some_and(held)
    }
}
// ANCHOR_END: lease

impl Reads {
    /// `start` is where the numbers begin; it should differ from one start of a node to
    /// the next.
    pub(crate) fn new(limit: usize, start: u64) -> Self {
        Reads {
            limit,
            // Half of all numbers are left to count up.
            next: start >> 1,
            waiting: VecDeque::new(),
            postponed: VecDeque::new(),
            acknowledged: BTreeMap::new(),
            forwarded: BTreeMap::new(),
            lease: Lease::default(),
        }
    }

    /// Time passes for the lease.
    pub(crate) fn tick(&mut self) {
        self.lease.now = self.lease.now.saturating_add(1);
    }

    /// Numbers a round of heartbeats like a read, so that its answers are known.
    pub(crate) fn begin_round(&mut self) -> ReadId {
        let round = self.number();
        if self.lease.rounds.len() >= Lease::MAX_ROUNDS {
            self.lease.rounds.pop_front();
        }
        self.lease.rounds.push_back((round, self.lease.now));
        round
    }

    /// The leader told another node to stand. The word may arrive late, so the lease does
    /// not come back in this term.
    pub(crate) fn give_lease_up(&mut self) {
        self.lease.given_up = true;
    }

    /// Forgets every read: with its leader's term, its answer is lost.
    pub(crate) fn reset(&mut self) {
        self.waiting.clear();
        self.postponed.clear();
        self.acknowledged.clear();
        self.forwarded.clear();
        self.lease = Lease {
            now: self.lease.now,
            ..Lease::default()
        };
    }

    fn number(&mut self) -> ReadId {
        self.next = self.next.wrapping_add(1);
        ReadId(self.next)
    }

    fn is_full(&self) -> bool {
        self.waiting.len() + self.postponed.len() >= self.limit
    }

    /// The newest read that waits for heartbeats.
    pub(crate) fn newest(&self) -> Option<ReadId> {
        self.waiting.back().map(|waiting| waiting.read)
    }

    /// The highest number that was given to any read.
    pub(crate) fn newest_number(&self) -> ReadId {
        ReadId(self.next)
    }

    /// The leader answered a read that this follower passed on.
    pub(crate) fn answered(&mut self, read: ReadId, index: Index) -> Option<ReadState> {
        self.forwarded
            .remove(&read)
            .map(|context| ReadState { index, context })
    }

    /// Remembers a read that is passed on. Where too many are, the oldest is forgotten:
    /// its answer has most likely been lost.
    // ANCHOR: forward
    fn forward(&mut self, context: Bytes) -> ReadId {
        while self.forwarded.len() >= self.limit.max(1) {
            self.forwarded.pop_first();
        }
        let read = self.number();
        self.forwarded.insert(read, context);
        read
    }
    // ANCHOR_END: forward
}

impl<S: Storage> Raft<S> {
    /// Asks for an index that is safe to read at.
    pub(crate) fn read_index(&mut self, context: Bytes) -> Result<(), Error> {
        if self.role == Role::Leader {
            return self.lead_read(Origin::Local(context));
        }
        let leader = self
            .leader
            .ok_or(Error::RequestDropped(DropReason::NoLeader))?;
        let read = self.reads.forward(context);
        self.send(leader, MessageBody::ReadIndex { read });
        Ok(())
    }

    /// A leader takes a read.
    // ANCHOR: lead_read
    pub(crate) fn lead_read(&mut self, origin: Origin) -> Result<(), Error> {
        if self.reads.is_full() {
            return Err(Error::RequestDropped(DropReason::TooManyReads));
        }
        if !self.committed_in_own_term()? {
            // It cannot know yet what the leaders before it committed (trap 29).
            self.reads.postponed.push_back(origin);
            return Ok(());
        }
        let index = self.log.committed();
        let leads_for_certain = self.tracker.config.voters.is_singleton(self.id)
            || (self.read_mode == ReadMode::Lease
                && self.reads.lease.holds(self.election_timeout.base()));
        if leads_for_certain {
            self.answer_read(origin, index);
            return Ok(());
        }
        let read = self.reads.number();
        self.reads.waiting.push_back(Waiting {
            read,
            index,
            origin,
        });
        self.heartbeat_for_reads();
        Ok(())
    }
    // ANCHOR_END: lead_read

    /// Takes up the reads that waited for an entry of the leader's own term.
    // ANCHOR: release
    pub(crate) fn release_postponed_reads(&mut self) -> Result<(), Error> {
        if self.reads.postponed.is_empty() || !self.committed_in_own_term()? {
            return Ok(());
        }
        for origin in std::mem::take(&mut self.reads.postponed) {
            self.lead_read(origin)?;
        }
        Ok(())
    }
    // ANCHOR_END: release

    /// A follower answered the heartbeat that named `read`, which vouches for every read
    /// before it too.
    pub(crate) fn acknowledge_read(&mut self, from: NodeId, read: ReadId) {
        let newest = self.reads.acknowledged.entry(from).or_insert(read);
        *newest = (*newest).max(read);
        self.answer_confirmed_reads();
    }

    /// Answers every read that enough voters have confirmed. To be looked at again when the
    /// configuration changes: nobody may be left who could answer one more heartbeat.
    // ANCHOR: confirmed
    pub(crate) fn answer_confirmed_reads(&mut self) {
        let acknowledged = &self.reads.acknowledged;
        let confirmed = self.tracker.config.voters.committed_index(|id| {
            if id == self.id {
                u64::MAX
            } else {
                acknowledged.get(&id).map_or(0, |read| read.0)
            }
        });
        let lease = &mut self.reads.lease;
        while let Some((round, sent)) = lease.rounds.front()
            && round.0 <= confirmed
        {
            lease.start = Some(*sent);
            lease.rounds.pop_front();
        }
        while self
            .reads
            .waiting
            .front()
            .is_some_and(|waiting| waiting.read.0 <= confirmed)
        {
            if let Some(waiting) = self.reads.waiting.pop_front() {
                self.answer_read(waiting.origin, waiting.index);
            }
        }
    }
    // ANCHOR_END: confirmed

    fn answer_read(&mut self, origin: Origin, index: Index) {
        match origin {
            Origin::Local(context) => self.read_states.push(ReadState { index, context }),
            Origin::Remote { from, read } => {
                self.send(from, MessageBody::ReadIndexResponse { read, index });
            }
        }
    }

    /// Stops believing in the leader, so that the node may vote for another at once.
    pub(crate) fn forget_leader(&mut self) {
        // Under a lease, the leader may answer reads because its followers believe in it.
        if self.role != Role::Follower || self.read_mode == ReadMode::Lease {
            return;
        }
        if let Some(leader) = self.leader.take() {
            self.events.emit(|| crate::Event::ForgotLeader { leader });
        }
    }
}
