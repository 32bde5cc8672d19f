//! What an EPUB says about itself: its files, their order, its table of contents.

use std::fmt::Write;
use std::path::Path;
use std::time::SystemTime;

use crate::finding::Problem;
use crate::publish::{Book, xml};
use crate::site::RenderedPage;

pub(super) const STYLE: &str = "style.css";

/// The picture formats that every reader of EPUB 3.3 must show.
const IMAGES: &[(&str, &str)] = &[
    ("gif", "image/gif"),
    ("jpeg", "image/jpeg"),
    ("jpg", "image/jpeg"),
    ("png", "image/png"),
    ("svg", "image/svg+xml"),
    ("webp", "image/webp"),
];

/// A file of the EPUB.
pub(super) struct Item {
    /// Below `OEBPS`.
    pub(super) name: String,
    media_type: &'static str,
    properties: &'static str,
    is_page: bool,
    pub(super) content: Vec<u8>,
}

impl Item {
    pub(super) fn page(name: &str, has_svg: bool, content: String) -> Self {
        Self {
            name: name.to_string(),
            media_type: "application/xhtml+xml",
            properties: if has_svg { " properties=\"svg\"" } else { "" },
            is_page: true,
            content: content.into_bytes(),
        }
    }

    pub(super) fn style(content: String) -> Self {
        Self {
            name: STYLE.to_string(),
            media_type: "text/css",
            properties: "",
            is_page: false,
            content: content.into_bytes(),
        }
    }

    /// `path` is relative to the site.
    pub(super) fn image(path: &Path, content: Vec<u8>) -> Result<Self, Problem> {
        let extension = path.extension().unwrap_or_default().to_ascii_lowercase();
        let known = IMAGES.iter().find(|(name, _)| extension == *name);
        let (_, media_type) = known.ok_or_else(|| {
            Problem::new(
                format!(
                    "no reader of EPUB needs to show the image {}",
                    path.display()
                ),
                "make it an SVG or a PNG",
            )
        })?;
        let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
        Ok(Self {
            name: parts.join("/"),
            media_type,
            properties: "",
            is_page: false,
            content,
        })
    }
}

/// What the EPUB is and what is in it.
pub(super) fn package(book: &Book<'_>, items: &[Item], modified: SystemTime) -> String {
    let title = xml::escape(book.title());
    let language = language(book);
    let address = book
        .address
        .map(|address| address.of(Path::new("index.html")));
    let identifier = xml::escape(&address.unwrap_or_else(|| book.epub_name()));
    let modified = humantime::format_rfc3339_seconds(modified);
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <package xmlns=\"http://www.idpf.org/2007/opf\" version=\"3.0\" \
         unique-identifier=\"book\">\n\
         <metadata xmlns:dc=\"http://purl.org/dc/elements/1.1/\">\n\
         <dc:identifier id=\"book\">{identifier}</dc:identifier>\n\
         <dc:title>{title}</dc:title>\n\
         <dc:language>{language}</dc:language>\n\
         <meta property=\"dcterms:modified\">{modified}</meta>\n"
    );
    // Writing to a String cannot fail.
    if let Some(description) = &book.config.book.description {
        let description = xml::escape(description);
        let _ = writeln!(text, "<dc:description>{description}</dc:description>");
    }
    for author in &book.config.book.authors {
        let _ = writeln!(text, "<dc:creator>{}</dc:creator>", xml::escape(author));
    }
    text.push_str(
        "</metadata>\n<manifest>\n\
         <item id=\"nav\" href=\"nav.xhtml\" media-type=\"application/xhtml+xml\" \
         properties=\"nav\"/>\n",
    );
    for (index, item) in items.iter().enumerate() {
        let name = xml::escape(&item.name);
        let Item {
            media_type,
            properties,
            ..
        } = item;
        let _ = writeln!(
            text,
            "<item id=\"item{index}\" href=\"{name}\" media-type=\"{media_type}\"{properties}/>"
        );
    }
    text.push_str("</manifest>\n<spine>\n<itemref idref=\"nav\"/>\n");
    for (index, _) in items.iter().enumerate().filter(|(_, item)| item.is_page) {
        let _ = writeln!(text, "<itemref idref=\"item{index}\"/>");
    }
    text.push_str("</spine>\n</package>\n");
    text
}

pub(super) fn language(book: &Book<'_>) -> String {
    xml::escape(book.config.book.language.as_deref().unwrap_or("en"))
}

/// The table of contents, as a page.
pub(super) fn navigation(book: &Book<'_>) -> String {
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE html>\n\
         <html xmlns=\"http://www.w3.org/1999/xhtml\" \
         xmlns:epub=\"http://www.idpf.org/2007/ops\" lang=\"{0}\" xml:lang=\"{0}\">\n\
         <head><title>{1}</title><link rel=\"stylesheet\" href=\"{STYLE}\"/></head>\n\
         <body>\n<nav epub:type=\"toc\">\n<h1>{1}</h1>\n<ol>\n",
        language(book),
        xml::escape(book.title()),
    );
    let same_part = |a: &RenderedPage, b: &RenderedPage| a.part == b.part;
    for pages in book.pages.chunk_by(same_part) {
        let part = pages.first().and_then(|page| page.part.as_deref());
        // Writing to a String cannot fail.
        if let Some(part) = part {
            let _ = writeln!(text, "<li><span>{}</span>\n<ol>", xml::escape(part));
        }
        entries(pages, &mut text);
        if part.is_some() {
            text.push_str("</ol>\n</li>\n");
        }
    }
    text.push_str("</ol>\n</nav>\n</body>\n</html>\n");
    text
}

/// The entries of pages; those below another page stand in a list of its entry.
fn entries(pages: &[RenderedPage], text: &mut String) {
    let mut rest = pages;
    while let Some((page, others)) = rest.split_first() {
        let below = others.iter().take_while(|it| it.level > page.level).count();
        let name = page.html.with_extension("xhtml");
        let parts: Vec<_> = name.iter().map(|part| part.to_string_lossy()).collect();
        let (href, title) = (xml::escape(&parts.join("/")), xml::escape(&page.title));
        let _ = write!(text, "<li><a href=\"{href}\">{title}</a>");
        if below > 0 {
            text.push_str("\n<ol>\n");
            entries(&others[..below], text);
            text.push_str("</ol>\n");
        }
        text.push_str("</li>\n");
        rest = &others[below..];
    }
}
