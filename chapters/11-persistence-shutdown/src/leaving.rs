//! `quit`: leaving the cluster.
//!
//! The rule it keeps: a node says that it has left only when its removal is committed, and it has
//! seen that, or another member has. Until then it goes on as a member, since the others count
//! on it.

use std::fmt;
use std::time::Duration;

use ch10_separate_processes::outcome::Outcome;
use ch10_separate_processes::request::Handle;
use ch10_separate_processes::server::Server;
use ch10_separate_processes::transport::Backoff;
use raft_kernel::{Change, ConfChange, NodeId, Role};
use tokio::time::{Instant, sleep, timeout};

/// How long `quit` tries. Several elections fit into it.
pub const LEAVE_TIME: Duration = Duration::from_secs(10);

/// How long to wait before the next attempt. What has to pass first happens at other nodes, an
/// election or the end of another change, and nothing here tells of it; this is about the time
/// of a message and its answer.
const AGAIN: Duration = Duration::from_millis(50);

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
    /// Nobody who was asked knows: it may have left, or leave later.
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
                "it is unknown whether this node has left: {why}, and no other member can say. \
                 Try `quit` again when another member is up, or type `stop`; started again, this \
                 node asks the others and is a member again"
            ),
            NotLeft::Stopped => f.write_str("not left: the node has stopped"),
        }
    }
}

impl std::error::Error for NotLeft {}

/// Leaves, or says why not, after so long a time at most.
// ANCHOR: leave
pub async fn leave(server: &Server, patience: Duration) -> Result<Left, NotLeft> {
    tokio::select! {
        biased;
        left = be_removed(server.handle(), patience) => left,
        () = removed_for_another(server) => Ok(Left::Removed),
    }
}
// ANCHOR_END: leave

// ANCHOR: be_removed
/// Proposes this node's removal, until this node sees that it is committed or the time is up.
async fn be_removed(handle: &Handle, patience: Duration) -> Result<Left, NotLeft> {
    let deadline = Instant::now() + patience;
    let mut why = "there was no leader".to_owned();
    let (mut asked, mut doubt) = (false, None);
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
            return Ok(Left::WasLast);
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(doubt.map_or(NotLeft::NotCommitted(why), NotLeft::Unknown));
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
                // A removal may be proposed twice: the second one finds nobody to remove.
                Ok(Outcome::Unknown(why)) => doubt = Some(why.to_string()),
                Err(_) => doubt = Some("no answer came in time".to_owned()),
                Ok(Outcome::NotCommitted(refusal)) => why = refusal.to_string(),
                Ok(outcome @ Outcome::WithoutEffect { .. }) => why = outcome.to_string(),
            }
        }
        sleep(AGAIN).await;
    }
}
// ANCHOR_END: be_removed

/// Waits until another member says that this node is none any more. The news may never come by
/// itself: to whoever was removed, the others send nothing, not even again what was lost.
// ANCHOR: removed
async fn removed_for_another(server: &Server) {
    let mut backoff = Backoff::default();
    loop {
        sleep(backoff.wait()).await;
        let Some(status) = server.handle().status().await else {
            continue;
        };
        for (id, address) in status.peers.iter().filter(|(id, _)| **id != status.id) {
            // Whoever is behind this node may not even know yet that it was let in.
            if let Ok(members) = server.ask_members(*id, address).await
                && members.applied >= status.applied
                && !members.ids.contains(&status.id)
            {
                return;
            }
        }
    }
}
// ANCHOR_END: removed

fn removal(id: NodeId) -> ConfChange {
    ConfChange::single(Change::Remove(id))
}
