//! The command line of the chapters' programs: clear errors, and an exit code that says
//! how the program ended.
//!
//! Most chapters have one flag, and their `main` is here. The others read flags of their
//! own, and share the rest: what a wrong command line is answered, and the exit codes.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io::{self, Write};
use std::process::ExitCode;

/// What a program does when it is run without asking for help.
pub type Story = fn(seed: u64, out: &mut dyn Write) -> crate::Result<()>;

/// What was asked for on the command line.
#[derive(Debug, PartialEq, Eq)]
pub enum Request {
    /// To tell the story with this seed.
    Tell {
        /// Where the randomness begins.
        seed: u64,
    },
    /// To say how the program is used.
    Help,
}

/// What was wrong with the command line.
#[derive(Debug, PartialEq, Eq)]
pub struct UsageError(String);

impl UsageError {
    /// An error that says this.
    pub fn new(what: impl Into<String>) -> Self {
        UsageError(what.into())
    }

    /// The value of an option is not what it `takes`.
    pub fn wrong_value(takes: &str, value: &OsStr) -> Self {
        UsageError(format!("{takes}, not '{}'", value.to_string_lossy()))
    }
}

impl From<lexopt::Error> for UsageError {
    fn from(error: lexopt::Error) -> Self {
        UsageError(error.to_string())
    }
}

impl fmt::Display for UsageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The whole of a chapter's `main`: reads the command line, tells the story, and turns
/// what went wrong into a message and an exit code.
pub fn main(package: &str, about: &str, story: Story) -> ExitCode {
    let request = parse(std::env::args_os().skip(1));
    run(package, request, |request, out| match request {
        Request::Help => Ok(out.write_all(help(package, about).as_bytes())?),
        Request::Tell { seed } => story(seed, out),
    })
}

/// Gives the answer to what was asked for. The exit code is 2 for a wrong command line,
/// and 1 for anything else that went wrong.
pub fn run<R>(
    package: &str,
    request: Result<R, UsageError>,
    answer: impl FnOnce(R, &mut dyn Write) -> crate::Result<()>,
) -> ExitCode {
    let request = match request {
        Ok(request) => request,
        Err(wrong) => {
            eprintln!("error: {wrong}\n\nTry: cargo run -p {package} -- --help");
            return ExitCode::from(2);
        }
    };
    let mut out = io::BufWriter::new(io::stdout().lock());
    let answered = answer(request, &mut out);
    // What was told before something went wrong is part of what went wrong.
    let flushed = out.flush();
    match answered.and_then(|()| Ok(flushed?)) {
        Err(error) if !reader_went_away(&*error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
        _ => ExitCode::SUCCESS,
    }
}

/// A reader that went away (`| head`) has seen what it wanted.
fn reader_went_away(error: &(dyn std::error::Error + Send + Sync + 'static)) -> bool {
    let error = error.downcast_ref::<io::Error>();
    error.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

/// Reads the arguments that follow the program's name.
pub fn parse(args: impl IntoIterator<Item = impl Into<OsString>>) -> Result<Request, UsageError> {
    use lexopt::prelude::*;
    let mut parser = lexopt::Parser::from_args(args);
    let mut seed = 1;
    while let Some(argument) = parser.next()? {
        match argument {
            Short('h') | Long("help") => return Ok(Request::Help),
            Long("seed") => seed = seed_of(&parser.value()?)?,
            Short(_) | Long(_) | Value(_) => return Err(argument.unexpected().into()),
        }
    }
    Ok(Request::Tell { seed })
}

/// The seed that was given to `--seed`.
pub fn seed_of(value: &OsStr) -> Result<u64, UsageError> {
    let wrong = || UsageError::wrong_value("--seed takes a whole number from 0 on", value);
    whole_number(value).ok_or_else(wrong)
}

/// The number that was given to `option`, which takes no more than `most`.
pub fn number_up_to(most: u64, option: &str, value: &OsStr) -> Result<u64, UsageError> {
    let number = whole_number(value).filter(|number| *number <= most);
    number.ok_or_else(|| {
        let takes = format!("{option} takes a whole number from 0 to {most}");
        UsageError::wrong_value(&takes, value)
    })
}

fn whole_number(value: &OsStr) -> Option<u64> {
    value.to_str().and_then(|text| text.parse().ok())
}

fn help(package: &str, about: &str) -> String {
    format!(
        "{about}

Usage: cargo run -p {package} -- [--seed N]

Options:
  --seed N    where the randomness begins; the same seed prints the same
              story (default: 1)
  -h, --help  this text
"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(args: &[&str]) -> Result<Request, UsageError> {
        parse(args.iter().copied())
    }

    #[test]
    fn without_arguments_the_story_is_told_with_seed_1() {
        assert_eq!(parsed(&[]), Ok(Request::Tell { seed: 1 }));
    }

    #[test]
    fn a_seed_can_be_given_in_both_usual_ways() {
        assert_eq!(parsed(&["--seed", "7"]), Ok(Request::Tell { seed: 7 }));
        assert_eq!(parsed(&["--seed=7"]), Ok(Request::Tell { seed: 7 }));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let message = |args: &[&str]| parsed(args).unwrap_err().to_string();
        assert_eq!(message(&["--sed", "7"]), "invalid option '--sed'");
        assert_eq!(message(&["7"]), "unexpected argument \"7\"");
        assert_eq!(
            message(&["--seed", "x"]),
            "--seed takes a whole number from 0 on, not 'x'"
        );
        assert_eq!(
            message(&["--seed", "-1"]),
            "--seed takes a whole number from 0 on, not '-1'"
        );
        assert_eq!(message(&["--seed"]), "missing argument for option '--seed'");
    }
}
