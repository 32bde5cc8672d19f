//! A picture's elements, from behind to in front: lanes, their names, then each step.

use std::fmt::Write as _;

use super::layout::{CELL, HEAD, LINE, NAMES, Row, SIGN, Sheet, Side, as_f64, sign_width};
use super::strip::Strip;
use crate::frame::escape;
use crate::lanes::{Standing, Standings};
use crate::steps::{self, Step};
use crate::trace::{Event, Fate, Role, Trace, What};

/// Half of the thickest lane, and a little air: here arrows begin and end.
const LANE: f64 = 5.0;
/// An arrow's head.
const HEAD_LENGTH: f64 = 9.0;
const HEAD_WIDTH: f64 = 4.0;
/// Half of a cross.
const CROSS: f64 = 5.0;
/// A lost message gets so far.
const LOST_AT: f64 = 0.62;

pub(super) fn draw(trace: &Trace, steps: &[Step], sheet: &Sheet) -> String {
    let mut drawing = Drawing {
        trace,
        sheet,
        svg: String::new(),
    };
    drawing.lanes(steps);
    drawing.names();
    let numbered = || (1..).zip(steps.iter().zip(&sheet.rows));
    for (number, (step, row)) in numbered() {
        drawing.way(number, step, row);
    }
    let mut standings = Standings::before(trace);
    for (number, (step, row)) in numbered() {
        drawing.step(number, step, row, &mut standings);
    }
    let mut baseline = sheet.bottom + NAMES + LINE;
    for line in &sheet.legend {
        drawing.text("legend", (4.0, baseline), line);
        baseline += LINE;
    }
    drawing.svg
}

struct Drawing<'a> {
    trace: &'a Trace,
    sheet: &'a Sheet,
    svg: String,
}

impl Drawing<'_> {
    fn add(&mut self, element: &str) {
        self.svg.push_str(element);
        self.svg.push('\n');
    }

    fn text(&mut self, class: &str, (x, y): (f64, f64), words: &str) {
        let words = escape(words);
        self.add(&format!(
            "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\">{words}</text>"
        ));
    }

    /// Each lane, in a piece for each way in which its node stands.
    fn lanes(&mut self, steps: &[Step]) {
        let mut standings = Standings::before(self.trace);
        let mut since = vec![self.sheet.top; self.trace.nodes().len()];
        for (step, row) in steps.iter().zip(&self.sheet.rows) {
            let Step::Event(event) = step else { continue };
            let before = standings.lanes().to_vec();
            let changed = standings.after(self.trace, &self.trace.events()[*event]);
            if let Some((lane, _)) = changed {
                let at = row.top + SIGN / 2.0;
                self.lane(lane, before[lane], since[lane], at);
                since[lane] = at;
            }
        }
        let last: Vec<Standing> = standings.lanes().to_vec();
        for (lane, standing) in last.into_iter().enumerate() {
            self.lane(lane, standing, since[lane], self.sheet.bottom);
        }
    }

    fn lane(&mut self, lane: usize, standing: Standing, from: f64, to: f64) {
        let (x, class) = (self.sheet.lanes[lane], class_of(standing));
        self.add(&format!(
            "<line class=\"lane {class}\" x1=\"{x:.1}\" y1=\"{from:.1}\" x2=\"{x:.1}\" \
             y2=\"{to:.1}\"></line>"
        ));
    }

    fn names(&mut self) {
        let (trace, sheet) = (self.trace, self.sheet);
        for top in &sheet.names {
            for (node, x) in trace.nodes().iter().zip(&sheet.lanes) {
                self.text("name", (*x, top + 16.0), &format!("n{node}"));
            }
        }
    }

    /// A step's row and its arrow, behind all words. This is what one points at.
    fn way(&mut self, number: usize, step: &Step, row: &Row) {
        let events = self.trace.events();
        let (title, kind) = match step {
            Step::Quiet(run) => {
                let run = &events[run.clone()];
                let since = run.first().map(|it| it.time.to_string());
                let title = format!("{} {}", since.unwrap_or_default(), steps::count(run));
                (title, "quiet")
            }
            Step::Event(event) => (events[*event].to_string(), kind_of(&events[*event])),
        };
        let (top, height, bottom) = (row.top, row.height, row.bottom());
        let width = self.sheet.width;
        self.add(&format!(
            "<g class=\"event {kind}\" data-step=\"{number}\" data-bottom=\"{bottom:.1}\">\n\
             <title>{}</title>\n<rect class=\"row\" x=\"0\" y=\"{top:.1}\" width=\"{width}\" \
             height=\"{height:.1}\"></rect>",
            escape(&title)
        ));
        if let Step::Event(event) = step
            && let What::Message { from, to, fate, .. } = &events[*event].what
        {
            let lane_of = |node| self.sheet.lanes[self.trace.lane(node)];
            self.message((lane_of(*from), lane_of(*to)), fate, row);
        }
        self.add("</g>");
    }

    /// The rest of a step, in front of all arrows.
    fn step(&mut self, number: usize, step: &Step, row: &Row, standings: &mut Standings) {
        self.add(&format!("<g class=\"said\" data-step=\"{number}\">"));
        if let Some(time) = row.time {
            let x = self.sheet.lanes.first().map_or(0.0, |it| it - 16.0);
            self.text("time", (x, row.top + 13.0), &time.to_string());
        }
        match step {
            Step::Quiet(_) => self.band("band quiet", row),
            Step::Event(event) => self.event(&self.trace.events()[*event], row, standings),
        }
        self.add("</g>");
    }

    fn event(&mut self, event: &Event, row: &Row, standings: &mut Standings) {
        match &event.what {
            What::Message { .. } => self.words(row, row.top + HEAD + LINE - 1.0),
            What::Node { node, .. } => {
                let x = self.sheet.lanes[self.trace.lane(*node)];
                match standings.after(self.trace, event) {
                    Some((_, standing)) => self.sign(x, row.top, standing),
                    None => self.add(&format!(
                        "<circle class=\"dot\" cx=\"{x:.1}\" cy=\"{:.1}\" r=\"3.5\"></circle>",
                        row.top + SIGN / 2.0
                    )),
                }
                match &row.strip {
                    Some(strip) => self.log(strip, row),
                    None => self.words(row, row.top + 12.5),
                }
            }
            What::Cluster(_) => self.band("band", row),
            What::Broken(_) => self.band("band end", row),
        }
    }

    /// A message's way: from where it left to its head, which is an arrow's or a cross.
    fn message(&mut self, (from, to): (f64, f64), fate: &Fate, row: &Row) {
        let direction = if from < to { 1.0 } else { -1.0 };
        let start = (from + direction * LANE, row.leaves);
        let mut end = (to - direction * LANE, row.top + HEAD);
        if *fate == Fate::Lost {
            end.0 = start.0 + (end.0 - start.0) * LOST_AT;
        }
        let ((x1, y1), (x2, y2)) = (start, end);
        let path = format!("d=\"M{x1:.1} {y1:.1} L{x2:.1} {y2:.1}\"");
        // Wide, and not to be seen: a thin line is hard to point at.
        self.add(&format!("<path class=\"reach\" {path}></path>"));
        self.add(&format!("<path class=\"way\" {path}></path>"));
        match fate {
            Fate::Arrived { .. } => self.head(start, end),
            Fate::Unheard { .. } | Fate::Lost => self.cross(end),
        }
    }

    fn head(&mut self, (x1, y1): (f64, f64), (x2, y2): (f64, f64)) {
        let length = ((x2 - x1).powi(2) + (y2 - y1).powi(2)).sqrt().max(1.0);
        let (dx, dy) = ((x2 - x1) / length, (y2 - y1) / length);
        let (x, y) = (x2 - dx * HEAD_LENGTH, y2 - dy * HEAD_LENGTH);
        let (aside, along) = (dy * HEAD_WIDTH, dx * HEAD_WIDTH);
        self.add(&format!(
            "<path class=\"head\" d=\"M{x2:.1} {y2:.1} L{:.1} {:.1} L{:.1} {:.1} Z\"></path>",
            x + aside,
            y - along,
            x - aside,
            y + along
        ));
    }

    fn cross(&mut self, (x, y): (f64, f64)) {
        let (left, right) = (x - CROSS, x + CROSS);
        let (top, bottom) = (y - CROSS, y + CROSS);
        self.add(&format!(
            "<path class=\"cross\" d=\"M{left:.1} {top:.1} L{right:.1} {bottom:.1} \
             M{left:.1} {bottom:.1} L{right:.1} {top:.1}\"></path>"
        ));
    }

    /// The role and the term that a node has from here on.
    fn sign(&mut self, x: f64, top: f64, standing: Standing) {
        let words = standing.sign();
        if standing == Standing::Down {
            self.cross((x, top + SIGN / 2.0));
            return;
        }
        let width = sign_width(&words);
        let (left, class) = (x - width / 2.0, class_of(standing));
        self.add(&format!(
            "<rect class=\"sign {class}\" x=\"{left:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" \
             height=\"{SIGN}\" rx=\"5\"></rect>"
        ));
        self.text(&format!("sign {class}"), (x, top + 12.5), &words);
    }

    fn log(&mut self, strip: &Strip, row: &Row) {
        let left = match row.words.side {
            Side::Right => row.words.x,
            Side::Left => row.words.x - strip.width(),
        };
        let baseline = row.top + 13.0;
        if strip.has_more() {
            self.text("label", (left, baseline), "…");
        }
        let (width, height) = (strip.cell - 2.0, CELL - 1.0);
        let mut x = left + strip.boxes();
        for index in strip.entries() {
            let class = if index <= strip.commit {
                "entry committed"
            } else {
                "entry"
            };
            let top = row.top;
            self.add(&format!(
                "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" \
                 height=\"{height:.1}\"></rect>"
            ));
            self.text(class, (x + width / 2.0, baseline), &index.to_string());
            x += strip.cell;
        }
        self.text("label", (left + strip.words(), baseline), &strip.commit());
    }

    /// Words over all lanes.
    fn band(&mut self, class: &str, row: &Row) {
        let left = self.sheet.lanes.first().map_or(0.0, |it| it - 14.0);
        let width = self.sheet.width - left - 2.0;
        self.add(&format!(
            "<rect class=\"{class}\" x=\"{left:.1}\" y=\"{:.1}\" width=\"{width:.1}\" \
             height=\"{:.1}\" rx=\"3\"></rect>",
            row.top + 2.0,
            row.height - 4.0
        ));
        self.words(row, row.top + 4.0 + LINE - 2.5);
    }

    /// The words of a row, from this baseline downwards.
    fn words(&mut self, row: &Row, first_baseline: f64) {
        let words = &row.words;
        let class = match words.side {
            Side::Left => "label left",
            Side::Right => "label",
        };
        let mut element = format!("<text class=\"{class}\">");
        let mut bold = words.bold;
        for (number, line) in words.lines.iter().enumerate() {
            let (x, y) = (words.x, first_baseline + as_f64(number) * LINE);
            let (kind, rest) = line.split_at_checked(bold).unwrap_or((line, ""));
            bold -= kind.len();
            // Writing to a string cannot fail.
            let _ = write!(element, "<tspan x=\"{x:.1}\" y=\"{y:.1}\">");
            if !kind.is_empty() {
                let _ = write!(element, "<tspan class=\"kind\">{}</tspan>", escape(kind));
            }
            let _ = write!(element, "{}</tspan>", escape(rest));
        }
        self.add(&(element + "</text>"));
    }
}

fn class_of(standing: Standing) -> &'static str {
    match standing {
        Standing::Untold => "untold",
        Standing::Down => "down",
        Standing::Up { role, .. } => match role {
            Role::Follower => "follower",
            Role::PreCandidate => "pre-candidate",
            Role::Candidate => "candidate",
            Role::Leader => "leader",
        },
    }
}

fn kind_of(event: &Event) -> &'static str {
    match &event.what {
        What::Message { fate, .. } => match fate {
            Fate::Arrived { .. } => "message",
            Fate::Unheard { .. } => "message unheard",
            Fate::Lost => "message lost",
        },
        What::Node { .. } => "note",
        What::Cluster(_) => "cluster",
        What::Broken(_) => "broken",
    }
}
