//! A snapshot whose bytes make no sense.

use std::fmt;

use ch01_single_node_cluster::Result;
use ch02_single_node_proposals::CommandList;
use ch05_two_node_cluster::by_hand::ByHand;
use ch06_two_node_snapshot::{Node, StateMachine};
use raft_kernel::{MemoryStorage, Message, MessageBody, Storage};

use crate::nodes::{SEED, is_snapshot, join_2, leader_of, restart, settle_at, settle_up_to};

/// A list whose snapshots begin with a mark, so that damage can be seen. Bytes alone are
/// always some list.
#[derive(Default)]
struct Marked(CommandList);

const MARK: &[u8] = b"list:";

#[derive(Debug, PartialEq, Eq)]
struct NoMark;

impl fmt::Display for NoMark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the mark is missing")
    }
}

impl std::error::Error for NoMark {}

impl fmt::Display for Marked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl StateMachine for Marked {
    type Command = u8;
    type Error = NoMark;

    fn encode(command: &u8) -> Vec<u8> {
        CommandList::encode(command)
    }

    fn apply(&mut self, command: &[u8]) -> std::result::Result<(), NoMark> {
        self.0.apply(command).map_err(|_| NoMark)
    }

    fn snapshot(&self) -> Vec<u8> {
        [MARK, &self.0.snapshot()].concat()
    }

    fn restore(snapshot: &[u8]) -> std::result::Result<Self, NoMark> {
        let commands = snapshot.strip_prefix(MARK).ok_or(NoMark)?;
        let list = CommandList::restore(commands).map_err(|_| NoMark)?;
        Ok(Marked(list))
    }
}

const COMMANDS: [u8; 3] = [1, 2, 3];

fn compacted() -> Result<ByHand<Node<Marked>>> {
    let mut nodes = leader_of(COMMANDS)?;
    nodes.node(1).compact()?;
    Ok(nodes)
}

fn damage(message: &mut Message) {
    if let MessageBody::InstallSnapshot { snapshot } = &mut message.body {
        snapshot.data = snapshot.data.slice(1..);
    }
}

#[test]
fn a_node_does_not_start_from_a_damaged_snapshot_and_says_why() -> Result<()> {
    let mut snapshot = compacted()?.node(1).storage().snapshot()?;
    let whole = MemoryStorage::from_snapshot(snapshot.clone());
    assert_eq!(
        Node::<Marked>::start(1, SEED, whole)?
            .machine()
            .0
            .commands(),
        COMMANDS
    );
    snapshot.data = snapshot.data.slice(1..);
    let damaged = MemoryStorage::from_snapshot(snapshot);
    let error = Node::<Marked>::start(1, SEED, damaged).err();
    let error = error.expect("there is nothing to start from");
    assert_eq!(error.to_string(), "the mark is missing");
    Ok(())
}

/// The guard is that the snapshot is read before it is stored.
#[test]
fn a_damaged_snapshot_stops_the_node_and_takes_the_place_of_nothing() -> Result<()> {
    let mut nodes = compacted()?;
    drop(join_2(&mut nodes, Node::join(2, SEED)?)?);
    let mut snapshot = settle_up_to(&mut nodes, is_snapshot)?;
    damage(&mut snapshot);
    nodes.deliver(snapshot)?;
    let error = nodes.turn().expect_err("the bytes are no list");
    assert_eq!(error.to_string(), "the mark is missing");

    assert!(nodes.node(2).storage().snapshot()?.is_empty());
    restart(&mut nodes, 2)?;
    settle_at(&mut nodes, |machine| machine.0.commands() == COMMANDS)?;
    Ok(())
}

#[test]
fn a_list_comes_back_from_its_snapshot() {
    for length in 0..=255 {
        let commands: Vec<u8> = (0..length).collect();
        let list = CommandList::restore(&commands).expect("bytes are always some list");
        assert_eq!(list.commands(), commands);
        assert_eq!(CommandList::restore(&list.snapshot()), Ok(list));
    }
}
