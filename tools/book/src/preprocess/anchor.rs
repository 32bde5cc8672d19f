//! Cutting the lines between `ANCHOR: name` and `ANCHOR_END: name` out of a file.
//!
//! mdBook does this too, but shows an empty listing for an anchor that is not
//! there and runs to the end of the file for one that is not closed. Here both are
//! problems.

use std::sync::LazyLock;

use regex::Regex;

use crate::finding::Problem;

static START: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"ANCHOR:\s*([\w-]+)").expect("a constant pattern"));
static END: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"ANCHOR_END:\s*([\w-]+)").expect("a constant pattern"));

/// The lines of an anchor without the marks of the anchors inside it, shifted left
/// as far as they go together.
pub(crate) fn cut(source: &str, anchor: &str, file: &str) -> Result<Vec<String>, Problem> {
    let marks =
        |line: &str, mark: &Regex| mark.captures(line).is_some_and(|found| &found[1] == anchor);
    let lines: Vec<&str> = source.lines().collect();
    let starts: Vec<usize> = (0..lines.len())
        .filter(|&at| marks(lines[at], &START))
        .collect();
    let start = match starts.as_slice() {
        [] => {
            return Err(Problem::new(
                format!("the anchor `{anchor}` is not in {file}"),
                format!(
                    "put `// ANCHOR: {anchor}` and `// ANCHOR_END: {anchor}` \
                     around the lines to show, or correct the name"
                ),
            ));
        }
        [start] => *start,
        [_, again, ..] => {
            return Err(Problem::new(
                format!("the anchor `{anchor}` begins twice in {file}"),
                format!("rename the one on line {}", again + 1),
            ));
        }
    };
    let Some(length) = lines[start..].iter().position(|line| marks(line, &END)) else {
        return Err(Problem::new(
            format!("the anchor `{anchor}` in {file} has no end"),
            format!("put `// ANCHOR_END: {anchor}` after the last line to show"),
        ));
    };
    let kept: Vec<&str> = lines[start + 1..start + length]
        .iter()
        .filter(|line| !is_mark(line))
        .copied()
        .collect();
    Ok(dedent(&kept))
}

/// A whole file without the marks of its anchors.
pub(crate) fn whole(source: &str) -> Vec<String> {
    source
        .lines()
        .filter(|line| !is_mark(line))
        .map(str::to_string)
        .collect()
}

fn is_mark(line: &str) -> bool {
    START.is_match(line) || END.is_match(line)
}

fn dedent(lines: &[&str]) -> Vec<String> {
    let indent_of = |line: &&str| line.len() - line.trim_start().len();
    let shared = lines
        .iter()
        .filter(|line| !line.trim().is_empty())
        .map(indent_of)
        .min()
        .unwrap_or(0);
    lines
        .iter()
        .map(|line| line.get(shared..).unwrap_or_default().to_string())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "\
fn outside() {}
impl Node {
    // ANCHOR: tick
    fn tick(&mut self) {
        // ANCHOR: inner
        self.elapsed += 1;
        // ANCHOR_END: inner

    }
    // ANCHOR_END: tick
    // ANCHOR: open
}
";

    #[test]
    fn an_anchor_is_cut_out_without_marks_and_shifted_left() {
        let lines = cut(SOURCE, "tick", "lib.rs").unwrap();
        assert_eq!(
            lines,
            ["fn tick(&mut self) {", "    self.elapsed += 1;", "", "}"]
        );
        assert_eq!(
            cut(SOURCE, "inner", "lib.rs").unwrap(),
            ["self.elapsed += 1;"]
        );
    }

    #[test]
    fn an_anchor_without_an_end_is_a_problem() {
        let problem = cut(SOURCE, "open", "lib.rs").unwrap_err();
        assert_eq!(problem.what, "the anchor `open` in lib.rs has no end");
    }

    #[test]
    fn an_anchor_that_begins_twice_is_a_problem() {
        let twice = format!("{SOURCE}{SOURCE}");
        let problem = cut(&twice, "tick", "lib.rs").unwrap_err();
        assert_eq!(problem.what, "the anchor `tick` begins twice in lib.rs");
    }
}
