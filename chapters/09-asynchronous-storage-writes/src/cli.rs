//! The command line: to tell the story, or to measure.

use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use ch01_single_node_cluster::cli::{UsageError, number_up_to, run, seed_of};

use crate::measure::{Plan, as_csv, measure};
use crate::story;

const HELP: &str = "\
Chapter 9: one thread writes, one applies, and the loop waits for neither.

Usage: cargo run -p ch09-asynchronous-storage-writes -- [--seed N]
       cargo run --release -p ch09-asynchronous-storage-writes -- --measure
           [--delay-ms N] [--out FILE]

Options:
  --seed N      where the randomness begins; the same seed prints the same
                story (default: 1)
  --measure     compares the synchronous with the asynchronous loop
  --delay-ms N  how long the disk needs for a write, from 0 to 1000
                milliseconds (default: 2)
  --out FILE    where the numbers go (default: they are printed)
  -h, --help    this text
";

/// The longest delay that can be asked for, in milliseconds.
const MAX_DELAY: u64 = 1000;

/// What was asked for on the command line.
#[derive(Debug, PartialEq, Eq)]
pub enum Request {
    /// To tell the story with this seed.
    Tell {
        /// Where the randomness begins.
        seed: u64,
    },
    /// To compare the loops.
    Measure {
        /// How long the disk needs for a write.
        delay: Duration,
        /// The file for the numbers; none to print them.
        out: Option<PathBuf>,
    },
    /// To say how the program is used.
    Help,
}

/// The whole of the program: exit code 2 for a wrong command line, 1 for anything else
/// that goes wrong.
pub fn main() -> ExitCode {
    let request = parse(std::env::args_os().skip(1));
    run(env!("CARGO_PKG_NAME"), request, answer)
}

fn answer(request: Request, out: &mut dyn Write) -> ch01_single_node_cluster::Result<()> {
    match request {
        Request::Help => out.write_all(HELP.as_bytes())?,
        Request::Tell { seed } => story::tell(seed, out)?,
        Request::Measure { delay, out: file } => {
            let plan = Plan::of_the_page(delay);
            let rounds = plan.rounds;
            let rows = measure(&plan, |round| eprintln!("round {round} of {rounds}"))?;
            let csv = as_csv(&plan, &rows);
            match file {
                None => out.write_all(csv.as_bytes())?,
                Some(file) => std::fs::write(&file, csv)
                    .map_err(|error| format!("cannot write {}: {error}", file.display()))?,
            }
        }
    }
    Ok(())
}

/// Reads the arguments that follow the program's name; says what is wrong with them.
pub fn parse(args: impl IntoIterator<Item = impl Into<OsString>>) -> Result<Request, UsageError> {
    use lexopt::prelude::*;
    let mut parser = lexopt::Parser::from_args(args);
    let (mut seed, mut delay, mut out, mut measures) = (None, None, None, false);
    while let Some(argument) = parser.next()? {
        match argument {
            Short('h') | Long("help") => return Ok(Request::Help),
            Long("measure") => measures = true,
            Long("seed") => seed = Some(seed_of(&parser.value()?)?),
            Long("delay-ms") => {
                delay = Some(number_up_to(MAX_DELAY, "--delay-ms", &parser.value()?)?);
            }
            Long("out") => out = Some(PathBuf::from(parser.value()?)),
            Short(_) | Long(_) | Value(_) => return Err(argument.unexpected().into()),
        }
    }
    if measures && seed.is_some() {
        let wrong = "--measure has no story, so it takes no --seed";
        return Err(UsageError::new(wrong));
    }
    if !measures && (delay.is_some() || out.is_some()) {
        let wrong = "--delay-ms and --out belong to --measure";
        return Err(UsageError::new(wrong));
    }
    Ok(if measures {
        Request::Measure {
            delay: Duration::from_millis(delay.unwrap_or(2)),
            out,
        }
    } else {
        Request::Tell {
            seed: seed.unwrap_or(1),
        }
    })
}
