//! Entries, configurations and snapshots of every shape, most of them plausible.

use raft_kernel::{
    Bytes, Change, ConfChange, ConfState, Entries, Entry, Index, NodeId, Payload, Snapshot, Term,
    Transition,
};

use super::choices::Choices;
use super::values::View;

pub(crate) fn command(choices: &mut Choices) -> Bytes {
    const LETTERS: &[u8; 4096] = &[b'x'; 4096];
    let len = match choices.below(16) {
        0 => 4096,
        1 => 200,
        2 | 3 => 0,
        _ => 1 + choices.place(40),
    };
    Bytes::from_static(&LETTERS[..len])
}

pub(crate) fn payload(choices: &mut Choices, view: &View) -> Payload {
    match choices.below(8) {
        0 => Payload::Empty,
        1 | 2 => conf_change(choices, view).into(),
        _ => Payload::Command(command(choices)),
    }
}

pub(crate) fn payloads(choices: &mut Choices, view: &View) -> Vec<Payload> {
    match choices.below(32) {
        0 => Vec::new(),
        1 => vec![Payload::Empty; 300],
        _ => (0..=choices.below(3))
            .map(|_| payload(choices, view))
            .collect(),
    }
}

pub(crate) fn conf_change(choices: &mut Choices, view: &View) -> ConfChange {
    let transition = choices.pick(&[
        Transition::Auto,
        Transition::Auto,
        Transition::JointImplicit,
        Transition::JointExplicit,
    ]);
    let count = match choices.below(64) {
        0 => 100,
        1..=12 => 0,
        13..=40 => 1,
        _ => choices.below(5),
    };
    ConfChange {
        transition,
        changes: (0..count).map(|_| change(choices, view)).collect(),
        context: Bytes::new(),
    }
}

fn change(choices: &mut Choices, view: &View) -> Change {
    let node = view.node(choices);
    match choices.below(4) {
        0 => Change::AddVoter(node),
        1 => Change::AddLearner(node),
        2 => Change::Remove(node),
        _ => Change::Update(node),
    }
}

/// Entries that follow the entry `prev_index` of `prev_term`, and now and then do not.
pub(crate) fn entries(
    choices: &mut Choices,
    view: &View,
    prev_index: Index,
    prev_term: Term,
) -> Entries {
    let count = match choices.below(64) {
        0 => 2000,
        1 => 100,
        2..=20 => 0,
        21..=40 => 1,
        _ => choices.below(6),
    };
    let newest = prev_term.max(view.term(choices));
    let (mut index, mut term) = (prev_index, prev_term);
    let mut entries = Vec::new();
    for _ in 0..count {
        index = index.saturating_add(1);
        if choices.coin() {
            term = newest;
        }
        entries.push(Entry {
            term,
            index,
            payload: payload(choices, view),
        });
    }
    if !entries.is_empty() && choices.percent(15) {
        spoil(choices, view, &mut entries);
    }
    entries.into()
}

/// Does to entries, of which there are some, what no leader does.
pub(crate) fn spoil(choices: &mut Choices, view: &View, entries: &mut Vec<Entry>) {
    let place = choices.place(entries.len());
    let other = choices.place(entries.len());
    match choices.below(7) {
        0 => entries.swap(place, other),
        1 => entries[place].index = view.index(choices),
        2 => entries[place].term = view.term(choices),
        3 => {
            entries.remove(place);
        }
        4 => {
            let again = entries[place].clone();
            entries.insert(other, again);
        }
        5 => entries.truncate(place),
        _ => entries[place].payload = payload(choices, view),
    }
}

pub(crate) fn conf_state(choices: &mut Choices, view: &View) -> ConfState {
    let members = |kept: u64, from: NodeId| -> Vec<NodeId> {
        (from..from + 3).filter(|id| kept >> id & 1 == 1).collect()
    };
    if choices.percent(40) {
        let kept = choices.below(256);
        return ConfState {
            learners: members(kept, 4),
            ..ConfState::of_voters(members(kept, 1))
        };
    }
    if choices.percent(60) {
        // Joint, and as likely as not in contradiction with itself.
        let mut some = || members(choices.below(16), 1);
        return ConfState {
            voters: some(),
            voters_outgoing: some(),
            learners: Vec::new(),
            learners_next: some(),
            auto_leave: choices.coin(),
        };
    }
    let mut ids = || -> Vec<NodeId> {
        let count = choices.below(4);
        (0..count).map(|_| view.node(choices)).collect()
    };
    ConfState {
        voters: ids(),
        voters_outgoing: ids(),
        learners: ids(),
        learners_next: ids(),
        auto_leave: choices.coin(),
    }
}

pub(crate) fn snapshot(choices: &mut Choices, view: &View) -> Snapshot {
    Snapshot {
        index: view.index(choices),
        term: view.term(choices),
        conf_state: conf_state(choices, view),
        data: command(choices),
    }
}
