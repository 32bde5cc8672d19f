//! `quit`: leaving the cluster.
//!
//! The rule it keeps: a node says that it has left only when its removal is committed and it has
//! seen that. Until then it goes on as a member, since the others count on it.

use std::fmt;
use std::time::Duration;

use ch10_separate_processes::outcome::Outcome;
use ch10_separate_processes::request::Handle;
use raft_kernel::{Change, ConfChange, NodeId, Role};
use tokio::time::{Instant, sleep, timeout};

/// How long to try. Several elections fit into it.
pub const LEAVE_TIME: Duration = Duration::from_secs(10);

/// How long to wait before the next attempt: about the time of a message and its answer.
const AGAIN: Duration = Duration::from_millis(50);

/// How long the last member stays, for what it has yet to send.
const GOODBYE: Duration = Duration::from_millis(250);

/// How a node has left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left {
    /// The others know that it is gone.
    Removed,
    /// There are no others: the cluster stops with this node, and is where this node's file is.
    WasLast,
    /// It was no member.
    WasNoMember,
}

/// Why a node has not left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotLeft {
    /// No majority has agreed in time. It is certain that none will, unless asked again.
    NotCommitted(String),
    /// Nobody here knows: it may have left, or leave later.
    Unknown(String),
    /// The node has stopped.
    Stopped,
}

impl fmt::Display for NotLeft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NotLeft::NotCommitted(why) => write!(
                f,
                "not left: {why}. This node goes on as a member. Try `quit` again when a majority \
                 is up, or type `stop`: then it stays a member that is down"
            ),
            NotLeft::Unknown(why) => write!(
                f,
                "it is unknown whether this node has left: {why}. Try `quit` again, or type \
                 `stop`; started again, this node asks the others and is a member again"
            ),
            NotLeft::Stopped => f.write_str("not left: the node has stopped"),
        }
    }
}

impl std::error::Error for NotLeft {}

/// Proposes this node's removal, until it is committed or the time is up.
// ANCHOR: leave
pub async fn leave(handle: &Handle) -> Result<Left, NotLeft> {
    let deadline = Instant::now() + LEAVE_TIME;
    let mut why = "there was no leader".to_owned();
    let mut asked = false;
    loop {
        let status = handle.status().await.ok_or(NotLeft::Stopped)?;
        if !status.peers.contains_key(&status.id) {
            return Ok(if asked {
                Left::Removed
            } else {
                Left::WasNoMember
            });
        }
        if status.peers.len() == 1 {
            // Whoever left a moment ago may still wait to hear so, and from this node alone.
            sleep(GOODBYE).await;
            return Ok(Left::WasLast);
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(NotLeft::NotCommitted(why));
        }
        if status.role == Role::Leader {
            // Whoever removes itself as the leader is gone before the others know that they
            // may go on without it. So somebody else leads first.
            "no other member could take over the leadership".clone_into(&mut why);
            handle.hand_over().await;
        } else {
            asked = true;
            match timeout(left, handle.change(removal(status.id))).await {
                Ok(Outcome::Applied { .. }) => continue,
                Ok(Outcome::Unknown(doubt)) => return Err(NotLeft::Unknown(doubt.to_string())),
                Err(_) => return Err(NotLeft::Unknown("no answer came in time".to_owned())),
                Ok(outcome) => why = outcome.to_string(),
            }
        }
        sleep(AGAIN).await;
    }
}
// ANCHOR_END: leave

fn removal(id: NodeId) -> ConfChange {
    ConfChange::single(Change::Remove(id))
}
