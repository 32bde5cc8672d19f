//! A diagram as SVG: one lane a node, time downwards, a row for each step.
//!
//! [`layout`] decides where everything is; this module writes it down. The rules: no text is
//! smaller than [`layout::TEXT`] on the smallest screen, nothing is told by colour alone, and
//! the picture names no colour: its classes do, in [`STYLE`].
//!
//! What a stepper needs is in the picture: each step is a `g` with the class `event`, its
//! number in `data-step`, the lower edge of its row in `data-bottom`, and the trace's line in
//! its `title`.

mod draw;
mod layout;
mod strip;

use std::fmt::Write as _;

use crate::frame::Frame;
use crate::steps::{KeepAlive, steps};
use crate::trace::{Change, Event, Fate, Role, Trace, What};

/// The stylesheet of all diagrams. A page that shows one has it among its own.
pub const STYLE: &str = include_str!("../../../../book/theme/diagram.css");

/// Where a picture is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Place {
    /// On a page that has [`STYLE`] among its stylesheets.
    #[default]
    Page,
    /// In a file of its own, which brings [`STYLE`] with it.
    File,
}

/// How a picture is drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Look {
    /// Whether heartbeats and their answers are drawn one by one.
    pub keep_alive: KeepAlive,
    /// Where the picture is shown.
    pub place: Place,
}

/// The trace as one `svg` element, which ends with a line break and has no empty line.
pub fn svg(trace: &Trace, look: &Look) -> String {
    let steps = steps(trace, look.keep_alive);
    let sheet = layout::lay_out(trace, &steps);
    let frame = Frame {
        title: &trace.title(),
        description: &in_words(trace),
        width: sheet.width,
        height: sheet.height,
        class: Some("sequence"),
        properties: Some(&format!("--seq-width: {}px", sheet.width)),
        style: (look.place == Place::File).then_some(STYLE),
    };
    frame.around(&draw::draw(trace, &steps, &sheet))
}

/// The picture's story in short. Who wants all of it reads the trace.
fn in_words(trace: &Trace) -> String {
    let nodes: Vec<String> = trace.nodes().iter().map(|it| format!("n{it}")).collect();
    let (mut messages, mut lost) = (0, 0);
    let mut told = String::new();
    for event in trace.events() {
        let what = &event.what;
        match what {
            What::Message { fate, .. } => {
                messages += 1;
                lost += usize::from(*fate == Fate::Lost);
            }
            What::Node { node, change, .. } => {
                if let Change::Became {
                    role: Role::Leader,
                    term,
                } = change
                {
                    let time = event.time;
                    // Writing to a string cannot fail.
                    let _ = write!(told, " At {time} n{node} becomes leader of term {term}.");
                }
            }
            What::Broken(words) => {
                let _ = write!(told, " It ends badly: {words}.");
            }
            What::Cluster(_) => {}
        }
    }
    let time = |event: &Event| event.time.to_string();
    let begin = trace.events().first().map(time);
    let end = trace.events().last().map(time);
    let lanes = match &nodes[..] {
        [] => "No lane".to_owned(),
        [only] => format!("One lane, for {only}"),
        several => format!("{} lanes, for {}", several.len(), several.join(", ")),
    };
    let unit = trace.unit();
    format!(
        "A sequence diagram. {lanes}; time runs downwards from {} to {} {unit}; {messages} \
         messages, {lost} of them lost.{told}",
        begin.unwrap_or_default(),
        end.unwrap_or_default()
    )
}
