//! `{{#difference OLD NEW}}`: what became of one anchor's lines in another file.
//!
//! A chapter repeats the piece of code that it is about. What is new in it is easier to
//! see beside what was there before, so the page shows the difference of the two, made
//! from the files each time the book is built.

use std::path::Path;

use similar::{ChangeTag, TextDiff};

use super::listing::{self, Listing};
use crate::finding::Problem;
use crate::workspace::Workspace;

/// Up to this length the whole piece is shown, with the changes in their places.
const SHORT: usize = 40;

/// How many unchanged lines are shown around a change in a longer piece.
const CONTEXT: usize = 3;

/// More than this is no difference that one can take in.
const MAX_LINES: usize = 60;

/// Stands for unchanged lines that are not shown.
const GAP: &str = " […]";

const HOW_TO_COMPARE: &str = "write {{#difference OLD:ANCHOR NEW:ANCHOR}} on a line of its own, \
     with two paths from the page to .rs files of workspace members";

/// The figure that takes the directive's place, or what is wrong with it.
pub(crate) fn expand(
    argument: &str,
    page_folder: &Path,
    workspace: &Workspace,
) -> Result<String, Problem> {
    let [old, new] = argument.split_whitespace().collect::<Vec<_>>()[..] else {
        return Err(Problem::new(
            format!("`{argument}` does not name two listings"),
            HOW_TO_COMPARE,
        ));
    };
    let old = listing::read_rust(old, page_folder, workspace)?;
    let new = listing::read_rust(new, page_folder, workspace)?;
    let mut lines = compare(old.lines(), new.lines(), MAX_LINES);
    if lines.len() > SHORT {
        lines = compare(old.lines(), new.lines(), CONTEXT);
    }
    if lines.is_empty() {
        return Err(Problem::new(
            format!("{} and {} do not differ", old.shown(), new.shown()),
            "say so in words, and leave the comparison out",
        ));
    }
    if lines.len() > MAX_LINES {
        return Err(Problem::new(
            format!("difference of {} lines, more than {MAX_LINES}", lines.len()),
            "compare smaller pieces, each with its own anchor and its own words",
        ));
    }
    Ok(figure(&old, &new, &lines))
}

/// Each line behind `+`, `-` or a space, without those further than `context` lines from
/// any change.
fn compare(old: &[String], new: &[String], context: usize) -> Vec<String> {
    let old: Vec<&str> = old.iter().map(String::as_str).collect();
    let new: Vec<&str> = new.iter().map(String::as_str).collect();
    let diff = TextDiff::from_slices(&old, &new);
    let mut lines = Vec::new();
    let mut shown_of_old = 0;
    for group in diff.grouped_ops(context) {
        let begins = group.first().map_or(0, |op| op.old_range().start);
        if begins > shown_of_old {
            lines.push(GAP.to_owned());
        }
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            let sign = match change.tag() {
                ChangeTag::Equal => ' ',
                ChangeTag::Delete => '-',
                ChangeTag::Insert => '+',
            };
            lines.push(format!("{sign}{}", change.value()).trim_end().to_owned());
        }
        shown_of_old = group.last().map_or(0, |op| op.old_range().end);
    }
    if !lines.is_empty() && shown_of_old < old.len() {
        lines.push(GAP.to_owned());
    }
    lines
}

fn figure(old: &Listing, new: &Listing, lines: &[String]) -> String {
    let (old, new) = (listing::escape(old.shown()), listing::escape(new.shown()));
    let fence = listing::fence_longer_than_any_in(lines);
    let code = lines.join("\n");
    // The blank lines end the HTML blocks, so that the code is Markdown again.
    format!(
        "<figure class=\"listing\">\n<figcaption>What changed from {old} (−) to {new} (+)\
         </figcaption>\n\n{fence}diff\n{code}\n{fence}\n\n</figure>\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn what_went_comes_before_what_came() {
        let shown = compare(&lines("a b c"), &lines("a x c"), CONTEXT);
        assert_eq!(shown, [" a", "-b", "+x", " c"]);
    }

    #[test]
    fn lines_far_from_a_change_are_left_out_and_that_is_said() {
        let shown = compare(
            &lines("1 2 3 4 5 a 1 2 3 4 5 6 7 8 9 b 1 2 3 4 5"),
            &lines("1 2 3 4 5 A 1 2 3 4 5 6 7 8 9 B 1 2 3 4 5"),
            CONTEXT,
        );
        let expected = " […]| 3| 4| 5|-a|+A| 1| 2| 3| […]| 7| 8| 9|-b|+B| 1| 2| 3| […]";
        assert_eq!(shown.join("|"), expected);
    }

    #[test]
    fn a_difference_at_the_ends_has_no_gap_there() {
        let shown = compare(&lines("a b"), &lines("a b c"), CONTEXT);
        assert_eq!(shown, [" a", " b", "+c"]);
    }

    #[test]
    fn equal_pieces_have_no_difference() {
        assert!(compare(&lines("a b"), &lines("a b"), CONTEXT).is_empty());
    }
}
