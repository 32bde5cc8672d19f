//! The program's command line: which cases to print.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::io;
use std::process::ExitCode;

use ch01_single_node_cluster::cli::{UsageError, run};

use crate::case::{Case, Topic};
use crate::cases::{case, cases};
use crate::text::{LEGEND, as_text};

const HELP: &str = "\
Every case of appending to a log, taking a snapshot, compacting and reading, each run
on a real MemoryStorage and shown before and after.

Usage: cargo run -p ch03-detour-memory-storage -- [--list | --case NAME]

Options:
  --list       the names of the cases
  --case NAME  one case only
  -h, --help   this text
";

/// What was asked for on the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// Print every case.
    All,
    /// Print the case of this name, which exists.
    One(String),
    /// Print the names.
    List,
    /// Say how the program is used.
    Help,
}

/// The whole of the program. A wrong command line ends in exit code 2.
pub fn main() -> ExitCode {
    let request = parse(std::env::args_os().skip(1));
    run(env!("CARGO_PKG_NAME"), request, |request, out| {
        let printed = out.write_all(answer(&request).as_bytes());
        let printed = printed.and_then(|()| out.flush());
        // The error keeps its kind, which says whether the reader went away.
        Ok(printed
            .map_err(|error| io::Error::new(error.kind(), format!("cannot print: {error}")))?)
    })
}

/// Reads the arguments that follow the program's name; says what is wrong with them.
pub fn parse(args: impl IntoIterator<Item = impl Into<OsString>>) -> Result<Request, UsageError> {
    use lexopt::prelude::*;
    let mut parser = lexopt::Parser::from_args(args);
    let mut request = Request::All;
    while let Some(argument) = parser.next()? {
        let asked = match argument {
            Short('h') | Long("help") => return Ok(Request::Help),
            Long("list") => Request::List,
            Long("case") => known_case(&parser.value()?.to_string_lossy())?,
            Short(_) | Long(_) | Value(_) => return Err(argument.unexpected().into()),
        };
        if request != Request::All {
            let wrong = "--list and --case can be given once, and not together";
            return Err(UsageError::new(wrong));
        }
        request = asked;
    }
    Ok(request)
}

fn known_case(name: &str) -> Result<Request, UsageError> {
    match case(name) {
        Some(_) => Ok(Request::One(name.to_string())),
        None => Err(UsageError::new(format!(
            "there is no case '{name}'; --list prints the names"
        ))),
    }
}

/// What is printed for a request.
pub fn answer(request: &Request) -> String {
    match request {
        Request::Help => HELP.to_string(),
        Request::List => list(),
        Request::One(name) => case(name).map(|case| as_text(&case)).unwrap_or_default(),
        Request::All => story(),
    }
}

/// Every case under the heading of its topic.
fn story() -> String {
    let mut text = format!("{LEGEND}\n");
    by_topic(&mut text, |text, case| {
        let _ = writeln!(text, "{}", as_text(case));
    });
    text.truncate(text.trim_end().len());
    text + "\n"
}

fn list() -> String {
    let mut text = String::new();
    by_topic(&mut text, |text, case| {
        let _ = writeln!(text, "  {:<30} {}", case.name, case.title);
    });
    text
}

// Writing to a string cannot fail.
fn by_topic(text: &mut String, add: impl Fn(&mut String, &Case)) {
    let mut topic: Option<Topic> = None;
    for case in cases() {
        if topic.replace(case.topic) != Some(case.topic) {
            let heading = case.topic.title();
            let gap = if text.is_empty() || text.ends_with("\n\n") {
                ""
            } else {
                "\n"
            };
            let _ = writeln!(text, "{gap}{heading}\n{}\n", "-".repeat(heading.len()));
        }
        add(text, &case);
    }
}
