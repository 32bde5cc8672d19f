//! What is drawn as one step: an event, or a run of messages that keep a leader in office
//! and change nothing.

use std::ops::Range;

use crate::trace::{Event, Fate, Trace, What};

/// Whether heartbeats and their answers are drawn one by one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KeepAlive {
    /// A run of them is one row that counts them.
    #[default]
    Folded,
    /// Each is drawn.
    Drawn,
}

/// A shorter run takes no more place than the row that would count it.
const SHORTEST_RUN: usize = 3;

/// A row of the diagram: these events of the trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Event(usize),
    Quiet(Range<usize>),
}

impl Step {
    /// The first of its events.
    pub(crate) fn first(&self) -> usize {
        match self {
            Step::Event(event) => *event,
            Step::Quiet(run) => run.start,
        }
    }
}

/// All events of the trace, in steps.
pub(crate) fn steps(trace: &Trace, keep_alive: KeepAlive) -> Vec<Step> {
    let events = trace.events();
    let mut steps = Vec::new();
    let mut next = 0;
    while next < events.len() {
        let run = events[next..].iter().take_while(|it| is_quiet(it)).count();
        if run >= SHORTEST_RUN && keep_alive == KeepAlive::Folded {
            steps.push(Step::Quiet(next..next + run));
            next += run;
        } else {
            // The rest of a run that is too short is looked at again, and is too short too.
            steps.push(Step::Event(next));
            next += 1;
        }
    }
    steps
}

/// A heartbeat or its answer. One that a read waits for says so in its words, and counts.
fn is_quiet(event: &Event) -> bool {
    let What::Message { words, fate, .. } = &event.what else {
        return false;
    };
    let kind = words.split(' ').next();
    let is_unheard = matches!(fate, Fate::Unheard { .. });
    matches!(kind, Some("Heartbeat" | "HeartbeatResponse"))
        && !is_unheard
        && !words.ends_with("for a read")
}

/// A run of such messages, counted: `4 heartbeats, 3 answers, 1 lost, until 13.50`.
pub(crate) fn count(run: &[Event]) -> String {
    let (mut beats, mut answers, mut lost) = (0, 0, 0);
    for event in run {
        if let What::Message { words, fate, .. } = &event.what {
            match fate {
                Fate::Lost => lost += 1,
                _ if words.starts_with("HeartbeatResponse") => answers += 1,
                _ => beats += 1,
            }
        }
    }
    let mut parts = Vec::new();
    for (number, one, more) in [
        (beats, "heartbeat", "heartbeats"),
        (answers, "answer", "answers"),
        (lost, "lost", "lost"),
    ] {
        if number > 0 {
            parts.push(format!("{number} {}", if number == 1 { one } else { more }));
        }
    }
    if let Some(last) = run.last() {
        parts.push(format!("until {}", last.time));
    }
    parts.join(", ")
}
