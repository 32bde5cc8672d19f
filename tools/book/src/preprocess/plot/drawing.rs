//! The picture of a plot: axes, lines with marks, and what tells them apart.
//!
//! Colours are `currentColor` and mdBook's variables, so they fit every theme. Each line
//! also has a dash and a mark of its own: nothing is told by colour alone.

use std::fmt::Write as _;

use diagram::frame::{Frame, escape};

use super::scale::{Scale, powers_of_two, round_numbers};
use super::{Data, in_groups};

const WIDTH: f64 = 440.0;
/// From the top of the axes to the bottom.
const HEIGHT: f64 = 250.0;
/// Left of the axes, for the numbers there and what they count.
const LEFT: f64 = 76.0;
const RIGHT: f64 = 16.0;
/// A line of the legend.
const LEGEND: f64 = 22.0;
/// Below the axes, for the numbers there and what they count.
const BELOW: f64 = 52.0;
const TEXT: f64 = 13.0;

/// How each line looks: its colour, its dashes, and the radius of its mark.
const LOOKS: [(&str, &str); super::MAX_SERIES] = [
    ("currentColor", "none"),
    ("var(--links)", "8 4"),
    ("currentColor", "2 4"),
    ("var(--links)", "12 4 2 4"),
];

/// A picture, as the inside of an `svg` element.
#[derive(Debug, Default)]
pub(super) struct Drawing {
    height: f64,
    inside: String,
}

/// The picture of all lines of the data.
pub(super) fn draw(data: &Data) -> Drawing {
    let series: Vec<_> = data.series().collect();
    let legend_lines = f64::from(u32::try_from(series.len()).unwrap_or(u32::MAX));
    let top = 14.0 + legend_lines * LEGEND;
    let bottom = top + HEIGHT;
    let mut drawing = Drawing {
        height: bottom + BELOW,
        inside: String::new(),
    };

    let columns = powers_of_two(data.rows.iter().map(|row| row[0]));
    let levels = round_numbers(data.rows.iter().flat_map(|row| row[1..].iter().copied()));
    let across = Scale::over(&columns, LEFT, WIDTH - RIGHT);
    let upwards = Scale::over(&levels, bottom, top);

    drawing.axes(top, bottom);
    for level in &levels {
        let y = upwards.place(*level);
        drawing.rule((LEFT, y), (WIDTH - RIGHT, y));
        let words = in_groups(level.round());
        drawing.text((LEFT - 8.0, y + TEXT * 0.35), "end", &words);
    }
    for column in &columns {
        let x = across.place(*column);
        drawing.rule((x, bottom), (x, bottom + 5.0));
        drawing.text((x, bottom + 20.0), "middle", &in_groups(*column));
    }
    let middle = LEFT.midpoint(WIDTH - RIGHT);
    drawing.text((middle, bottom + 42.0), "middle", &data.x);
    drawing.upright_text((16.0, top.midpoint(bottom)), &data.y);

    let mut legend = 8.0 + LEGEND / 2.0;
    for (number, (name, points)) in series.iter().enumerate() {
        let place = |(x, y): &(f64, f64)| (across.place(*x), upwards.place(*y));
        let places: Vec<_> = points.iter().map(place).collect();
        drawing.line(number, &places);
        drawing.line(number, &[(LEFT, legend), (LEFT + 48.0, legend)]);
        drawing.text((LEFT + 60.0, legend + TEXT * 0.35), "start", name);
        legend += LEGEND;
    }
    drawing
}

impl Drawing {
    /// The whole picture, with its title and its story for who cannot see it.
    pub(super) fn to_svg(&self, title: &str, description: &str) -> String {
        let frame = Frame {
            title,
            description,
            width: WIDTH,
            height: self.height,
            class: None,
            properties: None,
            style: None,
        };
        frame.around(&self.inside)
    }

    fn add(&mut self, element: &str) {
        self.inside.push_str(element);
        self.inside.push('\n');
    }

    fn axes(&mut self, top: f64, bottom: f64) {
        let right = WIDTH - RIGHT;
        self.add(&format!(
            "<path d=\"M{LEFT} {top} V{bottom} H{right}\" \
             style=\"fill:none;stroke:currentColor\"></path>"
        ));
    }

    /// A thin line that helps to read the axes.
    fn rule(&mut self, (x1, y1): (f64, f64), (x2, y2): (f64, f64)) {
        self.add(&format!(
            "<line x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\" \
             style=\"stroke:currentColor;opacity:0.25\"></line>"
        ));
    }

    fn text(&mut self, (x, y): (f64, f64), anchor: &str, words: &str) {
        let words = escape(words);
        self.add(&format!(
            "<text x=\"{x:.1}\" y=\"{y:.1}\" font-size=\"{TEXT}\" fill=\"currentColor\" \
             text-anchor=\"{anchor}\">{words}</text>"
        ));
    }

    /// A text that is read from below to above, in the middle of its place.
    fn upright_text(&mut self, (x, y): (f64, f64), words: &str) {
        let words = escape(words);
        self.add(&format!(
            "<text transform=\"translate({x:.1} {y:.1}) rotate(-90)\" font-size=\"{TEXT}\" \
             fill=\"currentColor\" text-anchor=\"middle\">{words}</text>"
        ));
    }

    /// A line through these places, with a mark at each.
    fn line(&mut self, number: usize, places: &[(f64, f64)]) {
        let (colour, dashes) = LOOKS[number % LOOKS.len()];
        let mut path = String::new();
        for (place, (x, y)) in places.iter().enumerate() {
            let command = if place == 0 { 'M' } else { 'L' };
            // Writing to a string cannot fail.
            let _ = write!(path, "{command}{x:.1} {y:.1} ");
        }
        self.add(&format!(
            "<path d=\"{}\" style=\"fill:none;stroke:{colour};stroke-width:2;\
             stroke-dasharray:{dashes}\"></path>",
            path.trim_end()
        ));
        for (x, y) in places {
            self.add(&mark(number, *x, *y, colour));
        }
    }
}

/// A disc, a square, a ring or an empty square.
fn mark(number: usize, x: f64, y: f64, colour: &str) -> String {
    let fill = if number < 2 { colour } else { "var(--bg)" };
    let style = format!("fill:{fill};stroke:{colour};stroke-width:2");
    if number.is_multiple_of(2) {
        format!("<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\" style=\"{style}\"></circle>")
    } else {
        let (left, top) = (x - 4.0, y - 4.0);
        format!(
            "<rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"8\" height=\"8\" \
             style=\"{style}\"></rect>"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn() -> String {
        let lines = "# title: A <b>\n# x: clients\n# y: a second\n# note: n\n# command: c\n\
                     clients,slow,quick\n1,227,398\n2,440,528\n64,13008,15194\n";
        let lines: Vec<String> = lines.lines().map(str::to_owned).collect();
        let data = Data::parse(&lines).expect("a sound file");
        draw(&data).to_svg(&data.title, &data.in_words())
    }

    #[test]
    fn every_number_has_a_mark_and_every_line_a_look_of_its_own() {
        let svg = drawn();
        // Two more of each in the legend.
        assert_eq!(svg.matches("<circle").count(), 3 + 2, "{svg}");
        assert_eq!(svg.matches("<rect").count(), 3 + 2, "{svg}");
        assert!(svg.contains("stroke-dasharray:none") && svg.contains("stroke-dasharray:8 4"));
        for words in [
            "slow",
            "quick",
            "clients",
            "a second",
            "20\u{202f}000",
            ">64<",
        ] {
            assert!(svg.contains(words), "{words} is missing: {svg}");
        }
    }

    #[test]
    fn the_picture_has_a_title_and_a_story_and_no_colour_of_its_own() {
        let svg = drawn();
        assert!(svg.contains("<title>A &lt;b&gt;</title>"), "{svg}");
        assert!(
            svg.contains("slow: from 227 at 1 to 13\u{202f}008 at 64."),
            "{svg}"
        );
        assert!(!svg.contains("stroke:#") && !svg.contains("id="), "{svg}");
    }

    #[test]
    fn nothing_is_drawn_outside_of_the_picture() {
        let svg = drawn();
        for attribute in ["x", "cx", "x1", "x2"] {
            let start = format!(" {attribute}=\"");
            for found in svg.split(&start).skip(1) {
                let value = found.split('"').next().expect("a closing quote");
                let value: f64 = value.parse().expect("a number");
                assert!((0.0..=WIDTH).contains(&value), "{attribute}={value}");
            }
        }
    }
}
