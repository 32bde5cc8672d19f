//! The claims of chapter 2 hold for a `Node`, unchanged: this runs chapter 2's own file.

#[path = "../../02-single-node-proposals/tests/claims/mod.rs"]
mod claims;

use ch01_single_node_cluster::{Turn, story::stored_entries};
use ch04_detour_node_refactor::Node;
use claims::Subject;
use raft_kernel::{ConfChange, Entry, Error, Proposed, Role};

// ANCHOR: adapter
impl Subject for Node {
    fn start(seed: u64) -> Self {
        Node::start(seed).expect("a new node")
    }

    fn propose(&mut self, command: u8) -> Result<Proposed, Error> {
        self.propose(command)
    }

    fn turn(&mut self) -> Option<Turn> {
        self.turn().expect("a turn of the loop")
    }
    // ANCHOR_END: adapter

    fn tick(&mut self) {
        self.tick().expect("a tick");
    }

    fn propose_conf_change(&mut self, change: ConfChange) -> Result<Proposed, Error> {
        self.propose_conf_change(change)
    }

    fn role(&self) -> Role {
        self.status().soft_state.role
    }

    fn commands(&self) -> Vec<u8> {
        self.machine().commands().to_vec()
    }

    fn stored(&self) -> Vec<Entry> {
        stored_entries(self.storage()).expect("the stored entries")
    }
}

chapter_2_claims_hold_for!(Node);
