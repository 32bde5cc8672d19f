//! `{{#storage-case NAME}}`: a picture of one case of chapter 03.
//!
//! The chapter's crate runs the case and lays it out in rows and columns; here the
//! rows and columns become SVG. The sheet is no wider than a phone's screen, so the
//! words in it stay readable there.

mod drawing;

use std::ops::RangeInclusive;

use ch03_detour_memory_storage::{Case, Cell, CellKind, Mark, Place, Row, RowKind};
use ch03_detour_memory_storage::{case, in_words, names};

use self::drawing::{Area, Drawing, Look, width_of};
use crate::finding::Problem;

/// From the left edge of a column to that of the next, and the box in it.
const COLUMN: f64 = 46.0;
const BOX: f64 = 40.0;
/// Around the whole drawing.
const MARGIN: f64 = 8.0;
/// Between one row and the next.
const GAP: f64 = 16.0;
const BAR_HEIGHT: f64 = 20.0;

const LARGE: f64 = 15.0;
const NORMAL: f64 = 13.0;
const SMALL: f64 = 12.0;

/// The figure for the case of this name.
pub(crate) fn expand(name: &str) -> Result<String, Problem> {
    let Some(case) = case(name) else {
        return Err(Problem::new(
            format!("there is no storage case `{name}`"),
            format!("name one of: {}", names().join(", ")),
        ));
    };
    let title = format!("{}: {}", case.name, case.title);
    let svg = draw(&case).to_svg(&title, &in_words(&case));
    Ok(format!("<figure class=\"diagram\">\n{svg}</figure>\n"))
}

/// Where the columns are, and how far down the drawing has come.
struct Sheet {
    drawing: Drawing,
    columns: RangeInclusive<u64>,
    top: f64,
}

fn draw(case: &Case) -> Drawing {
    let picture = case.picture();
    let (first, last) = (*picture.columns.start(), *picture.columns.end());
    let width = 2.0 * MARGIN + columns_between(first, last + 1) * COLUMN - (COLUMN - BOX);
    let mut sheet = Sheet {
        drawing: Drawing::of_width(width),
        columns: picture.columns,
        top: MARGIN,
    };
    for row in &picture.rows {
        sheet.row(row);
    }
    if let Some(refusal) = &picture.refusal {
        sheet.refusal(refusal);
    }
    // The gap after the last row is no gap.
    sheet.drawing.height = sheet.top - GAP + MARGIN;
    sheet.drawing
}

/// Indexes in a picture are small; what is not small is not drawn to scale.
fn columns_between(from: u64, to: u64) -> f64 {
    f64::from(u32::try_from(to.saturating_sub(from)).unwrap_or(u32::MAX))
}

impl Sheet {
    fn row(&mut self, row: &Row) {
        self.label(row);
        if let Some(snapshot) = row.snapshot {
            self.snapshot(snapshot);
        }
        if !row.cells.is_empty() {
            let top = self.top;
            for cell in &row.cells {
                self.cell(cell, top);
            }
            self.top += BOX;
            if row.cells.iter().any(|cell| cell.mark.is_some()) {
                self.top += SMALL + 4.0;
            }
        }
        self.top += GAP;
    }

    fn label(&mut self, row: &Row) {
        for line in wrap(&row.label, self.text_width(), NORMAL) {
            self.drawing
                .write(MARGIN, self.top + NORMAL * 0.8, NORMAL, line);
            if row.kind == RowKind::Order {
                self.drawing.stress();
            }
            self.top += NORMAL + 4.0;
        }
    }

    fn text_width(&self) -> f64 {
        self.drawing.width - 2.0 * MARGIN
    }

    fn left_of(&self, index: u64) -> f64 {
        MARGIN + columns_between(*self.columns.start(), index) * COLUMN
    }

    /// A bar from index 1 to where the snapshot ends, over the entries below it.
    fn snapshot(&mut self, end: Place) {
        let left = self.left_of(1);
        let bar = Area {
            left,
            top: self.top,
            width: self.left_of(end.index) + BOX - left,
            height: BAR_HEIGHT,
        };
        self.drawing.shape(bar, Look::Bar);
        let baseline = self.top + 14.5;
        let words = format!("snapshot to {} (t{})", end.index, end.term);
        if width_of(&words, SMALL) < bar.width {
            self.drawing.write_centred(&bar, baseline, SMALL, words);
        } else {
            let beside = bar.left + bar.width + 4.0;
            self.drawing.write(beside, baseline, SMALL, words);
        }
        self.top += BAR_HEIGHT + 6.0;
    }

    fn cell(&mut self, cell: &Cell, top: f64) {
        let area = Area {
            left: self.left_of(cell.index),
            top,
            width: BOX,
            height: BOX,
        };
        let drawing = &mut self.drawing;
        drawing.shape(area, look_of(cell));
        if cell.mark == Some(Mark::Gone) {
            drawing.shape(area, Look::Cross);
        }
        drawing.write_centred(&area, top + 17.0, LARGE, cell.index.to_string());
        drawing.stress();
        let below = cell.term.map_or("?".into(), |term| format!("t{term}"));
        drawing.write_centred(&area, top + 33.0, SMALL, below);
        if let Some(mark) = cell.mark {
            let baseline = top + BOX + 4.0 + SMALL * 0.8;
            drawing.write_centred(&area, baseline, SMALL, mark.word().to_string());
        }
    }

    fn refusal(&mut self, refusal: &str) {
        const PADDING: f64 = 8.0;
        let inside = self.text_width() - 2.0 * PADDING;
        let lines = wrap(&format!("✗ {refusal}"), inside, NORMAL);
        let top = self.top;
        self.top += PADDING;
        for line in lines {
            self.drawing
                .write(MARGIN + PADDING, self.top + NORMAL * 0.8, NORMAL, line);
            self.top += NORMAL + 4.0;
        }
        self.top += PADDING - 4.0;
        let area = Area {
            left: MARGIN,
            top,
            width: self.text_width(),
            height: self.top - top,
        };
        self.drawing.shape(area, Look::Refusal);
        self.top += GAP;
    }
}

fn look_of(cell: &Cell) -> Look {
    match (cell.kind, cell.mark) {
        (CellKind::Dummy, _) => Look::Dashed,
        (CellKind::Question, _) | (CellKind::Entry, Some(Mark::Skipped)) => Look::Dotted,
        (CellKind::Entry, Some(Mark::New)) => Look::New,
        (CellKind::Entry, Some(Mark::Gone) | None) => Look::Plain,
    }
}

/// Breaks a text into lines that fit. A word that does not fit has its own line.
fn wrap(text: &str, width: f64, size: f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if width_of(&format!("{line} {word}"), size) <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_string()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use ch03_detour_memory_storage::cases;

    use super::*;

    fn overlap(a: &Area, b: &Area) -> bool {
        let apart = a.left + a.width <= b.left
            || b.left + b.width <= a.left
            || a.top + a.height <= b.top
            || b.top + b.height <= a.top;
        !apart
    }

    #[test]
    fn every_case_is_drawn_with_all_its_rows() {
        for case in cases() {
            let figure = expand(case.name).unwrap();
            for row in case.picture().rows {
                let first_word = row.label.split(' ').next().unwrap();
                assert!(figure.contains(first_word), "{}: {figure}", case.name);
            }
            assert_eq!(figure.contains("✗ refused"), case.is_refused());
        }
    }

    #[test]
    fn no_text_lies_on_another_or_leaves_the_sheet() {
        for case in cases() {
            let drawing = draw(&case);
            for (number, text) in drawing.texts.iter().enumerate() {
                let area = text.area();
                let name = case.name;
                assert!(area.left >= 0.0 && area.top >= 0.0, "{name}: {text:?}");
                assert!(
                    area.left + area.width <= drawing.width,
                    "{name}: {text:?} leaves the sheet"
                );
                assert!(area.top + area.height <= drawing.height, "{name}: {text:?}");
                for other in &drawing.texts[number + 1..] {
                    assert!(
                        !overlap(&area, &other.area()),
                        "{name}: {text:?} lies on {other:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn no_picture_is_much_wider_than_a_phone() {
        for case in cases() {
            assert!(draw(&case).width <= 432.0, "{}", case.name);
        }
    }

    #[test]
    fn a_picture_tells_its_story_in_words_too() {
        let figure = expand("append-with-gap").unwrap();
        assert!(figure.contains("role=\"img\""));
        assert!(figure.contains("<title>append-with-gap: the new entries begin too late"));
        assert!(figure.contains("<desc>Before: a snapshot up to 3 (term 1), the dummy 3"));
        assert!(figure.contains("would leave a gap"));
    }

    #[test]
    fn a_picture_is_one_block_of_html_in_colours_of_the_theme() {
        for case in cases() {
            let figure = expand(case.name).unwrap();
            assert!(!figure.trim_end().contains("\n\n"), "{}", case.name);
            assert!(!figure.contains('#'), "{}: a fixed colour", case.name);
        }
    }

    #[test]
    fn an_unknown_name_is_a_problem_that_lists_the_known_ones() {
        let problem = expand("append-sideways").unwrap_err();
        assert_eq!(problem.what, "there is no storage case `append-sideways`");
        for name in names() {
            assert!(problem.fix.contains(name), "{name}");
        }
    }

    #[test]
    fn a_long_text_is_wrapped_between_words() {
        assert_eq!(
            wrap("one two three four", 5.0 * 10.0, 10.0),
            ["one two", "three", "four"]
        );
    }
}
