//! Messages and entries written by hand, for tests that play one node's peers.

use bytes::Bytes;
use raft_kernel::{
    AppendOutcome, Entry, Index, Message, MessageBody, NodeId, Payload, Snapshot, Term,
};

pub(crate) fn command(index: Index, term: Term, text: &'static str) -> Entry {
    Entry {
        term,
        index,
        payload: Payload::Command(Bytes::from_static(text.as_bytes())),
    }
}

pub(crate) fn message(from: NodeId, to: NodeId, term: Term, body: MessageBody) -> Message {
    Message {
        from,
        to,
        term,
        body,
    }
}

/// Asks for a vote with a log that ends in this index and term.
pub(crate) fn vote_request((last_index, last_term): (Index, Term)) -> MessageBody {
    MessageBody::RequestVote {
        last_index,
        last_term,
        transfer: false,
    }
}

pub(crate) fn vote(granted: bool) -> MessageBody {
    MessageBody::RequestVoteResponse { granted }
}

/// Entries that follow the one of this index and term.
pub(crate) fn append(
    (prev_index, prev_term): (Index, Term),
    commit: Index,
    entries: &[Entry],
) -> MessageBody {
    MessageBody::AppendEntries {
        prev_index,
        prev_term,
        commit,
        entries: entries.into(),
    }
}

pub(crate) fn accepted(match_index: Index) -> MessageBody {
    MessageBody::AppendEntriesResponse(AppendOutcome::Accepted { match_index })
}

pub(crate) fn rejected(prev_index: Index, (hint_index, hint_term): (Index, Term)) -> MessageBody {
    MessageBody::AppendEntriesResponse(AppendOutcome::Rejected {
        prev_index,
        hint_index,
        hint_term,
    })
}

pub(crate) fn heartbeat(commit: Index) -> MessageBody {
    MessageBody::Heartbeat { commit, read: None }
}

pub(crate) fn install(snapshot: Snapshot) -> MessageBody {
    MessageBody::InstallSnapshot {
        snapshot: Box::new(snapshot),
    }
}
