//! Messages and nodes, told in words.

use std::fmt;

use raft_kernel::{AppendOutcome, Entries, Message, MessageBody, Status, Storage};

/// A message in one line: who to whom, what, and what it says.
pub fn told_message(message: &Message) -> String {
    let Message {
        from,
        to,
        term,
        body,
    } = message;
    let (name, says) = (body.name(), told_body(body));
    let line = format!("{from} → {to}  {name}, term {term}");
    if says.is_empty() {
        line
    } else {
        format!("{line}: {says}")
    }
}

fn told_body(body: &MessageBody) -> String {
    match body {
        MessageBody::RequestVoteResponse { granted }
        | MessageBody::RequestPreVoteResponse { granted } => {
            if *granted { "yes" } else { "no" }.to_owned()
        }
        MessageBody::AppendEntries {
            prev_index,
            prev_term,
            commit,
            entries,
        } => format!(
            "after entry {prev_index} of term {prev_term} {}; committed up to {commit}",
            told_run(entries)
        ),
        MessageBody::AppendEntriesResponse(AppendOutcome::Accepted { match_index }) => {
            format!("I have the same up to {match_index}")
        }
        MessageBody::AppendEntriesResponse(AppendOutcome::Rejected {
            prev_index,
            hint_index,
            ..
        }) => format!("I have no such entry {prev_index}; try after {hint_index}"),
        MessageBody::Heartbeat { commit, .. } => format!("committed up to {commit}"),
        MessageBody::InstallSnapshot { snapshot } => {
            format!("a snapshot of everything up to entry {}", snapshot.index)
        }
        MessageBody::Propose { payloads } => format!("{} proposals", payloads.len()),
        MessageBody::TransferLeader { transferee } => format!("to node {transferee}"),
        MessageBody::ReadIndexResponse { index, .. } => format!("index {index}"),
        MessageBody::RequestVote { .. }
        | MessageBody::RequestPreVote { .. }
        | MessageBody::HeartbeatResponse { .. }
        | MessageBody::TimeoutNow
        | MessageBody::ReadIndex { .. } => String::new(),
    }
}

/// A run of entries, by its ends.
fn told_run(entries: &Entries) -> String {
    match (entries.first(), entries.last()) {
        (Some(first), Some(last)) if first.index == last.index => {
            format!("comes entry {}", first.index)
        }
        (Some(first), Some(last)) => {
            format!("come entries {} to {}", first.index, last.index)
        }
        _ => "comes nothing new".to_owned(),
    }
}

/// How a node stands, in one line.
pub fn told_status(
    status: &Status,
    storage: &impl Storage,
    f: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    let (role, hard_state) = (status.soft_state.role, status.hard_state);
    write!(f, "node {}: {role} of term {}", status.id, hard_state.term)?;
    if let (Ok(first), Ok(last)) = (storage.first_index(), storage.last_index()) {
        if last < first {
            write!(f, ", log empty after {last}")?;
        } else {
            write!(f, ", log {first} to {last}")?;
        }
    }
    write!(
        f,
        ", committed {}, applied {}",
        hard_state.commit, status.applied
    )
}
