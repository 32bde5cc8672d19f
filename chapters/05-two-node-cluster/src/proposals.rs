//! What becomes of a proposal, and how its proposer learns of it.
//!
//! The rule: whoever proposes gets an answer. An entry that was appended is not yet
//! committed, and may never be: a later leader can put another in its place (section 5.3
//! of the paper). So the node remembers the index and the term of each entry that it owes
//! an answer for, and looks at the entry that is applied there. Nothing earlier is an
//! answer: an entry that this node has cut off may live on in another node's log, and
//! still be committed.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TryRecvError, bounded};
use raft_kernel::{
    ConfChange, ConfState, DropReason, Entry, Error, Index, MemoryStorage, NodeId, Payload,
    Proposed, RawNode, Term,
};

/// What can be asked of a node: a command of its state machine, or a change of the
/// configuration.
// ANCHOR: proposal
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proposal<C> {
    /// A command.
    Command(C),
    /// A change of who takes part.
    Change(ConfChange),
}
// ANCHOR_END: proposal

impl<C> Proposal<C> {
    /// The same proposal, its command as bytes, as it travels in the log.
    pub fn encoded(self, encode: impl FnOnce(&C) -> Vec<u8>) -> Proposal<Vec<u8>> {
        match self {
            Proposal::Command(command) => Proposal::Command(encode(&command)),
            Proposal::Change(change) => Proposal::Change(change),
        }
    }
}

/// What became of a proposal.
// ANCHOR: outcome
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is committed, and applied on the node that was asked.
    Applied {
        /// Where in the log.
        index: Index,
    },
    /// It never was in any log. Ask again, or ask the leader.
    Dropped {
        /// Why.
        reason: DropReason,
        /// Who leads, as far as the node that was asked knows.
        leader: Option<NodeId>,
    },
    /// It was in the log of a leader that lost its office, and another entry took its
    /// place. Ask again.
    Replaced,
    /// Another change of the configuration was under way, or this one is impossible. The
    /// configuration is as it was. Ask again, if it is possible.
    Refused,
    /// The node stopped, or was sent a snapshot, before it could tell. The proposal may
    /// be in the log or not.
    Unknown,
}
// ANCHOR_END: outcome

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Outcome::Applied { index } => write!(f, "applied as entry {index}"),
            Outcome::Dropped {
                reason,
                leader: None,
            } => write!(f, "dropped: {reason}"),
            Outcome::Dropped {
                reason,
                leader: Some(leader),
            } => write!(f, "dropped: {reason}; the leader is node {leader}"),
            Outcome::Replaced => f.write_str("lost: another leader's entry took its place"),
            Outcome::Refused => f.write_str("refused: the configuration could not be changed so"),
            Outcome::Unknown => f.write_str("unknown: the node cannot tell any more"),
        }
    }
}

/// The node's side of a proposal: the duty to say what became of it.
#[derive(Debug)]
pub struct Promise(Sender<Outcome>);

/// The proposer's side of a proposal: where the answer arrives.
#[derive(Debug)]
pub struct Ticket {
    answer: Receiver<Outcome>,
    /// The answer, once it has come.
    known: Cell<Option<Outcome>>,
}

impl Ticket {
    /// A promise, and the ticket to it.
    pub fn new() -> (Promise, Ticket) {
        // One place: there is one answer, and whoever gives it never waits.
        let (promise, answer) = bounded(1);
        let known = Cell::new(None);
        (Promise(promise), Ticket { answer, known })
    }

    /// The answer, if it is known by now. Looks at no clock.
    pub fn outcome(&self) -> Option<Outcome> {
        self.known.get().or_else(|| match self.answer.try_recv() {
            Err(TryRecvError::Empty) => None,
            answer => self.learn(answer.ok()),
        })
    }

    /// Waits for the answer, but not longer than `patience`.
    pub fn wait(&self, patience: Duration) -> Option<Outcome> {
        self.known
            .get()
            .or_else(|| match self.answer.recv_timeout(patience) {
                Err(RecvTimeoutError::Timeout) => None,
                answer => self.learn(answer.ok()),
            })
    }

    /// Keeps the answer. If there is none, the promise is gone, and nobody kept it.
    fn learn(&self, answer: Option<Outcome>) -> Option<Outcome> {
        self.known.set(answer.or(Some(Outcome::Unknown)));
        self.known.get()
    }
}

impl Promise {
    /// Gives the answer. Nobody may be waiting for it any more; that is no error.
    pub fn keep(self, outcome: Outcome) {
        let _ = self.0.send(outcome);
    }
}

/// The entries that a node owes an answer for.
// ANCHOR: proposals
#[derive(Debug, Default)]
pub struct Proposals {
    waiting: BTreeMap<(Index, Term), Waiting>,
}

#[derive(Debug)]
struct Waiting {
    is_change: bool,
    promise: Promise,
}
// ANCHOR_END: proposals

impl Proposals {
    /// Proposes to the engine. Remembers where the entry is, or says why there is none.
    ///
    /// # Errors
    /// What the engine answers to a node that has stopped.
    // ANCHOR: propose
    pub fn propose(
        &mut self,
        raft: &mut RawNode<MemoryStorage>,
        proposal: Proposal<Vec<u8>>,
        promise: Promise,
    ) -> Result<(), Error> {
        let leader = raft.leader();
        let is_change = matches!(proposal, Proposal::Change(_));
        let answer = match proposal {
            Proposal::Command(command) => raft.propose(command),
            Proposal::Change(change) => raft.propose_conf_change(change),
        };
        match answer {
            Ok(Proposed::Appended { term, index }) => {
                let waiting = Waiting { is_change, promise };
                self.waiting.insert((index, term), waiting);
            }
            // Passed on, and nobody will tell this node what became of it.
            Ok(Proposed::Forwarded { .. }) => promise.keep(Outcome::Unknown),
            Err(Error::ProposalDropped { reason, .. }) => {
                promise.keep(Outcome::Dropped { reason, leader });
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }
    // ANCHOR_END: propose

    /// An entry is applied: whoever waits for one at its index gets the answer.
    // ANCHOR: applied
    pub fn applied(&mut self, entry: &Entry) {
        let is_change = matches!(entry.payload, Payload::ConfChange(_));
        // Entries come one after the other, so whoever waits up to here waits for this one.
        for ((_, term), waiting) in self.up_to(entry.index) {
            waiting.promise.keep(if term != entry.term {
                Outcome::Replaced
            } else if waiting.is_change && !is_change {
                Outcome::Refused
            } else {
                Outcome::Applied { index: entry.index }
            });
        }
    }
    // ANCHOR_END: applied

    /// The engine was given a committed change of the configuration, and answered this.
    /// If the change is impossible, its proposer learns of it, and the configuration stays.
    /// That is so on every node, and no reason to stop.
    ///
    /// # Errors
    /// What stops the node.
    // ANCHOR: changed
    pub fn changed(
        &mut self,
        entry: &Entry,
        answer: Result<ConfState, Error>,
    ) -> Result<Option<ConfState>, Error> {
        match answer {
            Ok(conf_state) => Ok(Some(conf_state)),
            Err(error) if error.is_fatal() => Err(error),
            Err(_) => {
                if let Some(waiting) = self.waiting.remove(&(entry.index, entry.term)) {
                    waiting.promise.keep(Outcome::Refused);
                }
                Ok(None)
            }
        }
    }
    // ANCHOR_END: changed

    /// A snapshot took the place of every entry up to `index`: nobody can tell any more
    /// whether the entries that wait there are among what it stands for.
    pub fn covered(&mut self, index: Index) {
        for (_, waiting) in self.up_to(index) {
            waiting.promise.keep(Outcome::Unknown);
        }
    }

    /// Takes out what waits for an entry up to `index`.
    fn up_to(&mut self, index: Index) -> BTreeMap<(Index, Term), Waiting> {
        let later = self.waiting.split_off(&(index + 1, 0));
        std::mem::replace(&mut self.waiting, later)
    }

    /// How many wait for an answer.
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether nobody waits for an answer.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use raft_kernel::ConfChangeError;

    fn appended(proposals: &mut Proposals, term: Term, index: Index, is_change: bool) -> Ticket {
        let (promise, ticket) = Ticket::new();
        let waiting = Waiting { is_change, promise };
        proposals.waiting.insert((index, term), waiting);
        ticket
    }

    fn entry(term: Term, index: Index) -> Entry {
        Entry {
            term,
            index,
            payload: Payload::Empty,
        }
    }

    #[test]
    fn the_answer_comes_with_the_entry_and_not_before() {
        let mut proposals = Proposals::default();
        let ticket = appended(&mut proposals, 2, 5, false);
        proposals.applied(&entry(2, 4));
        assert_eq!(ticket.outcome(), None);
        proposals.applied(&entry(2, 5));
        assert_eq!(ticket.outcome(), Some(Outcome::Applied { index: 5 }));
        assert!(proposals.is_empty());
        let again = ticket.outcome();
        assert_eq!(again, Some(Outcome::Applied { index: 5 }), "it is kept");
    }

    #[test]
    fn an_entry_of_another_term_in_its_place_means_that_it_is_lost() {
        let mut proposals = Proposals::default();
        let ticket = appended(&mut proposals, 2, 5, false);
        proposals.applied(&entry(3, 5));
        assert_eq!(ticket.outcome(), Some(Outcome::Replaced));
    }

    #[test]
    fn an_entry_that_this_node_has_cut_off_may_still_be_committed() {
        let mut proposals = Proposals::default();
        let cut_off = appended(&mut proposals, 2, 5, false);
        let in_its_place = appended(&mut proposals, 4, 5, false);
        assert_eq!(cut_off.outcome(), None, "another node may hold it");
        proposals.applied(&entry(2, 5));
        assert_eq!(cut_off.outcome(), Some(Outcome::Applied { index: 5 }));
        assert_eq!(in_its_place.outcome(), Some(Outcome::Replaced));
    }

    #[test]
    fn a_change_that_became_an_empty_entry_is_refused() {
        let mut proposals = Proposals::default();
        let ticket = appended(&mut proposals, 2, 5, true);
        proposals.applied(&entry(2, 5));
        assert_eq!(ticket.outcome(), Some(Outcome::Refused));
    }

    #[test]
    fn a_change_that_the_engine_could_not_make_is_refused() {
        let mut proposals = Proposals::default();
        let ticket = appended(&mut proposals, 2, 5, true);
        let change = Entry {
            payload: ConfChange::leave_joint().into(),
            ..entry(2, 5)
        };
        let answer = Err(Error::ConfChange(ConfChangeError::NotJoint));
        assert_eq!(proposals.changed(&change, answer).ok(), Some(None));
        proposals.applied(&change);
        assert_eq!(ticket.outcome(), Some(Outcome::Refused));
    }

    #[test]
    fn what_stops_the_engine_stops_the_node() {
        let mut proposals = Proposals::default();
        let answer = Err(Error::Stopped("its storage failed".to_owned()));
        assert!(proposals.changed(&entry(2, 5), answer).is_err());
    }

    #[test]
    fn a_snapshot_leaves_what_it_covers_unknown() {
        let mut proposals = Proposals::default();
        let covered = appended(&mut proposals, 2, 5, false);
        let later = appended(&mut proposals, 2, 6, false);
        proposals.covered(5);
        assert_eq!(covered.outcome(), Some(Outcome::Unknown));
        assert_eq!(later.outcome(), None);
        assert_eq!(proposals.len(), 1);
    }

    #[test]
    fn a_promise_that_nobody_kept_is_an_unknown_outcome() {
        let mut proposals = Proposals::default();
        let ticket = appended(&mut proposals, 2, 5, false);
        drop(proposals);
        assert_eq!(ticket.wait(Duration::ZERO), Some(Outcome::Unknown));
    }
}
