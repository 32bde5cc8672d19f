//! Persist, then send; persist, then apply: "persistent state is updated on stable storage
//! before responding to RPCs" (paper, figure 2).
//!
//! A vote, and the acknowledgement of entries, are promises that the sender must still know
//! of after a crash. What is applied was committed with the help of this disk, perhaps.

use raft_kernel::{AppendOutcome, Entry, HardState, Message, MessageBody, NodeId};

use super::Verdict;
use super::property::{Property, demand};
use super::witness::Node;

/// A message goes out, and this is on the sender's disk.
pub(super) fn check_message(node: &Node, message: &Message, disk: HardState) -> Verdict {
    let (id, term) = (message.from, message.term);
    match message.body {
        MessageBody::RequestVoteResponse { granted: true } => {
            let is_stored =
                disk.term > term || (disk.term == term && disk.vote == Some(message.to));
            demand(is_stored, Property::PersistBeforeSend, || {
                format!(
                    "n{id} votes for n{} in term {term}; its disk holds term {} and {}",
                    message.to,
                    disk.term,
                    disk.vote
                        .map_or("no vote".to_owned(), |vote| format!("a vote for n{vote}")),
                )
            })
        }
        MessageBody::AppendEntriesResponse(outcome) => {
            demand(disk.term >= term, Property::PersistBeforeSend, || {
                format!(
                    "n{id} answers in term {term}; its disk holds term {}",
                    disk.term
                )
            })?;
            let AppendOutcome::Accepted { match_index } = outcome else {
                return Ok(());
            };
            // In a later term, others may have overwritten it.
            let is_stored = disk.term > term || match_index <= node.stored.last();
            demand(is_stored, Property::PersistBeforeSend, || {
                format!(
                    "n{id} acknowledges index {match_index}; the log on its disk ends at {}",
                    node.stored.last()
                )
            })
        }
        _ => Ok(()),
    }
}

/// A node applies an entry.
pub(super) fn check_applied(node: &Node, id: NodeId, entry: &Entry) -> Verdict {
    let index = entry.index;
    let stored = node.stored.mark(index).map(|mark| mark.term);
    let is_stored = index <= node.stored.base() || stored == Some(entry.term);
    demand(is_stored, Property::PersistBeforeApply, || {
        format!(
            "n{id} applies index {index} of term {}, which is not on its disk",
            entry.term
        )
    })
}

#[cfg(test)]
mod tests {
    use super::super::witness::examples::{entry, node};
    use super::*;

    fn message(body: MessageBody) -> Message {
        Message {
            from: 2,
            to: 1,
            term: 3,
            body,
        }
    }

    fn disk(term: u64, vote: Option<NodeId>) -> HardState {
        HardState {
            term,
            vote,
            commit: 0,
        }
    }

    #[test]
    fn a_vote_that_is_not_on_the_disk_is_named() {
        let vote = message(MessageBody::RequestVoteResponse { granted: true });
        check_message(&node(&[1]), &vote, disk(3, Some(1))).unwrap();
        for lacking in [disk(3, None), disk(3, Some(3)), disk(2, Some(1))] {
            let violation = check_message(&node(&[1]), &vote, lacking).unwrap_err();
            assert_eq!(violation.property, Property::PersistBeforeSend);
            assert!(violation.what.starts_with("n2 votes for n1 in term 3"));
        }
    }

    #[test]
    fn an_acknowledgement_of_what_is_not_on_the_disk_is_named() {
        let accepted = |match_index| {
            let outcome = AppendOutcome::Accepted { match_index };
            message(MessageBody::AppendEntriesResponse(outcome))
        };
        check_message(&node(&[1, 1]), &accepted(2), disk(3, None)).unwrap();
        let violation = check_message(&node(&[1, 1]), &accepted(3), disk(3, None)).unwrap_err();
        assert!(
            violation.what.contains("acknowledges index 3"),
            "{violation}"
        );
        assert!(check_message(&node(&[1, 1]), &accepted(1), disk(2, None)).is_err());
    }

    #[test]
    fn applying_what_is_not_on_the_disk_is_named() {
        check_applied(&node(&[1, 1]), 1, &entry(2, 1, "x")).unwrap();
        for lacking in [entry(3, 1, "x"), entry(2, 2, "x")] {
            let violation = check_applied(&node(&[1, 1]), 1, &lacking).unwrap_err();
            assert_eq!(violation.property, Property::PersistBeforeApply);
        }
    }
}
