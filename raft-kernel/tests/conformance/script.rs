//! The grammar of conformance scripts: a text file of cases, each a command with what it
//! must print.
//!
//! ```text
//! # A comment.
//! propose-conf-change 1 transition=explicit
//! v4 r1
//! ----
//! ok
//! ```
//!
//! The line with the command is the *directive*. A directive ending in `\` continues on the
//! next line. What stands between it and `----` is the input; what follows, up to a blank
//! line, is the expected output. If the output itself has blank lines, it stands between a
//! double `----` and another double `----`.

// Two test targets share this file, and neither uses all of it.
#![allow(dead_code)]

use std::ops::Range;
use std::path::{Path, PathBuf};

/// One file of cases.
pub(crate) struct Script {
    pub(crate) path: PathBuf,
    pub(crate) cases: Vec<Case>,
    lines: Vec<String>,
}

/// One command and what it must print.
pub(crate) struct Case {
    /// The directive's line in the file, counted from 1.
    pub(crate) line: usize,
    /// The directive as it stands there, continuation lines joined.
    pub(crate) directive: String,
    pub(crate) command: String,
    pub(crate) args: Vec<Arg>,
    pub(crate) input: String,
    pub(crate) expected: Vec<String>,
    /// Which lines of the file are the expected output, counted from 0, the doubled
    /// separators among them.
    expected_at: Range<usize>,
}

/// `key`, `key=value` or `key=(value, value)`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Arg {
    pub(crate) key: String,
    /// `None` for a bare key.
    pub(crate) values: Option<Vec<String>>,
}

const SEPARATOR: &str = "----";

impl Script {
    pub(crate) fn read(path: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| format!("{}: cannot be read: {error}", path.display()))?;
        Ok(Self::parse(path, &text))
    }

    pub(crate) fn parse(path: &Path, text: &str) -> Self {
        let lines: Vec<String> = text
            .lines()
            .map(|line| line.trim_end().to_owned())
            .collect();
        let mut reader = Reader {
            lines: &lines,
            at: 0,
        };
        let mut cases = Vec::new();
        while let Some(case) = reader.next_case() {
            cases.push(case);
        }
        Script {
            path: path.to_owned(),
            cases,
            lines,
        }
    }

    /// The file's text with other outputs, one for each case.
    pub(crate) fn with_outputs(&self, outputs: &[Vec<String>]) -> String {
        let mut text = Vec::new();
        let mut copied = 0;
        for (case, output) in self.cases.iter().zip(outputs) {
            text.extend_from_slice(&self.lines[copied..case.expected_at.start]);
            copied = case.expected_at.end;
            if output.iter().any(String::is_empty) {
                text.push(SEPARATOR.to_owned());
                text.extend_from_slice(output);
                text.extend([SEPARATOR.to_owned(), SEPARATOR.to_owned()]);
            } else {
                text.extend_from_slice(output);
            }
        }
        text.extend_from_slice(&self.lines[copied..]);
        text.join("\n") + "\n"
    }
}

struct Reader<'a> {
    lines: &'a [String],
    at: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<&str> {
        self.lines.get(self.at).map(String::as_str)
    }

    fn take(&mut self) -> Option<String> {
        let line = self.lines.get(self.at).cloned();
        self.at += 1;
        line
    }

    /// Takes lines up to a separator, and the separator.
    fn take_input(&mut self) -> String {
        let mut input = Vec::new();
        while let Some(line) = self.take().filter(|line| line != SEPARATOR) {
            input.push(line);
        }
        input.join("\n")
    }

    fn next_case(&mut self) -> Option<Case> {
        let is_between = |line: &str| line.is_empty() || line.trim_start().starts_with('#');
        while self.peek().is_some_and(is_between) {
            self.at += 1;
        }
        let line = self.at + 1;
        let mut directive = self.take()?.trim().to_owned();
        while let Some(begun) = directive.strip_suffix('\\') {
            let rest = self.take().unwrap_or_default();
            directive = format!("{} {}", begun.trim_end(), rest.trim());
        }
        let mut words = split_outside_parentheses(&directive, char::is_whitespace).into_iter();
        let command = words.next().unwrap_or_default();
        let args = words.map(|word| Arg::parse(&word)).collect();
        let input = self.take_input();
        let (expected, expected_at) = self.take_expected();
        Some(Case {
            line,
            directive,
            command,
            args,
            input,
            expected,
            expected_at,
        })
    }

    fn take_expected(&mut self) -> (Vec<String>, Range<usize>) {
        let start = self.at.min(self.lines.len());
        let mut expected = Vec::new();
        if self.peek() == Some(SEPARATOR) {
            self.at += 1;
            while let Some(line) = self.take() {
                if line == SEPARATOR && self.peek() == Some(SEPARATOR) {
                    self.at += 1;
                    break;
                }
                expected.push(line);
            }
        } else {
            while self.peek().is_some_and(|line| !line.trim().is_empty()) {
                expected.extend(self.take());
            }
        }
        (expected, start..self.at.min(self.lines.len()))
    }
}

impl Arg {
    fn parse(word: &str) -> Self {
        let Some((key, value)) = word.split_once('=') else {
            return Arg {
                key: word.to_owned(),
                values: None,
            };
        };
        let list = value
            .strip_prefix('(')
            .and_then(|rest| rest.strip_suffix(')'));
        let values = match list {
            Some(list) => split_outside_parentheses(list, |c| c == ',')
                .iter()
                .map(|value| value.trim().to_owned())
                .collect(),
            None => vec![value.to_owned()],
        };
        Arg {
            key: key.to_owned(),
            values: Some(values),
        }
    }
}

/// Splits where `is_border` says, but not between parentheses; leaves out empty pieces.
fn split_outside_parentheses(text: &str, is_border: impl Fn(char) -> bool) -> Vec<String> {
    let mut depth = 0_usize;
    let mut pieces = vec![String::new()];
    for c in text.chars() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 && is_border(c) {
            pieces.push(String::new());
        } else if let Some(piece) = pieces.last_mut() {
            piece.push(c);
        }
    }
    pieces.retain(|piece| !piece.trim().is_empty());
    pieces
}

impl Case {
    /// The bare arguments that are numbers, in order: node ids, most of the time.
    pub(crate) fn numbers(&self) -> Vec<u64> {
        self.args
            .iter()
            .filter(|arg| arg.values.is_none())
            .filter_map(|arg| arg.key.parse().ok())
            .collect()
    }

    /// The values of `key`; none where it is not given.
    pub(crate) fn values(&self, key: &str) -> &[String] {
        self.args
            .iter()
            .find(|arg| arg.key == key)
            .and_then(|arg| arg.values.as_deref())
            .unwrap_or_default()
    }

    /// The only value of `key`, if it is given.
    pub(crate) fn value(&self, key: &str) -> Option<&str> {
        self.values(key).first().map(String::as_str)
    }

    /// The value of `key` read as what the caller needs, if it is given.
    pub(crate) fn parsed<T: std::str::FromStr>(&self, key: &str) -> Result<Option<T>, String> {
        let Some(value) = self.value(key) else {
            return Ok(None);
        };
        value
            .parse()
            .map(Some)
            .map_err(|_| format!("{key}={value} cannot be understood"))
    }

    /// The values of `key` read as numbers.
    pub(crate) fn number_list(&self, key: &str) -> Result<Vec<u64>, String> {
        self.values(key)
            .iter()
            .map(|value| {
                value
                    .parse()
                    .map_err(|_| format!("{key} takes numbers, not {value}"))
            })
            .collect()
    }
}
