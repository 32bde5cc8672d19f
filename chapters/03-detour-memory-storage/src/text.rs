//! A case as text: what the program prints.

use std::fmt::Write as _;

use raft_kernel::Index;

use crate::case::Case;
use crate::picture::{Cell, CellKind, Picture, Row};

/// How wide the column of an index is, and how wide the margin before the first.
const COLUMN: usize = 6;
const MARGIN: usize = 11;
/// How long a line of words may be.
const WIDTH: usize = 72;

/// How to read the pictures.
pub const LEGEND: &str = "\
How to read the pictures: one column is one index of the log.
  [t2]     an entry of term 2
  (t1)     the dummy: all that is left of the last forgotten entry, its term
  ===|t1   the snapshot: it stands for these indexes, the last of them of term 1
  ?        an index that somebody asks for
  new      the operation writes it
  gone     the operation takes it away
  skip     given, and left out: the snapshot contains it already
";

/// The case as a few lines of text, ending in a newline.
pub fn as_text(case: &Case) -> String {
    let picture = case.picture();
    let mut text = format!("{}\n  {}\n\n", case.name, case.title);
    let header = line("index", &picture, |index| format!("{index:>3}"));
    text.push_str(&header);
    for row in &picture.rows {
        add_row(&mut text, &picture, row);
    }
    if let Some(refusal) = &picture.refusal {
        add(&mut text, &format!("  {refusal}"));
    }
    text.push('\n');
    for line in wrap(case.why) {
        add(&mut text, &format!("  {line}"));
    }
    text
}

/// Breaks a sentence into lines of a width that is good to read.
fn wrap(sentence: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in sentence.split(' ') {
        let line = lines.last_mut().filter(|it| it.len() + word.len() < WIDTH);
        match line {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) => {
                line.push(' ');
                line.push_str(word);
            }
            None => lines.push(word.to_string()),
        }
    }
    lines
}

fn add_row(text: &mut String, picture: &Picture, row: &Row) {
    // A label that does not fit before the first column has a line of its own.
    let mut label = row.label.as_str();
    if label.len() + 2 >= MARGIN {
        add(text, &format!("  {label}"));
        label = "";
    }
    let cell_at = |index| row.cells.iter().find(|cell| cell.index == index);
    if !row.cells.is_empty() || !label.is_empty() {
        text.push_str(&line(label, picture, |index| {
            cell_at(index).map(boxed).unwrap_or_default()
        }));
    }
    if row.cells.iter().any(|cell| cell.mark.is_some()) {
        text.push_str(&line("", picture, |index| {
            let mark = cell_at(index).and_then(|cell| cell.mark);
            mark.map(|mark| mark.word().to_string()).unwrap_or_default()
        }));
    }
    if let Some(snapshot) = row.snapshot {
        let bar = |index| match index {
            0 => String::new(),
            index if index > snapshot.index => String::new(),
            index if index == snapshot.index => format!("===|t{}", snapshot.term),
            _ => "=".repeat(COLUMN),
        };
        text.push_str(&line("snapshot", picture, bar));
    }
}

fn boxed(cell: &Cell) -> String {
    let term = cell.term.map_or("?".into(), |term| format!("t{term}"));
    match cell.kind {
        CellKind::Dummy => format!("({term})"),
        CellKind::Entry => format!("[{term}]"),
        CellKind::Question => format!("  {term}"),
    }
}

fn line(label: &str, picture: &Picture, content: impl Fn(Index) -> String) -> String {
    let mut line = format!("{:<MARGIN$}", format!("  {label}"));
    for index in picture.columns.clone() {
        // Writing to a string cannot fail.
        let _ = write!(line, "{:<COLUMN$}", content(index));
    }
    line.truncate(line.trim_end().len());
    line.push('\n');
    line
}

fn add(text: &mut String, line: &str) {
    text.push_str(line);
    text.push('\n');
}
