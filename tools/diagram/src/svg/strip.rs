//! A log as a strip of boxes: its last entries, and how far they are committed.

use super::layout::{CELL, TEXT, as_f64};
use crate::trace::Log;
use crate::words::width_of;

/// More entries are not drawn; dots stand for those before.
const ENTRIES: u64 = 4;
/// Between the boxes and the words.
const AIR: f64 = 4.0;

/// The part of a log that is drawn.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Strip {
    pub(super) first: u64,
    pub(super) last: u64,
    pub(super) commit: u64,
    /// From one box to the next.
    pub(super) cell: f64,
}

impl Strip {
    /// As many entries as fit into this width, if there are any.
    pub(super) fn fit(log: Log, room: f64) -> Option<Self> {
        let (first, last) = log.entries?;
        let strips = (0..ENTRIES).rev().map(|before| Strip {
            first: last.saturating_sub(before).max(first),
            last,
            commit: log.commit,
            cell: (width_of(&last.to_string(), TEXT) + 9.0).max(CELL),
        });
        strips.into_iter().find(|strip| strip.width() <= room)
    }

    pub(super) fn entries(&self) -> impl Iterator<Item = u64> + use<> {
        self.first..=self.last
    }

    /// Whether there are entries before, in the log or in a snapshot.
    pub(super) fn has_more(&self) -> bool {
        self.first > 1
    }

    /// Where the boxes begin, from the left edge.
    pub(super) fn boxes(&self) -> f64 {
        if self.has_more() { CELL } else { 0.0 }
    }

    /// Where the words begin, from the left edge.
    pub(super) fn words(&self) -> f64 {
        let entries = usize::try_from(self.last - self.first).unwrap_or(usize::MAX);
        self.boxes() + (as_f64(entries) + 1.0) * self.cell + AIR
    }

    pub(super) fn commit(&self) -> String {
        format!("commit {}", self.commit)
    }

    pub(super) fn width(&self) -> f64 {
        self.words() + width_of(&self.commit(), TEXT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(entries: (u64, u64), room: f64) -> Option<Vec<u64>> {
        let log = Log {
            entries: Some(entries),
            commit: 1,
        };
        Strip::fit(log, room).map(|strip| strip.entries().collect())
    }

    #[test]
    fn the_last_entries_are_drawn_as_many_as_fit() {
        assert_eq!(shown((1, 2), 200.0), Some(vec![1, 2]));
        assert_eq!(shown((1, 9), 200.0), Some(vec![6, 7, 8, 9]));
        assert_eq!(shown((8, 9), 200.0), Some(vec![8, 9]));
        assert_eq!(shown((1, 9), 120.0), Some(vec![8, 9]));
        assert_eq!(shown((1, 9), 60.0), None);
        assert_eq!(shown((1, u64::MAX), 200.0), None);
    }
}
