//! The command line: to tell the story, or to measure.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use ch01_single_node_cluster::Result;

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
    let request = match parse(std::env::args_os().skip(1)) {
        Ok(request) => request,
        Err(wrong) => {
            let help = "cargo run -p ch09-asynchronous-storage-writes -- --help";
            eprintln!("error: {wrong}\n\nTry: {help}");
            return ExitCode::from(2);
        }
    };
    match answer(request) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => match error.downcast_ref::<io::Error>() {
            // A reader that went away (`| head`) has seen what it wanted.
            Some(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
            _ => {
                eprintln!("error: {error}");
                ExitCode::FAILURE
            }
        },
    }
}

fn answer(request: Request) -> Result<()> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    match request {
        Request::Help => out.write_all(HELP.as_bytes())?,
        Request::Tell { seed } => story::tell(seed, &mut out)?,
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
    Ok(out.flush()?)
}

/// Reads the arguments that follow the program's name; says what is wrong with them.
pub fn parse(
    args: impl IntoIterator<Item = impl Into<OsString>>,
) -> std::result::Result<Request, String> {
    use lexopt::prelude::*;
    let mut parser = lexopt::Parser::from_args(args);
    let (mut seed, mut delay, mut out, mut measures) = (None, None, None, false);
    while let Some(argument) = parser.next().map_err(|error| error.to_string())? {
        match argument {
            Short('h') | Long("help") => return Ok(Request::Help),
            Long("measure") => measures = true,
            Long("seed") => {
                let value = parser.value().map_err(|error| error.to_string())?;
                seed = Some(number(&value).ok_or_else(|| {
                    format!(
                        "--seed takes a whole number from 0 on, not '{}'",
                        value.to_string_lossy()
                    )
                })?);
            }
            Long("delay-ms") => {
                let value = parser.value().map_err(|error| error.to_string())?;
                let given = number(&value).filter(|delay| *delay <= MAX_DELAY);
                delay = Some(given.ok_or_else(|| {
                    format!(
                        "--delay-ms takes a whole number from 0 to {MAX_DELAY}, not '{}'",
                        value.to_string_lossy()
                    )
                })?);
            }
            Long("out") => {
                let value = parser.value().map_err(|error| error.to_string())?;
                out = Some(PathBuf::from(value));
            }
            Short(_) | Long(_) | Value(_) => return Err(argument.unexpected().to_string()),
        }
    }
    if measures && seed.is_some() {
        return Err("--measure has no story, so it takes no --seed".into());
    }
    if !measures && (delay.is_some() || out.is_some()) {
        return Err("--delay-ms and --out belong to --measure".into());
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

fn number(value: &OsString) -> Option<u64> {
    value.to_str().and_then(|text| text.parse().ok())
}
