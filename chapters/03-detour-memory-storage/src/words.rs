//! A case as sentences: the book's pictures carry them for readers who cannot see.

use crate::case::Case;
use crate::picture::{Cell, CellKind, Mark, Picture, Row, RowKind};
use crate::state::Place;

/// What the picture of the case shows, row by row.
pub fn in_words(case: &Case) -> String {
    let Picture { rows, refusal, .. } = case.picture();
    let mut sentences: Vec<String> = rows.iter().map(row_in_words).collect();
    if let Some(refusal) = refusal {
        sentences.push(format!("{}. Nothing changes.", capitalised(&refusal)));
    }
    sentences.join(" ")
}

fn row_in_words(row: &Row) -> String {
    let label = capitalised(&row.label);
    let things: Vec<String> = match row.kind {
        // The order names its entries; that one is skipped is all there is to add.
        RowKind::Order => row
            .cells
            .iter()
            .filter(|cell| cell.mark.is_some())
            .map(cell_in_words)
            .collect(),
        RowKind::State | RowKind::Answer => snapshot_in_words(row)
            .into_iter()
            .chain(row.cells.iter().map(cell_in_words))
            .collect(),
    };
    match things.join(", ") {
        things if !things.is_empty() => format!("{label}: {things}."),
        _ if label.ends_with('?') => label,
        _ => format!("{label}."),
    }
}

fn snapshot_in_words(row: &Row) -> Option<String> {
    let Place { index, term } = row.snapshot?;
    Some(format!("a snapshot up to {index} (term {term})"))
}

fn cell_in_words(cell: &Cell) -> String {
    let what = match cell.kind {
        CellKind::Dummy => "the dummy",
        CellKind::Entry => "entry",
        CellKind::Question => "index",
    };
    let term = cell
        .term
        .map(|term| format!(" of term {term}"))
        .unwrap_or_default();
    let mark = match cell.mark {
        None => "",
        Some(Mark::New) => " (new)",
        Some(Mark::Gone) => " (about to go)",
        Some(Mark::Skipped) => " (skipped)",
    };
    format!("{what} {}{term}{mark}", cell.index)
}

fn capitalised(text: &str) -> String {
    let mut rest = text.chars();
    match rest.next() {
        Some(first) => first.to_uppercase().chain(rest).collect(),
        None => String::new(),
    }
}
