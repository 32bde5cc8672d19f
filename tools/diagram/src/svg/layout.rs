//! Where everything in a picture is.
//!
//! A step has a row; rows follow each other without gaps, whatever time lies between them.
//! A message is drawn from the row of what its sender did at that moment to the row of its
//! arrival, so a slow one is a long slanted arrow. If its sender did nothing that the trace
//! tells (a heartbeat, say, is sent because time passed), a low row is put in to start from.
//!
//! Words stand below the head of their arrow, in the gap between two lanes, where no lane
//! runs through them. A sheet for up to three nodes is no wider than the text of a page on a
//! phone.

use std::collections::BTreeSet;

use super::strip::Strip;
use crate::lanes;
use crate::steps::{self, Step};
use crate::trace::{Change, Event, Fate, NodeId, Time, Trace, What};
use crate::words::{Lines, width_of, wrap};

/// The size of all text.
pub(super) const TEXT: f64 = 12.0;
/// From one line of text to the next.
pub(super) const LINE: f64 = 14.0;
/// From a row's top to the head of its arrow.
pub(super) const HEAD: f64 = 7.0;
/// The names of the lanes.
pub(super) const NAMES: f64 = 24.0;

/// The width of a sheet for up to three nodes.
const NARROW: f64 = 344.0;
/// From one lane to the next when there are more.
const GAP: f64 = 128.0;
/// Right of the last lane.
const MARGIN: f64 = 16.0;
/// Between a lane and the words beside it.
pub(super) const BESIDE: f64 = 9.0;
/// The sign of a role and its term.
pub(super) const SIGN: f64 = 16.0;
/// The height of an entry of a log.
pub(super) const CELL: f64 = 17.0;
/// The row in which nothing happens but that messages leave.
const DEPARTURE: f64 = 8.0;
/// After so many pixels the lanes are named again: a phone's screen shows that much.
const SCREEN: f64 = 560.0;
/// The most lines of a message and of a note.
const MOST_LINES: usize = 3;
/// Bold text is wider.
const BOLD: f64 = 1.1;

/// A picture's measures.
#[derive(Debug)]
pub(super) struct Sheet {
    pub(super) width: f64,
    pub(super) height: f64,
    /// The middle of each lane.
    pub(super) lanes: Vec<f64>,
    /// Where the rows begin: below the names.
    pub(super) top: f64,
    /// Where they end: above the legend.
    pub(super) bottom: f64,
    /// One for each step.
    pub(super) rows: Vec<Row>,
    /// The top of each row that names the lanes.
    pub(super) names: Vec<f64>,
    pub(super) legend: Vec<String>,
}

/// The place of a step.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) top: f64,
    pub(super) height: f64,
    pub(super) words: Words,
    /// Stands for the words if it is a log that can be drawn.
    pub(super) strip: Option<Strip>,
    /// Where its message left its sender's lane.
    pub(super) leaves: f64,
    /// The time, if it is another than that of the row before.
    pub(super) time: Option<Time>,
}

impl Row {
    pub(super) fn bottom(&self) -> f64 {
        self.top + self.height
    }
}

/// The words of a step, and where they stand.
#[derive(Debug)]
pub(super) struct Words {
    pub(super) lines: Vec<String>,
    /// So many letters are a message's kind, maybe more than the first line holds.
    pub(super) bold: usize,
    pub(super) x: f64,
    pub(super) side: Side,
}

/// On which side of their place words are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Left,
    Right,
}

/// The columns of a sheet: the times, then the lanes.
struct Columns {
    width: f64,
    lanes: Vec<f64>,
}

impl Columns {
    fn of(trace: &Trace) -> Self {
        let times = trace.events().iter().map(|it| it.time.to_string());
        let widest = times.map(|it| width_of(&it, TEXT)).fold(0.0, f64::max);
        let first = widest + 4.0 + MARGIN;
        let gaps = as_f64(trace.nodes().len().saturating_sub(1));
        let width = (first + gaps * GAP + MARGIN).max(NARROW).ceil();
        let gap = if gaps > 0.0 {
            (width - MARGIN - first) / gaps
        } else {
            0.0
        };
        let lanes = (0..trace.nodes().len()).map(|lane| first + as_f64(lane) * gap);
        Columns {
            width,
            lanes: lanes.collect(),
        }
    }

    fn times_end(&self) -> f64 {
        self.lanes.first().map_or(0.0, |first| first - MARGIN)
    }

    /// How far words that begin beside a lane can go until the next lane or the edge.
    fn gap(&self, lane: usize, side: Side) -> f64 {
        let x = self.lanes[lane];
        let end = match side {
            Side::Right => self.lanes.get(lane + 1).map_or(self.width, |next| *next),
            Side::Left if lane == 0 => self.times_end(),
            Side::Left => self.lanes[lane - 1],
        };
        (end - x).abs() - BESIDE - 4.0
    }

    /// How far they can go if they cross the other lanes.
    fn all(&self, lane: usize, side: Side) -> f64 {
        let x = self.lanes[lane];
        let room = match side {
            Side::Right => self.width - x,
            Side::Left => x - self.times_end(),
        };
        room - BESIDE - 4.0
    }
}

pub(super) fn as_f64(number: usize) -> f64 {
    f64::from(u32::try_from(number).unwrap_or(u32::MAX))
}

pub(super) fn lay_out(trace: &Trace, steps: &[Step]) -> Sheet {
    let columns = Columns::of(trace);
    let mut stack = Stack {
        trace,
        steps,
        columns,
        top: NAMES,
        named: NAMES,
        names: vec![0.0],
        rows: Vec::new(),
        marks: Vec::new(),
        departures: departures(trace, steps),
    };
    for step in steps {
        stack.push(step);
    }
    let bottom = stack.top + 4.0;
    let legend = fit(
        &lanes::legend(trace),
        usize::MAX,
        stack.columns.width - 8.0,
        0,
    )
    .lines;
    stack.names.push(bottom);
    Sheet {
        width: stack.columns.width,
        height: (bottom + NAMES + as_f64(legend.len()) * LINE + 8.0).ceil(),
        lanes: stack.columns.lanes,
        top: NAMES,
        bottom,
        rows: stack.rows,
        names: stack.names,
        legend,
    }
}

/// A moment at which something leaves a lane, or happens on it.
type Mark = (Time, NodeId);

/// The moments at which messages leave a lane on which nothing else happens.
fn departures(trace: &Trace, steps: &[Step]) -> Vec<Mark> {
    let drawn = || steps.iter().filter_map(|step| drawn_event(trace, step));
    let happens: BTreeSet<Mark> = drawn().filter_map(mark_of).collect();
    let leaves: BTreeSet<Mark> = drawn().filter_map(departure_of).collect();
    leaves.difference(&happens).copied().collect()
}

fn drawn_event<'a>(trace: &'a Trace, step: &Step) -> Option<&'a Event> {
    match step {
        Step::Event(event) => trace.events().get(*event),
        Step::Quiet(_) => None,
    }
}

/// The lane on which the event happens.
fn mark_of(event: &Event) -> Option<Mark> {
    match &event.what {
        What::Message { from, fate, .. } if *fate == Fate::Lost => Some((event.time, *from)),
        What::Message { to, .. } => Some((event.time, *to)),
        What::Node { node, .. } => Some((event.time, *node)),
        What::Cluster(_) | What::Broken(_) => None,
    }
}

/// When and from which lane the message of the event left.
fn departure_of(event: &Event) -> Option<Mark> {
    match &event.what {
        What::Message { from, fate, .. } => match fate {
            Fate::Arrived { sent } | Fate::Unheard { sent, .. } => Some((*sent, *from)),
            Fate::Lost => None,
        },
        _ => None,
    }
}

/// The rows so far.
struct Stack<'a> {
    trace: &'a Trace,
    steps: &'a [Step],
    columns: Columns,
    /// The lower edge of the last row.
    top: f64,
    /// Where the lanes were named last.
    named: f64,
    names: Vec<f64>,
    rows: Vec<Row>,
    /// The lower edge of each row that something can leave from.
    marks: Vec<(Mark, f64)>,
    /// In order; those that have their row are taken away.
    departures: Vec<Mark>,
}

impl Stack<'_> {
    fn push(&mut self, step: &Step) {
        let Some(first) = self.trace.events().get(step.first()) else {
            return;
        };
        self.depart_before(first.time);
        if self.top > self.named + SCREEN {
            self.names.push(self.top);
            self.top += NAMES;
            self.named = self.top;
        }
        let event = drawn_event(self.trace, step);
        let words = self.words(step);
        let strip = event.and_then(|event| self.strip(event, &words));
        let height = match &strip {
            Some(_) => CELL + 6.0,
            None => height_of(event, words.lines.len()),
        };
        let leaves = event.and_then(departure_of).and_then(|left| {
            let mut from_there = self.marks.iter().rev().filter(|(mark, _)| *mark == left);
            from_there.next().map(|(_, bottom)| *bottom)
        });
        let before = self.rows.len().checked_sub(1).map(|last| &self.steps[last]);
        let time_before = before.and_then(|it| self.trace.events().get(it.first()));
        let row = Row {
            top: self.top,
            height,
            words,
            strip,
            leaves: leaves.unwrap_or(self.top),
            time: (time_before.map(|it| it.time) != Some(first.time)).then_some(first.time),
        };
        self.top = row.bottom();
        if let Some(mark) = event.and_then(mark_of) {
            self.marks.push((mark, self.top));
        }
        self.rows.push(row);
    }

    /// Rows for what left since the last event, and before this moment.
    fn depart_before(&mut self, time: Time) {
        let due = self.departures.partition_point(|(left, _)| *left < time);
        let mut last = None;
        for mark in self.departures.drain(..due) {
            // What leaves at the same moment shares a row.
            if last != Some(mark.0) {
                self.top += DEPARTURE;
                last = Some(mark.0);
            }
            self.marks.push((mark, self.top));
        }
    }

    fn words(&self, step: &Step) -> Words {
        let columns = &self.columns;
        let event = match step {
            Step::Quiet(run) => return self.band(&steps::count(&self.trace.events()[run.clone()])),
            Step::Event(event) => &self.trace.events()[*event],
        };
        match &event.what {
            What::Cluster(words) => self.band(words),
            What::Broken(words) => self.band(&format!("✗ {words}")),
            What::Node {
                node,
                words,
                change,
            } => {
                let lane = self.trace.lane(*node);
                let last = self.trace.nodes().len() - 1;
                let side = if lane == last && lane > 0 {
                    Side::Left
                } else {
                    Side::Right
                };
                let aside = beside_sign(change);
                let mut lines = fit(words, 2, columns.gap(lane, side) - aside, 0);
                if lines.is_cut {
                    lines = fit(words, MOST_LINES, columns.all(lane, side) - aside, 0);
                }
                self.beside(lane, side, aside, lines)
            }
            What::Message {
                from,
                to,
                words,
                fate,
            } => {
                let (from, to) = (self.trace.lane(*from), self.trace.lane(*to));
                let side = if from < to { Side::Left } else { Side::Right };
                let told = match fate {
                    Fate::Unheard { why, .. } => format!("{words} ({why})"),
                    _ => words.clone(),
                };
                let name = words.split(' ').next().map_or(0, str::len);
                let lines = fit(&told, MOST_LINES, columns.gap(to, side), name);
                Words {
                    bold: name,
                    ..self.beside(to, side, 0.0, lines)
                }
            }
        }
    }

    /// The log of the event, beside its lane.
    fn strip(&self, event: &Event, words: &Words) -> Option<Strip> {
        match &event.what {
            What::Node {
                node,
                change: Change::Log(log),
                ..
            } => {
                let lane = self.trace.lane(*node);
                Strip::fit(*log, self.columns.all(lane, words.side))
            }
            _ => None,
        }
    }

    /// Words on one side of a lane, so much further away than usual.
    fn beside(&self, lane: usize, side: Side, aside: f64, lines: Lines) -> Words {
        let lane = self.columns.lanes[lane];
        Words {
            lines: lines.lines,
            bold: 0,
            x: match side {
                Side::Left => lane - BESIDE - aside,
                Side::Right => lane + BESIDE + aside,
            },
            side,
        }
    }

    /// Words over all lanes.
    fn band(&self, words: &str) -> Words {
        let left = self.columns.times_end() + 6.0;
        let room = self.columns.width - left - 8.0;
        Words {
            lines: fit(words, MOST_LINES, room, 0).lines,
            bold: 0,
            x: left + 4.0,
            side: Side::Right,
        }
    }
}

/// The sign of a role is wider than a lane.
fn beside_sign(change: &Change) -> f64 {
    match change {
        Change::Started { term } | Change::Became { term, .. } => {
            (sign_width(&format!("L{term}")) / 2.0 + 4.0 - BESIDE).max(0.0)
        }
        Change::Down | Change::Log(_) | Change::Nothing => 0.0,
    }
}

/// The width of the sign that holds these letters.
pub(super) fn sign_width(words: &str) -> f64 {
    (width_of(words, TEXT) + 8.0).max(SIGN)
}

/// Breaks words into lines that are no wider than this. So many bytes of the first are bold.
fn fit(words: &str, most: usize, width: f64, bold: usize) -> Lines {
    let scale = if bold > 0 { BOLD } else { 1.0 };
    wrap(words, most, |line| width_of(line, TEXT) * scale <= width)
}

fn height_of(event: Option<&Event>, lines: usize) -> f64 {
    let lines = as_f64(lines) * LINE;
    match event.map(|it| &it.what) {
        Some(What::Message { .. }) => HEAD + lines + 6.0,
        Some(What::Node { .. }) => lines + 5.0,
        Some(What::Cluster(_) | What::Broken(_)) | None => lines + 10.0,
    }
}
