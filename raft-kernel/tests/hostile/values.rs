//! Numbers that are likely to hurt: those where something begins or ends.

use raft_kernel::{Index, MAX_INDEX, MAX_TERM, NodeId, ReadId, Term};

use super::choices::Choices;

/// What a well-informed attacker knows of the node that it attacks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct View {
    pub(crate) id: NodeId,
    pub(crate) term: Term,
    pub(crate) committed: Index,
    pub(crate) last: Index,
    /// How often, in percent, a number comes from the far end of its range. One such
    /// number can end a cluster's terms or indexes, so attacks without any go deeper.
    pub(crate) extremes: u64,
}

impl View {
    pub(crate) fn index(&self, choices: &mut Choices) -> Index {
        if choices.percent(self.extremes) {
            return extreme(choices, MAX_INDEX);
        }
        match choices.below(12) {
            0 => 0,
            1 => 1,
            2 => choices.below(16),
            3 => self.committed.saturating_sub(1),
            4 => self.committed,
            5 => self.committed.saturating_add(1),
            6 => self.committed.saturating_add(choices.below(6)),
            7 => self.last.saturating_sub(1),
            8 | 9 => self.last,
            10 => self.last.saturating_add(1),
            _ => self.last.saturating_add(choices.below(6)),
        }
    }

    pub(crate) fn term(&self, choices: &mut Choices) -> Term {
        if choices.percent(self.extremes) {
            return extreme(choices, MAX_TERM);
        }
        match choices.below(10) {
            0 => choices.below(3),
            1 => self.term.saturating_sub(1),
            2..=6 => self.term,
            7 | 8 => self.term.saturating_add(1),
            _ => self.term.saturating_add(choices.below(4)),
        }
    }

    pub(crate) fn node(&self, choices: &mut Choices) -> NodeId {
        match choices.below(16) {
            0 => 0,
            1 => self.id,
            2 => choices.pick(&[u64::MAX, u64::MAX - 1, 1 << 63]),
            3 => 4 + choices.below(4),
            _ => 1 + choices.below(3),
        }
    }

    pub(crate) fn read(choices: &mut Choices) -> ReadId {
        ReadId(match choices.below(4) {
            0 => choices.below(3),
            1 => u64::MAX - choices.below(2),
            2 => choices.number(),
            // Numbers begin somewhere in the lower half.
            _ => choices.number() >> 1,
        })
    }
}

fn extreme(choices: &mut Choices, limit: u64) -> u64 {
    choices.pick(&[
        limit - 1,
        limit,
        limit + 1,
        u64::MAX,
        u64::MAX - 1,
        1 << 63,
        (1 << 63) - 1,
        1 << 32,
    ])
}
