//! From the HTML that mdBook writes to the XHTML that EPUB asks for.
//!
//! mdBook closes what it opens, so the tags can be taken as they come: each start tag
//! is written with its end tag due, and an end tag that is not the one due is an error.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::{Component, Path, PathBuf};

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{
    BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
};
use percent_encoding::percent_decode_str;

use super::style::Style;
use super::{package, svg};
use crate::publish::{Address, Book, xml};
use crate::site::RenderedPage;

/// Elements that are nothing without scripts, or that load other pages.
const DROPPED: &[&str] = &[
    "button", "form", "iframe", "input", "link", "noscript", "script", "select", "style",
    "template", "textarea",
];

/// Elements without an end tag.
const VOID: &[&str] = &[
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track",
    "wbr",
];

/// What decides how a page is written.
pub(super) struct Surroundings<'a> {
    /// The page that they are on, relative to the site.
    pub(super) page: &'a Path,
    /// The names of the pages in the EPUB.
    pub(super) names: &'a BTreeMap<PathBuf, String>,
    pub(super) style: &'a Style,
    pub(super) address: Option<&'a Address>,
}

#[derive(Debug, Default)]
pub(super) struct Body {
    pub(super) text: String,
    pub(super) has_svg: bool,
    /// Relative to the site.
    pub(super) images: BTreeSet<PathBuf>,
}

/// A whole page around a body.
pub(super) fn document(book: &Book<'_>, page: &RenderedPage, body: &str) -> String {
    let up = "../".repeat(page.html.components().count().saturating_sub(1));
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE html>\n\
         <html xmlns=\"http://www.w3.org/1999/xhtml\" lang=\"{0}\" xml:lang=\"{0}\">\n\
         <head><title>{1}</title><link rel=\"stylesheet\" href=\"{up}{2}\"/></head>\n\
         <body>\n{body}\n</body>\n</html>\n",
        package::language(book),
        xml::escape(&page.title),
        package::STYLE,
    )
}

/// The body of a page; the error says what is not closed as it was opened.
pub(super) fn from_html(main: &str, around: &Surroundings<'_>) -> Result<Body, String> {
    let input = BufferQueue::default();
    input.push_back(StrTendril::from(main));
    let writer = Writer {
        around,
        state: RefCell::default(),
    };
    let tokenizer = Tokenizer::new(writer, TokenizerOpts::default());
    let _ = tokenizer.feed(&input);
    tokenizer.end();
    let state = tokenizer.sink.state.into_inner();
    match (state.fault, state.open.last()) {
        (Some(fault), _) => Err(fault),
        (None, Some(open)) => Err(format!("<{}> is not closed", open.name)),
        (None, None) => Ok(state.body),
    }
}

/// An element whose end tag is due.
struct Open {
    /// As the page has it.
    name: String,
    /// Written when it ends; nothing for an element whose tags are left out.
    end: String,
    /// Neither it nor what it encloses is written.
    is_dropped: bool,
}

#[derive(Default)]
struct State {
    body: Body,
    open: Vec<Open>,
    fault: Option<String>,
}

struct Writer<'a> {
    around: &'a Surroundings<'a>,
    state: RefCell<State>,
}

impl TokenSink for Writer<'_> {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let mut state = self.state.borrow_mut();
        match token {
            Token::CharacterTokens(text) if !state.is_dropping() => {
                state.body.text.push_str(&xml::escape(&text));
            }
            Token::TagToken(tag) if tag.kind == TagKind::EndTag => state.end(&tag.name),
            Token::TagToken(tag) => {
                state.start(&tag, self.around);
                match &*tag.name {
                    "script" => return TokenSinkResult::RawData(RawKind::ScriptData),
                    "style" => return TokenSinkResult::RawData(RawKind::Rawtext),
                    _ => {}
                }
            }
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

impl State {
    fn is_dropping(&self) -> bool {
        self.open.last().is_some_and(|open| open.is_dropped)
    }

    fn is_in_svg(&self) -> bool {
        self.open.iter().any(|open| open.name == "svg")
    }

    fn start(&mut self, tag: &Tag, around: &Surroundings<'_>) {
        let small = &*tag.name;
        let is_in_svg = small == "svg" || self.is_in_svg();
        let name = if is_in_svg { svg::name(small) } else { small };
        let is_void = tag.self_closing || VOID.contains(&small);
        let class = attribute(tag, "class");
        let is_dropped = self.is_dropping()
            || DROPPED.contains(&small)
            || has(tag, "hidden")
            // mdBook shows each image a second time, large, while its check box is checked.
            || class == Some("img-wrapper");
        // Every heading of mdBook is a link to itself, for its address.
        let is_left_out = small == "label" || (small == "a" && class == Some("header"));
        let mut end = String::new();
        if !is_dropped && !is_left_out {
            let is_outermost_svg = small == "svg" && !self.is_in_svg();
            self.body.has_svg |= is_outermost_svg;
            self.write_start(tag, name, is_in_svg, around);
            end = format!("</{name}>");
            if is_void {
                self.body.text.push_str("/>");
            } else {
                self.body.text.push('>');
            }
        }
        if !is_void {
            self.open.push(Open {
                name: small.to_string(),
                end,
                is_dropped,
            });
        }
    }

    fn end(&mut self, name: &str) {
        match self.open.pop() {
            Some(open) if open.name == name => self.body.text.push_str(&open.end),
            Some(open) => self.fail(format!("</{name}> stands where </{}> is due", open.name)),
            // The end tag of an element without one, such as </br>.
            None => self.fail(format!("</{name}> closes nothing")),
        }
    }

    fn fail(&mut self, fault: String) {
        self.fault.get_or_insert(fault);
    }

    /// The start tag without its last letter.
    fn write_start(&mut self, tag: &Tag, name: &str, is_in_svg: bool, around: &Surroundings<'_>) {
        let mut text = format!("<{name}");
        if name == "svg" && !has(tag, "xmlns") {
            text.push_str(" xmlns=\"http://www.w3.org/2000/svg\"");
        }
        for written in &tag.attrs {
            let small = &*written.name.local;
            let name = if is_in_svg { svg::name(small) } else { small };
            // Handlers need scripts, and XML has no other letters in names.
            let is_name = |letter: char| letter.is_ascii_alphanumeric() || "-_".contains(letter);
            if small.starts_with("on") || !name.chars().all(is_name) {
                continue;
            }
            let value = match name {
                "href" => around.lead(&written.value),
                "src" => {
                    self.body.images.extend(around.file(&written.value));
                    Some(written.value.to_string())
                }
                _ => Some(around.style.resolve(&written.value)),
            };
            if let Some(value) = value {
                // Writing to a String cannot fail.
                let _ = write!(text, " {name}=\"{}\"", xml::escape(&value));
            }
        }
        self.body.text.push_str(&text);
    }
}

impl Surroundings<'_> {
    /// The file of the site that a relative address names.
    fn file(&self, address: &str) -> Option<PathBuf> {
        let path = address.split(['#', '?']).next().unwrap_or_default();
        let path = percent_decode_str(path).decode_utf8().ok()?;
        if path.is_empty() || path.starts_with('/') || path.contains(':') {
            return None;
        }
        let mut file = self.page.parent().unwrap_or(Path::new("")).to_path_buf();
        for part in Path::new(path.as_ref()).components() {
            match part {
                Component::Normal(name) => file.push(name),
                Component::ParentDir if file.pop() => {}
                Component::CurDir => {}
                _ => return None,
            }
        }
        Some(file)
    }

    /// The address that a link has inside the EPUB; none if nothing is there.
    fn lead(&self, address: &str) -> Option<String> {
        let Some(file) = self.file(address) else {
            // Another host, or another place of this page.
            return Some(address.to_string());
        };
        let fragment = address.find('#').map_or("", |start| &address[start..]);
        if let Some(name) = self.names.get(&file) {
            let up = "../".repeat(self.page.components().count().saturating_sub(1));
            return Some(format!("{up}{name}{fragment}"));
        }
        let address = self.address?;
        Some(format!("{}{fragment}", address.of(&file)))
    }
}

fn attribute<'a>(tag: &'a Tag, name: &str) -> Option<&'a str> {
    let found = tag.attrs.iter().find(|it| &*it.name.local == name);
    found.map(|attribute| &*attribute.value)
}

fn has(tag: &Tag, name: &str) -> bool {
    attribute(tag, name).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn convert(html: &str) -> Result<Body, String> {
        let names = ["index.html", "part/a.html", "part/b.html"]
            .map(|name| (PathBuf::from(name), name.replace(".html", ".xhtml")));
        from_html(
            html,
            &Surroundings {
                page: Path::new("part/a.html"),
                names: &BTreeMap::from(names),
                style: &Style::default(),
                address: None,
            },
        )
    }

    fn text(html: &str) -> String {
        convert(html).expect(html).text
    }

    #[test]
    fn elements_without_an_end_tag_close_themselves() {
        assert_eq!(text("<p>a<br>b</p><hr>"), "<p>a<br/>b</p><hr/>");
    }

    #[test]
    fn letters_that_xml_reserves_stay_escaped() {
        assert_eq!(
            text("<p title=\"a&quot;b\">x &lt;&nbsp;&amp;&hellip;</p>"),
            "<p title=\"a&quot;b\">x &lt;\u{a0}&amp;…</p>"
        );
    }

    #[test]
    fn names_of_svg_get_their_capital_letters_back() {
        let body = convert("<svg viewbox=\"0 0 1 1\"><clippath></clippath></svg>").expect("XHTML");
        assert!(body.has_svg);
        assert_eq!(
            body.text,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 1 1\">\
             <clipPath></clipPath></svg>"
        );
    }

    #[test]
    fn what_needs_a_script_is_left_out() {
        assert_eq!(
            text("<p>a<button onclick=\"x\">b<b>c</b></button><script>1 < 2</script></p>"),
            "<p>a</p>"
        );
        assert_eq!(
            text("<div hidden><p>a</p></div><p onclick=\"x\">b</p>"),
            "<p>b</p>"
        );
    }

    #[test]
    fn links_lead_to_the_pages_of_the_epub_or_nowhere() {
        assert_eq!(
            text("<a href=\"b.html#x\">b</a>"),
            "<a href=\"../part/b.xhtml#x\">b</a>"
        );
        assert_eq!(
            text("<a href=\"../index.html\">b</a>"),
            "<a href=\"../index.xhtml\">b</a>"
        );
        assert_eq!(text("<a href=\"#x\">b</a>"), "<a href=\"#x\">b</a>");
        assert_eq!(text("<a href=\"../print.html\">b</a>"), "<a>b</a>");
        assert_eq!(
            text("<a href=\"https://a.org/\">b</a>"),
            "<a href=\"https://a.org/\">b</a>"
        );
    }

    #[test]
    fn a_heading_is_no_link_to_itself() {
        assert_eq!(
            text("<h2 id=\"a\"><a class=\"header\" href=\"#a\">A <code>b</code></a></h2>"),
            "<h2 id=\"a\">A <code>b</code></h2>"
        );
    }

    #[test]
    fn images_are_told() {
        let body = convert("<img src=\"../ring.svg\" alt=\"a ring\">").expect("XHTML");
        assert_eq!(body.images, BTreeSet::from([PathBuf::from("ring.svg")]));
    }

    #[test]
    fn a_tag_that_is_not_closed_is_an_error() {
        assert_eq!(convert("<p>a").unwrap_err(), "<p> is not closed");
        assert_eq!(
            convert("<p><b>a</p></b>").unwrap_err(),
            "</p> stands where </b> is due"
        );
    }
}
