//! `{{#diagram FILE}}`: what a run did, as a sequence diagram that one can step through.
//!
//! The file is a trace; the crate `diagram` says how it is written and draws it. Here the
//! picture gets its caption and, below, the trace itself for readers who cannot see it. The
//! controls are made by `stepper.js`: without scripts the whole picture shows, and no
//! control that does nothing.
//!
//! Runs of heartbeats are folded; `{{#diagram FILE whole}}` draws each of them.

use std::path::Path;

use diagram::{KeepAlive, Look, Place, Trace, svg};

use super::listing;
use crate::finding::Problem;
use crate::workspace::Workspace;

/// A page with a picture of more bytes is slow to load, and nobody looks at it to its end.
const MAX_BYTES: usize = 200 * 1024;

const HOW_TO_WRITE: &str = "mend the program that writes the trace, and let it write it again; \
     the format is told in the documentation of the crate `diagram`";

const HOW_TO_DRAW: &str = "write {{#diagram PATH}} or {{#diagram PATH whole}} on a line of its \
     own, with the path of a trace from the page";

/// The figure for the trace that `argument` names, and the trace below it.
pub(crate) fn expand(
    argument: &str,
    page_folder: &Path,
    workspace: &Workspace,
) -> Result<String, Problem> {
    let (path, keep_alive) = match argument.split_whitespace().collect::<Vec<_>>()[..] {
        [path] => (path, KeepAlive::Folded),
        [path, "whole"] => (path, KeepAlive::Drawn),
        _ => {
            return Err(Problem::new(
                format!("`{argument}` does not name one trace"),
                HOW_TO_DRAW,
            ));
        }
    };
    let file = listing::read(path, page_folder, workspace)?;
    let text = file.lines().join("\n");
    let trace = Trace::parse(&text).map_err(|error| {
        let what = format!("{}:{}: {}", file.shown(), error.line, error.reason);
        Problem::new(what, HOW_TO_WRITE)
    })?;
    let look = Look {
        keep_alive,
        place: Place::Page,
    };
    let picture = svg(&trace, &look);
    if picture.len() > MAX_BYTES {
        return Err(Problem::new(
            format!(
                "the diagram of {} has {} KiB, more than {}",
                file.shown(),
                picture.len() / 1024,
                MAX_BYTES / 1024
            ),
            "draw a shorter run, or fold its heartbeats",
        ));
    }
    Ok(figure(&trace, &text, &picture))
}

/// One block of HTML: an empty line in it would end the block in Markdown.
fn figure(trace: &Trace, text: &str, picture: &str) -> String {
    let title = listing::escape(&trace.title());
    let again = trace
        .heading("command")
        .map_or_else(String::new, |command| {
            let command = listing::escape(command);
            format!(" To write this trace again: <code>{command}</code>")
        });
    let stop = if title.ends_with(['.', '?', '!']) {
        ""
    } else {
        "."
    };
    let text = listing::escape(text);
    let html = format!(
        "<figure class=\"stepper\">\n\
         <div class=\"stepper-sheet\">\n{picture}</div>\n\
         <figcaption>{title}{stop}{again}</figcaption>\n\
         </figure>\n\
         <details class=\"stepper-trace\">\n\
         <summary>The same run as text</summary>\n\
         <pre>{text}</pre>\n\
         </details>\n"
    );
    // What the trace says is no directive of mdBook's.
    html.replace("{{", "&#123;&#123;")
}
