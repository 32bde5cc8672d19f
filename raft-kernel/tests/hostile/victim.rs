//! A node under attack, with the caller that serves it.

use std::collections::VecDeque;

use raft_kernel::{
    AppendAck, AppendWork, ApplyWork, ConfState, Config, Error, Index, MemoryStorage, Message,
    RawNode, Ready, Storage, StorageWrites,
};

use super::choices::Choices;
use super::doubtful_storage::DoubtfulStorage;
use super::values::View;
use super::witness::Witness;

/// Whom the node can rely on at home. Peers are never to be relied on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Home {
    /// Storage and caller do as they must: then nothing may stop the node.
    Honest,
    /// The storage lies. The node may stop, and must not panic.
    LyingStorage,
    /// The caller claims what is not so. The node may stop, and must not panic.
    LyingCaller,
}

pub(crate) struct Victim {
    pub(crate) config: Config,
    pub(crate) home: Home,
    pub(crate) node: RawNode<DoubtfulStorage>,
    pub(crate) storage: DoubtfulStorage,
    /// Set by the first fatal error.
    pub(crate) has_stopped: bool,
    /// Taken and not advanced, by a synchronous caller.
    pub(crate) held: Option<Ready>,
    pub(crate) appends: VecDeque<AppendWork>,
    pub(crate) written: VecDeque<AppendAck>,
    pub(crate) applies: VecDeque<ApplyWork>,
    /// What the state machine has applied.
    pub(crate) machine: Index,
    witness: Witness,
}

impl Victim {
    pub(crate) fn new(config: Config, home: Home, truth: MemoryStorage) -> Self {
        let machine = truth.snapshot().expect("memory does not fail").index;
        let storage = DoubtfulStorage::new(truth, config.seed);
        let node = RawNode::new(&config, storage.clone()).expect("the storage is honest so far");
        let witness = Witness::of_start(&node.status(), machine);
        let victim = Victim {
            config,
            home,
            node,
            storage,
            has_stopped: false,
            held: None,
            appends: VecDeque::new(),
            written: VecDeque::new(),
            applies: VecDeque::new(),
            machine,
            witness,
        };
        victim.set_lies();
        victim
    }

    fn set_lies(&self) {
        let lies = self.home == Home::LyingStorage;
        self.storage.lie(if lies { 2 } else { 0 });
    }

    pub(crate) fn is_asynchronous(&self) -> bool {
        self.config.storage_writes == StorageWrites::Asynchronous
    }

    /// What an attacker may know of it.
    pub(crate) fn view(&self, extremes: u64) -> View {
        let status = self.node.status();
        let stored = self.storage.truth.last_index();
        View {
            id: self.config.id,
            term: status.hard_state.term,
            committed: status.hard_state.commit,
            last: stored
                .expect("memory does not fail")
                .max(status.hard_state.commit),
            extremes,
        }
    }

    /// Gives the node an input, and looks at it afterwards.
    pub(crate) fn give<T>(
        &mut self,
        input: impl FnOnce(&mut RawNode<DoubtfulStorage>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let before = self.node.status();
        let result = input(&mut self.node);
        let after = self.node.status();
        if let Err(error) = &result {
            let words = error.to_string();
            if error.is_fatal() {
                assert!(
                    self.home != Home::Honest,
                    "the node stopped, and neither storage nor caller lied: {words}"
                );
                let stopped = self.node.tick();
                assert!(
                    matches!(stopped, Err(Error::Stopped(_))) && !self.node.has_ready(),
                    "the node goes on after a fatal error: {words}"
                );
                self.has_stopped = true;
                return result;
            }
            if matches!(error, Error::InvalidMessage { .. } | Error::UnknownPeer(_)) {
                assert!(
                    (before.hard_state, before.soft_state) == (after.hard_state, after.soft_state),
                    "a message was refused and changed something: {words}"
                );
            }
        }
        if self.home == Home::Honest {
            let limit = self.config.inflight.messages;
            self.witness.saw(&after, limit);
        }
        result
    }

    /// Takes a `Ready`, if there is one.
    pub(crate) fn take_ready(&mut self) -> Option<Ready> {
        if self.has_stopped || !self.node.has_ready() {
            return None;
        }
        let ready = self.give(RawNode::ready).ok()?;
        if self.home == Home::Honest {
            self.witness.saw_ready(&ready);
        }
        Some(ready)
    }

    /// Does all that a synchronous caller does: what is to be sent.
    pub(crate) fn finish(&mut self, mut ready: Ready) -> Vec<Message> {
        self.write(&ready.append);
        let mut messages = Vec::new();
        for message in ready.take_messages() {
            messages.push(message);
        }
        self.apply(&ready.apply);
        self.advance(ready);
        messages
    }

    pub(crate) fn advance(&mut self, ready: Ready) {
        if self.has_stopped {
            return;
        }
        let result = self.give(|node| node.advance(ready));
        self.expect_taken(result, "a Ready that is done");
    }

    /// Puts away what an asynchronous caller does later: what is to be sent at once.
    pub(crate) fn queue(&mut self, ready: Ready) -> Vec<Message> {
        if !ready.append.is_empty() {
            self.appends.push_back(ready.append);
        }
        if !ready.apply.is_empty() {
            self.applies.push_back(ready.apply);
        }
        ready.messages
    }

    /// Finishes the oldest write: what is to be sent then.
    pub(crate) fn write_oldest(&mut self) -> Vec<Message> {
        let Some(work) = self.appends.pop_front() else {
            return Vec::new();
        };
        self.write(&work);
        let messages = work.messages().cloned().collect();
        self.written.push_back(work.done());
        messages
    }

    pub(crate) fn acknowledge_oldest(&mut self, choices: &mut Choices) {
        let Some(ack) = self.written.pop_front() else {
            return;
        };
        let parts = if choices.percent(20) {
            ack.into_parts()
        } else {
            vec![ack]
        };
        for part in parts {
            if self.has_stopped {
                return;
            }
            let result = self.give(|node| node.appended(part));
            self.expect_taken(result, "a write that is done");
        }
    }

    pub(crate) fn apply_oldest(&mut self) {
        let Some(work) = self.applies.pop_front() else {
            return;
        };
        self.apply(&work);
        if self.has_stopped {
            return;
        }
        let result = self.give(|node| node.applied(work.done()));
        self.expect_taken(result, "entries that are applied");
    }

    fn expect_taken<T>(&self, result: Result<T, Error>, what: &str) {
        if let Err(error) = result {
            assert!(
                self.home != Home::Honest,
                "the node refuses {what}: {error}"
            );
        }
    }

    fn write(&mut self, work: &AppendWork) {
        let truth = &self.storage.truth;
        let strict = self.home == Home::Honest;
        if let Some(snapshot) = work.snapshot.as_deref() {
            let index = snapshot.index;
            let stored = truth.apply_snapshot(snapshot.clone());
            assert!(
                stored.is_ok() || !strict,
                "a snapshot is no news: {stored:?}"
            );
            self.machine = self.machine.max(index);
        }
        let stored = truth.append(&work.entries);
        assert!(stored.is_ok() || !strict, "entries do not fit: {stored:?}");
        if let Some(hard_state) = work.hard_state {
            truth.set_hard_state(hard_state);
        }
    }

    fn apply(&mut self, work: &ApplyWork) {
        for entry in &work.entries {
            // A snapshot that was written meanwhile may hold it.
            if entry.index <= self.machine || self.has_stopped {
                continue;
            }
            assert!(
                self.home != Home::Honest || entry.index == self.machine + 1,
                "entry {} follows entry {}",
                entry.index,
                self.machine
            );
            self.machine = entry.index;
            if let Some(change) = entry.conf_change() {
                // One that is impossible is so for everyone: the configuration stays.
                let _ = self.give(|node| node.apply_conf_change(change));
            }
        }
    }

    /// Makes a snapshot of the state machine, and forgets the log up to `keep` entries
    /// before it.
    pub(crate) fn compact(&mut self, keep: u64) {
        let conf_state: ConfState = self.node.status().config.conf_state();
        let truth = &self.storage.truth;
        if truth.create_snapshot(self.machine, conf_state, "").is_ok() {
            // Refused where it is compacted already.
            let _ = truth.compact(self.machine.saturating_sub(keep));
        }
    }

    /// Crashes, and starts again from what was written.
    pub(crate) fn restart(&mut self, choices: &mut Choices) {
        self.held = None;
        self.appends.clear();
        self.written.clear();
        self.applies.clear();
        let truth = &self.storage.truth;
        if choices.percent(20) {
            // Nobody waits for the write of a commit index, so it may be lost.
            let mut hard_state = truth.hard_state();
            hard_state.commit = 0;
            truth.set_hard_state(hard_state);
        }
        self.config.applied = if choices.coin() { self.machine } else { 0 };
        if self.home == Home::LyingStorage {
            // A start asks few questions, but believes much.
            self.storage.lie(20);
        }
        let attempt = RawNode::new(&self.config, self.storage.clone());
        let attempt = match attempt {
            Err(error) if self.home == Home::Honest => {
                panic!("the node does not start from what it wrote: {error}")
            }
            // A second try, with a storage that tells the truth for once.
            Err(_) => {
                self.storage.lie(0);
                RawNode::new(&self.config, self.storage.clone())
            }
            started => started,
        };
        self.node = attempt.unwrap_or_else(|_| {
            // The lies have reached the disk: begin anew.
            self.config.applied = 0;
            self.storage = DoubtfulStorage::new(MemoryStorage::new(), self.config.seed);
            RawNode::new(&self.config, self.storage.clone()).expect("an empty storage is right")
        });
        if self.config.applied == 0 {
            self.machine = self.storage.truth.snapshot().map_or(0, |s| s.index);
        }
        self.has_stopped = false;
        if self.home == Home::Honest {
            self.witness = Witness::of_start(&self.node.status(), self.machine);
        }
        self.set_lies();
    }

    /// Serves the node until it wants nothing more: everything that it sends meanwhile.
    pub(crate) fn settle(&mut self, choices: &mut Choices) -> Vec<Message> {
        let mut sent = Vec::new();
        if let Some(ready) = self.held.take() {
            sent.extend(self.finish(ready));
        }
        let (mut turns, machine_before) = (0_u64, self.machine);
        while !self.has_stopped {
            let committed = self.node.status().hard_state.commit;
            let waiting = committed.saturating_sub(self.machine);
            match self.take_ready() {
                Some(ready) if self.is_asynchronous() => sent.extend(self.queue(ready)),
                Some(ready) => sent.extend(self.finish(ready)),
                None if !self.appends.is_empty() => sent.extend(self.write_oldest()),
                None if !self.written.is_empty() => self.acknowledge_oldest(choices),
                None if !self.applies.is_empty() => self.apply_oldest(),
                None => break,
            }
            // Applying one entry at a time takes as many turns as there are entries; what
            // else there is to do is soon done.
            turns += 1;
            let applied = self.machine.saturating_sub(machine_before);
            let bound = applied.saturating_add(waiting).saturating_mul(4);
            if turns > bound.saturating_add(1000) {
                assert!(
                    self.home != Home::Honest,
                    "after {turns} turns there is still something to do"
                );
                break;
            }
        }
        sent
    }

    /// After [`settle`](Victim::settle): all that is committed is stored and applied.
    pub(crate) fn assert_settled(&self) {
        if self.home != Home::Honest {
            return;
        }
        let status = self.node.status();
        let commit = status.hard_state.commit;
        let last = self.storage.truth.last_index();
        let last = last.expect("memory does not fail");
        assert!(commit <= last, "{commit} is committed and {last} the end");
        assert!(
            status.applied == commit && self.machine == commit,
            "{commit} is committed, {} acknowledged and {} applied",
            status.applied,
            self.machine
        );
        let stored = self.storage.truth.hard_state();
        assert_eq!(
            (stored.term, stored.vote),
            (status.hard_state.term, status.hard_state.vote),
            "the promises are stored"
        );
    }
}
