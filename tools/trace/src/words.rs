//! Messages and entries in a few words, as they stand in a trace.
//!
//! The rule: the words are those of the protocol, and a message's first word is its name.

use raft_kernel::{
    AppendOutcome, Change, ConfChange, Entry, HardState, Index, Message, MessageBody, Payload,
};

/// Says what a command means, from its bytes.
pub type Command = fn(&[u8]) -> String;

/// What a message says: `RequestVote term 2, log ends at 4 of term 1`.
pub fn message(message: &Message, command: Command) -> String {
    let Message { term, body, .. } = message;
    let name = body.name();
    let says = match body {
        MessageBody::RequestVote {
            last_index,
            last_term,
            ..
        }
        | MessageBody::RequestPreVote {
            last_index,
            last_term,
        } => format!("log ends at {last_index} of term {last_term}"),
        MessageBody::RequestVoteResponse { granted }
        | MessageBody::RequestPreVoteResponse { granted } => {
            if *granted { "granted" } else { "refused" }.to_owned()
        }
        MessageBody::AppendEntries {
            prev_index,
            prev_term,
            commit,
            entries,
        } => {
            let entries: Vec<String> = entries.iter().map(|it| entry(it, command)).collect();
            let entries = entries.join(", ");
            format!("after {prev_index} of term {prev_term}: [{entries}], commit {commit}")
        }
        MessageBody::AppendEntriesResponse(outcome) => told_outcome(*outcome),
        MessageBody::Heartbeat { commit, read } => {
            let read = if read.is_some() { ", for a read" } else { "" };
            format!("commit {commit}{read}")
        }
        MessageBody::InstallSnapshot { snapshot } => {
            format!("up to {} of term {}", snapshot.index, snapshot.term)
        }
        MessageBody::HeartbeatResponse { .. } | MessageBody::TimeoutNow => {
            return format!("{name} term {term}");
        }
        // What a follower forwards says nothing about terms, and neither does the answer.
        MessageBody::Propose { payloads } => {
            let payloads: Vec<String> = payloads.iter().map(|it| payload(it, command)).collect();
            return format!("{name} [{}]", payloads.join(", "));
        }
        MessageBody::TransferLeader { transferee } => return format!("{name} to n{transferee}"),
        MessageBody::ReadIndex { .. } => return name.to_owned(),
        MessageBody::ReadIndexResponse { index, .. } => return format!("{name} index {index}"),
    };
    format!("{name} term {term}, {says}")
}

fn told_outcome(outcome: AppendOutcome) -> String {
    match outcome {
        AppendOutcome::Accepted { match_index } => format!("accepted up to {match_index}"),
        AppendOutcome::Rejected {
            prev_index,
            hint_index,
            hint_term,
        } => format!("rejected at {prev_index}, try {hint_index} of term {hint_term}"),
    }
}

/// An entry of a message, where many may stand: `5 of term 2 empty`.
pub fn entry(entry: &Entry, command: Command) -> String {
    let Entry {
        index,
        term,
        payload: what,
    } = entry;
    format!("{index} of term {term} {}", payload(what, command))
}

/// An entry that something is done with: `entry 5 of term 2: empty`.
pub(crate) fn deed(entry: &Entry, command: Command) -> String {
    let Entry {
        index,
        term,
        payload: what,
    } = entry;
    format!("entry {index} of term {term}: {}", payload(what, command))
}

/// What an entry carries: `empty`, a command, or a change such as `n2 becomes a voter`.
pub fn payload(payload: &Payload, command: Command) -> String {
    match payload {
        Payload::Empty => "empty".to_owned(),
        Payload::Command(bytes) => command(bytes),
        Payload::ConfChange(change) => told_change(change),
    }
}

fn told_change(change: &ConfChange) -> String {
    let steps = change.changes.iter().map(|step| match step {
        Change::AddVoter(id) => format!("n{id} becomes a voter"),
        Change::AddLearner(id) => format!("n{id} becomes a learner"),
        Change::Remove(id) => format!("n{id} is removed"),
        Change::Update(id) => format!("n{id} has news"),
    });
    let steps: Vec<String> = steps.collect();
    if steps.is_empty() {
        "leave joint".to_owned()
    } else {
        steps.join(" and ")
    }
}

/// A hard state: `term 2, vote for n1, commit 3`.
pub(crate) fn promises(state: HardState) -> String {
    let HardState { term, vote, commit } = state;
    match vote {
        Some(id) => format!("term {term}, vote for n{id}, commit {commit}"),
        None => format!("term {term}, commit {commit}"),
    }
}

/// What a node holds: `log 1..5, commit 3`.
pub(crate) fn log(((first, last), commit): ((Index, Index), Index)) -> String {
    if first > last {
        format!("log empty, commit {commit}")
    } else {
        format!("log {first}..{last}, commit {commit}")
    }
}
