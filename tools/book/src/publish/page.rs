//! One page: its words for search engines and previews, and what mdBook's template
//! does not say to assistive software.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use regex::{NoExpand, Regex};

use super::{Address, PREVIEW, description, xml};
use crate::finding::Problem;

/// What a page is for, which decides what its head says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    Page {
        /// The file whose address stands for the page's, if it can be reached by two.
        canonical: PathBuf,
    },
    NotFound,
    Print,
}

/// What the pages have in common.
pub(super) struct Surroundings<'a> {
    pub(super) title: &'a str,
    pub(super) epub: &'a str,
    pub(super) address: Option<&'a Address>,
    pub(super) has_preview: bool,
}

/// An arrow into a tray, in the size of mdBook's own icons.
const DOWNLOAD_ICON: &str = "<span aria-hidden=\"true\" class=fa-svg>\
    <svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 512 512\">\
    <path d=\"M224 32h64v232l84-84 45 45-161 161L95 225l45-45 84 84zM64 416h384v64H64z\"/>\
    </svg></span>";

/// The page as it is published, and what could not be amended.
pub(super) fn amend(
    text: &str,
    path: &Path,
    kind: &Kind,
    surroundings: &Surroundings<'_>,
) -> (String, Vec<Problem>) {
    let mut page = mend_content(text);
    let mut problems = Vec::new();
    for (place, change) in changes(path, surroundings) {
        if place.is_match(&page) {
            page = place.replace(&page, change.as_str()).into_owned();
        } else {
            problems.push(Problem::new(
                format!("mdBook's page {} has no `{place}`", path.display()),
                "mdBook's template has changed: amend it in tools/book/src/publish/page.rs",
            ));
        }
    }
    let head = head(&page, kind, surroundings);
    page = DESCRIPTION.replace(&page, NoExpand(&head)).into_owned();
    if *kind == Kind::NotFound {
        // Its links count from the site's first page, wherever it is shown.
        page = page.replace("href=\"#", "href=\"404.html#");
    }
    (page, problems)
}

/// What mdBook writes into the text of pages that assistive software stumbles over.
fn mend_content(text: &str) -> String {
    // The icons have a text beside them, or on the button that they are in.
    text.replace(
        "<span class=fa-svg",
        "<span aria-hidden=\"true\" class=fa-svg",
    )
    .replace(
        "<p class=\"blockquote-tag-title\"><svg ",
        "<p class=\"blockquote-tag-title\"><svg aria-hidden=\"true\" ",
    )
    // The corner of a table is the head of nothing.
    .replace("<th></th>", "<td></td>")
    // The id that the template gives to the heading of the results.
    .replace(
        "aria-describedby=\"searchresults-header\"",
        "aria-label=\"Search this book\" aria-describedby=\"mdbook-searchresults-header\"",
    )
    .replace(
        "<div id=\"mdbook-search-wrapper\"",
        "<div role=\"search\" id=\"mdbook-search-wrapper\"",
    )
}

static DESCRIPTION: LazyLock<Regex> =
    LazyLock::new(|| pattern(r#"<meta name="description"[^>]*>"#));

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a constant pattern")
}

/// What is changed around the text: places that every page of the template has, and
/// what stands there afterwards.
fn changes(path: &Path, surroundings: &Surroundings<'_>) -> [(&'static Regex, String); 5] {
    static PLACES: LazyLock<[Regex; 4]> = LazyLock::new(|| {
        [
            "<body>",
            "<div id=\"mdbook-menu-bar\"",
            "<h1 class=\"menu-title\">([^<]*)</h1>",
            "<div class=\"right-buttons\">",
        ]
        .map(pattern)
    });
    let [body, menu_bar, menu_title, buttons] = &*PLACES;
    let up = "../".repeat(path.components().count().saturating_sub(1));
    let epub = surroundings.epub;
    [
        (
            body,
            "<body>\n<a class=\"skip-link\" href=\"#mdbook-content\">Skip to the text</a>".into(),
        ),
        (
            menu_bar,
            "<div role=\"banner\" id=\"mdbook-menu-bar\"".into(),
        ),
        // A page has one heading of the first level: its own.
        (menu_title, "<div class=\"menu-title\">$1</div>".into()),
        (
            buttons,
            format!(
                "<div class=\"right-buttons\">\n<a href=\"{up}{epub}\" download \
                 title=\"This book as an EPUB\" aria-label=\"This book as an EPUB\">\
                 {DOWNLOAD_ICON}</a>"
            ),
        ),
        // Kept here so that it is missed as well; `head` says what takes its place.
        (&*DESCRIPTION, "$0".into()),
    ]
}

/// What takes the place of mdBook's description, which is the same on every page.
fn head(page: &str, kind: &Kind, surroundings: &Surroundings<'_>) -> String {
    static TITLE: LazyLock<Regex> = LazyLock::new(|| pattern("<title>([^<]*)</title>"));
    let mut head = DESCRIPTION
        .find(page)
        .map_or(String::new(), |found| format!("{}\n", found.as_str()));
    let canonical = match kind {
        Kind::Page { canonical } => canonical,
        Kind::NotFound => return head + "<meta name=\"robots\" content=\"noindex\">",
        // mdBook hides it from search engines itself.
        Kind::Print => return head,
    };
    let description = description::main_of(page).and_then(description::of);
    if description.is_some() {
        head.clear();
    }
    // Writing to a String cannot fail.
    let mut meta = |kind: &str, name: &str, content: &str| {
        let _ = writeln!(head, "<meta {kind}=\"{name}\" content=\"{content}\">");
    };
    if let Some(description) = description.as_deref().map(xml::escape) {
        meta("name", "description", &description);
        meta("property", "og:description", &description);
    }
    // It is escaped already.
    let title = TITLE
        .captures(page)
        .map_or("", |found| found.get(1).map_or("", |title| title.as_str()));
    meta("property", "og:title", title);
    meta("property", "og:site_name", &xml::escape(surroundings.title));
    meta("property", "og:type", "website");
    let Some(address) = surroundings.address else {
        return head;
    };
    let whole = xml::escape(&address.of(canonical));
    meta("property", "og:url", &whole);
    if surroundings.has_preview {
        let preview = xml::escape(&address.of(Path::new(PREVIEW)));
        meta("property", "og:image", &preview);
        meta("name", "twitter:card", "summary_large_image");
    }
    let _ = writeln!(head, "<link rel=\"canonical\" href=\"{whole}\">");
    head
}
