//! What the chapter claims, one test a claim.

mod joining;
mod lost_messages;
mod outcomes;
mod persist_before_send;
mod quorum_of_two;
mod threads;
mod undelivered;

use ch01_single_node_cluster::story::stored_entries;
use ch05_two_node_cluster::by_hand::ByHand;
use ch05_two_node_cluster::{Node, Outcome, Proposal, Replica, Ticket};
use raft_kernel::{Change, ConfChange, Entry, Index, NodeId, Progress};

const SEED: u64 = 1;

/// No test needs more than a few elections, and each is over after twenty ticks.
const MANY_TICKS: usize = 200;

fn command(byte: u8) -> Proposal<u8> {
    Proposal::Command(byte)
}

fn change(change: Change) -> Proposal<u8> {
    Proposal::Change(ConfChange::single(change))
}

/// Node 1, alone in its cluster, after [10, 20, 30].
fn alone() -> ByHand<Node> {
    let mut cluster = ByHand::default();
    cluster.add(Node::found(1, SEED).expect("a new node"));
    tick_until(&mut cluster, &[1], |cluster| leads(cluster, 1));
    for byte in [10, 20, 30] {
        propose(&mut cluster, 1, command(byte));
    }
    settle(&mut cluster);
    cluster
}

/// Node 1 and node 2, which has joined. Node 1 leads.
fn two_nodes() -> ByHand<Node> {
    let mut cluster = alone();
    cluster.add(Node::join(2, SEED).expect("a new node"));
    propose(&mut cluster, 1, change(Change::AddVoter(2)));
    settle(&mut cluster);
    cluster
}

fn propose(cluster: &mut ByHand<Node>, id: NodeId, proposal: Proposal<u8>) -> Ticket {
    cluster.propose(id, proposal).expect("the node goes on")
}

/// Delivers messages until there are none.
fn settle(cluster: &mut ByHand<Node>) {
    cluster.settle(|_| Ok(())).expect("the nodes go on");
}

/// One tick for each of these nodes, and all that follows from it.
fn tick(cluster: &mut ByHand<Node>, ids: &[NodeId]) {
    for id in ids {
        cluster.tick(*id).expect("the node goes on");
        settle(cluster);
    }
}

#[track_caller]
fn tick_until(
    cluster: &mut ByHand<Node>,
    ids: &[NodeId],
    mut condition: impl FnMut(&mut ByHand<Node>) -> bool,
) {
    for _ in 0..MANY_TICKS {
        if condition(cluster) {
            return;
        }
        tick(cluster, ids);
    }
    let states: Vec<String> = ids.iter().map(|id| cluster.node(*id).to_string()).collect();
    panic!("not after {MANY_TICKS} ticks:\n{}", states.join("\n"));
}

fn leads(cluster: &mut ByHand<Node>, id: NodeId) -> bool {
    cluster.node(id).status().soft_state.leader == Some(id)
}

fn commands(cluster: &mut ByHand<Node>, id: NodeId) -> Vec<u8> {
    cluster.node(id).machine().commands().to_vec()
}

fn committed(cluster: &mut ByHand<Node>, id: NodeId) -> Index {
    cluster.node(id).status().hard_state.commit
}

fn voters(cluster: &mut ByHand<Node>, id: NodeId) -> Vec<NodeId> {
    cluster.node(id).status().config.conf_state().voters
}

fn stored(cluster: &mut ByHand<Node>, id: NodeId) -> Vec<Entry> {
    stored_entries(cluster.node(id).storage()).expect("the stored entries")
}

/// What the leader, node 1, knows of another.
fn progress(leader: &Node, of: NodeId) -> Progress {
    leader.status().progress[&of].clone()
}

/// The index at which the proposal was applied.
#[track_caller]
fn applied(ticket: &Ticket) -> Index {
    match ticket.outcome() {
        Some(Outcome::Applied { index }) => index,
        other => panic!("not applied: {other:?}"),
    }
}
