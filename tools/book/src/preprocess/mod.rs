//! What the book's pages may say beyond Markdown, turned into Markdown and HTML
//! before mdBook's own preprocessors see the page.
//!
//! This module finds the directives and hands each to the file that knows it:
//! listings to [`listing`], comparisons to [`difference`], the pictures of chapter 03 to
//! [`storage_case`], measured numbers to [`plot`], traces to [`sequence`]. A new kind of directive is a new file
//! with a function from its argument to the text that replaces it, and one arm in
//! [`Page::expand_directive`].

mod anchor;
mod difference;
mod listing;
mod plot;
mod sequence;
mod storage_case;

use std::cell::RefCell;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use mdbook_driver::book::{Book, BookItem};
use mdbook_driver::errors::Result;
use mdbook_preprocessor::{Preprocessor, PreprocessorContext};

use crate::finding::{Finding, Problem};
use crate::page::{self, Directive, Fence};
use crate::workspace::Workspace;

/// What was seen on the way through the pages.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) findings: Vec<Finding>,
    pub(crate) listings: usize,
}

/// The preprocessor that mdBook runs first.
pub(crate) struct Directives {
    workspace: Rc<Workspace>,
    seen: Rc<RefCell<Seen>>,
}

impl Directives {
    pub(crate) fn new(workspace: Rc<Workspace>, seen: Rc<RefCell<Seen>>) -> Self {
        Self { workspace, seen }
    }
}

impl Preprocessor for Directives {
    fn name(&self) -> &'static str {
        "directives"
    }

    fn run(&self, context: &PreprocessorContext, mut book: Book) -> Result<Book> {
        let source = context.root.join(&context.config.book.src);
        let mut seen = self.seen.borrow_mut();
        book.for_each_mut(|item| {
            if let BookItem::Chapter(chapter) = item
                && let Some(path) = &chapter.source_path
            {
                let mut page = Page {
                    path: source.join(path),
                    text: &chapter.content,
                    workspace: &self.workspace,
                    seen: &mut seen,
                };
                chapter.content = page.expand();
            }
        });
        Ok(book)
    }
}

/// A piece of the page and what takes its place.
struct Edit {
    range: Range<usize>,
    text: String,
}

struct Page<'a> {
    path: PathBuf,
    text: &'a str,
    workspace: &'a Workspace,
    seen: &'a mut Seen,
}

impl Page<'_> {
    fn expand(&mut self) -> String {
        let mut edits: Vec<Edit> = page::fences(self.text)
            .iter()
            .filter_map(|fence| self.expand_fence(fence))
            .collect();
        let loose: Vec<Directive> = page::directives(self.text)
            .into_iter()
            .filter(|directive| {
                let inside = |edit: &Edit| edit.range.contains(&directive.range.start);
                !edits.iter().any(inside)
            })
            .collect();
        edits.extend(loose.iter().filter_map(|it| self.expand_directive(it)));
        apply(self.text, edits)
    }

    /// A block that is a listing; any other block stays as it is.
    fn expand_fence(&mut self, fence: &Fence) -> Option<Edit> {
        if !listing::is_listing(fence) {
            return None;
        }
        self.seen.listings += 1;
        let block = match listing::expand(fence, self.folder(), self.workspace) {
            Ok(figure) => figure,
            Err(problem) => {
                let shown = format!("```text\nThis listing is broken: {}\n```", problem.what);
                self.found(problem, fence.line);
                shown
            }
        };
        let indented = page::indent_lines(&block, &fence.indent);
        Some(Edit {
            range: fence.range.clone(),
            // The page itself holds the first line's indent already.
            text: indented[fence.indent.len()..].to_string(),
        })
    }

    /// A directive outside of a listing. What is right stays for mdBook to expand;
    /// what is wrong is shown on the page as well, for whoever is writing it.
    fn expand_directive(&mut self, directive: &Directive) -> Option<Edit> {
        let argument = &directive.argument;
        // `None` leaves the directive to mdBook.
        let expanded = match directive.name.as_str() {
            "title" => Ok(None),
            "include" => listing::read(argument, self.folder(), self.workspace).map(|_| None),
            "difference" => difference::expand(argument, self.folder(), self.workspace).map(Some),
            "storage-case" => storage_case::expand(argument).map(Some),
            "plot" => plot::expand(argument, self.folder(), self.workspace).map(Some),
            "diagram" => sequence::expand(argument, self.folder(), self.workspace).map(Some),
            other => Err(Problem::new(
                format!("unknown directive {{{{#{other} …}}}}"),
                "use {{#include …}}; to show a directive as text, write \\{{#…}}",
            )),
        };
        let text = match expanded {
            Ok(text) => text?,
            Err(problem) => {
                let text = format!("(broken directive: {})", problem.what);
                self.found(problem, directive.line);
                text
            }
        };
        Some(Edit {
            range: directive.range.clone(),
            text,
        })
    }

    fn found(&mut self, problem: Problem, line: usize) {
        let file = self.workspace.relative(&self.path);
        self.seen.findings.push(problem.at(file, line));
    }

    fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(&self.path)
    }
}

fn apply(text: &str, mut edits: Vec<Edit>) -> String {
    edits.sort_by_key(|edit| edit.range.start);
    let mut result = String::with_capacity(text.len());
    let mut done = 0;
    for edit in edits {
        result.push_str(&text[done..edit.range.start]);
        result.push_str(&edit.text);
        done = edit.range.end;
    }
    result.push_str(&text[done..]);
    result
}
