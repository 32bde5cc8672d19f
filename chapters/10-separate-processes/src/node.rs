//! One node: engine, disk and state machine, without any network or clock.
//!
//! The rule it keeps is the book's: persist, then send, then apply, then advance. It can be
//! read in one function, [`Node::turn`].

use raft_kernel::{
    ConfState, Config, Entry, Error, Index, InflightLimit, Message, MessageBody, Payload, Proposed,
    RawNode, Role, Snapshot, SnapshotOutcome, Status, Storage,
};
use raft_kernel::{NodeId, Term};

use crate::disk::{Disk, DiskError};
use crate::identity::Identity;
use crate::machine::{Peer, StateMachine};
use crate::outcome::{Outcome, Refusal};
use crate::waiting::{Answer, Waiting};
use crate::wire::frame::{Place, Proposal};

/// How many bytes of entries a leader sends in one message. On the wire an entry takes up to
/// twice what the engine counts, so this stays far below the limit of a frame.
const MESSAGE_BYTES: u64 = 64 << 10;

/// How many messages with entries may be on their way to one follower. With
/// [`MESSAGE_BYTES`], 4 MiB.
const INFLIGHT_MESSAGES: usize = 64;

/// How many bytes of commands a leader takes before they are committed.
const UNCOMMITTED_BYTES: u64 = 8 << 20;

/// A command may have so many bytes, and a change of the configuration too: an entry must
/// fit into a frame.
pub const MAX_PROPOSAL_BYTES: usize = 64 << 10;

/// How many proposals may wait for their end at once; each costs some hundred bytes.
pub const MAX_WAITING: usize = 1 << 16;

/// When the log is shortened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogLimits {
    /// A snapshot is made whenever so many entries were applied since the last one.
    pub snapshot_every: u64,
    /// So many entries stay in the log, for followers that are a little behind.
    pub keep: u64,
}

impl Default for LogLimits {
    /// Some megabytes of small commands.
    fn default() -> Self {
        LogLimits {
            snapshot_every: 20_000,
            keep: 5_000,
        }
    }
}

/// One node with all that belongs to it.
pub struct Node<D: Disk, M> {
    raft: RawNode<D::Storage>,
    disk: D,
    machine: M,
    conf_state: ConfState,
    applied: Index,
    waiting: Waiting,
    limits: LogLimits,
}

impl<D: Disk, M: StateMachine> Node<D, M> {
    /// A node that goes on from what `disk` holds, which may be nothing.
    // ANCHOR: start
    pub fn start(id: NodeId, disk: D, limits: LogLimits) -> Result<Self, DiskError> {
        let storage = disk.storage();
        let snapshot = storage.snapshot()?;
        let machine = if snapshot.is_empty() {
            M::default()
        } else {
            M::restore(&snapshot.data)?
        };
        let config = Config {
            // Nobody has to replay this run, and nodes should not stand at the same moment.
            seed: rand::random(),
            // A proposal whose fate must be told is sent by us, not by the engine.
            forward_proposals: false,
            max_message_bytes: MESSAGE_BYTES,
            max_uncommitted_bytes: UNCOMMITTED_BYTES,
            inflight: InflightLimit {
                messages: INFLIGHT_MESSAGES,
                bytes: 0,
            },
            ..Config::new(id)
        };
        let tell = |event| tracing::debug!(target: "raft", "{event}");
        Ok(Node {
            raft: RawNode::with_events(&config, storage, tell)?,
            disk,
            machine,
            applied: snapshot.index,
            conf_state: snapshot.conf_state,
            waiting: Waiting::default(),
            limits,
        })
    }
    // ANCHOR_END: start

    /// Founds a cluster of this node alone.
    pub fn bootstrap(&mut self, own: &Peer) -> Result<(), Error> {
        self.raft.bootstrap([(self.id(), own.context())])
    }

    /// Stands for election at once, if nobody else has a vote: there is nobody to wait for.
    pub fn lead_if_alone(&mut self) -> Result<(), Error> {
        match self.conf_state.voters.as_slice() {
            [only] if *only == self.id() => self.raft.campaign(),
            _ => Ok(()),
        }
    }

    /// Moves leadership to the voter that is furthest, if this node leads and there is another.
    pub fn hand_over(&mut self) -> Result<(), Error> {
        let status = self.raft.status();
        let others = status.progress.iter();
        let others = others.filter(|(id, peer)| **id != status.id && !peer.is_learner);
        let furthest = others.max_by_key(|(_, peer)| (peer.recently_active, peer.match_index));
        match furthest {
            Some((id, _)) => self.raft.transfer_leader(*id),
            None => Ok(()),
        }
    }

    /// Remembers who this node is.
    pub fn remember(&mut self, identity: Identity) -> Result<(), DiskError> {
        self.disk.write_identity(identity)
    }

    /// Lets one unit of time pass; `now` counts them.
    pub fn tick(&mut self, now: u64) -> Result<(), Error> {
        self.waiting.expire(now);
        self.raft.tick()
    }

    /// Takes a message that another node sent.
    ///
    /// # Errors
    /// Those of the engine. Unless one [is fatal](Error::is_fatal), nothing has changed.
    // ANCHOR: step
    pub fn step(&mut self, message: Message) -> Result<(), Error> {
        let refuse = |why| Error::InvalidMessage {
            why,
            from: message.from,
            message: message.body.name(),
        };
        match &message.body {
            // The engine does not look into a snapshot, and once it has taken one there is no
            // way back: a state that cannot be read must not get that far.
            MessageBody::InstallSnapshot { snapshot } if M::restore(&snapshot.data).is_err() => {
                Err(refuse("its snapshot cannot be read"))
            }
            // Our proposals come in frames of their own, with an answer and with limits.
            MessageBody::Propose { .. } => Err(refuse("proposals come in another way")),
            _ => self.raft.step(message),
        }
    }
    // ANCHOR_END: step

    /// Proposes something as the leader, and says where in the log it is.
    // ANCHOR: propose
    pub fn propose(&mut self, proposal: Proposal) -> Result<Place, Refusal> {
        if proposal.len() > MAX_PROPOSAL_BYTES {
            return Err(Refusal::TooLarge);
        }
        let proposed = match proposal {
            Proposal::Command(command) => self.raft.propose(command),
            Proposal::Change(change) => self.raft.propose_conf_change(change),
        };
        match proposed {
            Ok(Proposed::Appended { term, index }) => Ok(Place { term, index }),
            Ok(Proposed::Forwarded { to }) => Err(Refusal::NotTheLeader(to)),
            Err(error) => Err(Refusal::from(&error)),
        }
    }

    /// Answers when the entry at `place` is applied here, or something else is.
    pub fn wait_for(&mut self, place: Place, answer: Answer, deadline: u64) {
        if place.index > self.applied {
            self.waiting.insert(place, answer, deadline);
            return;
        }
        // The log was faster than the leader's answer.
        let outcome = match self.raft.storage().term(place.index) {
            Ok(term) if term == place.term => Outcome::Applied {
                index: place.index,
                term,
                sum: self.machine.sum(),
            },
            Ok(_) => Outcome::NotCommitted(Refusal::Overwritten),
            Err(_) => Outcome::Unknown(crate::outcome::Doubt::Snapshot),
        };
        let _ = answer.send(outcome);
    }
    // ANCHOR_END: propose

    /// How many proposals wait for their end.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Whether [`turn`](Node::turn) has anything to do.
    pub fn has_ready(&self) -> bool {
        self.raft.has_ready()
    }

    /// One turn of the loop. Says whether the members or their addresses may have changed.
    ///
    /// # Errors
    /// Any error is the end of the node: it could not keep what it must keep.
    // ANCHOR: turn
    pub fn turn(&mut self, mut send: impl FnMut(Message)) -> Result<bool, DiskError> {
        let mut ready = self.raft.ready()?;

        // Persist. Nothing that depends on it goes out before this returns.
        self.disk.write(&ready.append)?;

        // Send.
        for message in ready.take_messages() {
            send(message);
        }

        // Apply: a snapshot first, since the entries follow it.
        let mut peers_changed = false;
        if let Some(snapshot) = &ready.append.snapshot {
            self.restore(snapshot)?;
            peers_changed = true;
        }
        for entry in &ready.apply.entries {
            peers_changed |= self.apply(entry)?;
        }

        self.raft.advance(ready)?;
        self.shorten_log()?;
        Ok(peers_changed)
    }
    // ANCHOR_END: turn

    fn restore(&mut self, snapshot: &Snapshot) -> Result<(), DiskError> {
        self.machine = M::restore(&snapshot.data)?;
        self.conf_state = snapshot.conf_state.clone();
        self.applied = snapshot.index;
        self.waiting.passed_by_snapshot(snapshot.index);
        Ok(())
    }

    /// Applies one entry, answers whoever waits for it, and says whether it was a change of
    /// the configuration.
    // ANCHOR: apply
    fn apply(&mut self, entry: &Entry) -> Result<bool, Error> {
        let (index, term) = (entry.index, entry.term);
        let result = match &entry.payload {
            Payload::Command(command) => {
                let applied = self.machine.apply(command);
                applied.map_err(|why| why.to_string())
            }
            Payload::ConfChange(change) => match self.raft.apply_conf_change(change) {
                Ok(conf_state) => {
                    self.machine.apply_change(change, &conf_state);
                    self.conf_state = conf_state;
                    Ok(())
                }
                // Impossible, and so on every node alike: it is skipped, not fatal.
                Err(Error::ConfChange(why)) => Err(why.to_string()),
                Err(error) => return Err(error),
            },
            // A leader's first entry, or a change that the leader refused.
            Payload::Empty => Err("it was impossible when the leader took it".to_owned()),
        };
        let outcome = match result {
            Ok(()) => Outcome::Applied {
                index,
                term,
                sum: self.machine.sum(),
            },
            Err(why) => Outcome::WithoutEffect { index, why },
        };
        self.applied = index;
        self.waiting.applied(entry, &outcome);
        Ok(entry.conf_change().is_some())
    }
    // ANCHOR_END: apply

    /// Makes a snapshot when enough was applied since the last one, and forgets what it holds.
    fn shorten_log(&mut self) -> Result<(), DiskError> {
        let applied = self.applied;
        let first = self.raft.storage().first_index()?;
        let long = self.limits.snapshot_every.saturating_add(self.limits.keep);
        let long = long.max(1);
        if applied.saturating_sub(first.saturating_sub(1)) < long {
            return Ok(());
        }
        let forget = applied.saturating_sub(self.limits.keep);
        let data = self.machine.snapshot();
        tracing::debug!(index = applied, bytes = data.len(), "made a snapshot");
        self.disk
            .compact(applied, self.conf_state.clone(), data, forget)
    }

    /// What was sent to `peer` may not have arrived.
    pub fn report_unreachable(&mut self, peer: NodeId) {
        self.raft.report_unreachable(peer);
    }

    /// What became of a snapshot that was sent to `peer`.
    pub fn report_snapshot(&mut self, peer: NodeId, outcome: SnapshotOutcome) {
        self.raft.report_snapshot(peer, outcome);
    }

    /// How the engine stands.
    pub fn status(&self) -> Status {
        self.raft.status()
    }

    /// This node's number.
    pub fn id(&self) -> NodeId {
        self.raft.id()
    }

    /// What the node is doing.
    pub fn role(&self) -> Role {
        self.raft.role()
    }

    /// The leader, if the node knows of one.
    pub fn leader(&self) -> Option<NodeId> {
        self.raft.leader()
    }

    /// Whether this node takes part in the configuration that it has applied.
    pub fn is_member(&self) -> bool {
        self.conf_state.contains(self.id())
    }

    /// The state machine.
    pub fn machine(&self) -> &M {
        &self.machine
    }

    /// Where the log begins and ends.
    pub fn log_range(&self) -> Result<(Index, Index), DiskError> {
        let storage = self.raft.storage();
        Ok((storage.first_index()?, storage.last_index()?))
    }

    /// The current term.
    pub fn term(&self) -> Term {
        self.raft.status().hard_state.term
    }
}
