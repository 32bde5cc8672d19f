//! What mdBook's pages lack to be published: words for search engines and previews,
//! mended roles for assistive software, a sitemap, and the book as one EPUB file.
//!
//! mdBook has no hook for most of this, so its pages are amended after it has written
//! them, which keeps its templates out of this repository. The rule: every amendment
//! finds the place that it is for, or the build says which one did not.

mod address;
mod description;
mod epub;
mod page;
mod sitemap;
mod xml;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use mdbook_driver::config::Config;

use crate::finding::{Finding, Problem};
use crate::site::RenderedPage;
use crate::workspace::BOOK_TOML;

pub(crate) use address::Address;
use page::{Kind, Surroundings};

/// Below the site: the picture that a link to the book is shown with.
const PREVIEW: &str = "social-preview.png";

/// The site that mdBook wrote, and what is known about the book.
pub(crate) struct Book<'a> {
    pub(crate) root: &'a Path,
    pub(crate) folder: &'a Path,
    pub(crate) config: &'a Config,
    pub(crate) pages: &'a [RenderedPage],
    /// Where the site will be; most readers of a copy do not need to know.
    pub(crate) address: Option<&'a Address>,
}

impl Book<'_> {
    pub(crate) fn title(&self) -> &str {
        self.config.book.title.as_deref().unwrap_or("Book")
    }

    fn read(&self, path: &Path) -> Result<String> {
        let path = self.folder.join(path);
        fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
    }

    fn write(&self, path: &Path, content: impl AsRef<[u8]>) -> Result<()> {
        let path = self.folder.join(path);
        fs::write(&path, content).with_context(|| format!("cannot write {}", path.display()))
    }

    /// The name of the EPUB file, from the book's title.
    fn epub_name(&self) -> String {
        let words: Vec<String> = self
            .title()
            .split(|letter: char| !letter.is_alphanumeric())
            .filter(|word| !word.is_empty())
            .map(str::to_lowercase)
            .collect();
        format!("{}.epub", words.join("-"))
    }
}

/// Amends the site in its folder. What does not fit is a finding.
pub(crate) fn finish(book: &Book<'_>) -> Result<Vec<Finding>> {
    let mut findings = epub::write(book)?;
    let missed = amend_pages(book)?;
    findings.extend(missed.into_iter().map(|it| it.at(BOOK_TOML, None)));
    sitemap::write(book)?;
    Ok(findings)
}

fn amend_pages(book: &Book<'_>) -> Result<Vec<Problem>> {
    let surroundings = Surroundings {
        title: book.title(),
        epub: &book.epub_name(),
        address: book.address,
        has_preview: book.folder.join(PREVIEW).is_file(),
    };
    let mut problems = Vec::new();
    for (path, kind) in written_pages(book) {
        let text = book.read(&path)?;
        let (amended, missed) = page::amend(&text, &path, &kind, &surroundings);
        problems.extend(missed);
        book.write(&path, amended)?;
    }
    Ok(problems)
}

/// All pages that mdBook made from its template.
fn written_pages(book: &Book<'_>) -> Vec<(PathBuf, Kind)> {
    let index = PathBuf::from("index.html");
    let first = book.pages.first();
    let mut pages: Vec<(PathBuf, Kind)> = book
        .pages
        .iter()
        .map(|page| {
            // The first page is written twice; its address is the site's.
            let canonical = match first {
                Some(first) if first.html == page.html => index.clone(),
                _ => page.html.clone(),
            };
            (page.html.clone(), Kind::Page { canonical })
        })
        .collect();
    if !pages.iter().any(|(path, _)| *path == index) {
        let canonical = index.clone();
        pages.push((index, Kind::Page { canonical }));
    }
    pages.push((PathBuf::from("404.html"), Kind::NotFound));
    pages.push((PathBuf::from("print.html"), Kind::Print));
    pages.retain(|(path, _)| book.folder.join(path).is_file());
    pages
}
