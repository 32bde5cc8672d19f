//! Becoming a member, seen from both sides.
//!
//! The rule it keeps: asking twice is harmless. A request may be lost, and so may its answer,
//! so the newcomer asks until it sees itself in the configuration; and whoever is asked looks
//! first whether that has been done already.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use raft_kernel::{NodeId, Role};
use tokio::sync::{oneshot, watch};
use tokio::time::timeout;

use crate::address::Address;
use crate::machine::Peer;
use crate::outcome::Outcome;
use crate::request::Handle;
use crate::transport::{Backoff, Event, Inbox, JoinStep, Local, open};
use crate::wire::frame::{Frame, Hello, JoinAnswer, JoinRequest, Members};

/// A member must answer in this time: it takes an election timeout or two to commit.
const ANSWER_TIME: Duration = Duration::from_secs(6);

/// The leader's answer to a member that asks on behalf of a newcomer. Shorter, so that the
/// newcomer hears something in any case.
const LEADER_TIME: Duration = Duration::from_secs(5);

/// After the welcome, the log must have arrived in this time, or the newcomer asks again.
const SEEN_TIME: Duration = Duration::from_secs(3);

/// A node that comes back asks in vain so often before it says so: a second or two, in which
/// others that were started at the same time have come back, too.
const PATIENT_ROUNDS: u32 = 6;

/// Why a node will never be a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JoinError {
    /// A member said so, and why.
    Refused {
        /// Which.
        by: NodeId,
        /// Why.
        why: String,
    },
    /// The node stopped.
    Stopped,
}

impl fmt::Display for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            JoinError::Refused { by, why } => {
                write!(f, "cannot join: node {by} refuses, because {why}")
            }
            JoinError::Stopped => f.write_str("the node stopped before it had joined"),
        }
    }
}

impl std::error::Error for JoinError {}

/// Asks the members in `seeds`, one after the other, until this node sees itself in the
/// configuration.
// ANCHOR: join
pub async fn join(
    local: &Local,
    seeds: &BTreeMap<NodeId, Address>,
    inbox: &Inbox,
    handle: &Handle,
) -> Result<(), JoinError> {
    let mut backoff = Backoff::default();
    let mut last_told = String::new();
    loop {
        let mut troubles = Vec::new();
        for (seed, address) in seeds {
            let trouble = match ask(local, None, *seed, address, false).await {
                Ok(JoinAnswer::Welcome(cluster)) => {
                    let (done, remembered) = oneshot::channel();
                    let told = inbox.put(Event::Welcomed(cluster, done)).await;
                    told.map_err(|_| JoinError::Stopped)?;
                    remembered.await.map_err(|_| JoinError::Stopped)?;
                    match timeout(SEEN_TIME, handle.joined()).await {
                        Ok(true) => return Ok(()),
                        Ok(false) => return Err(JoinError::Stopped),
                        Err(_) => "welcomed, but the log has not come yet".to_owned(),
                    }
                }
                Ok(JoinAnswer::Refused(why)) => return Err(JoinError::Refused { by: *seed, why }),
                Ok(JoinAnswer::Later(why)) | Err(why) => why,
            };
            troubles.push(format!("node {seed} at {address}: {trouble}"));
        }
        let told = troubles.join("; ");
        // The same trouble again and again is told once.
        if told != last_told {
            tracing::warn!("not joined yet, trying again: {told}");
            last_told = told;
        }
        tokio::time::sleep(backoff.wait()).await;
    }
}
// ANCHOR_END: join

/// For a node that comes back with its memory: sees to it that the cluster has it as a member,
/// at the address where it is now. It may have left; it may have moved.
///
/// `known` becomes true as soon as the log says so. A node that was sent no log after it had
/// left cannot know that it is no member, so at least one other member is asked, among those of
/// the log and of `contacts`.
pub async fn come_back(
    local: &Local,
    contacts: &BTreeMap<NodeId, Address>,
    handle: &Handle,
    known: &watch::Sender<bool>,
) -> Result<(), JoinError> {
    let mut backoff = Backoff::default();
    let (mut welcomed, mut rounds) = (false, 0);
    // Nothing to say once the node has stopped.
    while let Some(status) = handle.status().await {
        let is_known = status.peers.get(&local.id) == Some(&local.address);
        if is_known {
            known.send_replace(true);
        }
        let others = status.peers.iter().chain(contacts);
        let others: BTreeSet<_> = others.filter(|(id, _)| **id != local.id).collect();
        if is_known && (welcomed || others.is_empty()) {
            return Ok(());
        }
        let mut troubles = Vec::new();
        if !is_known && (others.is_empty() || status.role == Role::Leader) {
            // Nobody else can bring it into the log.
            let own = Peer {
                address: local.address.clone(),
                incarnation: local.incarnation,
            };
            troubles.push(handle.change(own.moved(local.id)).await.to_string());
        } else {
            for (id, address) in others {
                let trouble = match ask(local, None, *id, address, false).await {
                    Ok(JoinAnswer::Welcome(_)) => {
                        welcomed = true;
                        break;
                    }
                    Ok(JoinAnswer::Refused(why)) => {
                        return Err(JoinError::Refused { by: *id, why });
                    }
                    Ok(JoinAnswer::Later(why)) | Err(why) => why,
                };
                troubles.push(format!("node {id} at {address}: {trouble}"));
            }
        }
        rounds += 1;
        let told = troubles.join("; ");
        if rounds == PATIENT_ROUNDS && !welcomed {
            tracing::warn!(
                "not back yet, trying again: {told}. If the others have moved, start this node \
                 again and say with --join ID=HOST:PORT where one of them is"
            );
        } else if !told.is_empty() {
            tracing::debug!("not back yet, trying again: {told}");
        }
        tokio::time::sleep(backoff.wait()).await;
    }
    Err(JoinError::Stopped)
}

/// Asks one member, over a connection of its own.
async fn ask(
    local: &Local,
    on_behalf_of: Option<&JoinRequest>,
    member: NodeId,
    address: &Address,
    forwarded: bool,
) -> Result<JoinAnswer, String> {
    let request = match on_behalf_of {
        Some(request) => JoinRequest {
            forwarded,
            ..request.clone()
        },
        None => JoinRequest {
            id: local.id,
            address: local.address.clone(),
            incarnation: local.incarnation,
            forwarded,
        },
    };
    match exchange(local, member, address, &Frame::Join(request)).await? {
        Frame::JoinAnswer(answer) => Ok(answer),
        _ => Err("it answers something else".to_owned()),
    }
}

/// Asks a member who the members are. For a node that cannot know whether it is still one: to
/// whoever was removed, the others send nothing more.
///
/// # Errors
/// The member does not answer; this is why.
pub async fn ask_members(
    local: &Local,
    member: NodeId,
    address: &Address,
) -> Result<Members, String> {
    match exchange(local, member, address, &Frame::Members).await? {
        Frame::MembersAre(members) => Ok(members),
        _ => Err("it answers something else".to_owned()),
    }
}

/// Sends one frame over a connection of its own, and gives back the answer.
async fn exchange(
    local: &Local,
    member: NodeId,
    address: &Address,
    question: &Frame,
) -> Result<Frame, String> {
    let hello = Hello {
        // A newcomer has none. Whoever has one is not taken in by another.
        cluster: local.cluster.get().copied(),
        from: local.id,
        to: member,
    };
    let (mut reader, mut writer) = open(address, hello).await?;
    let asking = async {
        writer.send(question).await?;
        reader.next().await
    };
    match timeout(ANSWER_TIME, asking).await {
        Err(_) => Err(format!("no answer within {ANSWER_TIME:?}")),
        Ok(Err(error)) => Err(error.to_string()),
        Ok(Ok(answer)) => Ok(answer),
    }
}

/// Answers whoever asks who the members are; nothing once the node has stopped.
pub async fn members(inbox: &Inbox) -> Option<Members> {
    let (answer, members) = oneshot::channel();
    inbox.put(Event::Members(answer)).await.ok()?;
    members.await.ok()
}

/// Answers a newcomer, as any member: from what this node knows, by a proposal if it leads,
/// by asking the leader if not.
// ANCHOR: answer
pub async fn answer(request: JoinRequest, local: &Arc<Local>, inbox: &Inbox) -> JoinAnswer {
    let stopped = || JoinAnswer::Later("the node stops".to_owned());
    let Some(cluster) = local.cluster.get().copied() else {
        return JoinAnswer::Later("this node belongs to no cluster yet".to_owned());
    };
    let (step, decided) = oneshot::channel();
    let asked = inbox.put(Event::Join(request.clone(), step)).await;
    if asked.is_err() {
        return stopped();
    }
    match decided.await {
        Err(_) => stopped(),
        Ok(JoinStep::Answer(answer)) => answer,
        Ok(JoinStep::Proposed(outcome)) => match timeout(LEADER_TIME, outcome).await {
            Ok(Ok(Outcome::Applied { .. })) => JoinAnswer::Welcome(cluster),
            Ok(Ok(outcome)) => JoinAnswer::Later(outcome.to_string()),
            Ok(Err(_)) => stopped(),
            Err(_) => JoinAnswer::Later("the others have not agreed yet".to_owned()),
        },
        Ok(JoinStep::AskLeader(leader, address)) => {
            let asked = ask(local, Some(&request), leader, &address, true);
            match timeout(LEADER_TIME, asked).await {
                Ok(Ok(answer)) => answer,
                Ok(Err(why)) => JoinAnswer::Later(format!("the leader, node {leader}: {why}")),
                Err(_) => JoinAnswer::Later(format!("the leader, node {leader}, is silent")),
            }
        }
    }
}
// ANCHOR_END: answer
