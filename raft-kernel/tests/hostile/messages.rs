//! Messages that nobody who follows the protocol sends, and some that somebody might.

use raft_kernel::{AppendOutcome, Message, MessageBody};

use super::choices::Choices;
use super::shapes;
use super::values::View;

/// A message made from nothing. Every body comes up.
pub(crate) fn arbitrary(choices: &mut Choices, view: &View) -> Message {
    let to = if choices.percent(3) {
        view.node(choices)
    } else {
        view.id
    };
    let body = body(choices, view);
    let of_no_term = matches!(
        body,
        MessageBody::Propose { .. } | MessageBody::ReadIndex { .. }
    );
    let term = if of_no_term && !choices.percent(5) {
        0
    } else {
        view.term(choices)
    };
    Message {
        from: view.node(choices),
        to,
        term,
        body,
    }
}

fn body(choices: &mut Choices, view: &View) -> MessageBody {
    use MessageBody as Body;
    match choices.below(20) {
        0 => Body::RequestVote {
            last_index: view.index(choices),
            last_term: view.term(choices),
            transfer: choices.coin(),
        },
        1 => Body::RequestVoteResponse {
            granted: choices.coin(),
        },
        2 => Body::RequestPreVote {
            last_index: view.index(choices),
            last_term: view.term(choices),
        },
        3 => Body::RequestPreVoteResponse {
            granted: choices.coin(),
        },
        4..=7 => append(choices, view),
        8 | 9 => Body::AppendEntriesResponse(outcome(choices, view)),
        10 => Body::Heartbeat {
            commit: view.index(choices),
            read: choices.coin().then(|| View::read(choices)),
        },
        11 => Body::HeartbeatResponse {
            read: choices.coin().then(|| View::read(choices)),
        },
        12 | 13 => Body::InstallSnapshot {
            snapshot: Box::new(shapes::snapshot(choices, view)),
        },
        14 => Body::TimeoutNow,
        15 | 16 => Body::Propose {
            payloads: shapes::payloads(choices, view),
        },
        17 => Body::TransferLeader {
            transferee: view.node(choices),
        },
        18 => Body::ReadIndex {
            read: View::read(choices),
        },
        _ => Body::ReadIndexResponse {
            read: View::read(choices),
            index: view.index(choices),
        },
    }
}

fn append(choices: &mut Choices, view: &View) -> MessageBody {
    let prev_index = view.index(choices);
    let prev_term = view.term(choices);
    MessageBody::AppendEntries {
        prev_index,
        prev_term,
        commit: view.index(choices),
        entries: shapes::entries(choices, view, prev_index, prev_term),
    }
}

fn outcome(choices: &mut Choices, view: &View) -> AppendOutcome {
    if choices.coin() {
        AppendOutcome::Accepted {
            match_index: view.index(choices),
        }
    } else {
        AppendOutcome::Rejected {
            prev_index: view.index(choices),
            hint_index: view.index(choices),
            hint_term: view.term(choices),
        }
    }
}

/// Changes one thing about a message.
pub(crate) fn mutate(choices: &mut Choices, view: &View, message: &mut Message) {
    match choices.below(10) {
        0 => message.from = view.node(choices),
        1 => message.to = view.node(choices),
        2 | 3 => message.term = view.term(choices),
        4 => message.body = body(choices, view),
        _ => mutate_body(choices, view, &mut message.body),
    }
}

fn mutate_body(choices: &mut Choices, view: &View, body: &mut MessageBody) {
    use MessageBody as Body;
    match body {
        Body::RequestVote {
            last_index,
            last_term,
            transfer,
        } => match choices.below(3) {
            0 => *last_index = view.index(choices),
            1 => *last_term = view.term(choices),
            _ => *transfer = !*transfer,
        },
        Body::RequestPreVote {
            last_index,
            last_term,
        } => {
            if choices.coin() {
                *last_index = view.index(choices);
            } else {
                *last_term = view.term(choices);
            }
        }
        Body::RequestVoteResponse { granted } | Body::RequestPreVoteResponse { granted } => {
            *granted = !*granted;
        }
        Body::AppendEntries {
            prev_index,
            prev_term,
            commit,
            entries,
        } => match choices.below(6) {
            0 => *prev_index = view.index(choices),
            1 => *prev_term = view.term(choices),
            2 => *commit = view.index(choices),
            3 => *entries = shapes::entries(choices, view, *prev_index, *prev_term),
            _ if entries.is_empty() => *commit = view.index(choices),
            _ => {
                let mut spoiled = entries.to_vec();
                shapes::spoil(choices, view, &mut spoiled);
                *entries = spoiled.into();
            }
        },
        Body::AppendEntriesResponse(outcome_of_append) => match outcome_of_append {
            AppendOutcome::Accepted { match_index } if choices.percent(80) => {
                *match_index = view.index(choices);
            }
            AppendOutcome::Rejected {
                prev_index,
                hint_index,
                hint_term,
            } if choices.percent(80) => match choices.below(3) {
                0 => *prev_index = view.index(choices),
                1 => *hint_index = view.index(choices),
                _ => *hint_term = view.term(choices),
            },
            other => *other = outcome(choices, view),
        },
        Body::Heartbeat { commit, read } => {
            if choices.coin() {
                *commit = view.index(choices);
            } else {
                *read = Some(View::read(choices));
            }
        }
        Body::HeartbeatResponse { read } => *read = Some(View::read(choices)),
        Body::InstallSnapshot { snapshot } => match choices.below(4) {
            0 => snapshot.index = view.index(choices),
            1 => snapshot.term = view.term(choices),
            2 => snapshot.conf_state = shapes::conf_state(choices, view),
            _ => snapshot.data = shapes::command(choices),
        },
        Body::TimeoutNow => {}
        Body::Propose { payloads } => *payloads = shapes::payloads(choices, view),
        Body::TransferLeader { transferee } => *transferee = view.node(choices),
        Body::ReadIndex { read } => *read = View::read(choices),
        Body::ReadIndexResponse { read, index } => {
            if choices.coin() {
                *read = View::read(choices);
            } else {
                *index = view.index(choices);
            }
        }
    }
}
