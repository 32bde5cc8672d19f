//! `cargo sim`: options, and what comes of them.

mod options;
mod progress;
mod report;
mod search;

use std::process::ExitCode;

use options::{Command, Options};

/// Prints a line, if anybody still reads: `cargo sim --seed 7 --trace | head` is no failure.
macro_rules! say {
    ($($words:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stdout(), $($words)*);
    }};
}
use say;

/// Runs the command line. 0: nothing was found; 1: a failure was; 2: it was not understood.
pub fn main() -> ExitCode {
    match options::parse(lexopt::Parser::from_env()) {
        Ok(Command::Help) => {
            say!("{}", options::HELP);
            ExitCode::SUCCESS
        }
        Ok(Command::Search(options)) => search(&options),
        Err(error) => {
            eprintln!("{error}\n`cargo sim --help` shows what there is.");
            ExitCode::from(2)
        }
    }
}

fn search(options: &Options) -> ExitCode {
    match search::search(options) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}
