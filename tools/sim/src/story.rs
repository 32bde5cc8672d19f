//! A run as a story, and the trace file that holds it.
//!
//! # The format, version 1
//!
//! A trace is text, a line for each thing that happened, in order. Lines that begin with `#`
//! are the heading: first `# sim trace 1`, then `# name: value` for the seed, the property
//! and what was seen. Every other line begins with the time in ticks, right-aligned in eight
//! columns, and a space. What follows is one of:
//!
//! ```text
//!    12.40 n1 → n2 RequestVote term 2, log ends at 4 of term 1 (sent 12.30)
//!    12.30 n1 ↛ n2 RequestVote term 2, log ends at 4 of term 1 (lost)
//!    12.50 n2: gave its vote for term 2 to 1
//!    13.00 *: cut: n1↛n2, for 5.00 ticks
//! ```
//!
//! - `nA → nB`: a message arrives; it is told once, at that moment, with the one at which it
//!   was sent. If B is down or the message is of no use to it, a second bracket says so.
//! - `nA ↛ nB`: a message is lost, told when it is sent: on a cut way or by a mishap.
//! - `nA:` something that A does, that is done to it, or that becomes of its disk.
//! - `*:` something that happens to the cluster.
//! - `!:` what broke; the last line of a story that has a bad end.
//!
//! So a diagram needs the first two kinds of lines and their times, and may take the others
//! as notes. Ticks are not told.

use std::fmt::Write;

use raft_kernel::{AppendOutcome, Entry, Message, MessageBody, NodeId, Payload};

use crate::check::Violation;
use crate::plan::{Moment, Plan, Ticks};

/// The version of the trace's format.
pub const TRACE_VERSION: u32 = 1;

/// What is told of a run, if anybody listens.
#[derive(Debug, Default)]
pub(crate) struct Story {
    text: Option<String>,
}

impl Story {
    pub(crate) fn new(told: bool) -> Self {
        Story {
            text: told.then(String::new),
        }
    }

    fn tell(&mut self, now: Moment, line: impl FnOnce() -> String) {
        if let Some(text) = &mut self.text {
            let _ = writeln!(text, "{:>8} {}", Ticks(now), line());
        }
    }

    /// Something becomes of a node.
    pub(crate) fn node(&mut self, now: Moment, id: NodeId, what: impl FnOnce() -> String) {
        self.tell(now, || format!("n{id}: {}", what()));
    }

    /// Something happens to the cluster.
    pub(crate) fn all(&mut self, now: Moment, what: impl FnOnce() -> String) {
        self.tell(now, || format!("*: {}", what()));
    }

    pub(crate) fn arrives(&mut self, now: Moment, sent: Moment, message: &Message, note: &str) {
        self.tell(now, || {
            let Message { from, to, .. } = message;
            format!(
                "n{from} → n{to} {} (sent {}){note}",
                words(message),
                Ticks(sent)
            )
        });
    }

    pub(crate) fn lost(&mut self, now: Moment, message: &Message) {
        self.tell(now, || {
            let Message { from, to, .. } = message;
            format!("n{from} ↛ n{to} {} (lost)", words(message))
        });
    }

    pub(crate) fn ends(&mut self, now: Moment, violation: &Violation) {
        self.tell(now, || format!("!: {violation}"));
    }

    pub(crate) fn into_text(self) -> Option<String> {
        self.text
    }
}

/// The whole trace of a run of `plan`.
pub fn trace(plan: &Plan, violation: Option<&Violation>, story: &str) -> String {
    let mut text = format!("# sim trace {TRACE_VERSION}\n# seed: {}\n", plan.seed);
    if let Some(violation) = violation {
        let _ = writeln!(text, "# property: {}", violation.property);
        let _ = writeln!(text, "# seen: {}", violation.what);
    }
    text + story
}

/// A message in a few words.
fn words(message: &Message) -> String {
    let Message { term, body, .. } = message;
    let name = body.name();
    match body {
        MessageBody::RequestVote {
            last_index,
            last_term,
            ..
        }
        | MessageBody::RequestPreVote {
            last_index,
            last_term,
        } => format!("{name} term {term}, log ends at {last_index} of term {last_term}"),
        MessageBody::RequestVoteResponse { granted }
        | MessageBody::RequestPreVoteResponse { granted } => {
            let answer = if *granted { "granted" } else { "refused" };
            format!("{name} term {term}, {answer}")
        }
        MessageBody::AppendEntries {
            prev_index,
            prev_term,
            commit,
            entries,
        } => format!(
            "{name} term {term}, after {prev_index} of term {prev_term}: [{}], commit {commit}",
            entries.iter().map(entry).collect::<Vec<_>>().join(", ")
        ),
        MessageBody::AppendEntriesResponse(AppendOutcome::Accepted { match_index }) => {
            format!("{name} term {term}, accepted up to {match_index}")
        }
        MessageBody::AppendEntriesResponse(AppendOutcome::Rejected {
            prev_index,
            hint_index,
            hint_term,
        }) => format!(
            "{name} term {term}, rejected at {prev_index}, try {hint_index} of term {hint_term}"
        ),
        MessageBody::Heartbeat { commit, read } => {
            let read = if read.is_some() { ", for a read" } else { "" };
            format!("{name} term {term}, commit {commit}{read}")
        }
        MessageBody::HeartbeatResponse { .. } | MessageBody::TimeoutNow => {
            format!("{name} term {term}")
        }
        MessageBody::InstallSnapshot { snapshot } => format!(
            "{name} term {term}, up to {} of term {}",
            snapshot.index, snapshot.term
        ),
        MessageBody::Propose { payloads } => {
            let words: Vec<_> = payloads.iter().map(payload).collect();
            format!("{name} [{}]", words.join(", "))
        }
        MessageBody::TransferLeader { transferee } => format!("{name} to n{transferee}"),
        MessageBody::ReadIndex { .. } => name.to_owned(),
        MessageBody::ReadIndexResponse { index, .. } => format!("{name} index {index}"),
    }
}

/// An entry as `5 of term 2 a write`.
pub(crate) fn entry(entry: &Entry) -> String {
    let Entry {
        index,
        term,
        payload: what,
    } = entry;
    format!("{index} of term {term} {}", payload(what))
}

fn payload(payload: &Payload) -> &'static str {
    match payload {
        Payload::Empty => "empty",
        Payload::Command(_) => "a write",
        Payload::ConfChange(change) if change.changes.is_empty() => "leave joint",
        Payload::ConfChange(_) => "a change",
    }
}
