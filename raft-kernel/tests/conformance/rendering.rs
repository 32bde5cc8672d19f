//! etcd's words for entries, snapshots and `Ready`s.
//!
//! Its words for messages are in [`wire`](super::wire).

use std::fmt::Write as _;

use raft_kernel::{
    Change, ConfChange, ConfState, Entry, HardState, Index, NodeId, Payload, Ready, Role, Snapshot,
    Term,
};

use super::wire::Wire;

/// Marks a change as one of etcd's first version, which can hold only one step. The engine
/// has no versions.
pub(crate) const VERSION_1: &[u8] = b"v1";

/// An entry's text.
pub(crate) fn entry(entry: &Entry) -> String {
    at_place(entry.term, entry.index, &entry.payload)
}

/// The text of what stands, or is to stand, at a place in the log.
pub(crate) fn at_place(term: Term, index: Index, payload: &Payload) -> String {
    let what = match payload {
        Payload::Empty => "EntryNormal \"\"".to_owned(),
        Payload::Command(bytes) => format!("EntryNormal {}", quoted(bytes)),
        Payload::ConfChange(change) => conf_change(change),
    };
    format!("{term}/{index} {what}")
}

fn conf_change(change: &ConfChange) -> String {
    let mut text = "EntryConfChange".to_owned();
    if change.context != VERSION_1 {
        text.push_str("V2");
    }
    for step in &change.changes {
        let letter = match step {
            Change::AddVoter(_) => 'v',
            Change::AddLearner(_) => 'l',
            Change::Remove(_) => 'r',
            Change::Update(_) => 'u',
        };
        let _ = write!(text, " {letter}{}", step.node());
    }
    text
}

/// Bytes as Go's `%q` prints them.
pub(crate) fn quoted(bytes: &[u8]) -> String {
    let mut text = "\"".to_owned();
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '"' => text.push_str("\\\""),
                '\\' => text.push_str("\\\\"),
                '\n' => text.push_str("\\n"),
                '\r' => text.push_str("\\r"),
                '\t' => text.push_str("\\t"),
                '\u{7}' => text.push_str("\\a"),
                '\u{8}' => text.push_str("\\b"),
                '\u{b}' => text.push_str("\\v"),
                '\u{c}' => text.push_str("\\f"),
                c if c.is_ascii_control() => {
                    let _ = write!(text, "\\x{:02x}", u32::from(c));
                }
                c if c.is_control() => {
                    let _ = write!(text, "\\u{:04x}", u32::from(c));
                }
                c => text.push(c),
            }
        }
        for byte in chunk.invalid() {
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
    text.push('"');
    text
}

pub(crate) fn snapshot(snapshot: &Snapshot) -> String {
    let ConfState {
        voters,
        voters_outgoing,
        learners,
        learners_next,
        auto_leave,
    } = &snapshot.conf_state;
    let list = |ids: &[NodeId]| {
        let ids: Vec<String> = ids.iter().map(NodeId::to_string).collect();
        format!("[{}]", ids.join(" "))
    };
    format!(
        "Index:{} Term:{} ConfState:Voters:{} VotersOutgoing:{} Learners:{} LearnersNext:{} \
         AutoLeave:{auto_leave}",
        snapshot.index,
        snapshot.term,
        list(voters),
        list(voters_outgoing),
        list(learners),
        list(learners_next),
    )
}

pub(crate) fn role(role: Role) -> &'static str {
    match role {
        Role::Follower => "StateFollower",
        Role::PreCandidate => "StatePreCandidate",
        Role::Candidate => "StateCandidate",
        Role::Leader => "StateLeader",
    }
}

fn hard_state(hard_state: &HardState) -> String {
    let mut text = format!("Term:{}", hard_state.term);
    if let Some(vote) = hard_state.vote {
        let _ = write!(text, " Vote:{vote}");
    }
    let _ = write!(text, " Commit:{}", hard_state.commit);
    text
}

/// A `Ready`'s text, with the messages that etcd counts among it. `must_sync` in etcd's
/// sense is false for a snapshot alone.
pub(crate) fn ready(ready: &Ready, must_sync: bool, messages: &[Wire]) -> String {
    let mut lines = Vec::new();
    if let Some(soft_state) = ready.soft_state {
        let (leader, role) = (soft_state.leader.unwrap_or(0), role(soft_state.role));
        lines.push(format!("Lead:{leader} State:{role}"));
    }
    if let Some(promises) = &ready.append.hard_state {
        lines.push(format!("HardState {}", hard_state(promises)));
    }
    if !ready.read_states.is_empty() {
        lines.push("ReadStates:".to_owned());
        for read in &ready.read_states {
            lines.push(format!("{} {}", read.index, quoted(&read.context)));
        }
    }
    if !ready.append.entries.is_empty() {
        lines.push("Entries:".to_owned());
        lines.extend(ready.append.entries.iter().map(entry));
    }
    if let Some(it) = &ready.append.snapshot {
        lines.push(format!("Snapshot {}", snapshot(it)));
    }
    if !ready.apply.entries.is_empty() {
        lines.push("CommittedEntries:".to_owned());
        lines.extend(ready.apply.entries.iter().map(entry));
    }
    if !messages.is_empty() {
        lines.push("Messages:".to_owned());
        lines.extend(messages.iter().map(Wire::text));
    }
    if lines.is_empty() {
        return "<empty Ready>\n".to_owned();
    }
    format!("Ready MustSync={must_sync}:\n{}\n", lines.join("\n"))
}
