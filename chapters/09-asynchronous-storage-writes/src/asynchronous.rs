//! A node that hands its storage work and its apply work to others.
//!
//! The rules: what promises nothing is sent at once; what promises something is sent by
//! whoever wrote the promise; and the engine is told of each work when it is done, in the
//! order in which the works were handed out (section 10.2.1 of the dissertation).
//!
//! The node knows of no thread. Its jobs wait in two queues for whoever does them.

use std::collections::VecDeque;
use std::fmt;

use ch01_single_node_cluster::{Result, Turn};
use ch05_two_node_cluster::{Post, Promise, Proposal, Replica};
use ch06_two_node_snapshot::{StateMachine, send};
use crossbeam_channel::{Receiver, bounded};
use raft_kernel::{MemoryStorage, Message, NodeId, Status, StorageWrites};

use crate::engine::Engine;
use crate::{AppendJob, Applied, ApplyJob, Written};

/// A node that waits for nobody.
// ANCHOR: node
pub struct Asynchronous<M> {
    engine: Engine,
    /// For the append thread, the oldest first.
    pub(crate) to_append: VecDeque<AppendJob>,
    /// For the apply thread, the oldest first.
    pub(crate) to_apply: VecDeque<ApplyJob<M>>,
}
// ANCHOR_END: node

impl<M: StateMachine> Asynchronous<M> {
    /// A node that founds a cluster of these voters, itself among them.
    pub fn found(id: NodeId, voters: &[NodeId], seed: u64, storage: MemoryStorage) -> Result<Self> {
        let mut node = Asynchronous::join(id, seed, storage)?;
        node.engine.found(voters)?;
        Ok(node)
    }

    /// A node that waits until a leader speaks to it, or goes on from what its storage
    /// holds.
    pub fn join(id: NodeId, seed: u64, storage: MemoryStorage) -> Result<Self> {
        Ok(Asynchronous {
            engine: Engine::start(id, seed, storage, StorageWrites::Asynchronous)?,
            to_append: VecDeque::new(),
            to_apply: VecDeque::new(),
        })
    }

    /// A write is done.
    // ANCHOR: written
    pub fn written(&mut self, written: Written) -> Result<()> {
        match written {
            Written::Work { ack, received } => {
                self.engine.raft.appended(ack)?;
                if let Some(snapshot) = received {
                    self.engine.received(&snapshot);
                    // Behind the entries that came before it, before those that follow.
                    self.to_apply.push_back(ApplyJob::Restore(snapshot));
                }
            }
            Written::OwnSnapshot(snapshot) => self.engine.forget(snapshot.index)?,
        }
        Ok(())
    }
    // ANCHOR_END: written

    /// The state machine has done something.
    // ANCHOR: applied
    pub fn applied(&mut self, applied: Applied) -> Result<()> {
        match applied {
            Applied::Work { ack, entries, made } => {
                self.engine.applied(&entries)?;
                self.engine.raft.applied(ack)?;
                if let (Some(data), Some(last)) = (made, entries.last())
                    && let Some(snapshot) = self.engine.own_snapshot(last.index, data)
                {
                    self.to_append.push_back(AppendJob::OwnSnapshot(snapshot));
                }
            }
            Applied::Restored(index) => self.engine.restored(index),
            Applied::Shown => {}
        }
        Ok(())
    }
    // ANCHOR_END: applied

    /// Lets somebody look at the state machine, behind everything that it is to do by
    /// now. The answer comes when it has been looked at.
    pub fn look<R: Send + 'static>(
        &mut self,
        look: impl FnOnce(&M) -> R + Send + 'static,
    ) -> Receiver<R> {
        let (answer, answered) = bounded(1);
        let show = Box::new(move |machine: &M| drop(answer.send(look(machine))));
        self.to_apply.push_back(ApplyJob::Show(show));
        answered
    }

    /// How many jobs wait for somebody to write, and how many for somebody to apply.
    pub fn waiting_jobs(&self) -> (usize, usize) {
        (self.to_append.len(), self.to_apply.len())
    }

    /// The jobs that wait for somebody to write: for one who drives the node by hand.
    pub fn append_jobs(&mut self) -> impl Iterator<Item = AppendJob> {
        self.to_append.drain(..)
    }

    /// The jobs that wait for somebody to apply.
    pub fn apply_jobs(&mut self) -> impl Iterator<Item = ApplyJob<M>> {
        self.to_apply.drain(..)
    }
}

impl<M: StateMachine> Replica for Asynchronous<M> {
    type Command = M::Command;

    // ANCHOR: turn
    fn turn(&mut self, post: &mut dyn Post) -> Result<Option<Turn>> {
        let engine = &mut self.engine;
        if !engine.raft.has_ready() {
            return Ok(None);
        }
        let ready = engine.raft.ready()?;
        let turn = Turn::of(&ready);

        // Send what promises nothing. The rest is sent by whoever writes.
        for message in ready.messages {
            send(&mut engine.raft, post, message);
        }

        // Persist and apply: not here, and not now.
        if !ready.append.is_empty() {
            self.to_append.push_back(AppendJob::Work(ready.append));
        }
        if !ready.apply.is_empty() {
            self.to_apply.push_back(ApplyJob::Work(ready.apply));
        }
        Ok(Some(turn))
    }
    // ANCHOR_END: turn

    fn tick(&mut self) -> Result<()> {
        self.engine.tick()
    }

    fn step(&mut self, message: Message) -> Result<()> {
        self.engine.step(message)
    }

    fn propose(&mut self, proposal: Proposal<M::Command>, promise: Promise) -> Result<()> {
        self.engine.propose(proposal.encoded(M::encode), promise)
    }

    fn status(&self) -> Status {
        self.engine.status()
    }
}

impl<M> fmt::Display for Asynchronous<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.engine.fmt(f)
    }
}
