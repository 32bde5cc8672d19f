//! The few shapes that a picture of a storage is made of, and their SVG.
//!
//! A drawing is kept as a list, so that a test can ask whether its texts overlap.
//! Colours are `currentColor` and mdBook's variables: they fit every theme, and no
//! picture tells anything by colour alone.

use std::fmt::Write as _;

use diagram::frame::{Frame, escape};

/// Of the widest letters that the book's fonts have, in parts of the font's size.
const LETTER: f64 = 0.6;

/// How a rectangle or a line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    Plain,
    New,
    Dashed,
    Dotted,
    Bar,
    Cross,
    Refusal,
}

impl Look {
    fn style(self) -> &'static str {
        match self {
            Self::Plain => "fill:none;stroke:currentColor",
            Self::New => "fill:var(--quote-bg);stroke:var(--links);stroke-width:3",
            Self::Dashed => "fill:none;stroke:currentColor;stroke-dasharray:5 3",
            Self::Dotted => "fill:none;stroke:currentColor;stroke-dasharray:1 3",
            Self::Bar => "fill:var(--quote-bg);stroke:currentColor",
            Self::Cross => "stroke:currentColor",
            Self::Refusal => "fill:none;stroke:var(--blockquote-caution-color);stroke-width:2",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Area {
    pub(super) left: f64,
    pub(super) top: f64,
    pub(super) width: f64,
    pub(super) height: f64,
}

impl Area {
    fn right(&self) -> f64 {
        self.left + self.width
    }

    fn bottom(&self) -> f64 {
        self.top + self.height
    }

    fn middle(&self) -> f64 {
        self.left + self.width / 2.0
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    /// The text begins at its place.
    Start,
    /// The text has its place in its middle.
    Middle,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Text {
    pub(super) x: f64,
    pub(super) baseline: f64,
    pub(super) size: f64,
    pub(super) anchor: Anchor,
    pub(super) bold: bool,
    pub(super) words: String,
}

impl Text {
    /// The place that the text takes, rather too much than too little.
    #[cfg(test)]
    pub(super) fn area(&self) -> Area {
        let width = width_of(&self.words, self.size);
        let left = match self.anchor {
            Anchor::Start => self.x,
            Anchor::Middle => self.x - width / 2.0,
        };
        Area {
            left,
            top: self.baseline - self.size * 0.8,
            width,
            height: self.size,
        }
    }
}

pub(super) fn width_of(words: &str, size: f64) -> f64 {
    let letters = u32::try_from(words.chars().count()).unwrap_or(u32::MAX);
    f64::from(letters) * size * LETTER
}

/// Shapes on a sheet that grows downwards.
#[derive(Debug, Default)]
pub(super) struct Drawing {
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) texts: Vec<Text>,
    shapes: Vec<(Area, Look)>,
}

impl Drawing {
    pub(super) fn of_width(width: f64) -> Self {
        Self {
            width,
            ..Self::default()
        }
    }

    pub(super) fn shape(&mut self, area: Area, look: Look) {
        self.shapes.push((area, look));
    }

    pub(super) fn write(&mut self, x: f64, baseline: f64, size: f64, words: impl Into<String>) {
        self.texts.push(Text {
            x,
            baseline,
            size,
            anchor: Anchor::Start,
            bold: false,
            words: words.into(),
        });
    }

    /// Writes in the middle of an area's width.
    pub(super) fn write_centred(&mut self, area: &Area, baseline: f64, size: f64, words: String) {
        self.texts.push(Text {
            x: area.middle(),
            baseline,
            size,
            anchor: Anchor::Middle,
            bold: false,
            words,
        });
    }

    /// Makes the text that was written last bold.
    pub(super) fn stress(&mut self) {
        if let Some(text) = self.texts.last_mut() {
            text.bold = true;
        }
    }

    /// The drawing as one element without blank lines, which would end a block of
    /// HTML in Markdown. The title and the description are for those who cannot see.
    pub(super) fn to_svg(&self, title: &str, description: &str) -> String {
        let frame = Frame {
            title,
            description,
            width: self.width,
            height: self.height,
            class: None,
            properties: None,
            style: None,
        };
        let shapes = self
            .shapes
            .iter()
            .map(|(area, look)| shape_to_svg(area, *look));
        let texts = self.texts.iter().map(text_to_svg);
        frame.around(&shapes.chain(texts).collect::<String>())
    }
}

fn shape_to_svg(area: &Area, look: Look) -> String {
    let style = look.style();
    if look == Look::Cross {
        return format!(
            "<line x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\" style=\"{style}\"></line>\n",
            area.left,
            area.bottom(),
            area.right(),
            area.top
        );
    }
    format!(
        "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"3\" style=\"{style}\"></rect>\n",
        area.left, area.top, area.width, area.height
    )
}

fn text_to_svg(text: &Text) -> String {
    let mut attributes = format!(
        "x=\"{}\" y=\"{}\" font-size=\"{}\" fill=\"currentColor\"",
        text.x, text.baseline, text.size
    );
    if text.anchor == Anchor::Middle {
        attributes.push_str(" text-anchor=\"middle\"");
    }
    if text.bold {
        attributes.push_str(" font-weight=\"bold\"");
    }
    let mut svg = String::new();
    // Writing to a string cannot fail.
    let _ = writeln!(svg, "<text {attributes}>{}</text>", escape(&text.words));
    svg
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_a_tag_stays_text() {
        let mut drawing = Drawing::of_width(100.0);
        drawing.write(0.0, 10.0, 10.0, "a < b & \"c\"");
        let svg = drawing.to_svg("<script>", "a\n\nb > c");
        assert!(svg.contains("<title>&lt;script&gt;</title>"), "{svg}");
        assert!(svg.contains("<desc>a  b &gt; c</desc>"), "{svg}");
        assert!(
            svg.contains(">a &lt; b &amp; &quot;c&quot;</text>"),
            "{svg}"
        );
    }

    #[test]
    fn a_centred_text_takes_as_much_place_on_both_sides() {
        let mut drawing = Drawing::of_width(100.0);
        let area = Area {
            left: 10.0,
            top: 0.0,
            width: 40.0,
            height: 20.0,
        };
        drawing.write_centred(&area, 15.0, 10.0, "abcd".into());
        let place = drawing.texts[0].area();
        assert!((place.left + place.right() - 60.0).abs() < 1e-9);
        assert!((place.width - 24.0).abs() < 1e-9);
    }
}
