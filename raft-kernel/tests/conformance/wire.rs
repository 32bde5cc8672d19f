//! etcd's words for messages.
//!
//! The engine's messages are typed: each has only the fields that it needs. etcd has one
//! message with all fields, and prints it so. [`Wire`] is that message.

use std::fmt::Write as _;

use raft_kernel::{
    AppendOutcome, AppendWork, ApplyWork, Entry, Index, Message, MessageBody, NodeId, Snapshot,
    Term,
};

use super::rendering::{at_place, entry, snapshot};

/// Every type of message that a script may name.
pub(crate) const MESSAGE_TYPES: [&str; 23] = [
    "MsgHup",
    "MsgBeat",
    "MsgProp",
    "MsgApp",
    "MsgAppResp",
    "MsgVote",
    "MsgVoteResp",
    "MsgSnap",
    "MsgHeartbeat",
    "MsgHeartbeatResp",
    "MsgUnreachable",
    "MsgSnapStatus",
    "MsgCheckQuorum",
    "MsgTransferLeader",
    "MsgTimeoutNow",
    "MsgReadIndex",
    "MsgReadIndexResp",
    "MsgPreVote",
    "MsgPreVoteResp",
    "MsgStorageAppend",
    "MsgStorageAppendResp",
    "MsgStorageApply",
    "MsgStorageApplyResp",
];

/// Where a message comes from or goes to.
#[derive(Clone, Copy)]
pub(crate) enum Endpoint {
    Node(NodeId),
    AppendThread,
    ApplyThread,
}

/// A message as etcd has it. What is 0 or empty is not printed, the first few fields apart.
pub(crate) struct Wire {
    from: Endpoint,
    to: Endpoint,
    pub(crate) kind: &'static str,
    term: Term,
    log_term: Term,
    index: Index,
    rejected: Option<Index>,
    commit: Index,
    vote: NodeId,
    entries: Vec<String>,
    snapshot: Option<Snapshot>,
    pub(crate) responses: Vec<Wire>,
}

impl Wire {
    fn new(from: Endpoint, to: Endpoint, kind: &'static str, term: Term) -> Self {
        Wire {
            from,
            to,
            kind,
            term,
            log_term: 0,
            index: 0,
            rejected: None,
            commit: 0,
            vote: 0,
            entries: Vec::new(),
            snapshot: None,
            responses: Vec::new(),
        }
    }

    fn at(self, log_term: Term, index: Index) -> Self {
        Wire {
            log_term,
            index,
            ..self
        }
    }

    fn with_entries(self, entries: &[Entry]) -> Self {
        Wire {
            entries: entries.iter().map(entry).collect(),
            ..self
        }
    }

    /// A message from one node to another, or to itself.
    pub(crate) fn message(message: &Message) -> Self {
        use MessageBody as Body;
        let kind = kind(&message.body);
        let (from, to) = (Endpoint::Node(message.from), Endpoint::Node(message.to));
        let wire = Wire::new(from, to, kind, message.term);
        match &message.body {
            Body::RequestVote {
                last_index,
                last_term,
                ..
            }
            | Body::RequestPreVote {
                last_index,
                last_term,
            } => wire.at(*last_term, *last_index),
            Body::RequestVoteResponse { granted } | Body::RequestPreVoteResponse { granted } => {
                Wire {
                    rejected: (!granted).then_some(0),
                    ..wire
                }
            }
            Body::AppendEntries {
                prev_index,
                prev_term,
                commit,
                entries,
            } => Wire {
                commit: *commit,
                ..wire.at(*prev_term, *prev_index).with_entries(entries)
            },
            Body::AppendEntriesResponse(AppendOutcome::Accepted { match_index }) => {
                wire.at(0, *match_index)
            }
            Body::AppendEntriesResponse(AppendOutcome::Rejected {
                prev_index,
                hint_index,
                hint_term,
            }) => Wire {
                rejected: Some(*hint_index),
                ..wire.at(*hint_term, *prev_index)
            },
            Body::Heartbeat { commit, .. } => Wire {
                commit: *commit,
                ..wire
            },
            Body::InstallSnapshot { snapshot } => Wire {
                snapshot: Some((**snapshot).clone()),
                ..wire
            },
            // A proposal has no place in the log yet.
            Body::Propose { payloads } => Wire {
                entries: payloads.iter().map(|it| at_place(0, 0, it)).collect(),
                ..wire
            },
            // etcd names the node that is to lead as the sender.
            Body::TransferLeader { transferee } => Wire {
                from: Endpoint::Node(*transferee),
                ..wire
            },
            Body::ReadIndexResponse { index, .. } => wire.at(0, *index),
            Body::HeartbeatResponse { .. } | Body::TimeoutNow | Body::ReadIndex { .. } => wire,
        }
    }

    /// The order to write that goes to `node`'s append thread, with the answers to it.
    pub(crate) fn storage_append(node: NodeId, work: &AppendWork) -> Self {
        let mut responses: Vec<Wire> = work.responses().iter().map(Wire::message).collect();
        if work.last_entry().is_some() || work.snapshot.is_some() {
            responses.push(Wire::storage_append_response(
                node,
                work.term(),
                work.last_entry(),
                work.snapshot.as_deref(),
            ));
        }
        let hard_state = work.hard_state.unwrap_or_default();
        let wire = Wire::new(
            Endpoint::Node(node),
            Endpoint::AppendThread,
            "MsgStorageAppend",
            hard_state.term,
        );
        Wire {
            commit: hard_state.commit,
            vote: hard_state.vote.unwrap_or(0),
            snapshot: work.snapshot.as_deref().cloned(),
            responses,
            ..wire.with_entries(&work.entries)
        }
    }

    /// The news to `node` that a write is durable.
    pub(crate) fn storage_append_response(
        node: NodeId,
        term: Term,
        last_entry: Option<(Index, Term)>,
        snapshot: Option<&Snapshot>,
    ) -> Self {
        let (index, log_term) = last_entry.unwrap_or_default();
        let wire = Wire::new(
            Endpoint::AppendThread,
            Endpoint::Node(node),
            "MsgStorageAppendResp",
            term,
        );
        Wire {
            snapshot: snapshot.cloned(),
            ..wire.at(log_term, index)
        }
    }

    /// The order to apply that goes to `node`'s apply thread, with the answer to it.
    pub(crate) fn storage_apply(node: NodeId, work: &ApplyWork) -> Self {
        let wire = Wire::new(
            Endpoint::Node(node),
            Endpoint::ApplyThread,
            "MsgStorageApply",
            0,
        );
        Wire {
            responses: vec![Wire::storage_apply_response(node, &work.entries)],
            ..wire.with_entries(&work.entries)
        }
    }

    /// The news to `node` that entries are applied.
    pub(crate) fn storage_apply_response(node: NodeId, entries: &[Entry]) -> Self {
        Wire::new(
            Endpoint::ApplyThread,
            Endpoint::Node(node),
            "MsgStorageApplyResp",
            0,
        )
        .with_entries(entries)
    }

    /// The message's text, without a line break at its end.
    pub(crate) fn text(&self) -> String {
        self.indented("")
    }

    fn indented(&self, indent: &str) -> String {
        let (from, to) = (endpoint(self.from), endpoint(self.to));
        let mut text = format!(
            "{indent}{from}->{to} {} Term:{} Log:{}/{}",
            self.kind, self.term, self.log_term, self.index
        );
        if let Some(hint) = self.rejected {
            let _ = write!(text, " Rejected (Hint: {hint})");
        }
        if self.commit != 0 {
            let _ = write!(text, " Commit:{}", self.commit);
        }
        if self.vote != 0 {
            let _ = write!(text, " Vote:{}", self.vote);
        }
        match self.entries.as_slice() {
            [] => {}
            [one] => {
                let _ = write!(text, " Entries:[{one}]");
            }
            many => {
                let lines = many.join(&format!("\n{indent}  "));
                let _ = write!(text, " Entries:[\n{indent}  {lines}\n{indent}]");
            }
        }
        if let Some(it) = self.snapshot.as_ref().filter(|it| !it.is_empty()) {
            let _ = write!(text, "\n{indent}  Snapshot: {}", snapshot(it));
        }
        if !self.responses.is_empty() {
            text.push_str(" Responses:[");
            for response in &self.responses {
                text.push('\n');
                text.push_str(&response.indented(&format!("{indent}  ")));
            }
            let _ = write!(text, "\n{indent}]");
        }
        text
    }
}

fn endpoint(endpoint: Endpoint) -> String {
    match endpoint {
        Endpoint::Node(id) => format!("{id:x}"),
        Endpoint::AppendThread => "AppendThread".to_owned(),
        Endpoint::ApplyThread => "ApplyThread".to_owned(),
    }
}

fn kind(body: &MessageBody) -> &'static str {
    match body {
        MessageBody::RequestVote { .. } => "MsgVote",
        MessageBody::RequestVoteResponse { .. } => "MsgVoteResp",
        MessageBody::RequestPreVote { .. } => "MsgPreVote",
        MessageBody::RequestPreVoteResponse { .. } => "MsgPreVoteResp",
        MessageBody::AppendEntries { .. } => "MsgApp",
        MessageBody::AppendEntriesResponse(_) => "MsgAppResp",
        MessageBody::Heartbeat { .. } => "MsgHeartbeat",
        MessageBody::HeartbeatResponse { .. } => "MsgHeartbeatResp",
        MessageBody::InstallSnapshot { .. } => "MsgSnap",
        MessageBody::TimeoutNow => "MsgTimeoutNow",
        MessageBody::Propose { .. } => "MsgProp",
        MessageBody::TransferLeader { .. } => "MsgTransferLeader",
        MessageBody::ReadIndex { .. } => "MsgReadIndex",
        MessageBody::ReadIndexResponse { .. } => "MsgReadIndexResp",
    }
}
