//! A case laid out in rows and columns: one column an index, one row a moment.
//!
//! Both renderings, text in the terminal and SVG in the book, draw this, so they
//! cannot tell different stories.

use std::ops::RangeInclusive;

use raft_kernel::{Index, Term};

use crate::case::Case;
use crate::operation::{Answer, Operation};
use crate::state::{Place, State};

/// The columns that every picture has, so that pictures line up with each other.
const COLUMNS: RangeInclusive<Index> = 1..=8;

/// A case, ready to be drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// The indexes for which there is a column.
    pub columns: RangeInclusive<Index>,
    /// From top to bottom: before, the operation, and what came of it.
    pub rows: Vec<Row>,
    /// Why the storage refused, if it did.
    pub refusal: Option<String>,
}

/// One moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// What kind of moment it is.
    pub kind: RowKind,
    /// What the row shows, in a few words.
    pub label: String,
    /// From left to right.
    pub cells: Vec<Cell>,
    /// Where a snapshot that the row shows ends.
    pub snapshot: Option<Place>,
}

/// What a row shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowKind {
    /// What the storage holds, before or after.
    State,
    /// What it is asked to do.
    Order,
    /// What it answers.
    Answer,
}

/// One index at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    /// Its column.
    pub index: Index,
    /// Its term, where it is known.
    pub term: Option<Term>,
    /// What is there.
    pub kind: CellKind,
    /// What is remarkable about it.
    pub mark: Option<Mark>,
}

/// What is at an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CellKind {
    /// What is left of the compacted entries.
    Dummy,
    /// An entry.
    Entry,
    /// Nothing: somebody asks for this index.
    Question,
}

/// What happens to a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// It was written by the operation.
    New,
    /// The operation takes it away.
    Gone,
    /// It is in the snapshot already, so it is not written.
    Skipped,
}

impl Mark {
    /// The mark as a word.
    pub fn word(self) -> &'static str {
        match self {
            Mark::New => "new",
            Mark::Gone => "gone",
            Mark::Skipped => "skip",
        }
    }
}

impl Picture {
    pub(crate) fn of(case: &Case) -> Picture {
        let mut rows = vec![before(case), asked(case)];
        rows.extend(came_of_it(case));
        let cells = || rows.iter().flat_map(|row| &row.cells);
        let lowest = cells().map(|cell| cell.index).min().unwrap_or(1);
        let highest = cells().map(|cell| cell.index).max().unwrap_or(1);
        Picture {
            columns: lowest.min(*COLUMNS.start())..=highest.max(*COLUMNS.end()),
            refusal: case.is_refused().then(|| case.outcome_in_words()),
            rows,
        }
    }
}

fn before(case: &Case) -> Row {
    let mut row = holds("before", &case.before);
    for cell in &mut row.cells {
        if cell.kind == CellKind::Entry && !is_in(&case.after, cell) {
            cell.mark = Some(Mark::Gone);
        }
    }
    row
}

fn is_in(state: &State, cell: &Cell) -> bool {
    let same = |place: &Place| place.index == cell.index && Some(place.term) == cell.term;
    state.entries.iter().any(same)
}

/// A storage's dummy, entries and snapshot.
fn holds(label: &str, state: &State) -> Row {
    let mut cells = vec![at(state.dummy, CellKind::Dummy)];
    cells.extend(
        state
            .entries
            .iter()
            .map(|place| at(*place, CellKind::Entry)),
    );
    Row {
        kind: RowKind::State,
        label: label.into(),
        cells,
        snapshot: (state.snapshot.index > 0).then_some(state.snapshot),
    }
}

fn at(place: Place, kind: CellKind) -> Cell {
    Cell {
        index: place.index,
        term: Some(place.term),
        kind,
        mark: None,
    }
}

fn asked(case: &Case) -> Row {
    let question = |index| Cell {
        index,
        term: None,
        kind: CellKind::Question,
        mark: None,
    };
    let mut row = Row {
        kind: RowKind::Order,
        label: case.operation.in_words(),
        cells: Vec::new(),
        snapshot: None,
    };
    match &case.operation {
        Operation::Append(entries) => {
            row.cells = entries
                .iter()
                .map(|entry| at(Place::from(entry), CellKind::Entry))
                .collect();
            let covered = case.before.snapshot.index;
            for cell in &mut row.cells {
                cell.mark = (cell.index <= covered).then_some(Mark::Skipped);
            }
        }
        Operation::ApplySnapshot(snapshot) => {
            row.snapshot = Some(Place {
                index: snapshot.index,
                term: snapshot.term,
            });
        }
        Operation::CreateSnapshot(_) | Operation::Compact(_) => {}
        Operation::Term(index) => row.cells = vec![question(*index)],
        Operation::Entries { range, .. } => row.cells = range.clone().map(question).collect(),
    }
    row
}

/// The last row; none when the storage refused, since then nothing came of it.
fn came_of_it(case: &Case) -> Option<Row> {
    let answered = |cells: Vec<Cell>| Row {
        kind: RowKind::Answer,
        label: if cells.is_empty() {
            "answer: no entries".into()
        } else {
            "answer".into()
        },
        cells,
        snapshot: None,
    };
    match (&case.operation, case.outcome.as_ref().ok()?) {
        (_, Answer::Done) => Some(after(case)),
        (_, Answer::Entries(entries)) => Some(answered(
            entries
                .iter()
                .map(|entry| at(Place::from(entry), CellKind::Entry))
                .collect(),
        )),
        (Operation::Term(index), Answer::Term(term)) => {
            let place = Place {
                index: *index,
                term: *term,
            };
            let kind = if case.before.dummy == place {
                CellKind::Dummy
            } else {
                CellKind::Entry
            };
            Some(answered(vec![at(place, kind)]))
        }
        (_, Answer::Term(_)) => None,
    }
}

fn after(case: &Case) -> Row {
    let label = if case.before == case.after {
        "after (nothing has changed)"
    } else {
        "after"
    };
    let mut row = holds(label, &case.after);
    for cell in &mut row.cells {
        let is_new = match cell.kind {
            CellKind::Dummy => case.after.dummy != case.before.dummy,
            CellKind::Entry | CellKind::Question => was_written(case, cell.index),
        };
        cell.mark = is_new.then_some(Mark::New);
    }
    row
}

fn was_written(case: &Case, index: Index) -> bool {
    let Operation::Append(entries) = &case.operation else {
        return false;
    };
    index > case.before.snapshot.index && entries.iter().any(|entry| entry.index == index)
}
