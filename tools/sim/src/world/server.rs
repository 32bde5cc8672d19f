//! One node with all that a caller must bring: a disk, a state machine, a loop.
//!
//! A synchronous one does nothing else while a write is under way: what reaches it then waits
//! in its inbox, ticks too. An asynchronous one goes on.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use raft_kernel::{
    AppendAck, AppendMessages, AppendWork, ApplyWork, Bytes, ConfChange, Config, Error, Event,
    InflightLimit, MemoryStorage, Message, NodeId, RawNode, ReadMode, Ready, StorageWrites,
};

use super::disk::Disk;
use super::machine::Machine;
use crate::plan::{Moment, NodeSettings, Settings};
use crate::random::mix;

/// Something that reaches a node.
#[derive(Debug)]
pub(super) enum Input {
    Tick,
    Message { message: Message, sent: Moment },
    Write { client: u8, command: Bytes },
    Read { client: u8, context: Bytes },
    Change(ConfChange),
    Transfer(NodeId),
    Campaign,
    ForgetLeader,
    Unreachable(NodeId),
    Reported { about: NodeId, arrived: bool },
}

pub(super) struct Server {
    pub(super) id: NodeId,
    pub(super) settings: NodeSettings,
    pub(super) disk: Disk,
    /// `None` while it is down.
    pub(super) node: Option<RawNode<MemoryStorage>>,
    /// How often it was started.
    pub(super) start: u32,
    pub(super) machine: Machine,
    /// What waits for a synchronous node.
    pub(super) inbox: VecDeque<Input>,
    /// The `Ready` that a synchronous node is writing.
    pub(super) writing: Option<Ready>,
    /// What an asynchronous node's disk has to write; it is at the first.
    pub(super) appends: VecDeque<AppendWork>,
    /// Written, and the node not told yet.
    pub(super) acks: VecDeque<AppendAck>,
    pub(super) applies: VecDeque<ApplyWork>,
    /// Whether a turn of its loop is coming.
    pub(super) turn_is_due: bool,
    events: Arc<Mutex<Vec<Event>>>,
    spare: Vec<Event>,
}

impl Server {
    pub(super) fn new(id: NodeId, settings: NodeSettings, disk: Disk) -> Self {
        Server {
            id,
            settings,
            disk,
            node: None,
            start: 0,
            machine: Machine::default(),
            inbox: VecDeque::new(),
            writing: None,
            appends: VecDeque::new(),
            acks: VecDeque::new(),
            applies: VecDeque::new(),
            turn_is_due: false,
            events: Arc::default(),
            spare: Vec::new(),
        }
    }

    /// Whether it takes nothing now.
    pub(super) fn is_busy(&self) -> bool {
        self.writing.is_some()
    }

    /// Whether it runs, and is still the one that something was meant for.
    pub(super) fn runs(&self, start: u32) -> bool {
        self.node.is_some() && self.start == start
    }

    /// What its disk is writing.
    pub(super) fn under_way(&self) -> Option<&AppendWork> {
        let synchronous = self.writing.as_ref().map(|ready| &ready.append);
        synchronous.or_else(|| self.appends.front())
    }

    pub(super) fn forget_work(&mut self) {
        self.node = None;
        self.inbox.clear();
        self.writing = None;
        self.appends.clear();
        self.acks.clear();
        self.applies.clear();
        self.turn_is_due = false;
    }

    /// Starts it from its disk.
    pub(super) fn boot(&mut self, shared: &Settings, keeps_machine: bool) -> Result<(), Error> {
        let snapshot = self.disk.snapshot();
        if !keeps_machine || self.machine.applied < snapshot.index {
            self.machine = Machine::restored(&snapshot);
        }
        self.start += 1;
        let mut config = self.config(shared);
        config.applied = if keeps_machine {
            self.machine.applied
        } else {
            0
        };
        self.lock().clear();
        let events = Arc::clone(&self.events);
        let sink = move |event| {
            let mut events = events.lock().unwrap_or_else(PoisonError::into_inner);
            events.push(event);
        };
        let node = RawNode::with_events(&config, self.disk.written.clone(), sink)?;
        self.node = Some(node);
        Ok(())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Event>> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the engine said that it did, since this was asked last. Give the list back with
    /// [`Server::heeded`], for the next time.
    pub(super) fn take_events(&mut self) -> Vec<Event> {
        let spare = std::mem::take(&mut self.spare);
        let mut events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *events, spare)
    }

    pub(super) fn heeded(&mut self, mut events: Vec<Event>) {
        events.clear();
        self.spare = events;
    }

    fn config(&self, shared: &Settings) -> Config {
        let own = &self.settings;
        Config {
            // Another one each time, as the engine asks of whoever serves reads.
            seed: mix(own.seed ^ u64::from(self.start)),
            election_ticks: shared.election_ticks,
            heartbeat_ticks: own.heartbeat_ticks,
            storage_writes: if own.asynchronous {
                StorageWrites::Asynchronous
            } else {
                StorageWrites::Synchronous
            },
            append_messages: if own.message_per_proposal {
                AppendMessages::PerProposal
            } else {
                AppendMessages::PerReady
            },
            max_message_bytes: own.max_message_bytes,
            max_applying_bytes: own.max_applying_bytes,
            max_uncommitted_bytes: own.max_uncommitted_bytes,
            inflight: InflightLimit {
                messages: usize::try_from(own.inflight_messages).unwrap_or(usize::MAX),
                bytes: own.inflight_bytes,
            },
            check_quorum: shared.check_quorum,
            pre_vote: shared.pre_vote,
            reads: if shared.lease {
                ReadMode::Lease
            } else {
                ReadMode::Safe
            },
            max_pending_reads: usize::try_from(own.max_pending_reads).unwrap_or(usize::MAX),
            forward_proposals: own.forward_proposals,
            step_down_on_removal: shared.step_down_on_removal,
            ..Config::new(self.id)
        }
    }
}
