//! What is committed, as the first node told it that committed it.

use raft_kernel::{Index, Term};

use super::FOUNDED;
use super::witness::{Chain, Mark};

#[derive(Clone, Copy, Debug)]
pub(crate) struct Committed {
    pub(crate) mark: Mark,
    /// The term in which it was committed, which may be later than the entry's.
    pub(crate) in_term: Term,
}

/// The committed entries, from the founding of the cluster on.
#[derive(Debug)]
pub(crate) struct Ledger {
    entries: Vec<Committed>,
}

impl Ledger {
    pub(crate) fn founded() -> Self {
        let mark = Mark {
            term: FOUNDED,
            chain: Chain(0x00f0_4ded),
        };
        Ledger {
            entries: vec![Committed {
                mark,
                in_term: FOUNDED,
            }],
        }
    }

    pub(crate) fn last(&self) -> Index {
        self.entries.len() as Index
    }

    pub(crate) fn get(&self, index: Index) -> Option<Committed> {
        let before = usize::try_from(index.checked_sub(FOUNDED)?).ok()?;
        self.entries.get(before).copied()
    }

    pub(crate) fn push(&mut self, committed: Committed) {
        self.entries.push(committed);
    }

    /// The last entry that was committed before this term began to commit.
    pub(crate) fn last_before(&self, term: Term) -> Index {
        let since = self.entries.iter().rev();
        let since = since.take_while(|known| known.in_term >= term).count();
        self.last() - since as Index
    }

    #[cfg(test)]
    pub(crate) fn of(log: &super::witness::Log, in_term: Term) -> Self {
        let entries = (1..=log.last()).filter_map(|index| log.mark(index));
        let entries = entries.map(|mark| Committed { mark, in_term });
        Ledger {
            entries: entries.collect(),
        }
    }
}
