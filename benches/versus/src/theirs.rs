//! The harness over raft 0.7.0 ("raft-rs").

use raft::eraftpb::{ConfState, Entry, EntryType, Message, Snapshot};
use raft::storage::MemStorage;
use raft::{Config, RawNode, StateRole};

use bytes::BytesMut;

use crate::harness::Cluster;

struct Node {
    raft: RawNode<MemStorage>,
    commands: u64,
    bytes: u64,
}

/// A cluster of raft-rs nodes.
pub struct Theirs {
    nodes: Vec<Node>,
    messages: Vec<Message>,
    in_delivery: Vec<Message>,
}

impl Cluster for Theirs {
    fn new(nodes: u64) -> Self {
        let nodes = (1..=nodes)
            .map(|id| {
                let storage = MemStorage::new();
                let mut snapshot = Snapshot::default();
                snapshot.mut_metadata().index = 1;
                snapshot.mut_metadata().term = 1;
                *snapshot.mut_metadata().mut_conf_state() =
                    ConfState::from(((1..=nodes).collect::<Vec<_>>(), vec![]));
                storage
                    .wl()
                    .apply_snapshot(snapshot)
                    .expect("a newer snapshot");
                let config = Config {
                    id,
                    election_tick: 10,
                    heartbeat_tick: 1,
                    check_quorum: true,
                    pre_vote: true,
                    max_size_per_msg: 1 << 20,
                    max_inflight_msgs: 256,
                    ..Config::default()
                };
                let raft = RawNode::with_default_logger(&config, storage).expect("a node");
                Node {
                    raft,
                    commands: 0,
                    bytes: 0,
                }
            })
            .collect();
        Theirs {
            nodes,
            messages: Vec::new(),
            in_delivery: Vec::new(),
        }
    }

    fn elect(&mut self) {
        self.nodes[0].raft.campaign().expect("a campaign");
        self.settle();
        assert_eq!(self.nodes[0].raft.raft.state, StateRole::Leader);
    }

    fn propose(&mut self, command: BytesMut) {
        self.nodes[0]
            .raft
            .propose(Vec::new(), command.to_vec())
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
            let applied = node.raft.raft.raft_log.applied;
            node.raft
                .store()
                .wl()
                .compact(applied)
                .expect("a longer log");
        }
    }
}

impl Node {
    fn turn(&mut self, messages: &mut Vec<Message>) {
        let store = self.raft.store().clone();
        let mut ready = self.raft.ready();
        messages.append(&mut ready.take_messages());
        store
            .wl()
            .append(ready.entries())
            .expect("entries that follow the log");
        if let Some(hard_state) = ready.hs() {
            store.wl().set_hardstate(hard_state.clone());
        }
        messages.append(&mut ready.take_persisted_messages());
        self.apply(ready.take_committed_entries());
        let mut light = self.raft.advance(ready);
        if let Some(commit) = light.commit_index() {
            store.wl().mut_hard_state().set_commit(commit);
        }
        messages.append(&mut light.take_messages());
        self.apply(light.take_committed_entries());
        self.raft.advance_apply();
    }

    fn apply(&mut self, entries: Vec<Entry>) {
        for entry in entries {
            if entry.get_entry_type() == EntryType::EntryNormal && !entry.data.is_empty() {
                self.commands += 1;
                self.bytes += entry.data.len() as u64;
            }
        }
    }
}
