//! SUMMARY.md and the pages agree: every entry has a file, every page an entry.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use pulldown_cmark::{Event, Tag};
use walkdir::WalkDir;

use crate::finding::{Finding, Problem};
use crate::page;
use crate::workspace::Workspace;

const SUMMARY: &str = "SUMMARY.md";
/// mdBook makes the page for missing addresses from it; no table of contents has it.
const NOT_FOUND: &str = "404.md";

/// What is wrong with SUMMARY.md.
#[derive(Debug, Default)]
pub(crate) struct SummaryCheck {
    /// Entries without a file. mdBook cannot build such a book.
    pub(crate) missing: Vec<Finding>,
    /// Pages without an entry.
    pub(crate) unlisted: Vec<Finding>,
}

/// Every Markdown file below the book's source folder, sorted.
pub(crate) fn pages(source: &Path) -> Vec<PathBuf> {
    let mut pages: Vec<PathBuf> = WalkDir::new(source)
        .into_iter()
        .filter_map(Result::ok)
        .filter(|entry| entry.file_type().is_file())
        .map(walkdir::DirEntry::into_path)
        .filter(|path| path.extension().is_some_and(|it| it == "md"))
        .filter(|path| path.file_name().is_some_and(|it| it != SUMMARY))
        .collect();
    pages.sort();
    pages
}

pub(crate) fn check(source: &Path, workspace: &Workspace) -> Result<SummaryCheck> {
    let summary = source.join(SUMMARY);
    let text = fs::read_to_string(&summary)
        .with_context(|| format!("cannot read {}", workspace.relative(&summary).display()))?;
    let mut check = SummaryCheck::default();
    let mut listed = BTreeSet::new();
    for (event, range) in page::parse(&text) {
        let Event::Start(Tag::Link { dest_url, .. }) = event else {
            continue;
        };
        // A link without a destination is mdBook's draft: listed, not yet written.
        if dest_url.is_empty() {
            continue;
        }
        let decoded = percent_encoding::percent_decode_str(&dest_url).decode_utf8_lossy();
        let file = source.join(decoded.as_ref());
        match file.canonicalize() {
            Ok(file) => {
                listed.insert(file);
            }
            Err(_) => check.missing.push(
                Problem::new(
                    format!("SUMMARY.md lists {dest_url}, which does not exist"),
                    "write the page, correct the path, or leave the destination empty for a draft",
                )
                .at(
                    workspace.relative(&summary),
                    page::line_of(&text, range.start),
                ),
            ),
        }
    }
    for page in pages(source) {
        let known = page.canonicalize().is_ok_and(|file| listed.contains(&file));
        if !known && page != source.join(NOT_FOUND) {
            check.unlisted.push(
                Problem::new(
                    "the page is not in SUMMARY.md, so no reader will find it",
                    "list it in SUMMARY.md, or delete it",
                )
                .at(workspace.relative(&page), None),
            );
        }
    }
    Ok(check)
}
