//! The node as a caller sees it: inputs, [`Ready`], acknowledgements.

use bytes::Bytes;

use crate::NodeId;
use crate::conf_change::ConfChange;
use crate::config::{Config, StorageWrites};
use crate::entry::{Entries, Payload, payload_bytes, size_with};
use crate::error::Error;
use crate::event::{Event, EventSink};
use crate::message::Message;
use crate::proposals::Proposed;
use crate::raft::Raft;
use crate::ready::{AppendAck, AppendWork, ApplyAck, ApplyWork, Ready};
use crate::state::{ConfState, HardState, SoftState};
use crate::status::Status;
use crate::storage::Storage;

/// One node of a cluster, without threads, clock, sockets or files.
///
/// Feed it ticks, messages and proposals; take a [`Ready`] whenever
/// [`has_ready`](RawNode::has_ready) says that there is one, and do what it asks for.
///
/// # Errors
/// No input makes it panic. An error says why an input was not taken, and the node goes
/// on, unless the error [is fatal](Error::is_fatal): then every further call answers
/// [`Error::Stopped`], because a node that cannot trust its storage or itself must not
/// vote or acknowledge anything.
///
/// # Example
/// ```
/// use raft_kernel::{Config, MemoryStorage, RawNode, Role};
///
/// let storage = MemoryStorage::new();
/// let mut node = RawNode::new(&Config::new(1), storage.clone())?;
/// node.bootstrap([(1, "")])?;
/// node.campaign()?;
/// while node.has_ready() {
///     let ready = node.ready()?;
///     storage.append(&ready.append.entries)?;
///     if let Some(hard_state) = ready.append.hard_state {
///         storage.set_hard_state(hard_state);
///     }
///     for entry in &ready.apply.entries {
///         if let Some(change) = entry.conf_change() {
///             node.apply_conf_change(change)?;
///         }
///     }
///     node.advance(ready)?;
///     if node.role() == Role::Follower {
///         node.campaign()?;
///     }
/// }
/// assert_eq!(node.role(), Role::Leader);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct RawNode<S> {
    raft: Raft<S>,
    /// What the last `Ready` told, so that the next one tells only what is new.
    told_hard_state: HardState,
    told_soft_state: SoftState,
    /// Whether a synchronous caller still has a `Ready` to advance.
    outstanding: bool,
    /// Why the node stopped, if it did.
    stopped: Option<String>,
}

impl<S: Storage> RawNode<S> {
    /// A node that starts from what `storage` holds: nothing, for one that is to found a
    /// cluster or to join one; or the state of an earlier run.
    pub fn new(config: &Config, storage: S) -> Result<Self, Error> {
        Self::start(config, storage, EventSink::none())
    }

    /// The same, with `sink` being told of everything that happens inside.
    pub fn with_events(
        config: &Config,
        storage: S,
        sink: impl FnMut(Event) + Send + 'static,
    ) -> Result<Self, Error> {
        Self::start(config, storage, EventSink::new(Box::new(sink)))
    }

    fn start(config: &Config, storage: S, events: EventSink) -> Result<Self, Error> {
        let raft = Raft::new(config, storage, events)?;
        Ok(RawNode {
            told_hard_state: raft.hard_state(),
            told_soft_state: raft.soft_state(),
            raft,
            outstanding: false,
            stopped: None,
        })
    }

    /// Lets nothing through once the node has stopped, and stops it at a fatal error.
    fn guarded<T>(
        &mut self,
        call: impl FnOnce(&mut Raft<S>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        if let Some(why) = &self.stopped {
            return Err(Error::Stopped(why.clone()));
        }
        match call(&mut self.raft) {
            Ok(value) => Ok(value),
            Err(error) => Err(self.failed(error)),
        }
    }

    /// Out of the way, so that a result without an error need not be copied.
    #[cold]
    #[inline(never)]
    fn failed(&mut self, error: Error) -> Error {
        if error.is_fatal() {
            self.stopped = Some(error.to_string());
        }
        error
    }

    /// Founds a cluster of these voters, each with bytes for whoever applies the entry
    /// that adds it. Every founder must be given the same ones.
    ///
    /// # Errors
    /// [`Error::AlreadyBootstrapped`] on a node that has any state.
    pub fn bootstrap<C: Into<Bytes>>(
        &mut self,
        founders: impl IntoIterator<Item = (NodeId, C)>,
    ) -> Result<(), Error> {
        let founders = founders
            .into_iter()
            .map(|(id, context)| (id, context.into()))
            .collect();
        self.guarded(|raft| raft.bootstrap(founders))
    }

    /// One unit of time passes: elections and heartbeats are due after a number of them.
    pub fn tick(&mut self) -> Result<(), Error> {
        self.guarded(Raft::tick)
    }

    /// Takes a message that another node sent.
    pub fn step(&mut self, message: Message) -> Result<(), Error> {
        self.guarded(|raft| {
            raft.check(&message)?;
            raft.step(message)
        })
    }

    /// Stands for election now. Does nothing under lease reads while the node hears from a
    /// leader: that one counts on it to wait for an election timeout.
    pub fn campaign(&mut self) -> Result<(), Error> {
        self.guarded(Raft::stand)
    }

    /// Proposes a command.
    ///
    /// # Errors
    /// [`Error::ProposalDropped`] with the reason and the command.
    pub fn propose(&mut self, command: impl Into<Bytes>) -> Result<Proposed, Error> {
        let payload = Payload::Command(command.into());
        self.guarded(|raft| raft.propose([payload]))
    }

    /// Proposes a change of the configuration. One that is impossible by the time that
    /// the leader takes it becomes an empty entry.
    ///
    /// # Errors
    /// [`Error::ProposalDropped`] with the reason and the change.
    pub fn propose_conf_change(&mut self, change: ConfChange) -> Result<Proposed, Error> {
        self.guarded(|raft| raft.propose([Payload::from(change)]))
    }

    /// Makes a configuration change take effect. To be called for each one among the
    /// entries to apply, before they are acknowledged.
    ///
    /// Not for an entry that a snapshot holds which was stored while the entry waited to
    /// be applied: that entry is to be skipped, by the state machine too.
    ///
    /// # Errors
    /// [`Error::ConfChange`] when the change is impossible; the configuration stays. All
    /// nodes come to the same result, so it is no reason to stop.
    pub fn apply_conf_change(&mut self, change: &ConfChange) -> Result<ConfState, Error> {
        self.guarded(|raft| raft.apply_conf_change(change))
    }

    /// Asks for an index that is safe to read at (dissertation, section 6.4). The answer
    /// comes as a [`ReadState`](crate::ReadState) with the same `context`. It does not come
    /// if the leader changes or a message is lost: ask again after a time.
    ///
    /// # Errors
    /// [`Error::RequestDropped`] with the reason.
    pub fn read_index(&mut self, context: impl Into<Bytes>) -> Result<(), Error> {
        self.guarded(|raft| raft.read_index(context.into()))
    }

    /// Moves leadership to another voter (dissertation, section 3.10). The transfer is
    /// given up after an election timeout.
    ///
    /// # Errors
    /// [`Error::CannotTransfer`] when that node has no vote, [`Error::RequestDropped`]
    /// when there is no leader to ask.
    pub fn transfer_leader(&mut self, transferee: NodeId) -> Result<(), Error> {
        self.guarded(|raft| raft.transfer_leader(transferee))
    }

    /// Stops believing in the leader, for a caller that knows it to be gone: the node
    /// votes for another without waiting. Does nothing under lease reads.
    pub fn forget_leader(&mut self) -> Result<(), Error> {
        self.guarded(|raft| {
            raft.forget_leader();
            Ok(())
        })
    }

    /// Says that what was last sent to `peer` may not have arrived.
    pub fn report_unreachable(&mut self, peer: NodeId) {
        self.raft.report_unreachable(peer);
    }

    /// Says whether the snapshot that was sent to `peer` arrived.
    pub fn report_snapshot(&mut self, peer: NodeId, outcome: SnapshotOutcome) {
        self.raft
            .report_snapshot(peer, outcome == SnapshotOutcome::Arrived);
    }

    /// Whether there is anything to do. Never while a synchronous caller has a `Ready` to
    /// advance.
    pub fn has_ready(&self) -> bool {
        let raft = &self.raft;
        !self.outstanding
            && self.stopped.is_none()
            && (raft.soft_state() != self.told_soft_state
                || raft.hard_state() != self.told_hard_state
                || raft.due.anything()
                || raft.log.unstable.next_snapshot().is_some()
                || raft.log.unstable.has_next_entries()
                || !raft.messages.is_empty()
                || !raft.messages_after_append.is_empty()
                || !raft.read_states.is_empty()
                || raft.log.has_next_committed(self.allows_unstable()))
    }

    /// Whether committed entries may be handed out beside their own write.
    fn allows_unstable(&self) -> bool {
        self.raft.storage_writes == StorageWrites::Synchronous
    }

    /// What is to be done now. Empty when [`has_ready`](RawNode::has_ready) says no.
    ///
    /// # Errors
    /// [`Error::NotAdvanced`] when a synchronous caller has not advanced the last one.
    // ANCHOR: ready
    pub fn ready(&mut self) -> Result<Ready, Error> {
        if self.outstanding && self.stopped.is_none() {
            return Err(Error::NotAdvanced);
        }
        let allow_unstable = self.allows_unstable();
        self.guarded(Raft::send_due)?;
        let committed = if self.raft.log.has_next_committed(allow_unstable) {
            self.guarded(|raft| raft.log.next_committed(allow_unstable))?
        } else {
            Entries::default()
        };
        let (told, raft) = (self.told_hard_state, &mut self.raft);

        // ANCHOR: ready_write
        let entries = raft.log.unstable.next_entries();
        let snapshot = raft.log.unstable.next_snapshot().cloned().map(Box::new);
        // As long as anything is unstable, each acknowledgement covers all of it: after one
        // was refused for being late, the next must not leave anything unstable for ever
        // (trap 4).
        let last = raft.log.unstable.last_unstable();
        let (hard_state, soft_state) = (raft.hard_state(), raft.soft_state());
        let promised = (hard_state.term, hard_state.vote) != (told.term, told.vote);
        let must_sync = promised || !entries.is_empty() || snapshot.is_some();

        raft.log.unstable.accept_in_progress();
        // ANCHOR_END: ready_write
        let payload_bytes = payload_bytes(&committed);
        let bytes = size_with(payload_bytes, committed.len());
        if let Some(last) = committed.last() {
            raft.log.accept_applying(last.index, bytes, allow_unstable);
        }
        let ready = Ready {
            soft_state: (soft_state != self.told_soft_state).then_some(soft_state),
            read_states: std::mem::take(&mut raft.read_states),
            messages: std::mem::take(&mut raft.messages),
            append: AppendWork {
                snapshot,
                entries,
                hard_state: (hard_state != told).then_some(hard_state),
                must_sync,
                responses: std::mem::take(&mut raft.messages_after_append),
                node: raft.id,
                term: raft.term,
                last,
            },
            apply: ApplyWork {
                entries: committed,
                node: raft.id,
                bytes,
                payload_bytes,
            },
        };
        self.told_hard_state = hard_state;
        self.told_soft_state = soft_state;
        self.outstanding = allow_unstable;
        Ok(ready)
    }
    // ANCHOR_END: ready

    /// Everything that `ready` asked for is done: written, sent and applied.
    // ANCHOR: advance
    pub fn advance(&mut self, mut ready: Ready) -> Result<(), Error> {
        if ready.append.node != self.raft.id {
            return Err(Error::ForeignAcknowledgement(ready.append.node));
        }
        self.outstanding = false;
        // The emptied lists serve for the next messages and reads.
        reuse(&mut self.raft.messages, &mut ready.messages);
        reuse(&mut self.raft.read_states, &mut ready.read_states);
        let appended = ready.append.acknowledge();
        let applied = ready.apply.acknowledge();
        self.guarded(|raft| {
            raft.appended(appended)?;
            raft.applied(&applied)
        })
    }
    // ANCHOR_END: advance

    /// A write is durable. Acknowledge the works in the order in which they were handed
    /// out.
    pub fn appended(&mut self, ack: AppendAck) -> Result<(), Error> {
        self.guarded(|raft| raft.appended(ack))
    }

    /// Committed entries are applied. Acknowledge the works in the order in which they
    /// were handed out.
    #[allow(clippy::needless_pass_by_value)] // An acknowledgement is given once.
    pub fn applied(&mut self, ack: ApplyAck) -> Result<(), Error> {
        self.guarded(|raft| raft.applied(&ack))
    }

    /// This node's id.
    pub fn id(&self) -> NodeId {
        self.raft.id
    }

    /// What the node is doing.
    pub fn role(&self) -> crate::Role {
        self.raft.role
    }

    /// The leader of the current term, if the node knows of one.
    pub fn leader(&self) -> Option<NodeId> {
        self.raft.leader
    }

    /// The storage that the node reads from.
    pub fn storage(&self) -> &S {
        self.raft.log.storage()
    }

    /// How the node stands.
    pub fn status(&self) -> Status {
        Status::of(&self.raft)
    }

    /// Waits exactly so many ticks for the next election. For tests that play a given
    /// story; the next wait is drawn again.
    #[doc(hidden)]
    pub fn set_election_timeout(&mut self, ticks: u32) {
        self.raft.election_timeout.set(ticks);
    }
}

/// Puts a list that has served in the place of one that has no memory yet.
pub(crate) fn reuse<T>(fresh: &mut Vec<T>, served: &mut Vec<T>) {
    if fresh.capacity() == 0 {
        served.clear();
        std::mem::swap(fresh, served);
    }
}

/// What became of a snapshot on its way to a follower.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SnapshotOutcome {
    /// The follower has it.
    Arrived,
    /// It was lost, or refused.
    Failed,
}

impl<S: std::fmt::Debug> std::fmt::Debug for RawNode<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RawNode")
            .field("id", &self.raft.id)
            .field("term", &self.raft.term)
            .field("role", &self.raft.role)
            .field("stopped", &self.stopped)
            .finish_non_exhaustive()
    }
}
