//! The harness over raft-kernel.

use raft_kernel::{
    ConfState, Config, MemoryStorage, Message, Payload, RawNode, Role, Snapshot, Storage,
};

use bytes::BytesMut;

use crate::harness::Cluster;

struct Node {
    raft: RawNode<MemoryStorage>,
    storage: MemoryStorage,
    commands: u64,
    bytes: u64,
}

/// A cluster of raft-kernel nodes.
pub struct Ours {
    nodes: Vec<Node>,
    messages: Vec<Message>,
    in_delivery: Vec<Message>,
}

impl Cluster for Ours {
    fn new(nodes: u64) -> Self {
        let nodes = (1..=nodes)
            .map(|id| {
                let storage = MemoryStorage::from_snapshot(Snapshot {
                    index: 1,
                    term: 1,
                    conf_state: ConfState::of_voters(1..=nodes),
                    ..Snapshot::default()
                });
                let config = Config {
                    seed: id,
                    ..Config::new(id)
                };
                let raft = RawNode::new(&config, storage.clone()).expect("a node");
                Node {
                    raft,
                    storage,
                    commands: 0,
                    bytes: 0,
                }
            })
            .collect();
        Ours {
            nodes,
            messages: Vec::new(),
            in_delivery: Vec::new(),
        }
    }

    fn elect(&mut self) {
        self.nodes[0].raft.campaign().expect("a campaign");
        self.settle();
        assert_eq!(self.nodes[0].raft.role(), Role::Leader);
    }

    fn propose(&mut self, command: BytesMut) {
        self.nodes[0]
            .raft
            .propose(command.freeze())
            .expect("the leader takes it");
    }

    fn settle(&mut self) {
        loop {
            let mut idle = true;
            for node in &mut self.nodes {
                while node.raft.has_ready() {
                    idle = false;
                    node.turn(&mut self.messages);
                }
            }
            std::mem::swap(&mut self.messages, &mut self.in_delivery);
            for message in self.in_delivery.drain(..) {
                idle = false;
                let to = usize::try_from(message.to - 1).expect("a node's number");
                self.nodes[to].raft.step(message).expect("a valid message");
            }
            if idle {
                return;
            }
        }
    }

    fn applied(&self) -> Vec<u64> {
        self.nodes.iter().map(|node| node.commands).collect()
    }

    fn compact(&mut self) {
        for node in &self.nodes {
            let applied = node.raft.status().applied;
            let conf_state = node.storage.initial_state().expect("a state").conf_state;
            node.storage
                .create_snapshot(applied, conf_state, "")
                .expect("a newer snapshot");
            node.storage.compact(applied).expect("a longer log");
        }
    }
}

impl Node {
    fn turn(&mut self, messages: &mut Vec<Message>) {
        let mut ready = self.raft.ready().expect("a Ready");
        self.storage
            .append(&ready.append.entries)
            .expect("entries that follow the log");
        if let Some(hard_state) = ready.append.hard_state {
            self.storage.set_hard_state(hard_state);
        }
        ready.move_messages(messages);
        for entry in &ready.apply.entries {
            if let Payload::Command(command) = &entry.payload {
                self.commands += 1;
                self.bytes += command.len() as u64;
            }
        }
        self.raft.advance(ready).expect("an advance");
    }
}
