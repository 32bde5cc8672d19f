//! The frame of every picture here: one `svg` element with its size, its title and its
//! description, and the text in it escaped.
//!
//! The rule: a picture has a title and a story for those who cannot see it, and it is one
//! block of HTML: no empty line in it, which would end the block in Markdown.

use std::fmt::Write as _;

/// What goes around a picture.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// What the picture shows, in one line.
    pub title: &'a str,
    /// Its story, for those who cannot see it.
    pub description: &'a str,
    /// In pixels.
    pub width: f64,
    /// In pixels.
    pub height: f64,
    /// The class of the element, if it has one.
    pub class: Option<&'a str>,
    /// CSS of the element itself, such as a property that its page's rules use.
    pub properties: Option<&'a str>,
    /// Rules that the picture brings with it, for a file of its own.
    pub style: Option<&'a str>,
}

impl Frame<'_> {
    /// The picture: `inside` is SVG, one element a line.
    pub fn around(&self, inside: &str) -> String {
        let (width, height) = (self.width, self.height);
        let mut svg = String::from("<svg role=\"img\"");
        for (name, value) in [("class", self.class), ("style", self.properties)] {
            if let Some(value) = value {
                // Writing to a string cannot fail.
                let _ = write!(svg, " {name}=\"{}\"", escape(value));
            }
        }
        let _ = writeln!(
            svg,
            " viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" \
             xmlns=\"http://www.w3.org/2000/svg\">\n<title>{}</title>\n<desc>{}</desc>",
            escape(self.title),
            escape(self.description)
        );
        if let Some(style) = self.style {
            let _ = writeln!(svg, "<style>\n{}\n</style>", style.trim_end());
        }
        svg.push_str(inside);
        svg.push_str("</svg>\n");
        svg
    }
}

/// The text as it stands in SVG or HTML, inside of an attribute too, on one line.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        // Markdown must not take a line break for the end of the block.
        .replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Frame<'_> = Frame {
        title: "<script>",
        description: "a\n\nb > \"c\"",
        width: 100.0,
        height: 20.5,
        class: None,
        properties: None,
        style: None,
    };

    #[test]
    fn what_looks_like_a_tag_stays_text() {
        assert_eq!(
            PLAIN.around("<path></path>\n"),
            "<svg role=\"img\" viewBox=\"0 0 100 20.5\" width=\"100\" height=\"20.5\" \
             xmlns=\"http://www.w3.org/2000/svg\">\n<title>&lt;script&gt;</title>\n\
             <desc>a  b &gt; &quot;c&quot;</desc>\n<path></path>\n</svg>\n"
        );
    }

    #[test]
    fn a_file_of_its_own_brings_its_rules_with_it() {
        let frame = Frame {
            class: Some("sequence"),
            properties: Some("--width: 3px"),
            style: Some("text { fill: red }\n"),
            ..PLAIN
        };
        let svg = frame.around("");
        let begin = "<svg role=\"img\" class=\"sequence\" style=\"--width: 3px\" viewBox=";
        assert!(svg.starts_with(begin), "{svg}");
        assert!(svg.contains("</desc>\n<style>\ntext { fill: red }\n</style>\n</svg>\n"));
    }
}
