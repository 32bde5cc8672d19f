//! What a message promises is stored before the message is sent.

use std::collections::{BTreeMap, VecDeque};

use ch05_two_node_cluster::{Node, Post, Replica, Ticket, Undelivered};
use raft_kernel::{AppendOutcome, MemoryStorage, Message, MessageBody, NodeId, Storage};

use crate::{MANY_TICKS, SEED, change, command};

/// A network that looks into the sender's storage whenever it is to send a message.
#[derive(Default)]
struct Witness {
    storages: BTreeMap<NodeId, MemoryStorage>,
    on_the_way: VecDeque<Message>,
    /// Whether messages are lost.
    is_down: bool,
    /// How often each kind of promise was seen.
    seen: BTreeMap<&'static str, usize>,
}

impl Post for Witness {
    fn send(&mut self, message: Message) -> Result<(), Undelivered> {
        self.look(&message);
        if self.is_down {
            return Err(Undelivered::NobodyThere(message.to));
        }
        self.on_the_way.push_back(message);
        Ok(())
    }
}

impl Witness {
    fn look(&mut self, message: &Message) {
        let storage = &self.storages[&message.from];
        let stored = storage.hard_state();
        let is_stored = |index, term| storage.term(index).is_ok_and(|stored| stored == term);
        let holds = match &message.body {
            // Whoever votes, for another or for itself, has written it down.
            MessageBody::RequestVoteResponse { granted: true } => {
                (stored.term, stored.vote) == (message.term, Some(message.to))
            }
            MessageBody::RequestVote { .. } => {
                (stored.term, stored.vote) == (message.term, Some(message.from))
            }
            MessageBody::AppendEntriesResponse(AppendOutcome::Accepted { match_index }) => {
                stored.term == message.term
                    && storage.last_index().is_ok_and(|last| last >= *match_index)
            }
            // This loop stores what a leader sends before it sends it.
            MessageBody::AppendEntries { entries, .. } => {
                stored.term == message.term
                    && entries
                        .iter()
                        .all(|entry| is_stored(entry.index, entry.term))
            }
            _ => return,
        };
        assert!(holds, "{message:?} was sent with {stored:?} stored");
        *self.seen.entry(message.body.name()).or_default() += 1;
    }
}

struct Watched {
    nodes: [Node; 2],
    witness: Witness,
}

impl Watched {
    fn new() -> Self {
        let nodes = [
            Node::found(1, SEED).expect("a new node"),
            Node::join(2, SEED).expect("a new node"),
        ];
        let mut witness = Witness::default();
        for node in &nodes {
            let storage = node.storage().clone();
            witness.storages.insert(node.status().id, storage);
        }
        Watched { nodes, witness }
    }

    fn settle(&mut self) {
        loop {
            for node in &mut self.nodes {
                while node.turn(&mut self.witness).expect("a turn").is_some() {}
            }
            let Some(message) = self.witness.on_the_way.pop_front() else {
                return;
            };
            let to = &mut self.nodes[usize::from(message.to == 2)];
            to.step(message).expect("the node goes on");
        }
    }

    fn tick_until(&mut self, condition: impl Fn(&[Node; 2]) -> bool) {
        for _ in 0..MANY_TICKS {
            if condition(&self.nodes) {
                return;
            }
            for node in &mut self.nodes {
                node.tick().expect("a tick");
            }
            self.settle();
        }
        panic!("not reached:\n{}\n{}", self.nodes[0], self.nodes[1]);
    }

    fn propose(&mut self, proposal: ch05_two_node_cluster::Proposal<u8>) {
        let (promise, _) = Ticket::new();
        let leader = self.nodes.iter_mut().find(|node| leads(node));
        let proposed = leader.expect("a leader").propose(proposal, promise);
        proposed.expect("the node goes on");
        self.settle();
    }
}

fn leads(node: &Node) -> bool {
    node.status().soft_state.leader == Some(node.status().id)
}

#[test]
fn whatever_a_message_promises_is_stored_before_it_is_sent() {
    let mut cluster = Watched::new();
    cluster.tick_until(|nodes| leads(&nodes[0]));
    cluster.propose(change(raft_kernel::Change::AddVoter(2)));
    for round in 0..10 {
        cluster.propose(command(round));
        // The leader goes unheard until it steps down, and somebody is elected anew.
        cluster.witness.is_down = true;
        cluster.tick_until(|nodes| !nodes.iter().any(leads));
        cluster.witness.is_down = false;
        cluster.tick_until(|nodes| nodes.iter().any(leads));
    }
    let seen = &cluster.witness.seen;
    for name in [
        "RequestVote",
        "RequestVoteResponse",
        "AppendEntries",
        "AppendEntriesResponse",
    ] {
        let times = seen.get(name).copied().unwrap_or_default();
        assert!(times >= 10, "{name} was seen {times} times: {seen:?}");
    }
}
