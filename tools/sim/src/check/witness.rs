//! What an onlooker knows of a node: its log, and what it did last.

use raft_kernel::{Change, ConfState, Entry, Index, Payload, Term, Transition};

use crate::random::mix;

/// A hash of an entry and of all entries before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Chain(pub(crate) u64);

impl Chain {
    /// The chain one entry further.
    pub(crate) fn then(self, entry: &Entry) -> Chain {
        let seed = mix(self.0 ^ mix(entry.term));
        Chain(match &entry.payload {
            Payload::Empty => mix(seed ^ 1),
            Payload::Command(bytes) => bytes.chunks(8).fold(mix(seed ^ 2), |hash, chunk| {
                let mut word = [0; 8];
                word[..chunk.len()].copy_from_slice(chunk);
                mix(hash ^ u64::from_le_bytes(word))
            }),
            Payload::ConfChange(change) => {
                let way = match change.transition {
                    Transition::Auto => 3,
                    Transition::JointImplicit => 4,
                    Transition::JointExplicit => 5,
                };
                change.changes.iter().fold(mix(seed ^ way), |hash, step| {
                    let kind = match step {
                        Change::AddVoter(_) => 1,
                        Change::AddLearner(_) => 2,
                        Change::Remove(_) => 3,
                        Change::Update(_) => 4,
                    };
                    mix(hash ^ mix(kind) ^ step.node())
                })
            }
        })
    }
}

/// What is known of an entry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) term: Term,
    pub(crate) chain: Chain,
}

/// A log, by the marks of its entries. What was compacted is kept: only a received snapshot
/// takes a log's beginning away.
#[derive(Clone, Debug, Default)]
pub(crate) struct Log {
    base: Index,
    at_base: Mark,
    marks: Vec<Mark>,
}

impl Log {
    /// A log that begins after a snapshot.
    pub(crate) fn from(base: Index, term: Term, chain: Chain) -> Self {
        Log {
            base,
            at_base: Mark { term, chain },
            marks: Vec::new(),
        }
    }

    pub(crate) fn base(&self) -> Index {
        self.base
    }

    pub(crate) fn last(&self) -> Index {
        self.base + self.marks.len() as Index
    }

    pub(crate) fn mark(&self, index: Index) -> Option<Mark> {
        if index == self.base {
            return Some(self.at_base);
        }
        let after = index.checked_sub(self.base + 1)?;
        self.marks.get(usize::try_from(after).ok()?).copied()
    }

    pub(crate) fn chain(&self, index: Index) -> Option<Chain> {
        self.mark(index).map(|mark| mark.chain)
    }

    /// Appends entries in the place of whatever stood there, except where a snapshot holds
    /// them. Says whether they follow the log.
    pub(crate) fn append(&mut self, entries: &[Entry]) -> bool {
        for entry in entries.iter().filter(|entry| entry.index > self.base) {
            let Some(before) = self.mark(entry.index - 1) else {
                return false;
            };
            let kept = usize::try_from(entry.index - self.base - 1).unwrap_or(usize::MAX);
            self.marks.truncate(kept);
            self.marks.push(Mark {
                term: entry.term,
                chain: before.chain.then(entry),
            });
        }
        true
    }
}

/// What is known of one start of a node.
#[derive(Clone, Debug, Default)]
pub(crate) struct Node {
    /// Which start of the node it is: one that crashed is another one in some respects.
    pub(crate) start: u32,
    /// Its log as its `Ready`s told it, durable or not.
    pub(crate) log: Log,
    /// The log on its disk.
    pub(crate) stored: Log,
    pub(crate) term: Term,
    pub(crate) commit: Index,
    /// The last entry that was handed out to be applied.
    pub(crate) handed_out: Index,
    /// The term that it leads.
    pub(crate) leads: Option<Term>,
    /// The term that it led when it last handed out a `Ready`.
    pub(crate) completed: Option<Term>,
    /// The configurations that were in force since its last `Ready`.
    pub(crate) configurations: Vec<ConfState>,
}

#[cfg(test)]
pub(crate) mod examples {
    //! Logs and entries for the tests of the checkers.

    use raft_kernel::{Bytes, Entry, Index, Payload, Term};

    use super::{Log, Node};

    pub(crate) fn entry(index: Index, term: Term, text: &'static str) -> Entry {
        Entry {
            term,
            index,
            payload: Payload::Command(Bytes::from_static(text.as_bytes())),
        }
    }

    /// A log of entries of these terms from index 1 on.
    pub(crate) fn log(terms: &[Term]) -> Log {
        let mut log = Log::default();
        for (term, index) in terms.iter().zip(1..) {
            assert!(log.append(&[entry(index, *term, "x")]));
        }
        log
    }

    /// A node whose log, on disk too, has these terms.
    pub(crate) fn node(terms: &[Term]) -> Node {
        Node {
            log: log(terms),
            stored: log(terms),
            ..Node::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::examples::{entry, log};

    #[test]
    fn chains_differ_as_soon_as_one_entry_did() {
        let (mut a, mut b) = (log(&[1, 1, 2]), log(&[1, 2, 2]));
        assert_eq!(a.chain(1), b.chain(1));
        assert_ne!(a.chain(3), b.chain(3));
        a.append(&[entry(2, 3, "y")]);
        b.append(&[entry(2, 3, "y")]);
        assert_eq!((a.last(), a.chain(2)), (2, b.chain(2)));
    }
}
