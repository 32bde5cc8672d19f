//! One node of the environment: an engine, its storage, and the work that waits for its two
//! threads.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use raft_kernel::{
    AppendWork, ApplyWork, Config, Entries, Entry, Error, Event, HardState, Index, InitialState,
    MemoryResult, MemoryStorage, NodeId, Payload, RawNode, Snapshot, Storage, StorageError, Term,
};

use super::rendering::VERSION_1;

/// A storage in memory, and every state that its node's state machine has been in. The
/// snapshot for a follower is the last of them.
#[derive(Clone, Default)]
pub(crate) struct HistoryStorage {
    pub(crate) memory: MemoryStorage,
    history: Arc<Mutex<Vec<Snapshot>>>,
}

impl HistoryStorage {
    pub(crate) fn starting_from(snapshot: Snapshot) -> Self {
        HistoryStorage {
            memory: MemoryStorage::from_snapshot(snapshot.clone()),
            history: Arc::new(Mutex::new(vec![snapshot])),
        }
    }

    fn push(&self, snapshot: Snapshot) {
        self.history
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(snapshot);
    }

    /// The newest state up to `index`.
    pub(crate) fn state_at(&self, index: Index) -> Snapshot {
        let history = self.history.lock().unwrap_or_else(PoisonError::into_inner);
        let found = history.iter().rev().find(|state| state.index <= index);
        found.cloned().unwrap_or_default()
    }

    fn last_state(&self) -> Snapshot {
        self.state_at(Index::MAX)
    }
}

impl Storage for HistoryStorage {
    type Error = std::convert::Infallible;

    fn initial_state(&self) -> MemoryResult<InitialState> {
        self.memory.initial_state()
    }

    fn entries(&self, range: Range<Index>, max_bytes: u64) -> MemoryResult<Entries> {
        self.memory.entries(range, max_bytes)
    }

    fn term(&self, index: Index) -> MemoryResult<Term> {
        self.memory.term(index)
    }

    fn first_index(&self) -> MemoryResult<Index> {
        self.memory.first_index()
    }

    fn last_index(&self) -> MemoryResult<Index> {
        self.memory.last_index()
    }

    fn snapshot(&self) -> MemoryResult<Snapshot> {
        Ok(self.last_state())
    }
}

/// What happened inside the nodes that etcd's library writes to its log, and that scripts
/// are about: new roles and new configurations. Lines as they stand there.
#[derive(Clone, Default)]
pub(crate) struct Journal(Arc<Mutex<Vec<String>>>);

impl Journal {
    /// The lines since the last call.
    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn sink(&self, node: NodeId) -> impl FnMut(Event) + Send + 'static {
        let lines = Arc::clone(&self.0);
        move |event| {
            if let Event::BecameRole { .. } | Event::SwitchedConfiguration(_) = event {
                lines
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push(format!("INFO {node:x} {event}"));
            }
        }
    }
}

pub(crate) struct Node {
    pub(crate) engine: RawNode<HistoryStorage>,
    pub(crate) storage: HistoryStorage,
    pub(crate) config: Config,
    pub(crate) append_queue: VecDeque<AppendWork>,
    pub(crate) apply_queue: VecDeque<ApplyWork>,
    /// The term and vote that the last `Ready` told of.
    promised: (Term, Option<NodeId>),
    journal: Journal,
}

impl Node {
    pub(crate) fn start(
        config: Config,
        storage: HistoryStorage,
        journal: Journal,
    ) -> Result<Self, Error> {
        let sink = journal.sink(config.id);
        let engine = RawNode::with_events(&config, storage.clone(), sink)?;
        let mut node = Node {
            engine,
            storage,
            config,
            append_queue: VecDeque::new(),
            apply_queue: VecDeque::new(),
            promised: (0, None),
            journal,
        };
        let HardState { term, vote, .. } = node.engine.status().hard_state;
        node.promised = (term, vote);
        Ok(node)
    }

    /// The same node after a crash: what was not written or applied yet is lost, what was
    /// applied has survived.
    pub(crate) fn restarted(&self) -> Result<Self, Error> {
        let compacted = self.storage.memory.first_index().unwrap_or(1) - 1;
        let config = Config {
            applied: self.storage.last_state().index.max(compacted),
            ..self.config.clone()
        };
        Node::start(config, self.storage.clone(), self.journal.clone())
    }

    pub(crate) fn id(&self) -> NodeId {
        self.engine.id()
    }

    /// Whether the node takes part in the configuration that it works under.
    pub(crate) fn is_member(&self) -> bool {
        let config = self.engine.status().config;
        config.voters.contains(self.id()) || config.learners.contains(self.id())
    }

    /// What etcd means by "must be synchronous": entries, or a new term or vote. The engine
    /// counts a snapshot too.
    pub(crate) fn must_sync(&mut self, work: &AppendWork) -> bool {
        let promises = work.hard_state.map_or(self.promised, |hard_state| {
            (hard_state.term, hard_state.vote)
        });
        let changed = promises != self.promised;
        self.promised = promises;
        changed || !work.entries.is_empty()
    }

    /// Writes to the node's storage.
    pub(crate) fn write(&self, work: &AppendWork) -> Result<(), String> {
        let memory = &self.storage.memory;
        if let Some(hard_state) = work.hard_state {
            memory.set_hard_state(hard_state);
        }
        if let Some(snapshot) = work.snapshot.as_deref() {
            memory
                .apply_snapshot(snapshot.clone())
                .map_err(|error| storage_text(&error))?;
        }
        memory
            .append(&work.entries)
            .map_err(|error| storage_text(&error))
    }

    /// Applies to the node's state machine, which appends the bytes of each entry to those
    /// of the earlier ones.
    pub(crate) fn apply(&mut self, entries: &[Entry]) -> Result<(), String> {
        for entry in entries {
            let mut state = self.storage.last_state();
            let update = match &entry.payload {
                Payload::Empty => &[],
                Payload::Command(bytes) => bytes.as_ref(),
                Payload::ConfChange(change) => {
                    state.conf_state = self
                        .engine
                        .apply_conf_change(change)
                        .map_err(|error| error.to_string())?;
                    let context = change.context.as_ref();
                    context.strip_prefix(VERSION_1).unwrap_or(context)
                }
            };
            self.storage.push(Snapshot {
                index: entry.index,
                term: entry.term,
                conf_state: state.conf_state,
                data: [state.data.as_ref(), update].concat().into(),
            });
        }
        Ok(())
    }

    /// Forgets the log up to `index`. The storage only forgets what a snapshot of its own
    /// stands for, so it makes one first.
    pub(crate) fn compact(&self, index: Index) -> Result<(), String> {
        let memory = &self.storage.memory;
        let state = self.storage.state_at(index);
        match memory.create_snapshot(index, state.conf_state, state.data) {
            // It has a later one, which will do.
            Ok(_) | Err(StorageError::SnapshotOutOfDate) => {}
            Err(error) => return Err(storage_text(&error)),
        }
        memory.compact(index).map_err(|error| storage_text(&error))
    }
}

/// What etcd's storage says.
pub(crate) fn storage_text(error: &StorageError<std::convert::Infallible>) -> String {
    match error {
        StorageError::Compacted => "requested index is unavailable due to compaction".to_owned(),
        StorageError::Unavailable => "requested entry at index is unavailable".to_owned(),
        StorageError::SnapshotOutOfDate => {
            "requested index is older than the existing snapshot".to_owned()
        }
        other => other.to_string(),
    }
}
