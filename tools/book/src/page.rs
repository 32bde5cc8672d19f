//! Reading a page: its fenced blocks and its `{{#…}}` directives, each with the
//! line and the bytes where it stands.
//!
//! Both the preprocessor and the checks read pages through here, so that what is
//! checked is what is rendered.

use std::ops::Range;
use std::sync::LazyLock;

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};
use regex::Regex;

/// A fenced block of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fence {
    /// The line of the opening fence, counted from 1.
    pub(crate) line: usize,
    /// From the opening fence to the end of the closing one.
    pub(crate) range: Range<usize>,
    /// What stands before the fence on its line inside a list or a quote, made fit
    /// to stand before the lines that follow.
    pub(crate) indent: String,
    pub(crate) info: String,
    pub(crate) body: String,
}

impl Fence {
    /// `rust` of `rust,no_run`.
    pub(crate) fn language(&self) -> &str {
        self.words().next().unwrap_or_default()
    }

    /// What follows the language.
    pub(crate) fn attributes(&self) -> impl Iterator<Item = &str> {
        self.words().skip(1)
    }

    fn words(&self) -> impl Iterator<Item = &str> {
        self.info
            .split([',', ' ', '\t'])
            .filter(|word| !word.is_empty())
    }
}

/// A directive such as `{{#include path:anchor}}`, outside of `\{{#…}}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Directive {
    pub(crate) line: usize,
    pub(crate) range: Range<usize>,
    pub(crate) name: String,
    pub(crate) argument: String,
}

/// The line of a byte of the text, counted from 1.
pub(crate) fn line_of(text: &str, offset: usize) -> usize {
    text.bytes()
        .take(offset)
        .filter(|byte| *byte == b'\n')
        .count()
        + 1
}

/// The events of a page, read with mdBook's extensions.
pub(crate) fn parse(text: &str) -> impl Iterator<Item = (Event<'_>, Range<usize>)> {
    let extensions = Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_HEADING_ATTRIBUTES
        | Options::ENABLE_DEFINITION_LIST
        | Options::ENABLE_GFM;
    Parser::new_ext(text, extensions).into_offset_iter()
}

pub(crate) fn fences(text: &str) -> Vec<Fence> {
    let mut found = Vec::new();
    let mut open: Option<Fence> = None;
    for (event, range) in parse(text) {
        match event {
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(info))) => {
                open = Some(Fence {
                    line: line_of(text, range.start),
                    indent: indent_before(text, range.start),
                    range,
                    info: info.to_string(),
                    body: String::new(),
                });
            }
            Event::Text(part) => {
                if let Some(fence) = &mut open {
                    fence.body.push_str(&part);
                }
            }
            Event::End(TagEnd::CodeBlock) => found.extend(open.take()),
            _ => {}
        }
    }
    found
}

/// `> ` stays a quote on the next line; `1. ` becomes three spaces.
fn indent_before(text: &str, offset: usize) -> String {
    let start = text[..offset].rfind('\n').map_or(0, |newline| newline + 1);
    text[start..offset]
        .chars()
        .map(|c| if c == '>' || c == '\t' { c } else { ' ' })
        .collect()
}

pub(crate) fn directives(text: &str) -> Vec<Directive> {
    static DIRECTIVE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(\\?)\{\{\s*#([A-Za-z_-]+)\s*([^}]*)\}\}").expect("a constant pattern")
    });
    DIRECTIVE
        .captures_iter(text)
        .filter(|found| found[1].is_empty())
        .filter_map(|found| {
            let range = found.get(0)?.range();
            Some(Directive {
                line: line_of(text, range.start),
                range,
                name: found[2].to_string(),
                argument: found[3].trim().to_string(),
            })
        })
        .collect()
}

/// Puts `indent` before every line, without leaving spaces at a line's end.
pub(crate) fn indent_lines(text: &str, indent: &str) -> String {
    let lines: Vec<String> = text
        .lines()
        .map(|line| format!("{indent}{line}").trim_end().to_string())
        .collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fence_knows_its_line_its_language_and_its_body() {
        let text = "# Title\n\n```console,exit=2\n$ ls\n\nout\n```\n\nafter\n";
        let fence = &fences(text)[0];
        assert_eq!(fence.line, 3);
        assert_eq!(fence.language(), "console");
        assert_eq!(fence.attributes().collect::<Vec<_>>(), ["exit=2"]);
        assert_eq!(fence.body, "$ ls\n\nout\n");
        assert_eq!(
            &text[fence.range.clone()],
            "```console,exit=2\n$ ls\n\nout\n```"
        );
    }

    #[test]
    fn a_fence_in_a_list_or_a_quote_knows_what_stands_before_its_lines() {
        let text = "1. first\n\n   ```text\n   a\n   ```\n\n> ```text\n> b\n> ```\n\n- ```text\n  c\n  ```\n";
        let found = fences(text);
        let indents: Vec<&str> = found.iter().map(|fence| fence.indent.as_str()).collect();
        assert_eq!(indents, ["   ", "> ", "  "]);
        let bodies: Vec<&str> = found.iter().map(|fence| fence.body.as_str()).collect();
        assert_eq!(bodies, ["a\n", "b\n", "c\n"]);
    }

    #[test]
    fn an_escaped_directive_is_text() {
        let text = "\\{{#include a.rs:x}}\n{{#include  b.rs:y }}\n";
        let found = directives(text);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].line, 2);
        assert_eq!(found[0].name, "include");
        assert_eq!(found[0].argument, "b.rs:y");
    }
}
