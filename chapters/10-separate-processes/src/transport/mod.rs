//! Messages between nodes over TCP.
//!
//! The rule it keeps: the node's loop never waits for the network. What cannot be queued at
//! once is dropped, and the engine is told; it is made for networks that lose messages.
//!
//! Each node keeps one connection to each peer, for all that it has to say to it. So there
//! are two between any two nodes, one in each direction.

mod backoff;
mod inbox;
mod incoming;
mod outgoing;
mod snapshot;

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use raft_kernel::{Message, MessageBody, NodeId, SnapshotOutcome};
use tokio::sync::{mpsc, oneshot};

pub use backoff::Backoff;
pub use inbox::{Delivery, Inbox, inbox};
pub use incoming::accept;
pub use outgoing::open;
pub use snapshot::MAX_SNAPSHOT_BYTES;

use crate::address::Address;
use crate::identity::{ClusterId, Incarnation};
use crate::machine;
use crate::outcome::{Outcome, Refusal};
use crate::wire::frame::{Frame, JoinAnswer, JoinRequest, Members, Place, Proposal};
use outgoing::Peer;

/// What others send through this node is passed on while fewer frames than this wait for the
/// receiver: it must not take the room of the node's own messages.
const RELAYED: usize = 64;

/// What every part of a node knows about itself.
#[derive(Debug)]
pub struct Local {
    /// Its number.
    pub id: NodeId,
    /// Where others reach it.
    pub address: Address,
    /// Which life of it this is.
    pub incarnation: Incarnation,
    /// Its cluster, once it has been welcomed. Before that it takes no messages.
    pub cluster: OnceLock<ClusterId>,
}

/// What the network tells the loop.
pub enum Event {
    /// A message for this node's engine.
    Message(Message),
    /// A message to pass on to a node whose address its sender does not know.
    Relay(Message),
    /// A node asks its leader, which it takes this node for, to propose something.
    Propose {
        /// Who asks.
        from: NodeId,
        /// Its number for the request.
        request: u64,
        /// What to propose.
        proposals: Vec<Proposal>,
    },
    /// The answer to this node's own request.
    Proposed {
        /// Who answers.
        from: NodeId,
        /// The number of the request.
        request: u64,
        /// The places in the leader's log.
        places: Vec<Result<Place, Refusal>>,
    },
    /// A node has connected, and says where it is.
    Here(NodeId, machine::Peer),
    /// Somebody asks who the members are.
    Members(oneshot::Sender<Members>),
    /// A node wants to join.
    Join(JoinRequest, oneshot::Sender<JoinStep>),
    /// This node was welcomed by a cluster.
    Welcomed(ClusterId, oneshot::Sender<()>),
    /// The connection to a peer was lost, or never came about. What was queued is lost.
    PeerLost(NodeId),
    /// What became of a snapshot that was sent to a peer.
    Snapshot(NodeId, SnapshotOutcome),
}

/// What is to be done about a [`JoinRequest`].
pub enum JoinStep {
    /// There is an answer already.
    Answer(JoinAnswer),
    /// It was proposed; the answer depends on the outcome.
    Proposed(oneshot::Receiver<Outcome>),
    /// The leader must be asked.
    AskLeader(NodeId, Address),
}

/// What every connection to a peer is given.
#[derive(Clone)]
pub struct Wiring {
    /// Who this node is.
    pub local: Arc<Local>,
    /// Where to tell what happens.
    pub inbox: Inbox,
    /// Held for as long as there is something to send. Nothing comes through it: whoever has
    /// the other end sees when all connections have ended.
    pub open: mpsc::Sender<()>,
}

/// The peers, and the way to each.
pub struct Transport {
    wiring: Wiring,
    peers: BTreeMap<NodeId, Peer>,
    /// Addresses from elsewhere than the log: from the command line, or from a member that has
    /// moved and says so. They are the only ones for as long as the log has none.
    contacts: BTreeMap<NodeId, Address>,
}

impl Transport {
    /// Knows the peers of `contacts`, until [`set_peers`](Transport::set_peers) tells more.
    pub fn new(wiring: Wiring, contacts: BTreeMap<NodeId, Address>) -> Self {
        Transport {
            wiring,
            peers: BTreeMap::new(),
            contacts,
        }
    }

    /// Takes over the members and addresses that the state machine holds. Connections to
    /// nodes that are no members any more end, once what was queued for them is sent.
    pub fn set_peers(&mut self, addresses: &BTreeMap<NodeId, Address>) {
        let wanted = if addresses.is_empty() {
            &self.contacts
        } else {
            addresses
        };
        let stays = |id: &NodeId, peer: &mut Peer| wanted.get(id) == Some(&peer.address);
        self.peers.retain(stays);
        for (id, address) in wanted {
            if *id != self.wiring.local.id && !self.peers.contains_key(id) {
                let or_at = self.contacts.get(id).filter(|other| *other != address);
                let peer = Peer::connect(*id, address.clone(), or_at.cloned(), &self.wiring);
                self.peers.insert(*id, peer);
            }
        }
    }

    // ANCHOR: heard_of
    /// A member says that it is at this address, and the log says otherwise. The log may be
    /// older: when several members have moved, none leads that could change it before they find
    /// each other. So both are tried.
    pub fn heard_of(&mut self, id: NodeId, address: &Address) {
        let Some(peer) = self.peers.get(&id) else {
            return;
        };
        if peer.address == *address || peer.or_at.as_ref() == Some(address) {
            return;
        }
        self.contacts.insert(id, address.clone());
        let peer = Peer::connect(
            id,
            peer.address.clone(),
            Some(address.clone()),
            &self.wiring,
        );
        self.peers.insert(id, peer);
    }
    // ANCHOR_END: heard_of

    /// Sends a message of the engine. Says whether it is on its way; it may be lost there.
    // ANCHOR: send
    pub fn send(&mut self, message: Message) -> bool {
        if let Some(peer) = self.peers.get(&message.to) {
            return peer.send(Frame::Raft(message));
        }
        // A snapshot is too large to trouble a third node with. The leader that sends one
        // has the address: it has applied the change that brought it.
        if matches!(message.body, MessageBody::InstallSnapshot { .. }) {
            return false;
        }
        match self.peers.values().find(|peer| peer.is_connected()) {
            Some(relay) => relay.send(Frame::Relay(message)),
            None => false,
        }
    }

    /// Passes on what another node could not deliver. Once: where the address is not known
    /// here either, the message is lost.
    pub fn relay(&mut self, message: Message) {
        if let Some(peer) = self.peers.get(&message.to)
            && peer.queued() < RELAYED
        {
            peer.send(Frame::Relay(message));
        }
    }
    // ANCHOR_END: send

    /// Sends a frame of our own to a member. Says whether it is on its way.
    pub fn send_frame(&mut self, to: NodeId, frame: Frame) -> bool {
        self.peers.get(&to).is_some_and(|peer| peer.send(frame))
    }
}
