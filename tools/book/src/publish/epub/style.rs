//! The stylesheet of the EPUB: a few styles of its own, then the book's.
//!
//! The book's styles take their colours from the variables of mdBook's themes. Many
//! readers of EPUB know no variables, so the values of the light theme take their place.

use std::collections::BTreeMap;
use std::fs;
use std::sync::LazyLock;

use anyhow::{Context, Result};
use regex::{Captures, Regex};
use walkdir::WalkDir;

use crate::publish::Book;

const BASE: &str = include_str!("base.css");

/// mdBook's other themes: rules that name one do not hold in the light theme.
const OTHER_THEMES: &[&str] = &[".ayu", ".coal", ".navy", ".rust"];

/// A variable's value may name another one, and so on; more than this is a circle.
const MOST_STEPS: usize = 8;

/// The book's styles and what their variables stand for.
#[derive(Debug, Default)]
pub(super) struct Style {
    css: String,
    values: BTreeMap<String, String>,
}

impl Style {
    pub(super) fn read(book: &Book<'_>) -> Result<Self> {
        let html = book.config.html_config().unwrap_or_default();
        let mut css = String::new();
        for file in &html.additional_css {
            let text = fs::read_to_string(book.root.join(file))
                .with_context(|| format!("cannot read {}", file.display()))?;
            css.push_str(&in_light(&text));
        }
        let mut style = Self::default();
        style.learn(&in_light(&variables_of_mdbook(book)?));
        style.learn(&css);
        style.css = css;
        Ok(style)
    }

    pub(super) fn sheet(&self) -> String {
        // Readers that do not know it may refuse the whole sheet, and epubcheck 4 does.
        static MODERN: LazyLock<Regex> = LazyLock::new(|| pattern(r"[^{}]*:has\([^{}]*\{[^{}]*\}"));
        let known = MODERN.replace_all(&self.css, "");
        format!("{BASE}\n{}", self.resolve(&known))
    }

    /// Puts values for variables. One without a value stays; it may be set on a page.
    pub(super) fn resolve(&self, text: &str) -> String {
        static USE: LazyLock<Regex> = LazyLock::new(|| {
            pattern(r"var\(\s*(--[\w-]+)\s*(?:,([^()]*(?:\([^()]*\)[^()]*)*))?\)")
        });
        let mut text = text.to_string();
        for _ in 0..MOST_STEPS {
            if !text.contains("var(") {
                break;
            }
            let value = |found: &Captures<'_>| {
                let value = self.values.get(&found[1]).map(String::as_str);
                let fallback = found.get(2).map(|text| text.as_str().trim());
                value.or(fallback).unwrap_or(&found[0]).to_string()
            };
            text = USE.replace_all(&text, value).into_owned();
        }
        text
    }

    fn learn(&mut self, css: &str) {
        static RULE: LazyLock<Regex> = LazyLock::new(|| pattern(r"([^{}]+)\{([^{}]*)\}"));
        static VALUE: LazyLock<Regex> = LazyLock::new(|| pattern(r"(--[\w-]+)\s*:\s*([^;]+)"));
        for rule in RULE.captures_iter(css) {
            if OTHER_THEMES.iter().any(|theme| rule[1].contains(theme)) {
                continue;
            }
            for value in VALUE.captures_iter(&rule[2]) {
                self.values
                    .insert(value[1].to_string(), value[2].trim().to_string());
            }
        }
    }
}

/// The styles without comments, and without those for who prefers the dark.
fn in_light(css: &str) -> String {
    static COMMENT: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?s)/\*.*?\*/"));
    static DARK: LazyLock<Regex> = LazyLock::new(|| {
        pattern(r"@media[^{}]*prefers-color-scheme:\s*dark[^{}]*\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}")
    });
    let bare = COMMENT.replace_all(css, "");
    DARK.replace_all(&bare, "").into_owned()
}

/// The file has a hash in its name.
fn variables_of_mdbook(book: &Book<'_>) -> Result<String> {
    let files = WalkDir::new(book.folder.join("css")).sort_by_file_name();
    for entry in files.into_iter().filter_map(Result::ok) {
        if entry.file_name().to_string_lossy().starts_with("variables") {
            return fs::read_to_string(entry.path()).context("cannot read mdBook's styles");
        }
    }
    Ok(String::new())
}

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a constant pattern")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(css: &str) -> String {
        let css = in_light(css);
        let mut style = Style::default();
        style.learn(&css);
        style.resolve(&css)
    }

    #[test]
    fn a_variable_has_its_value_of_the_light_theme() {
        let css = resolved(
            "/* :root */ .light, html:not(.js) { --a: red; --b: var(--a) } .ayu { --a: blue }\n\
             @media (prefers-color-scheme: dark) { html { --a: black } p { fill: none } }\n\
             p { color: var(--b); fill: var(--c, rgb(1, 2, 3)) }",
        );
        assert!(
            css.ends_with("\np { color: red; fill: rgb(1, 2, 3) }"),
            "{css}"
        );
    }

    #[test]
    fn a_variable_without_a_value_stays() {
        assert_eq!(
            resolved("p { color: var(--gone) }"),
            "p { color: var(--gone) }"
        );
    }

    #[test]
    fn variables_that_name_each_other_in_a_circle_come_to_an_end() {
        resolved("p { --a: var(--b); --b: var(--a); color: var(--a) }");
    }
}
