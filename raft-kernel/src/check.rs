//! What a message must be before the protocol looks at it.
//!
//! The protocol's rules assume that peers follow them. A peer may be broken, or not a
//! peer at all, so a message that no node following the rules could have sent is
//! refused here, before it has changed anything. Raft does not defend against nodes
//! that lie within the rules; this only keeps them from corrupting or stopping others.

use crate::error::Error;
use crate::message::{AppendOutcome, Message, MessageBody};
use crate::raft::Raft;
use crate::state::Role;
use crate::storage::Storage;
use crate::{Index, MAX_INDEX, MAX_TERM, Term};

impl<S: Storage> Raft<S> {
    /// Refuses what nobody following the protocol sends to this node.
    pub(crate) fn check(&self, message: &Message) -> Result<(), Error> {
        let refuse = |why| Err(Error::invalid(why, message));
        if message.to != self.id {
            return refuse("it is for another node");
        }
        if message.from == 0 || message.from == self.id {
            return refuse("its sender cannot have sent it");
        }
        if message.term > MAX_TERM {
            return refuse("its term is out of range");
        }
        let speaks_for_no_term = matches!(
            message.body,
            MessageBody::Propose { .. } | MessageBody::ReadIndex { .. }
        );
        if speaks_for_no_term != (message.term == 0) {
            return refuse("its term is impossible");
        }
        if is_response(&message.body) && !self.tracker.progress.contains(message.from) {
            return Err(Error::UnknownPeer(message.from));
        }
        match self.flaw(message) {
            Some(why) => refuse(why),
            None => Ok(()),
        }
    }

    /// What is wrong with the body, if anything is.
    fn flaw(&self, message: &Message) -> Option<&'static str> {
        let wrong = |condition: bool, why: &'static str| condition.then_some(why);
        let term = message.term;
        match &message.body {
            MessageBody::RequestVote {
                last_index,
                last_term,
                ..
            }
            | MessageBody::RequestPreVote {
                last_index,
                last_term,
            } => wrong(
                *last_index > MAX_INDEX
                    || *last_term > term
                    || !could_be_in_a_log(*last_index, *last_term),
                "the candidate's last entry is impossible",
            ),
            MessageBody::AppendEntries {
                prev_index,
                prev_term,
                commit,
                entries,
            } => {
                let room = MAX_INDEX.checked_sub(entries.len() as u64);
                wrong(
                    room.is_none_or(|room| *prev_index > room) || *commit > MAX_INDEX,
                    "its indexes are out of range",
                )
                .or_else(|| {
                    let numbered = entries.iter().zip(*prev_index + 1..);
                    let mut last_term: Term = *prev_term;
                    let in_order = numbered.into_iter().all(|(entry, index)| {
                        let fits = entry.index == index && entry.term >= last_term.max(1);
                        last_term = entry.term;
                        fits
                    });
                    let follows_something = could_be_in_a_log(*prev_index, *prev_term);
                    wrong(
                        !in_order || !follows_something || last_term > term,
                        "its entries do not follow each other",
                    )
                })
            }
            MessageBody::Heartbeat { commit, .. } => {
                wrong(*commit > MAX_INDEX, "its commit index is out of range")
            }
            MessageBody::InstallSnapshot { snapshot } => wrong(
                snapshot.index == 0
                    || snapshot.index > MAX_INDEX
                    || snapshot.term == 0
                    || snapshot.term > term,
                "its snapshot's index or term is impossible",
            ),
            MessageBody::AppendEntriesResponse(AppendOutcome::Accepted { match_index }) => {
                // Only this term's leader believes an acknowledgement, and it knows
                // what it has sent.
                let believed = self.role == Role::Leader && term == self.term;
                let last_index = self.log.last_index();
                wrong(
                    believed && *match_index > last_index,
                    "it acknowledges entries that were never sent",
                )
            }
            MessageBody::ReadIndexResponse { index, .. } => {
                wrong(*index > MAX_INDEX, "its index is out of range")
            }
            MessageBody::HeartbeatResponse { read: Some(read) } => {
                let believed = self.role == Role::Leader && term == self.term;
                wrong(
                    believed && self.reads.newest_number() < *read,
                    "it acknowledges a read that was never asked",
                )
            }
            _ => None,
        }
    }
}

/// Index 0, before the first entry, is of term 0, and no entry is.
fn could_be_in_a_log(index: Index, term: Term) -> bool {
    (index == 0) == (term == 0)
}

/// Whether the message answers one that only a leader or a candidate sends, who knows
/// whom it asked.
fn is_response(body: &MessageBody) -> bool {
    matches!(
        body,
        MessageBody::RequestVoteResponse { .. }
            | MessageBody::RequestPreVoteResponse { .. }
            | MessageBody::AppendEntriesResponse(_)
            | MessageBody::HeartbeatResponse { .. }
    )
}
