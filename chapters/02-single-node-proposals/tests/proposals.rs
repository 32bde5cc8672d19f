//! The claims of chapter 2 hold for engine, storage and state machine as three values.

mod claims;

use ch01_single_node_cluster::{Turn, start, story::stored_entries};
use ch02_single_node_proposals::{CommandList, propose, turn};
use claims::Subject;
use raft_kernel::{ConfChange, Entry, Error, MemoryStorage, Proposed, RawNode, Role};

// ANCHOR: adapter
struct ThreeValues {
    raft: RawNode<MemoryStorage>,
    storage: MemoryStorage,
    machine: CommandList,
}

impl Subject for ThreeValues {
    fn start(seed: u64) -> Self {
        let (raft, storage) = start(seed).expect("a new node");
        ThreeValues {
            raft,
            storage,
            machine: CommandList::default(),
        }
    }

    fn propose(&mut self, command: u8) -> Result<Proposed, Error> {
        propose(&mut self.raft, command)
    }

    fn turn(&mut self) -> Option<Turn> {
        self.raft.has_ready().then(|| {
            turn(&mut self.raft, &self.storage, &mut self.machine).expect("a turn of the loop")
        })
    }
    // ANCHOR_END: adapter

    fn tick(&mut self) {
        self.raft.tick().expect("a tick");
    }

    fn propose_conf_change(&mut self, change: ConfChange) -> Result<Proposed, Error> {
        self.raft.propose_conf_change(change)
    }

    fn role(&self) -> Role {
        self.raft.role()
    }

    fn commands(&self) -> Vec<u8> {
        self.machine.commands().to_vec()
    }

    fn stored(&self) -> Vec<Entry> {
        stored_entries(&self.storage).expect("the stored entries")
    }
}

chapter_2_claims_hold_for!(ThreeValues);
