//! What can be asked for.

use std::ops::RangeInclusive;
use std::path::PathBuf;

use lexopt::ValueExt as _;

use crate::check::Property;

pub(super) const HELP: &str = "\
Tries to break the engine: clusters in one thread, in virtual time, to which a seed does
everything that may happen to a cluster. Whatever breaks is made as short as possible, told,
and written to a file.

usage: cargo sim [--seeds A..B] [options]

  --seeds A..B      tries the seeds from A to B [1..1000]
  --seed N          tries one seed
  --plan FILE       carries out a plan from a file, as a failure leaves one
  --trace           tells the story of every run, failure or not; best with one seed
  --mode MODE       safety: the cluster need not get well at the end
                    liveness: only that counts; both [both]
  --property NAME   only this one counts as a failure
  --as-it-is        does not make failures short
  --first           ends at the first failure
  --out DIR         where traces and plans of failures go [target/sim]
  --jobs N          so many seeds at a time [as many as there are cores]
  --help            shows this

Ends with 0 if nothing was found, 1 if something was, 2 if it cannot do what was asked.";

/// What runs must do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    Safety,
    Liveness,
    Both,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Source {
    Seeds(RangeInclusive<u64>),
    Plan(PathBuf),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Options {
    pub(super) source: Source,
    pub(super) trace: bool,
    pub(super) mode: Mode,
    pub(super) property: Option<Property>,
    pub(super) shrinks: bool,
    pub(super) first: bool,
    pub(super) out: PathBuf,
    pub(super) jobs: usize,
}

pub(super) enum Command {
    Help,
    Search(Box<Options>),
}

impl Options {
    fn usual() -> Self {
        Options {
            source: Source::Seeds(1..=1000),
            trace: false,
            mode: Mode::Both,
            property: None,
            shrinks: true,
            first: false,
            out: PathBuf::from("target/sim"),
            jobs: std::thread::available_parallelism().map_or(1, usize::from),
        }
    }

    /// What counts as a failure, if not everything does.
    pub(super) fn only(&self) -> Option<Property> {
        match self.mode {
            Mode::Liveness => Some(Property::Liveness),
            Mode::Safety | Mode::Both => self.property,
        }
    }
}

pub(super) fn parse(mut parser: lexopt::Parser) -> Result<Command, lexopt::Error> {
    use lexopt::Arg::Long;
    let mut options = Options::usual();
    while let Some(arg) = parser.next()? {
        match arg {
            Long("seeds") => options.source = Source::Seeds(parser.value()?.parse_with(range)?),
            Long("seed") => {
                let seed = parser.value()?.parse()?;
                options.source = Source::Seeds(seed..=seed);
            }
            Long("plan") => options.source = Source::Plan(parser.value()?.into()),
            Long("trace") => options.trace = true,
            Long("mode") => options.mode = parser.value()?.parse_with(mode)?,
            Long("property") => options.property = Some(parser.value()?.parse()?),
            Long("as-it-is") => options.shrinks = false,
            Long("first") => options.first = true,
            Long("out") => options.out = parser.value()?.into(),
            Long("jobs") => options.jobs = parser.value()?.parse_with(jobs)?,
            Long("help") | lexopt::Arg::Short('h') => return Ok(Command::Help),
            _ => return Err(arg.unexpected()),
        }
    }
    if options.mode == Mode::Liveness && options.property.is_some() {
        return Err("--mode liveness looks for one property already; leave --property out".into());
    }
    Ok(Command::Search(Box::new(options)))
}

/// `A..B`, both included.
fn range(text: &str) -> Result<RangeInclusive<u64>, String> {
    let wrong = || format!("--seeds wants two numbers, as in 1..1000, not {text}");
    let (from, to) = text.split_once("..").ok_or_else(wrong)?;
    let from: u64 = from.parse().map_err(|_| wrong())?;
    let to: u64 = to.parse().map_err(|_| wrong())?;
    if from > to {
        return Err(format!("--seeds {text}: there is no seed in it"));
    }
    Ok(from..=to)
}

fn mode(text: &str) -> Result<Mode, String> {
    match text {
        "safety" => Ok(Mode::Safety),
        "liveness" => Ok(Mode::Liveness),
        "both" => Ok(Mode::Both),
        _ => Err(format!("--mode is safety, liveness or both, not {text}")),
    }
}

fn jobs(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) | Err(_) => Err(format!("--jobs wants a number from 1 on, not {text}")),
        Ok(jobs) => Ok(jobs),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(args: &[&str]) -> Result<Box<Options>, String> {
        match parse(lexopt::Parser::from_args(args)) {
            Ok(Command::Search(options)) => Ok(options),
            Ok(Command::Help) => Err("help".to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn seeds_are_a_range_with_both_ends() {
        let options = parsed(&["--seeds", "3..5", "--mode=safety", "--jobs", "2"]).unwrap();
        assert_eq!(options.source, Source::Seeds(3..=5));
        assert_eq!((options.mode, options.jobs), (Mode::Safety, 2));
        assert_eq!(
            parsed(&["--seed", "7"]).unwrap().source,
            Source::Seeds(7..=7)
        );
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_a_reason() {
        for args in [
            ["--seeds", "5..3"],
            ["--seeds", "5"],
            ["--mode", "fast"],
            ["--jobs", "0"],
            ["--property", "beauty"],
        ] {
            let error = parsed(&args).unwrap_err();
            assert!(
                error.contains(args[1]) || error.contains("no property"),
                "{error}"
            );
        }
        assert!(parsed(&["--fast"]).is_err());
    }
}
