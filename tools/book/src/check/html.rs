//! What a rendered page defines and refers to: ids, addresses, images.
//!
//! Only the tags are read, with html5ever's tokenizer; what they enclose does not
//! matter here, so no tree is built.

use std::cell::{Cell, RefCell};
use std::sync::LazyLock;

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{
    BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
};
use regex::Regex;

/// Attributes that are written in CSS or, as in SVG, may hold a `url(…)` alone.
const STYLED: &[&str] = &[
    "style",
    "fill",
    "stroke",
    "clip-path",
    "mask",
    "filter",
    "marker-start",
    "marker-mid",
    "marker-end",
];

/// What a reference asks of the browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    /// The reader may follow it.
    Link,
    /// The browser loads it with the page.
    Resource,
    /// It names an id on the same page.
    Id,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reference {
    pub(crate) address: String,
    pub(crate) r#use: Use,
    /// Counted from 1 in the HTML file.
    pub(crate) line: usize,
    /// Written by the page's author, not by the template around the page.
    pub(crate) authored: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Html {
    /// Each id with its line, as often as it occurs.
    pub(crate) ids: Vec<(String, usize)>,
    pub(crate) references: Vec<Reference>,
    /// The sources of images without a text for those who cannot see them.
    pub(crate) images_without_text: Vec<(String, usize)>,
    /// Set by `<base href>`: relative addresses count from the site's root.
    pub(crate) has_base: bool,
}

pub(crate) fn scan(text: &str) -> Html {
    let input = BufferQueue::default();
    input.push_back(StrTendril::from(text));
    let tokenizer = Tokenizer::new(Scan::default(), TokenizerOpts::default());
    let _ = tokenizer.feed(&input);
    tokenizer.end();
    tokenizer.sink.html.into_inner()
}

#[derive(Default)]
struct Scan {
    html: RefCell<Html>,
    in_main: Cell<bool>,
}

impl TokenSink for Scan {
    type Handle = ();

    fn process_token(&self, token: Token, line: u64) -> TokenSinkResult<()> {
        let Token::TagToken(tag) = token else {
            return TokenSinkResult::Continue;
        };
        if &*tag.name == "main" {
            self.in_main.set(tag.kind == TagKind::StartTag);
        }
        if tag.kind == TagKind::EndTag {
            return TokenSinkResult::Continue;
        }
        let line = usize::try_from(line).unwrap_or(usize::MAX);
        self.read(&tag, line);
        // Scripts and styles hold no tags, whatever they look like.
        match &*tag.name {
            "script" => TokenSinkResult::RawData(RawKind::ScriptData),
            "style" if !tag.self_closing => TokenSinkResult::RawData(RawKind::Rawtext),
            "title" | "textarea" if !self.in_main.get() => {
                TokenSinkResult::RawData(RawKind::Rcdata)
            }
            _ => TokenSinkResult::Continue,
        }
    }
}

impl Scan {
    fn read(&self, tag: &Tag, line: usize) {
        let mut html = self.html.borrow_mut();
        let authored = self.in_main.get();
        let html = &mut *html;
        let references = &mut html.references;
        let mut refer = |address: &str, r#use| {
            references.push(Reference {
                address: address.to_string(),
                r#use,
                line,
                authored,
            });
        };
        let name = &*tag.name;
        for attribute in &tag.attrs {
            let value: &str = &attribute.value;
            match &*attribute.name.local {
                // mdBook's own link from each heading to itself.
                "href" if attribute_of(tag, "class") == Some("header") => {}
                "href" if name == "base" => html.has_base = true,
                "href" | "xlink:href" => refer(value, use_of_href(tag)),
                "action" => refer(value, Use::Link),
                "src" | "poster" => refer(value, Use::Resource),
                "data" if name == "object" => refer(value, Use::Resource),
                "srcset" => {
                    for candidate in value.split(',') {
                        let address = candidate.split_whitespace().next();
                        refer(address.unwrap_or_default(), Use::Resource);
                    }
                }
                // The template names ids that its scripts make; a page does not.
                "aria-labelledby" | "aria-describedby" if authored => {
                    for id in value.split_whitespace() {
                        refer(id, Use::Id);
                    }
                }
                styled if STYLED.contains(&styled) => {
                    for address in css_addresses(value) {
                        refer(&address, Use::Resource);
                    }
                }
                _ => {}
            }
        }
        if let Some(id) = attribute_of(tag, "id") {
            html.ids.push((id.to_string(), line));
        }
        let text = attribute_of(tag, "alt").unwrap_or_default();
        if name == "img" && text.trim().is_empty() {
            let source = attribute_of(tag, "src").unwrap_or_default();
            html.images_without_text.push((source.to_string(), line));
        }
    }
}

/// Whether the browser follows the address at once or when the reader asks.
fn use_of_href(tag: &Tag) -> Use {
    match &*tag.name {
        "use" | "image" => Use::Resource,
        "link" if loads(tag) => Use::Resource,
        _ => Use::Link,
    }
}

/// A `<link>` that makes the browser load something, such as a stylesheet.
fn loads(tag: &Tag) -> bool {
    let relations = attribute_of(tag, "rel").unwrap_or_default();
    !relations
        .split_whitespace()
        .any(|relation| matches!(relation, "canonical" | "alternate" | "license" | "author"))
}

/// What a style loads: `url(…)` and `@import "…"`.
pub(crate) fn css_addresses(css: &str) -> Vec<String> {
    static ADDRESS: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r#"url\(\s*["']?([^"')]+?)["']?\s*\)|@import\s+["']([^"']+)["']"#)
            .expect("a constant pattern")
    });
    ADDRESS
        .captures_iter(css)
        .filter_map(|found| found.get(1).or(found.get(2)))
        .map(|address| address.as_str().to_string())
        .collect()
}

fn attribute_of<'a>(tag: &'a Tag, name: &str) -> Option<&'a str> {
    tag.attrs
        .iter()
        .find(|attribute| &*attribute.name.local == name)
        .map(|attribute| &*attribute.value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_that_looks_like_html_is_not_read() {
        let html = scan("<script>'<a href=\"gone.html\">'</script>\n<a id=x href='y.html'>y</a>");
        assert_eq!(html.references.len(), 1);
        assert_eq!(html.references[0].address, "y.html");
        assert_eq!(html.references[0].line, 2);
        assert_eq!(html.ids, [("x".to_string(), 2)]);
    }
}
