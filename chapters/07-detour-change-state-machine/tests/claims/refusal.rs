//! A leader that waits for others cannot take more and more. It says so.

use std::convert::Infallible;
use std::fmt;

use ch05_two_node_cluster::by_hand::ByHand;
use ch05_two_node_cluster::{Outcome, Proposal, Replica, Ticket, config};
use ch06_two_node_snapshot::{Node, StateMachine};
use ch07_detour_change_state_machine::Paced;
use raft_kernel::{DropReason, Role};

use crate::watched::settle;

/// A state machine with large commands: it counts their bytes.
#[derive(Debug, Default, PartialEq, Eq)]
struct Bytes(usize);

impl StateMachine for Bytes {
    type Command = Vec<u8>;
    type Error = Infallible;

    fn encode(command: &Vec<u8>) -> Vec<u8> {
        command.clone()
    }

    fn apply(&mut self, command: &[u8]) -> Result<(), Infallible> {
        self.0 += command.len();
        Ok(())
    }

    fn snapshot(&self) -> Vec<u8> {
        self.0.to_string().into_bytes()
    }

    fn restore(snapshot: &[u8]) -> Result<Self, Infallible> {
        let text = std::str::from_utf8(snapshot).expect("digits");
        Ok(Bytes(text.parse().expect("a number")))
    }
}

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0)
    }
}

const LIMIT: usize = 64 << 20;

/// Two nodes, of which node 1 leads.
fn two_nodes() -> ByHand<Paced<Bytes>> {
    let mut nodes = ByHand::default();
    for id in [1, 2] {
        let node = Node::found(id, &[1, 2], 1).expect("a new node");
        nodes.add(Paced::new(node, 1).expect("a possible pace"));
    }
    while nodes.node(1).status().soft_state.role != Role::Leader {
        nodes.tick(1).expect("a tick");
        settle(&mut nodes);
    }
    nodes
}

/// Proposes so many bytes to node 1. Whatever it sends is on its way, and not delivered.
fn propose(nodes: &mut ByHand<Paced<Bytes>>, length: usize) -> Ticket {
    let command = Proposal::Command(vec![0; length]);
    let ticket = nodes.propose(1, command).expect("an answer");
    nodes.turn().expect("turns");
    ticket
}

// ANCHOR: too_much
#[test]
fn what_is_too_much_at_once_is_refused_and_taken_when_there_is_room() {
    let mut nodes = two_nodes();
    // Nothing is delivered, so nothing is committed, and the limit is reached.
    let fits = [(); 2].map(|()| propose(&mut nodes, LIMIT / 2));
    let refused = propose(&mut nodes, 1).outcome();
    let expected = Outcome::Dropped {
        reason: DropReason::TooMuchUncommitted,
        leader: Some(1),
    };
    assert_eq!(refused, Some(expected));
    assert!(fits.iter().all(|ticket| ticket.outcome().is_none()));

    // Everything arrives, and there is room again.
    settle(&mut nodes);
    let again = propose(&mut nodes, 1);
    settle(&mut nodes);
    for ticket in fits.iter().chain([&again]) {
        assert!(matches!(ticket.outcome(), Some(Outcome::Applied { .. })));
    }
    for id in [1, 2] {
        assert_eq!(nodes.node(id).node().machine(), &Bytes(LIMIT + 1));
    }
}
// ANCHOR_END: too_much

#[test]
fn a_leader_of_this_book_takes_64_mib_that_are_not_committed() {
    assert_eq!(config(1, 1).max_uncommitted_bytes, LIMIT as u64);
}
