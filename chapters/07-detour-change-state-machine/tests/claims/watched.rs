//! A node whose rules are checked after each of its turns, by hand and in threads alike.
//!
//! It adds up for itself what the node is handed to apply, and writes down which number
//! was committed where. Nodes that share the record find out when they disagree.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use ch01_single_node_cluster::{Result, Turn};
use ch05_two_node_cluster::by_hand::ByHand;
use ch05_two_node_cluster::{Post, Promise, Proposal, Replica};
use ch06_two_node_snapshot::Node;
use ch07_detour_change_state_machine::{Paced, Sum};
use raft_kernel::{
    Bytes, Change, ConfChange, Index, MemoryStorage, Message, MessageBody, NodeId, Role, Status,
    Storage,
};

/// Which number was committed at which index, as all nodes have seen it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Record(Arc<Mutex<BTreeMap<Index, u64>>>);

impl Record {
    fn put(&self, index: Index, number: u64) -> std::result::Result<(), String> {
        let mut record = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match record.insert(index, number) {
            Some(other) if other != number => Err(format!(
                "entry {index} is {number} here and {other} on another node"
            )),
            _ => Ok(()),
        }
    }

    /// The number that was committed at `index`.
    pub(crate) fn at(&self, index: Index) -> Option<u64> {
        let record = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        record.get(&index).copied()
    }

    /// Whether `number` was committed anywhere.
    pub(crate) fn contains(&self, number: u64) -> bool {
        let record = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        record.values().any(|recorded| *recorded == number)
    }

    /// The sum of everything that was committed.
    pub(crate) fn total(&self) -> u64 {
        let record = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        record
            .values()
            .fold(0, |sum, number| sum.wrapping_add(*number))
    }
}

pub(crate) struct Watched {
    node: Paced<Sum>,
    pace: u64,
    record: Record,
    /// What the node's sum should be.
    recount: u64,
    /// What the last snapshot that was sent to it held.
    offered: Bytes,
}

impl Watched {
    pub(crate) fn found(id: NodeId, voters: &[NodeId], pace: u64, record: &Record) -> Self {
        Watched::of(
            Node::found(id, voters, 1).expect("a new node"),
            pace,
            record,
        )
    }

    pub(crate) fn join(id: NodeId, pace: u64, record: &Record) -> Self {
        Watched::of(Node::join(id, 1).expect("a new node"), pace, record)
    }

    pub(crate) fn start(id: NodeId, storage: MemoryStorage, pace: u64, record: &Record) -> Self {
        let node = Node::start(id, 2, storage).expect("a node with its storage");
        Watched::of(node, pace, record)
    }

    fn of(node: Node<Sum>, pace: u64, record: &Record) -> Self {
        Watched {
            recount: node.machine().total(),
            node: Paced::new(node, pace).expect("a possible pace"),
            pace,
            record: record.clone(),
            offered: Bytes::new(),
        }
    }

    pub(crate) fn total(&self) -> u64 {
        self.node.node().machine().total()
    }

    pub(crate) fn storage(&self) -> &MemoryStorage {
        self.node.node().storage()
    }

    /// Up to where the log is compacted.
    pub(crate) fn compacted(&self) -> Index {
        self.storage().first_index().expect("the first index") - 1
    }

    pub(crate) fn into_storage(self) -> MemoryStorage {
        self.node.into_storage()
    }

    fn check(&mut self, turn: &Turn) -> std::result::Result<(), String> {
        if turn.has_snapshot {
            self.recount = number(&self.offered);
        }
        for entry in &turn.committed {
            if let Some(command) = entry.command() {
                self.recount = self.recount.wrapping_add(number(command));
                self.record.put(entry.index, number(command))?;
            }
        }
        let applied = self.status().applied;
        let snapshot = self.storage().snapshot().expect("the snapshot");
        if snapshot.index > applied {
            return Err(format!(
                "the snapshot reaches {}, and applied is {applied}",
                snapshot.index
            ));
        }
        if snapshot.index != self.compacted() {
            return Err(format!(
                "the snapshot reaches {}, and the log is compacted up to {}",
                snapshot.index,
                self.compacted()
            ));
        }
        let last = self.storage().last_index().expect("the last index");
        let (held, not_applied) = (self.storage().len() as u64, last - applied);
        if held.saturating_sub(not_applied) >= self.pace {
            return Err(format!(
                "the log holds {held} entries, {not_applied} of them not applied, at a pace of {}",
                self.pace
            ));
        }
        if self.total() != self.recount {
            return Err(format!("the sum should be {}", self.recount));
        }
        if snapshot.index == applied && applied > 0 && number(&snapshot.data) != self.recount {
            return Err(format!("the snapshot holds {}", number(&snapshot.data)));
        }
        Ok(())
    }
}

fn number(bytes: &[u8]) -> u64 {
    u64::from_le_bytes(bytes.try_into().expect("eight bytes"))
}

impl Replica for Watched {
    type Command = u64;

    fn turn(&mut self, post: &mut dyn Post) -> Result<Option<Turn>> {
        let turn = self.node.turn(post)?;
        if let Some(turn) = &turn {
            self.check(turn)
                .map_err(|broken| format!("{broken}\n{self}\nafter the turn\n{turn}"))?;
        }
        Ok(turn)
    }

    fn tick(&mut self) -> Result<()> {
        self.node.tick()
    }

    fn step(&mut self, message: Message) -> Result<()> {
        if let MessageBody::InstallSnapshot { snapshot } = &message.body {
            self.offered = snapshot.data.clone();
        }
        self.node.step(message)
    }

    fn propose(&mut self, proposal: Proposal<u64>, promise: Promise) -> Result<()> {
        self.node.propose(proposal, promise)
    }

    fn status(&self) -> Status {
        self.node.status()
    }
}

impl fmt::Display for Watched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.node.fmt(f)
    }
}

/// Founders with these paces, driven by hand; node 1 leads.
pub(crate) fn leading(paces: &[u64], record: &Record) -> ByHand<Watched> {
    let voters: Vec<NodeId> = (1..).take(paces.len()).collect();
    let mut nodes = ByHand::default();
    for (id, pace) in voters.iter().zip(paces) {
        nodes.add(Watched::found(*id, &voters, *pace, record));
    }
    while nodes.node(1).status().soft_state.role != Role::Leader {
        nodes.tick(1).expect("a tick");
        settle(&mut nodes);
    }
    nodes
}

pub(crate) fn settle<N: Replica>(nodes: &mut ByHand<N>) {
    nodes.settle(|_| Ok(())).expect("messages and turns");
}

pub(crate) fn add_voter(id: NodeId) -> ConfChange {
    ConfChange::single(Change::AddVoter(id))
}
