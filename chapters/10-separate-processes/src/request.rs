//! What may be asked of a running node, and the handle to ask with.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use raft_kernel::{ConfChange, Index, NodeId, Role, Term};
use serde::{Serialize, Serializer};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;

use crate::address::Address;
use crate::outcome::{Doubt, Outcome, Refusal};
use crate::waiting::Answer;
use crate::wire::frame::Proposal;

/// How long a proposal that no leader took is offered again before the answer is "no".
pub const PATIENCE: Duration = Duration::from_secs(10);

/// How long to wait before a proposal is offered again. A heartbeat's time or so: much less
/// cannot change anything.
const OFFER_AGAIN: Duration = Duration::from_millis(50);

/// Something that a client asks of its node.
pub enum Request {
    /// How it stands.
    Status(oneshot::Sender<NodeStatus>),
    /// To get something into the log.
    Propose(Proposal, Answer),
    /// To let another node lead, if it leads.
    HandOver,
}

/// How a node stands, for people and scripts.
// ANCHOR: status
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NodeStatus {
    /// Its number.
    pub id: NodeId,
    /// What it is doing.
    #[serde(serialize_with = "in_words")]
    pub role: Role,
    /// The current term.
    pub term: Term,
    /// The leader, if it knows of one.
    pub leader: Option<NodeId>,
    /// The last index that it knows to be committed.
    pub commit: Index,
    /// The last index that its state machine has applied.
    pub applied: Index,
    /// The first index in its log.
    pub first: Index,
    /// The last index in its log.
    pub last: Index,
    /// The sum of the commands that it has applied.
    pub sum: u128,
    /// The members of the cluster and where they are.
    pub peers: BTreeMap<NodeId, Address>,
}
// ANCHOR_END: status

#[allow(clippy::trivially_copy_pass_by_ref)] // The shape that serde asks for.
fn in_words<S: Serializer>(role: &Role, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(role)
}

/// What a node shouts when it changes, for those who wait for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct News {
    /// Whether the node sees itself in the configuration.
    pub member: bool,
    /// The leader, if it knows of one.
    pub leader: Option<NodeId>,
}

/// Asks a running node. Cheap to clone; outlives the node, and then answers so.
#[derive(Clone)]
pub struct Handle {
    pub(crate) requests: mpsc::Sender<Request>,
    pub(crate) news: watch::Receiver<News>,
}

impl Handle {
    /// How the node stands; nothing once it has stopped.
    pub async fn status(&self) -> Option<NodeStatus> {
        let (answer, status) = oneshot::channel();
        self.requests.send(Request::Status(answer)).await.ok()?;
        status.await.ok()
    }

    /// Proposes a command, once.
    pub async fn propose(&self, command: Bytes) -> Outcome {
        self.offer(Proposal::Command(command)).await
    }

    /// Proposes a change of the configuration, once.
    pub async fn change(&self, change: ConfChange) -> Outcome {
        self.offer(Proposal::Change(change)).await
    }

    /// Lets another node lead, if this one does. It takes some time, and may come to nothing.
    pub async fn hand_over(&self) {
        // A node that has stopped leads nobody.
        let _ = self.requests.send(Request::HandOver).await;
    }

    async fn offer(&self, proposal: Proposal) -> Outcome {
        let (answer, outcome) = oneshot::channel();
        let request = Request::Propose(proposal, answer);
        if self.requests.send(request).await.is_err() {
            return Outcome::NotCommitted(Refusal::Stopped);
        }
        outcome.await.unwrap_or(Outcome::Unknown(Doubt::Stopped))
    }

    /// Proposes something, again and again as long as it is certain that it was not taken, up
    /// to `patience`. What may have been taken is never proposed twice.
    // ANCHOR: patiently
    pub async fn propose_patiently(&self, proposal: Proposal, patience: Duration) -> Outcome {
        let deadline = Instant::now() + patience;
        loop {
            match self.offer(proposal.clone()).await {
                Outcome::NotCommitted(why)
                    if why.will_pass() && Instant::now() + OFFER_AGAIN < deadline =>
                {
                    tokio::time::sleep(OFFER_AGAIN).await;
                }
                outcome => return outcome,
            }
        }
    }
    // ANCHOR_END: patiently

    /// Waits until the node sees itself in the configuration. Says whether it did; if not,
    /// the node has stopped.
    pub async fn joined(&self) -> bool {
        let mut news = self.news.clone();
        news.wait_for(|news| news.member).await.is_ok()
    }
}
