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
}

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
        }
    }

    /// Forgets every read: with its leader's term, its answer is lost.
    pub(crate) fn reset(&mut self) {
        self.waiting.clear();
        self.postponed.clear();
        self.acknowledged.clear();
        self.forwarded.clear();
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
    fn forward(&mut self, context: Bytes) -> ReadId {
        while self.forwarded.len() >= self.limit.max(1) {
            self.forwarded.pop_first();
        }
        let read = self.number();
        self.forwarded.insert(read, context);
        read
    }
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
        if self.read_mode == ReadMode::Lease || self.tracker.config.voters.is_singleton(self.id) {
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
    pub(crate) fn release_postponed_reads(&mut self) -> Result<(), Error> {
        if self.reads.postponed.is_empty() || !self.committed_in_own_term()? {
            return Ok(());
        }
        for origin in std::mem::take(&mut self.reads.postponed) {
            self.lead_read(origin)?;
        }
        Ok(())
    }

    /// A follower answered the heartbeat that named `read`, which vouches for every read
    /// before it too.
    pub(crate) fn acknowledge_read(&mut self, from: NodeId, read: ReadId) {
        let newest = self.reads.acknowledged.entry(from).or_insert(read);
        *newest = (*newest).max(read);
        let acknowledged = &self.reads.acknowledged;
        let confirmed = self.tracker.config.voters.committed_index(|id| {
            if id == self.id {
                u64::MAX
            } else {
                acknowledged.get(&id).map_or(0, |read| read.0)
            }
        });
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
