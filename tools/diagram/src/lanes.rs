//! How the nodes stand: who is up, in which role and term, after each event.

use crate::trace::{Change, Event, Fate, Role, Trace, What};

/// How one node stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// The trace has not said anything of it.
    Untold,
    Up {
        role: Role,
        term: u64,
    },
    Down,
}

impl Standing {
    /// The sign for it on a lane: `L2` leads in term 2.
    pub(crate) fn sign(self) -> String {
        match self {
            Standing::Untold => String::new(),
            Standing::Up { role, term } => format!("{}{term}", role.letter()),
            Standing::Down => "✕".to_owned(),
        }
    }
}

/// How all nodes stand, while one goes through the events.
#[derive(Clone, Debug)]
pub(crate) struct Standings {
    lanes: Vec<Standing>,
}

impl Standings {
    pub(crate) fn before(trace: &Trace) -> Self {
        Standings {
            lanes: vec![Standing::Untold; trace.nodes().len()],
        }
    }

    pub(crate) fn lanes(&self) -> &[Standing] {
        &self.lanes
    }

    /// The lane that the event changes, if it does, and how its node stands then.
    pub(crate) fn after(&mut self, trace: &Trace, event: &Event) -> Option<(usize, Standing)> {
        let What::Node { node, change, .. } = &event.what else {
            return None;
        };
        let standing = match *change {
            Change::Started { term } => Standing::Up {
                role: Role::Follower,
                term,
            },
            Change::Became { role, term } => Standing::Up { role, term },
            Change::Down => Standing::Down,
            Change::Log(_) | Change::Nothing => return None,
        };
        let lane = trace.lane(*node);
        let before = std::mem::replace(self.lanes.get_mut(lane)?, standing);
        (before != standing).then_some((lane, standing))
    }
}

/// What the signs of a diagram mean; only those that it has.
pub(crate) fn legend(trace: &Trace) -> String {
    let changes = || {
        trace.events().iter().filter_map(|event| match &event.what {
            What::Node { change, .. } => Some(change),
            _ => None,
        })
    };
    let plays = |role: &Role| {
        changes().any(|change| match change {
            Change::Started { .. } => *role == Role::Follower,
            Change::Became { role: now, .. } => now == role,
            _ => false,
        })
    };
    let played = Role::ALL.into_iter().filter(plays);
    let played: Vec<String> = played
        .map(|role| format!("{} {}", role.letter(), role.name()))
        .collect();
    let is_lost = |event: &Event| {
        let What::Message { fate, .. } = &event.what else {
            return false;
        };
        !matches!(fate, Fate::Arrived { .. })
    };
    let mut parts = Vec::new();
    if !played.is_empty() {
        parts.push(format!("{}, each with its term", played.join(", ")));
    }
    let falls = changes().any(|change| *change == Change::Down);
    let loses = trace.events().iter().any(is_lost);
    match (loses, falls) {
        (true, true) => parts.push("✕ lost or down".to_owned()),
        (true, false) => parts.push("✕ lost".to_owned()),
        (false, true) => parts.push("✕ down".to_owned()),
        (false, false) => {}
    }
    parts.push(format!("times in {}", trace.unit()));
    parts.join("; ")
}
