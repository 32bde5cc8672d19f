//! The state machine: the sum of the committed commands, and where the nodes are.
//!
//! The rule it keeps: what it becomes depends on the log alone, so that every node comes to
//! the same. A command or an address that nobody can read changes nothing, on every node.

use std::collections::BTreeMap;
use std::fmt;

use bytes::Bytes;
use raft_kernel::{Change, ConfChange, ConfState, NodeId};
use serde::{Deserialize, Serialize};

use crate::address::Address;
use crate::identity::Incarnation;
use crate::wire::codec;

/// What the loop needs of a state machine.
// ANCHOR: state_machine
pub trait StateMachine: Default + Send + 'static {
    /// Takes the next committed command.
    ///
    /// # Errors
    /// [`Meaningless`] for bytes that are no command; nothing changes then.
    fn apply(&mut self, command: &[u8]) -> Result<(), Meaningless>;

    /// Takes the next committed change of the configuration, which is now `conf_state`.
    fn apply_change(&mut self, change: &ConfChange, conf_state: &ConfState);

    /// The state, as bytes.
    fn snapshot(&self) -> Bytes;

    /// The state that `snapshot` once wrote.
    ///
    /// # Errors
    /// [`Meaningless`] for bytes that are no snapshot.
    fn restore(snapshot: &[u8]) -> Result<Self, Meaningless>;

    /// The members of the cluster.
    fn peers(&self) -> &BTreeMap<NodeId, Peer>;

    /// The sum of all commands.
    fn sum(&self) -> u128;
}
// ANCHOR_END: state_machine

/// Bytes that mean nothing to this state machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Meaningless;

impl fmt::Display for Meaningless {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the state machine cannot read it")
    }
}

impl std::error::Error for Meaningless {}

/// What a configuration change says about the node that it is about, in its context.
// ANCHOR: peer
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Peer {
    /// Where the node listens.
    pub address: Address,
    /// Which life of the node was added.
    pub incarnation: Incarnation,
}

impl Peer {
    /// The change that makes `id` a voter and tells everybody where it is.
    pub fn added(self, id: NodeId) -> ConfChange {
        ConfChange::single(Change::AddVoter(id)).with_context(self.context())
    }

    /// The change that tells everybody where a voter is now.
    pub fn moved(self, id: NodeId) -> ConfChange {
        ConfChange::single(Change::Update(id)).with_context(self.context())
    }
    // ANCHOR_END: peer

    /// The bytes that travel with the change.
    pub fn context(&self) -> Bytes {
        // An address is far shorter than the codec's limit, so this cannot fail.
        codec::encode(self).map_or_else(|_| Bytes::new(), Bytes::from)
    }
}

/// The sum of the commands and the members of the cluster.
// ANCHOR: sum
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sum {
    /// Cannot overflow: a log has fewer than 2⁶² entries, each below 2⁶⁴.
    total: u128,
    peers: BTreeMap<NodeId, Peer>,
}

/// The command that adds `number`.
pub fn command(number: u64) -> Bytes {
    Bytes::copy_from_slice(&number.to_le_bytes())
}

impl StateMachine for Sum {
    fn apply(&mut self, command: &[u8]) -> Result<(), Meaningless> {
        let number = command.try_into().map_err(|_| Meaningless)?;
        self.total += u128::from(u64::from_le_bytes(number));
        Ok(())
    }

    fn apply_change(&mut self, change: &ConfChange, conf_state: &ConfState) {
        if let ([step], Ok(peer)) = (change.changes.as_slice(), codec::decode(&change.context)) {
            self.peers.insert(step.node(), peer);
        }
        self.peers.retain(|id, _| conf_state.contains(*id));
    }

    fn snapshot(&self) -> Bytes {
        // A member takes some 300 bytes at most, and there are 62 at most: far below the limit.
        codec::encode(self).map_or_else(|_| Bytes::new(), Bytes::from)
    }

    fn restore(snapshot: &[u8]) -> Result<Self, Meaningless> {
        codec::decode(snapshot).map_err(|_| Meaningless)
    }
    // ANCHOR_END: sum

    fn peers(&self) -> &BTreeMap<NodeId, Peer> {
        &self.peers
    }

    fn sum(&self) -> u128 {
        self.total
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(port: u16) -> Peer {
        Peer {
            address: format!("127.0.0.1:{port}").parse().expect("an address"),
            incarnation: Incarnation(7),
        }
    }

    #[test]
    fn the_snapshot_holds_the_sum_and_the_addresses() {
        let mut machine = Sum::default();
        machine.apply(&command(u64::MAX)).expect("a command");
        machine.apply(&command(3)).expect("a command");
        machine.apply_change(&peer(4001).added(1), &ConfState::of_voters([1]));

        let restored = Sum::restore(&machine.snapshot()).expect("its own snapshot");
        assert_eq!(restored, machine);
        assert_eq!(restored.sum(), u128::from(u64::MAX) + 3);
        assert_eq!(restored.peers()[&1], peer(4001));
    }

    #[test]
    fn bytes_that_mean_nothing_change_nothing() {
        let mut machine = Sum::default();
        assert_eq!(machine.apply(b"seven b"), Err(Meaningless));
        machine.apply_change(
            &ConfChange::single(Change::AddVoter(1)).with_context("nonsense"),
            &ConfState::of_voters([1]),
        );
        assert_eq!(machine, Sum::default());
        assert_eq!(Sum::restore(b"nonsense"), Err(Meaningless));
        assert_eq!(Sum::restore(&[0xff; 64]), Err(Meaningless));
    }

    #[test]
    fn a_member_that_goes_takes_its_address_with_it() {
        let mut machine = Sum::default();
        machine.apply_change(&peer(4001).added(1), &ConfState::of_voters([1]));
        machine.apply_change(&peer(4002).added(2), &ConfState::of_voters([1, 2]));
        machine.apply_change(&peer(4003).moved(2), &ConfState::of_voters([1, 2]));
        assert_eq!(machine.peers()[&2], peer(4003));
        machine.apply_change(
            &ConfChange::single(Change::Remove(2)),
            &ConfState::of_voters([1]),
        );
        assert!(!machine.peers().contains_key(&2));
    }
}
