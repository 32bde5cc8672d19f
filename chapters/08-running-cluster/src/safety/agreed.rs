//! The log that the cluster agreed on: whoever applies an entry first, speaks for all.

use std::collections::{BTreeMap, BTreeSet};

use ch06_two_node_snapshot::StateMachine;
use ch07_detour_change_state_machine::Sum;
use raft_kernel::{Entry, Index, NodeId, Payload, Term};

use super::{Property, Verdict, Violation};

// ANCHOR: agreed
#[derive(Debug, Default)]
pub(super) struct Agreed {
    /// Entry 1 first.
    log: Vec<Fact>,
    /// Which entry holds which number.
    numbers: BTreeMap<u64, Index>,
    proposed: BTreeSet<u64>,
}

#[derive(Debug)]
struct Fact {
    entry: Entry,
    /// The term of the node that applied it first: it was committed by then.
    in_term: Term,
    /// What all numbers up to here add up to.
    sum: Sum,
}
// ANCHOR_END: agreed

impl Agreed {
    pub(super) fn proposes(&mut self, number: u64) {
        self.proposed.insert(number);
    }

    /// A node applies an entry. Says whether it is the first that does.
    // ANCHOR: applied
    pub(super) fn applied(
        &mut self,
        id: NodeId,
        entry: &Entry,
        in_term: Term,
    ) -> Result<bool, Violation> {
        if let Some(known) = self.at(entry.index) {
            if known.entry == *entry {
                return Ok(false);
            }
            let what = format!("node {id} applies {entry:?}, another {:?}", known.entry);
            return Err(Violation::of(Property::StateMachineSafety, what));
        }
        let mut sum = self.log.last().map_or_else(Sum::default, |last| last.sum);
        if let Payload::Command(command) = &entry.payload {
            let number = command.as_ref().try_into().map(u64::from_le_bytes);
            match number.ok().filter(|number| self.proposed.contains(number)) {
                Some(number) => self.is_new(number, entry.index)?,
                None => {
                    let what = format!("nobody proposed {entry:?}");
                    return Err(Violation::of(Property::NothingInvented, what));
                }
            }
            let added = StateMachine::apply(&mut sum, command);
            added.map_err(|error| Violation::of(Property::State, error.to_string()))?;
        }
        self.log.push(Fact {
            entry: entry.clone(),
            in_term,
            sum,
        });
        Ok(true)
    }
    // ANCHOR_END: applied

    /// No number is in the log twice.
    fn is_new(&mut self, number: u64, index: Index) -> Verdict {
        match self.numbers.insert(number, index) {
            None => Ok(()),
            Some(first) => {
                let what = format!("{number} is entry {first} and entry {index}");
                Err(Violation::of(Property::NothingTwice, what))
            }
        }
    }

    /// Somebody was told that a number is applied.
    // ANCHOR: acknowledged
    pub(super) fn acknowledged(&self, number: u64, index: Index) -> Verdict {
        let found = self.numbers.get(&number);
        if found == Some(&index) {
            return Ok(());
        }
        let what = format!("{number} was said to be entry {index}, and its entry is {found:?}");
        Err(Violation::of(Property::NothingLost, what))
    }
    // ANCHOR_END: acknowledged

    /// A node starts from a snapshot of everything up to `index`.
    pub(super) fn snapshot(&self, id: NodeId, index: Index, term: Term) -> Verdict {
        if index == 0 || self.term(index) == Some(term) {
            return Ok(());
        }
        let what = format!("node {id} has a snapshot of entry {index} of term {term}");
        Err(Violation::of(Property::StateMachineSafety, what))
    }

    /// The state of a node that has applied everything up to `index`.
    pub(super) fn state(&self, id: NodeId, index: Index, total: u64) -> Verdict {
        let expected = self.at(index).map_or(0, |fact| fact.sum.total());
        if total == expected {
            return Ok(());
        }
        let what = format!("node {id} has {total} as of entry {index}, and not {expected}");
        Err(Violation::of(Property::State, what))
    }

    /// Index and term of every entry from `first` on that was committed in a term before
    /// this one.
    pub(super) fn before_term(
        &self,
        first: Index,
        term: Term,
    ) -> impl Iterator<Item = (Index, Term)> {
        let from = usize::try_from(first.saturating_sub(1)).unwrap_or(usize::MAX);
        let facts = self.log.iter().skip(from);
        facts
            .filter(move |fact| fact.in_term < term)
            .map(|fact| (fact.entry.index, fact.entry.term))
    }

    pub(super) fn term(&self, index: Index) -> Option<Term> {
        match index {
            0 => Some(0),
            _ => self.at(index).map(|fact| fact.entry.term),
        }
    }

    pub(super) fn last(&self) -> Index {
        self.log.len() as Index
    }

    pub(super) fn total(&self) -> u64 {
        self.log.last().map_or(0, |last| last.sum.total())
    }

    pub(super) fn numbers(&self) -> usize {
        self.numbers.len()
    }

    fn at(&self, index: Index) -> Option<&Fact> {
        let place = usize::try_from(index.checked_sub(1)?).ok()?;
        self.log.get(place)
    }
}
