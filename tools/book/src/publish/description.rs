//! What a page is about, in the words that it begins with: search engines and previews
//! show them below the page's title.

use std::cell::{Cell, RefCell};

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::{
    BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
};

/// Longer ones are cut by those who show them, in the middle of a word.
const MOST_LETTERS: usize = 160;

/// The part of a rendered page that its author wrote.
pub(super) fn main_of(html: &str) -> Option<&str> {
    let start = html.find("<main>")? + "<main>".len();
    let length = html[start..].find("</main>")?;
    Some(&html[start..start + length])
}

/// The beginning of the page's text; none if the page begins with something else.
pub(super) fn of(main: &str) -> Option<String> {
    let input = BufferQueue::default();
    input.push_back(StrTendril::from(main));
    let tokenizer = Tokenizer::new(Opening::default(), TokenizerOpts::default());
    let _ = tokenizer.feed(&input);
    tokenizer.end();
    let text = tokenizer.sink.text.into_inner();
    let words: Vec<&str> = text.split_whitespace().collect();
    (!words.is_empty()).then(|| shorten(&words))
}

fn shorten(words: &[&str]) -> String {
    let mut text = String::new();
    for word in words {
        let longer = text.chars().count() + 1 + word.chars().count();
        if longer >= MOST_LETTERS {
            text.push('…');
            break;
        }
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(word);
    }
    text
}

/// Collects the text of the paragraphs and lists before anything else.
#[derive(Default)]
struct Opening {
    text: RefCell<String>,
    in_title: Cell<bool>,
    is_over: Cell<bool>,
}

impl TokenSink for Opening {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        match token {
            Token::TagToken(tag) => self.pass(&tag),
            Token::CharacterTokens(text) if !self.is_over.get() && !self.in_title.get() => {
                self.text.borrow_mut().push_str(&text);
            }
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

impl Opening {
    fn pass(&self, tag: &Tag) {
        let is_start = tag.kind == TagKind::StartTag;
        match &*tag.name {
            "h1" => self.in_title.set(is_start),
            "h2" | "h3" | "pre" | "figure" | "table" | "blockquote" | "svg" if is_start => {
                self.is_over.set(true);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_text_between_the_title_and_the_first_listing() {
        let main = "<h1>Title</h1><p><strong>You can</strong></p>\n<ul><li>start &amp; stop,</li>\n\
                    <li>look.</li></ul><pre><code>code</code></pre><p>More</p>";
        assert_eq!(of(main).as_deref(), Some("You can start & stop, look."));
    }

    #[test]
    fn it_ends_with_a_whole_word() {
        let main = format!("<p>{}</p>", "word ".repeat(100));
        let text = of(&main).expect("a text");
        assert!(text.chars().count() <= MOST_LETTERS, "{text}");
        assert!(text.ends_with("word…"), "{text}");
    }

    #[test]
    fn a_page_that_begins_with_a_figure_has_none() {
        assert_eq!(of("<h1>Title</h1><figure>x</figure><p>Text</p>"), None);
    }
}
