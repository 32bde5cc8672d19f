//! One node with its storage, a state machine that only counts, and the loop.

use std::collections::VecDeque;

use raft_kernel::{
    AppendWork, ApplyWork, Bytes, ConfState, Config, Entries, Entry, HardState, Index,
    MemoryStorage, Message, NodeId, Payload, ProgressState, RawNode, Ready, Snapshot,
    StorageWrites, Term,
};

use super::storage::CountingStorage;

/// What a node's log holds when the node starts, after a snapshot at index 1 of term 1
/// that names the voters.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Past {
    /// Entries of term 1, committed and applied.
    pub(crate) applied: u64,
    /// Entries after them, which are not known to be committed.
    pub(crate) open: u64,
    /// The open entries' term.
    pub(crate) open_term: Term,
}

impl Past {
    /// Everything is applied.
    pub(crate) fn applied(applied: u64) -> Self {
        Past {
            applied,
            open: 0,
            open_term: 1,
        }
    }

    fn last_applied(&self) -> Index {
        1 + self.applied
    }

    /// A storage with this past.
    pub(crate) fn storage(&self, voters: u64) -> CountingStorage {
        /// Entries that are made at once: a long log should not be in memory twice. The
        /// storage's room doubles from here, so a log of a round length never fills it
        /// exactly, and the first entry after it does not make it grow.
        const CHUNK: u64 = 768;
        let conf_state = ConfState::of_voters(1..=voters);
        let memory = MemoryStorage::from_snapshot(Snapshot {
            index: 1,
            term: 1,
            conf_state: conf_state.clone(),
            ..Snapshot::default()
        });
        let end = self.last_applied() + self.open + 1;
        let mut next = 2;
        while next < end {
            let chunk: Vec<Entry> = (next..end.min(next + CHUNK))
                .map(|i| self.entry(i))
                .collect();
            next += chunk.len() as u64;
            memory.append(&chunk).expect("entries that follow the log");
        }
        if self.applied > 0 {
            let snapshot = memory.create_snapshot(self.last_applied(), conf_state, "");
            snapshot.expect("the log reaches that far");
        }
        memory.set_hard_state(HardState {
            term: self.open_term,
            vote: None,
            commit: self.last_applied(),
        });
        CountingStorage::new(memory)
    }

    fn entry(&self, index: Index) -> Entry {
        Entry {
            term: if index <= self.last_applied() {
                1
            } else {
                self.open_term
            },
            index,
            payload: Payload::Command(Bytes::from_static(b"from the past...")),
        }
    }
}

/// A node and what it needs.
pub(crate) struct Node {
    pub(crate) raft: RawNode<CountingStorage>,
    pub(crate) storage: CountingStorage,
    /// How many commands were applied.
    pub(crate) commands: u64,
    writes: StorageWrites,
    /// Handed to the storage thread, oldest first.
    appends: VecDeque<AppendWork>,
    /// Handed to the thread of the state machine, oldest first.
    applies: VecDeque<ApplyWork>,
}

impl Node {
    pub(crate) fn start(id: NodeId, voters: u64, writes: StorageWrites, past: &Past) -> Self {
        let storage = past.storage(voters);
        let config = Config {
            seed: id,
            storage_writes: writes,
            ..Config::new(id)
        };
        Node {
            raft: RawNode::new(&config, storage.clone()).expect("a node"),
            storage,
            commands: 0,
            writes,
            appends: VecDeque::new(),
            applies: VecDeque::new(),
        }
    }

    /// Turns the loop until there is nothing to do, and says whether there was anything.
    pub(crate) fn work(&mut self, outbox: &mut Vec<Message>) -> bool {
        let mut busy = false;
        while self.raft.has_ready() {
            busy = true;
            match self.writes {
                StorageWrites::Synchronous => self.turn(outbox),
                StorageWrites::Asynchronous => {
                    self.hand_out(outbox);
                    while self.append_next(outbox).is_some() {}
                    while self.apply_next() {}
                }
            }
        }
        busy
    }

    fn turn(&mut self, outbox: &mut Vec<Message>) {
        let mut ready = self.raft.ready().expect("a Ready");
        write(&self.storage, &ready.append);
        outbox.extend(ready.take_messages());
        self.apply(&ready.apply.entries);
        self.raft.advance(ready).expect("an advance");
    }

    /// Takes a `Ready` and hands its work to the threads of an asynchronous node.
    pub(crate) fn hand_out(&mut self, outbox: &mut Vec<Message>) {
        let Ready {
            messages,
            append,
            apply,
            ..
        } = self.raft.ready().expect("a Ready");
        outbox.extend(messages);
        if !append.is_empty() {
            self.appends.push_back(append);
        }
        if !apply.is_empty() {
            self.applies.push_back(apply);
        }
    }

    /// The storage thread does one work, and says how many entries it wrote; nothing, if
    /// there is no work.
    pub(crate) fn append_next(&mut self, outbox: &mut Vec<Message>) -> Option<usize> {
        let work = self.appends.pop_front()?;
        write(&self.storage, &work);
        outbox.extend(work.messages().cloned());
        let entries = work.entries.len();
        self.raft
            .appended(work.done())
            .expect("a write that was asked for");
        Some(entries)
    }

    /// The thread of the state machine does one work, if there is one.
    pub(crate) fn apply_next(&mut self) -> bool {
        let Some(work) = self.applies.pop_front() else {
            return false;
        };
        self.apply(&work.entries);
        self.raft
            .applied(work.done())
            .expect("entries that were handed out");
        true
    }

    fn apply(&mut self, entries: &Entries) {
        for entry in entries {
            match &entry.payload {
                Payload::Empty => {}
                Payload::Command(_) => self.commands += 1,
                Payload::ConfChange(change) => {
                    self.raft
                        .apply_conf_change(change)
                        .expect("a possible change");
                }
            }
        }
    }

    /// How this node, a leader, sends to a follower.
    pub(crate) fn sends_to(&self, follower: NodeId) -> ProgressState {
        self.raft.status().progress[&follower].state
    }

    /// Makes a snapshot of what is applied, and leaves the log as it is.
    pub(crate) fn snapshot(&mut self) {
        let status = self.raft.status();
        let conf_state = ConfState {
            learners: status.config.learners.iter().collect(),
            ..ConfState::of_voters(status.config.voters.incoming.iter())
        };
        // Refused where nothing was applied since the last one.
        let _ = self
            .storage
            .memory
            .create_snapshot(status.applied, conf_state, "");
    }

    /// Makes a snapshot and keeps no more than `length` of the applied entries.
    pub(crate) fn compact_to(&mut self, length: u64) {
        self.snapshot();
        let applied = self.raft.status().applied;
        // Refused where the log is no longer than that.
        let _ = self.storage.memory.compact(applied.saturating_sub(length));
    }
}

/// What a `Ready` wants written.
pub(crate) fn write(storage: &CountingStorage, work: &AppendWork) {
    let memory = &storage.memory;
    if let Some(snapshot) = work.snapshot.as_deref() {
        memory
            .apply_snapshot(snapshot.clone())
            .expect("a newer snapshot");
    }
    memory
        .append(&work.entries)
        .expect("entries that follow the log");
    if let Some(hard_state) = work.hard_state {
        memory.set_hard_state(hard_state);
    }
}
