//! The book as one EPUB 3 file, made of the rendered pages: figures, listings and
//! comparisons are in it as readers of the site see them, without the scripts.
//!
//! The rule: the same pages make the same bytes. The file is an archive of
//!
//! - `mimetype`, first and not compressed, as readers of EPUB ask for it,
//! - `META-INF/container.xml`, which names the package,
//! - `OEBPS/package.opf` and `OEBPS/nav.xhtml`, what there is and in which order,
//! - `OEBPS/style.css` and the pages, one file each.

mod package;
mod style;
mod svg;
mod xhtml;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context, Result};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::{Book, description};
use crate::finding::{Finding, Problem};
use package::Item;
use style::Style;
use xhtml::Surroundings;

const CONTAINER: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
    <container version=\"1.0\" xmlns=\"urn:oasis:names:tc:opendocument:xmlns:container\">\n\
    <rootfiles><rootfile full-path=\"OEBPS/package.opf\" \
    media-type=\"application/oebps-package+xml\"/></rootfiles>\n\
    </container>\n";

/// Writes the book's EPUB into the site; what cannot be in it is found.
pub(super) fn write(book: &Book<'_>) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    let mut items = Vec::new();
    let mut images = BTreeSet::new();
    let names = page_names(book);
    let style = Style::read(book)?;
    for page in book.pages {
        let html = book.read(&page.html)?;
        let main = description::main_of(&html).unwrap_or_default();
        let surroundings = Surroundings {
            page: &page.html,
            names: &names,
            style: &style,
            address: book.address,
        };
        let mut found = |problem: Problem| findings.push(problem.at(&page.markdown, None));
        match xhtml::from_html(main, &surroundings) {
            Ok(body) => {
                for image in body.images.difference(&images) {
                    // The check of the links finds one that is missing.
                    let Ok(content) = fs::read(book.folder.join(image)) else {
                        continue;
                    };
                    match Item::image(image, content) {
                        Ok(item) => items.push(item),
                        Err(problem) => found(problem),
                    }
                }
                let text = xhtml::document(book, page, &body.text);
                items.push(Item::page(&names[&page.html], body.has_svg, text));
                images.extend(body.images);
            }
            Err(what) => found(Problem::new(
                format!("the page cannot be in the EPUB: {what}"),
                "write its HTML so that every tag is closed where it was opened",
            )),
        }
    }
    items.push(Item::style(style.sheet()));
    let archive = archive(book, &items).context("cannot make the EPUB")?;
    book.write(Path::new(&book.epub_name()), archive)?;
    Ok(findings)
}

/// The name of each page inside the EPUB.
fn page_names(book: &Book<'_>) -> BTreeMap<PathBuf, String> {
    let name = |html: &Path| {
        let path = html.with_extension("xhtml");
        let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
        parts.join("/")
    };
    let mut names: BTreeMap<PathBuf, String> = book
        .pages
        .iter()
        .map(|page| (page.html.clone(), name(&page.html)))
        .collect();
    if let Some(first) = book.pages.first() {
        let first = names[&first.html].clone();
        names.entry(PathBuf::from("index.html")).or_insert(first);
    }
    names
}

fn archive(book: &Book<'_>, items: &[Item]) -> Result<Vec<u8>> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let plain = SimpleFileOptions::default();
    let mut add = |name: &str, method, content: &[u8]| -> Result<()> {
        archive.start_file(name, plain.compression_method(method))?;
        archive.write_all(content)?;
        Ok(())
    };
    let stored = CompressionMethod::Stored;
    let deflated = CompressionMethod::Deflated;
    add("mimetype", stored, b"application/epub+zip")?;
    add("META-INF/container.xml", deflated, CONTAINER.as_bytes())?;
    let package = package::package(book, items, newest(book));
    add("OEBPS/package.opf", deflated, package.as_bytes())?;
    let navigation = package::navigation(book);
    add("OEBPS/nav.xhtml", deflated, navigation.as_bytes())?;
    for item in items {
        add(&format!("OEBPS/{}", item.name), deflated, &item.content)?;
    }
    Ok(archive.finish()?.into_inner())
}

/// When the youngest of the pages was last changed.
fn newest(book: &Book<'_>) -> SystemTime {
    let times = book.pages.iter().filter_map(|page| {
        let file = fs::metadata(book.root.join(&page.markdown)).ok()?;
        file.modified().ok()
    });
    times.max().unwrap_or(SystemTime::UNIX_EPOCH)
}
