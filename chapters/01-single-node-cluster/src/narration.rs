//! A turn of the loop, told in words.

use std::fmt;

use raft_kernel::{Change, ConfChange, Entry, HardState, Payload};

use crate::Turn;

/// Prints a turn line by line, indented, as later chapters do too.
impl fmt::Display for Turn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(state) = self.soft_state {
            let leader = match state.leader {
                Some(id) => format!("the leader is node {id}"),
                None => "no leader yet".to_owned(),
            };
            writeln!(f, "  role     {} ({leader})", state.role)?;
        }
        for entry in &self.entries {
            writeln!(f, "  persist  {}", told_entry(entry))?;
        }
        if let Some(state) = self.hard_state {
            writeln!(f, "  persist  {}", told_promises(state))?;
        }
        for entry in &self.committed {
            writeln!(f, "  apply    {}", told_effect(entry))?;
        }
        Ok(())
    }
}

/// An entry, as it is written.
pub fn told_entry(entry: &Entry) -> String {
    let what = match &entry.payload {
        Payload::Empty => "empty".to_owned(),
        Payload::Command(bytes) => format!("command {}", told_command(bytes)),
        Payload::ConfChange(change) => told_change(change),
    };
    format!("entry {} of term {}: {what}", entry.index, entry.term)
}

/// The hard state, as it is written.
pub fn told_promises(state: HardState) -> String {
    let vote = match state.vote {
        Some(id) => format!("voted for node {id}"),
        None => "no vote given".to_owned(),
    };
    format!(
        "term {}, {vote}, committed up to {}",
        state.term, state.commit
    )
}

/// What applying an entry does.
pub fn told_effect(entry: &Entry) -> String {
    let index = entry.index;
    match &entry.payload {
        Payload::Empty => format!("entry {index}: empty, so nothing changes"),
        Payload::Command(bytes) => format!("entry {index}: command {}", told_command(bytes)),
        Payload::ConfChange(change) => format!("entry {index}: {}", told_change(change)),
    }
}

fn told_change(change: &ConfChange) -> String {
    let steps = change.changes.iter().map(|step| match step {
        Change::AddVoter(id) => format!("node {id} becomes a voter"),
        Change::AddLearner(id) => format!("node {id} becomes a learner"),
        Change::Remove(id) => format!("node {id} is removed"),
        Change::Update(id) => format!("node {id} has news"),
    });
    let steps: Vec<_> = steps.collect();
    if steps.is_empty() {
        "leave the joint configuration".to_owned()
    } else {
        steps.join(", ")
    }
}

/// A command of one byte is a number; any other is its bytes.
fn told_command(bytes: &[u8]) -> String {
    match bytes {
        [one] => one.to_string(),
        many => format!("{many:?}"),
    }
}
