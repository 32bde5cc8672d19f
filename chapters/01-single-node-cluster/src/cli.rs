//! The command line of the early chapters' programs: one flag, clear errors.

use std::ffi::OsString;
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

impl fmt::Display for UsageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The whole of a chapter's `main`: reads the command line, tells the story, and turns
/// what went wrong into a message and an exit code: 2 for a wrong command line, 1 for
/// anything else.
pub fn main(package: &str, about: &str, story: Story) -> ExitCode {
    match parse(std::env::args_os().skip(1)) {
        Ok(Request::Help) => finish(io::stdout().write_all(help(package, about).as_bytes())),
        Ok(Request::Tell { seed }) => {
            let mut out = io::BufWriter::new(io::stdout().lock());
            let told = story(seed, &mut out).and_then(|()| Ok(out.flush()?));
            match told {
                Ok(()) => ExitCode::SUCCESS,
                Err(error) => match error.downcast::<io::Error>() {
                    Ok(error) => finish(Err(*error)),
                    Err(error) => failed(&error),
                },
            }
        }
        Err(wrong) => {
            eprintln!("error: {wrong}\n\nTry: cargo run -p {package} -- --help");
            ExitCode::from(2)
        }
    }
}

/// A reader that went away (`| head`) has seen what it wanted.
fn finish(written: io::Result<()>) -> ExitCode {
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => failed(&error),
        _ => ExitCode::SUCCESS,
    }
}

fn failed(error: &dyn fmt::Display) -> ExitCode {
    eprintln!("error: {error}");
    ExitCode::FAILURE
}

/// Reads the arguments that follow the program's name.
pub fn parse(args: impl IntoIterator<Item = impl Into<OsString>>) -> Result<Request, UsageError> {
    use lexopt::prelude::*;
    let mut parser = lexopt::Parser::from_args(args);
    let mut seed = 1;
    while let Some(argument) = parser
        .next()
        .map_err(|error| UsageError(error.to_string()))?
    {
        match argument {
            Short('h') | Long("help") => return Ok(Request::Help),
            Long("seed") => {
                let value = parser
                    .value()
                    .map_err(|error| UsageError(error.to_string()))?;
                seed = value
                    .to_str()
                    .and_then(|text| text.parse().ok())
                    .ok_or_else(|| {
                        let value = value.to_string_lossy();
                        UsageError(format!(
                            "--seed takes a whole number from 0 on, not '{value}'"
                        ))
                    })?;
            }
            Short(_) | Long(_) | Value(_) => {
                return Err(UsageError(argument.unexpected().to_string()));
            }
        }
    }
    Ok(Request::Tell { seed })
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
