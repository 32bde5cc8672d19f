//! How a node stands, for people and monitors.

use std::collections::BTreeMap;

use crate::progress::Progress;
use crate::raft::Raft;
use crate::state::{HardState, Role, SoftState};
use crate::storage::Storage;
use crate::tracker::Configuration;
use crate::{Index, NodeId};

/// A node's state at one moment.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Status {
    /// The node.
    pub id: NodeId,
    /// Its term, vote and commit index.
    pub hard_state: HardState,
    /// Its role and its leader.
    pub soft_state: SoftState,
    /// What its state machine has acknowledged as applied.
    pub applied: Index,
    /// The configuration that it works under.
    pub config: Configuration,
    /// A leader's view of everybody, itself among them; empty on any other node.
    pub progress: BTreeMap<NodeId, Progress>,
    /// The node that a leader is moving its leadership to.
    pub transferee: Option<NodeId>,
}

impl Status {
    pub(crate) fn of<S: Storage>(raft: &Raft<S>) -> Self {
        let progress = match raft.role {
            Role::Leader => {
                let all = raft.tracker.progress.iter();
                all.map(|(id, peer)| (id, peer.clone())).collect()
            }
            _ => BTreeMap::new(),
        };
        Status {
            id: raft.id,
            hard_state: raft.hard_state(),
            soft_state: raft.soft_state(),
            applied: raft.log.applied(),
            config: raft.tracker.config.clone(),
            progress,
            transferee: raft.transferee,
        }
    }
}
