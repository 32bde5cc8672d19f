//! The loop of the chapters before: it writes, sends and applies itself, one after the
//! other.
//!
//! It is here to be compared with. It writes to the same disk by the same code as the
//! asynchronous loop, and takes in as much at a time.

use std::fmt;

use ch01_single_node_cluster::{Result, Turn};
use ch05_two_node_cluster::{Lines, Post, Promise, Proposal, Replica, Watches};
use ch06_two_node_snapshot::{StateMachine, send};
use raft_kernel::{Message, NodeId, Status, StorageWrites};

use crate::engine::Engine;
use crate::{Disk, Hands, Write, take_more};

/// A node that waits for its disk and its state machine.
// ANCHOR: node
pub struct Synchronous<M, D> {
    engine: Engine,
    hands: Hands<M, D>,
}
// ANCHOR_END: node

impl<M: StateMachine, D: Disk> Synchronous<M, D> {
    /// A node that founds a cluster of these voters, itself among them.
    pub fn found(id: NodeId, voters: &[NodeId], seed: u64, hands: Hands<M, D>) -> Result<Self> {
        let mut node = Synchronous::join(id, seed, hands)?;
        node.engine.found(voters)?;
        Ok(node)
    }

    /// A node that waits until a leader speaks to it, or goes on from what its storage
    /// holds.
    pub fn join(id: NodeId, seed: u64, hands: Hands<M, D>) -> Result<Self> {
        let storage = hands.disk.storage().clone();
        Ok(Synchronous {
            engine: Engine::start(id, seed, storage, StorageWrites::Synchronous)?,
            hands,
        })
    }

    /// What the node's commands have come to.
    pub fn machine(&self) -> &M {
        self.hands.machine.state()
    }
}

impl<M: StateMachine, D: Disk> Replica for Synchronous<M, D> {
    type Command = M::Command;

    // ANCHOR: turn
    fn turn(&mut self, post: &mut dyn Post) -> Result<Option<Turn>> {
        let (engine, Hands { disk, machine }) = (&mut self.engine, &mut self.hands);
        if !engine.raft.has_ready() {
            return Ok(None);
        }
        let mut ready = engine.raft.ready()?;
        let turn = Turn::of(&ready);

        // Persist, and wait for the disk.
        disk.write(&[Write::Work(&ready.append)])?;
        if let Some(snapshot) = &ready.append.snapshot {
            engine.received(snapshot);
            machine.restore(snapshot)?;
            engine.restored(snapshot.index);
        }

        for message in ready.take_messages() {
            send(&mut engine.raft, post, message);
        }

        // Apply, and wait for the state machine.
        let made = machine.apply(&ready.apply)?;
        engine.applied(&ready.apply.entries)?;

        engine.raft.advance(ready)?;
        // ANCHOR_END: turn
        if let (Some(data), Some(last)) = (made, turn.committed.last())
            && let Some(snapshot) = engine.own_snapshot(last.index, data)
        {
            disk.write(&[Write::OwnSnapshot(&snapshot)])?;
            engine.forget(snapshot.index)?;
        }
        Ok(Some(turn))
    }

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

impl<M: StateMachine, D: Disk> fmt::Display for Synchronous<M, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}", self.engine, self.machine())
    }
}

/// Runs a node until one of its lines is closed, and gives it back.
pub fn run<M: StateMachine, D: Disk>(
    mut node: Synchronous<M, D>,
    mut lines: Lines<Synchronous<M, D>>,
) -> Result<Synchronous<M, D>> {
    let mut watches = Watches::default();
    loop {
        while node.turn(&mut lines.network)?.is_some() {}
        watches.look(&node);
        if !lines.serve_next(&mut node, &mut watches)? {
            return Ok(node);
        }
        take_more(&mut node, &lines, &mut watches)?;
    }
}
