//! One node with all that a caller must bring: storage, a state machine, and the loop.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use raft_kernel::{
    AppendAck, AppendWork, ApplyWork, ConfState, Config, Error, Event, HardState, Index,
    MemoryStorage, Message, NodeId, RawNode, ReadState, Ready, Snapshot, Storage, StorageWrites,
};

use super::machine::Machine;
use super::observer::Observer;
use super::shadow::Shadow;

/// What survives a crash, what does not, and what is under way.
pub(crate) struct Server {
    pub(crate) config: Config,
    /// Holds what has been written; a crash leaves it as it is.
    pub(crate) storage: MemoryStorage,
    /// The promises as of the last write that had to reach the disk: one that only moved
    /// the commit index may be lost.
    synced: HardState,
    /// `None` while the server is down.
    pub(crate) node: Option<RawNode<MemoryStorage>>,
    pub(crate) machine: Machine,
    pub(crate) shadow: Shadow,
    /// How often it was started: a node that crashed is another one in some respects.
    pub(crate) starts: u32,
    pub(crate) appends: VecDeque<AppendWork>,
    /// Written, and the node not told yet.
    pub(crate) written: VecDeque<AppendAck>,
    pub(crate) applies: VecDeque<ApplyWork>,
    /// Reads that the node has answered.
    pub(crate) reads: Vec<ReadState>,
    pub(crate) holds_appends: bool,
    pub(crate) holds_applies: bool,
    events: Arc<Mutex<Vec<Event>>>,
}

/// What becomes of the state machine when its server starts again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MachineFate {
    /// It kept its state on a disk of its own.
    Survived,
    /// It begins again with the latest snapshot.
    Lost,
}

impl Server {
    pub(crate) fn new(config: Config, storage: MemoryStorage) -> Self {
        let mut server = Server {
            config,
            synced: storage.hard_state(),
            storage,
            node: None,
            machine: Machine::default(),
            shadow: Shadow::default(),
            starts: 0,
            appends: VecDeque::new(),
            written: VecDeque::new(),
            applies: VecDeque::new(),
            reads: Vec::new(),
            holds_appends: false,
            holds_applies: false,
            events: Arc::default(),
        };
        server.start(MachineFate::Lost);
        server
    }

    pub(crate) fn id(&self) -> NodeId {
        self.config.id
    }

    pub(crate) fn is_async(&self) -> bool {
        self.config.storage_writes == StorageWrites::Asynchronous
    }

    /// Stops it in the middle of whatever it does.
    pub(crate) fn crash(&mut self) {
        self.node = None;
        self.appends.clear();
        self.written.clear();
        self.applies.clear();
    }

    /// The same, and writes that nobody waited for are lost too.
    pub(crate) fn crash_losing_unsynced(&mut self) {
        self.crash();
        self.storage.set_hard_state(self.synced);
    }

    pub(crate) fn start(&mut self, machine: MachineFate) {
        self.crash();
        self.config.applied = match machine {
            MachineFate::Survived => self.machine.applied,
            MachineFate::Lost => {
                self.machine = Machine::restored(&self.snapshot());
                0
            }
        };
        let events = Arc::clone(&self.events);
        let sink = move |event| events.lock().expect("no sink panics").push(event);
        let node = RawNode::with_events(&self.config, self.storage.clone(), sink);
        self.node = Some(node.unwrap_or_else(|error| panic!("n{} starts: {error}", self.id())));
        self.shadow = Shadow::of(&self.storage);
        self.starts += 1;
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        self.storage.snapshot().expect("memory does not fail")
    }

    /// The running node.
    pub(crate) fn node(&mut self) -> &mut RawNode<MemoryStorage> {
        self.node.as_mut().expect("the server is up")
    }

    /// What the node said that it did, since this was asked last.
    pub(crate) fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events.lock().expect("no sink panics"))
    }

    /// One turn of the loop, if there is anything to do: what it sends.
    pub(crate) fn turn(&mut self, observer: &mut Observer) -> Option<Vec<Message>> {
        let node = self.node.as_mut()?;
        if !node.has_ready() {
            return None;
        }
        let ready = node.ready().expect("a Ready was announced");
        self.shadow.follow(&ready);
        self.reads.extend(ready.read_states.iter().cloned());
        observer.saw_ready(self, &ready);
        if self.is_async() {
            Some(self.queue(ready))
        } else {
            Some(self.finish(ready, observer))
        }
    }

    fn finish(&mut self, mut ready: Ready, observer: &mut Observer) -> Vec<Message> {
        self.write(&ready.append);
        let messages = ready.take_messages().collect();
        self.apply(&ready.apply, observer);
        self.node().advance(ready).expect("all of it was done");
        messages
    }

    fn queue(&mut self, ready: Ready) -> Vec<Message> {
        if !ready.append.is_empty() {
            self.appends.push_back(ready.append);
        }
        if !ready.apply.is_empty() {
            self.applies.push_back(ready.apply);
        }
        ready.messages
    }

    fn write(&mut self, work: &AppendWork) {
        if let Some(snapshot) = work.snapshot.as_deref() {
            self.machine = Machine::restored(snapshot);
            let stored = self.storage.apply_snapshot(snapshot.clone());
            stored.expect("a snapshot in a Ready is news");
        }
        let stored = self.storage.append(&work.entries);
        stored.expect("entries in a Ready follow the log");
        if let Some(hard_state) = work.hard_state {
            self.storage.set_hard_state(hard_state);
        }
        if work.must_sync {
            // Whatever was written before is on the disk with it.
            self.synced = self.storage.hard_state();
        }
    }

    fn apply(&mut self, work: &ApplyWork, observer: &mut Observer) {
        for entry in &work.entries {
            if entry.index <= self.machine.applied {
                // A snapshot that was written meanwhile holds it.
                continue;
            }
            self.machine.apply(entry);
            let id = self.id();
            let Some(change) = entry.conf_change() else {
                observer.saw_applied(id, entry);
                continue;
            };
            match self.node().apply_conf_change(change) {
                Ok(state) => self.machine.conf_state = state,
                // Impossible, and so for everyone: the configuration stays.
                Err(Error::ConfChange(_)) => {}
                Err(error) => panic!("n{id} applies a change: {error}"),
            }
            observer.saw_applied(id, entry);
            observer.saw_configuration(self);
        }
    }

    /// Finishes the oldest write: what it sends. The node is not told yet.
    pub(crate) fn write_oldest(&mut self) -> Option<Vec<Message>> {
        let work = self.appends.pop_front()?;
        self.write(&work);
        let messages = work.messages().cloned().collect();
        self.written.push_back(work.done());
        Some(messages)
    }

    /// Tells the node of the oldest write that is done.
    pub(crate) fn acknowledge_oldest(&mut self) -> Option<()> {
        let ack = self.written.pop_front()?;
        self.node().appended(ack).expect("it was written");
        Some(())
    }

    /// Applies the oldest entries that were handed out, and tells the node.
    pub(crate) fn apply_oldest(&mut self, observer: &mut Observer) -> Option<()> {
        let work = self.applies.pop_front()?;
        self.apply(&work, observer);
        self.node().applied(work.done()).expect("it was applied");
        Some(())
    }

    /// Makes a snapshot of the state machine, and forgets the log up to `keep` entries
    /// before it. Does nothing when there is nothing new.
    pub(crate) fn compact(&mut self, keep: u64) {
        let index = self.machine.applied;
        let data = self.machine.snapshot_data();
        let conf_state: ConfState = self.machine.conf_state.clone();
        if self
            .storage
            .create_snapshot(index, conf_state, data)
            .is_ok()
        {
            self.forget_up_to(index.saturating_sub(keep));
        }
    }

    fn forget_up_to(&mut self, index: Index) {
        if index >= self.storage.first_index().expect("memory does not fail") {
            self.storage.compact(index).expect("a snapshot holds it");
        }
    }
}
