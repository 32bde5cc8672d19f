//! Holding what a program printed against what the page shows.
//!
//! On the page, a line `[...]` stands for any number of lines and `[..]` within a
//! line for any text. The two texts are aligned at the lowest cost, as in a diff;
//! they match when the cost is nothing. The same alignment tells `cargo book
//! update` which lines, and which elisions, may stay.

use std::fmt::Write;

const ANY_LINES: &str = "[...]";
const ANY_TEXT: &str = "[..]";

/// Two lines changed into each other are cheaper than one lost and one new, so
/// that an elision nearby does not swallow a line that merely changed.
const CHANGED: u32 = 2;
const NEW: u32 = 2;
const LOST: u32 = 3;

/// A diff longer than this says no more.
const MAX_DIFF_LINES: usize = 24;
/// Equal lines shown around a difference.
const CONTEXT: usize = 2;

/// A line of the aligned texts. The numbers are indexes of lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pair {
    Same {
        shown: usize,
    },
    /// A printed line that an elision stands for.
    Elided,
    Elision,
    Changed {
        shown: usize,
        printed: usize,
    },
    Lost {
        shown: usize,
    },
    New {
        printed: usize,
    },
}

pub(crate) struct Alignment<'a> {
    shown: &'a [String],
    printed: &'a [String],
    pairs: Vec<Pair>,
}

pub(crate) fn align<'a>(shown: &'a [String], printed: &'a [String]) -> Alignment<'a> {
    Alignment {
        shown,
        printed,
        pairs: trace(shown, printed, &costs(shown, printed)),
    }
}

/// `costs[s][p]` is the cost of aligning what follows `shown[s]` and `printed[p]`.
fn costs(shown: &[String], printed: &[String]) -> Vec<Vec<u32>> {
    let mut costs = vec![vec![0; printed.len() + 1]; shown.len() + 1];
    for p in (0..printed.len()).rev() {
        costs[shown.len()][p] = costs[shown.len()][p + 1] + NEW;
    }
    for s in (0..shown.len()).rev() {
        let elides = is_elision(&shown[s]);
        let drop = if elides { 0 } else { LOST };
        costs[s][printed.len()] = costs[s + 1][printed.len()] + drop;
        for p in (0..printed.len()).rev() {
            costs[s][p] = if elides {
                costs[s + 1][p].min(costs[s][p + 1])
            } else {
                let step = if line_matches(&shown[s], &printed[p]) {
                    0
                } else {
                    CHANGED
                };
                (costs[s + 1][p + 1] + step)
                    .min(costs[s + 1][p] + LOST)
                    .min(costs[s][p + 1] + NEW)
            };
        }
    }
    costs
}

fn trace(shown: &[String], printed: &[String], costs: &[Vec<u32>]) -> Vec<Pair> {
    let (mut s, mut p) = (0, 0);
    let mut pairs = Vec::new();
    while s < shown.len() || p < printed.len() {
        let cost = costs[s][p];
        let both = s < shown.len() && p < printed.len();
        if s < shown.len() && is_elision(&shown[s]) {
            if both && cost == costs[s][p + 1] {
                pairs.push(Pair::Elided);
                p += 1;
            } else {
                pairs.push(Pair::Elision);
                s += 1;
            }
        } else if both && line_matches(&shown[s], &printed[p]) && cost == costs[s + 1][p + 1] {
            pairs.push(Pair::Same { shown: s });
            (s, p) = (s + 1, p + 1);
        } else if both && cost == costs[s + 1][p + 1] + CHANGED {
            pairs.push(Pair::Changed {
                shown: s,
                printed: p,
            });
            (s, p) = (s + 1, p + 1);
        } else if p < printed.len() && cost == costs[s][p + 1] + NEW {
            pairs.push(Pair::New { printed: p });
            p += 1;
        } else {
            pairs.push(Pair::Lost { shown: s });
            s += 1;
        }
    }
    pairs
}

fn is_elision(line: &str) -> bool {
    line.trim() == ANY_LINES
}

fn line_matches(shown: &str, printed: &str) -> bool {
    let mut parts = shown.split(ANY_TEXT);
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = printed.strip_prefix(first) else {
        return false;
    };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else {
        return rest.is_empty();
    };
    for part in parts {
        let Some(at) = rest.find(part) else {
            return false;
        };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

impl Alignment<'_> {
    pub(crate) fn matches(&self) -> bool {
        self.pairs.iter().all(Pair::is_fine)
    }

    /// What the page should show: the printed lines, under the elisions that are
    /// still good.
    pub(crate) fn updated(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for pair in &self.pairs {
            match *pair {
                Pair::Same { shown } => lines.push(self.shown[shown].clone()),
                Pair::Elision => lines.push(ANY_LINES.to_string()),
                Pair::Changed { printed, .. } | Pair::New { printed } => {
                    lines.push(self.printed[printed].clone());
                }
                Pair::Elided | Pair::Lost { .. } => {}
            }
        }
        lines
    }

    /// The differing lines with a little around them.
    pub(crate) fn diff(&self) -> String {
        let near_a_difference = |index: usize| {
            let from = index.saturating_sub(CONTEXT);
            let to = (index + CONTEXT).min(self.pairs.len() - 1);
            self.pairs[from..=to].iter().any(|pair| !pair.is_fine())
        };
        let mut diff = Vec::new();
        for (index, pair) in self.pairs.iter().enumerate() {
            if !near_a_difference(index) {
                continue;
            }
            match *pair {
                Pair::Same { shown } => diff.push(format!("  {}", self.shown[shown])),
                Pair::Elision => diff.push(format!("  {ANY_LINES}")),
                Pair::Elided => {}
                Pair::Changed { shown, printed } => {
                    diff.push(format!("- {}", self.shown[shown]));
                    diff.push(format!("+ {}", self.printed[printed]));
                }
                Pair::Lost { shown } => diff.push(format!("- {}", self.shown[shown])),
                Pair::New { printed } => diff.push(format!("+ {}", self.printed[printed])),
            }
        }
        let more = diff.len().saturating_sub(MAX_DIFF_LINES);
        diff.truncate(MAX_DIFF_LINES);
        let mut text = diff.join("\n");
        if more > 0 {
            // Writing to a String cannot fail.
            let _ = write!(text, "\n  … and {more} more lines");
        }
        text
    }
}

impl Pair {
    fn is_fine(&self) -> bool {
        matches!(self, Self::Same { .. } | Self::Elided | Self::Elision)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        text.lines().map(str::to_string).collect()
    }

    fn matches(shown: &str, printed: &str) -> bool {
        align(&lines(shown), &lines(printed)).matches()
    }

    fn updated(shown: &str, printed: &str) -> String {
        align(&lines(shown), &lines(printed)).updated().join("\n")
    }

    #[test]
    fn a_line_of_dots_matches_any_lines_or_none() {
        assert!(matches("a\n[...]\nd", "a\nb\nc\nd"));
        assert!(matches("a\n[...]\nd", "a\nd"));
        assert!(matches("[...]\nb\n[...]", "a\nb\nb\nc"));
        assert!(!matches("a\n[...]\nd", "a\nb\nc"));
        assert!(!matches("a", "a\nb"));
        assert!(!matches("a\nb", "a"));
    }

    #[test]
    fn dots_within_a_line_match_any_text() {
        assert!(matches("took [..] ms", "took 12 ms"));
        assert!(matches("[..]b[..]", "abc"));
        assert!(matches("x[..]", "x"));
        assert!(!matches("took [..] ms", "took 12 s"));
        // The end must not be matched by what the middle has used.
        assert!(!matches("a[..]b[..]b", "ab"));
    }

    #[test]
    fn an_update_keeps_the_elisions_that_still_hold() {
        assert_eq!(
            updated("a\n[...]\nd\nold", "a\nb\nc\nd\nnew"),
            "a\n[...]\nd\nnew"
        );
        assert_eq!(
            updated("took [..] ms\nold", "took 9 ms\nnew"),
            "took [..] ms\nnew"
        );
        assert_eq!(updated("took [..] ms", "took 9 s"), "took 9 s");
        assert_eq!(updated("", "a\nb"), "a\nb");
        assert_eq!(updated("a\nb\nc", "a"), "a");
    }

    #[test]
    fn an_elision_does_not_swallow_the_line_that_changed_after_it() {
        assert_eq!(updated("a\n[...]\nend 1", "a\nb\nend 2"), "a\n[...]\nend 2");
    }

    #[test]
    fn a_diff_shows_what_differs_and_little_else() {
        let shown = lines("1\n2\n3\n4\n5\n6");
        let printed = lines("1\n2\n3\n4\n5\nsix");
        assert_eq!(align(&shown, &printed).diff(), "  4\n  5\n- 6\n+ six");
    }
}
