//! The command line: what a run begins with, and how much of it is told.

use std::ffi::{OsStr, OsString};
use std::process::ExitCode;

use ch01_single_node_cluster::cli::{UsageError, number_up_to, run, seed_of};
use ch07_detour_change_state_machine::{Paced, Sum};

use crate::story::{Detail, tell};
use crate::{Chance, Setting};

/// What was asked for on the command line.
#[derive(Debug, PartialEq)]
pub enum Request {
    /// To tell a run.
    Tell(Setting, Detail),
    /// To say how the program is used.
    Help,
}

/// How many numbers may be proposed at most. A run of more would take minutes.
const MOST_PROPOSALS: u64 = 10_000;

/// The whole of `main`. Ends with 2 for a wrong command line, and with 1 for anything
/// else that goes wrong.
pub fn main() -> ExitCode {
    let request = parse(std::env::args_os().skip(1));
    let package = env!("CARGO_PKG_NAME");
    run(package, request, |request, out| match request {
        Request::Help => Ok(out.write_all(HELP.as_bytes())?),
        Request::Tell(setting, detail) => tell::<Paced<Sum>>(setting, detail, out),
    })
}

/// Reads the arguments that follow the program's name.
pub fn parse(args: impl IntoIterator<Item = impl Into<OsString>>) -> Result<Request, UsageError> {
    use lexopt::prelude::*;
    let mut parser = lexopt::Parser::from_args(args);
    let (mut setting, mut detail) = (Setting::usual(1), Detail::Events);
    while let Some(argument) = parser.next()? {
        match argument {
            Short('h') | Long("help") => return Ok(Request::Help),
            Long("seed") => setting.seed = seed_of(&parser.value()?)?,
            Long("drop") => setting.drop = drop(&parser.value()?)?,
            Long("proposals") => {
                let value = parser.value()?;
                setting.proposals = number_up_to(MOST_PROPOSALS, "--proposals", &value)?;
            }
            Long("messages") => detail = Detail::Messages,
            Short(_) | Long(_) | Value(_) => return Err(argument.unexpected().into()),
        }
    }
    Ok(Request::Tell(setting, detail))
}

fn drop(value: &OsStr) -> Result<Chance, UsageError> {
    let drop = value.to_str().and_then(|text| text.parse().ok());
    let takes = "--drop takes a number from 0 to 1, as in 0.25 for a quarter of the messages";
    drop.ok_or_else(|| UsageError::wrong_value(takes, value))
}

const HELP: &str = "\
Chapter 8: three nodes agree while messages get lost and nodes stop.

Usage: cargo run -p ch08-running-cluster -- [--seed N] [--drop P]
           [--proposals N] [--messages]

Options:
  --seed N       where the randomness begins; the same seed prints the same
                 story (default: 1)
  --drop P       how many of the messages get lost while the weather is bad,
                 from 0 for none to 1 for all (default: 0.25)
  --proposals N  how many numbers are proposed in that time (default: 50)
  --messages     tell each message too
  -h, --help     this text
";

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(args: &[&str]) -> Result<Request, UsageError> {
        parse(args.iter().copied())
    }

    #[test]
    fn without_arguments_the_usual_run_of_seed_1_is_told() {
        let usual = Request::Tell(Setting::usual(1), Detail::Events);
        assert_eq!(parsed(&[]), Ok(usual));
    }

    #[test]
    fn a_replay_command_leads_to_the_run_that_it_was_made_for() {
        for (seed, drop, proposals) in [(7, "0.25", 50), (u64::MAX, "0.123456789", 0), (0, "1", 9)]
        {
            let setting = Setting {
                seed,
                drop: drop.parse().expect("a chance"),
                proposals,
            };
            let command = setting.replay();
            let args = command.split(' ').skip_while(|word| *word != "--").skip(1);
            let request = parse(args).expect("its own command");
            assert_eq!(request, Request::Tell(setting, Detail::Events), "{command}");
        }
    }

    #[test]
    fn everything_can_be_given() {
        let request = parsed(&["--messages", "--proposals=3", "--drop", "1", "--seed", "2"]);
        let setting = Setting {
            seed: 2,
            drop: Chance::percent(100),
            proposals: 3,
        };
        assert_eq!(request, Ok(Request::Tell(setting, Detail::Messages)));
        assert_eq!(parsed(&["--seed", "x", "-h"]).ok(), None);
        assert_eq!(parsed(&["-h", "--seed", "x"]), Ok(Request::Help));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let message = |args: &[&str]| parsed(args).unwrap_err().to_string();
        let drop = "--drop takes a number from 0 to 1, as in 0.25 for a quarter of the messages";
        for value in ["x", "1.5", "-0.1", "25", "NaN", ""] {
            assert_eq!(
                message(&["--drop", value]),
                format!("{drop}, not '{value}'")
            );
        }
        assert_eq!(
            message(&["--seed", "-1"]),
            "--seed takes a whole number from 0 on, not '-1'"
        );
        assert_eq!(
            message(&["--proposals", "10001"]),
            "--proposals takes a whole number from 0 to 10000, not '10001'"
        );
        assert_eq!(message(&["--drop"]), "missing argument for option '--drop'");
        assert_eq!(message(&["--sede", "7"]), "invalid option '--sede'");
        assert_eq!(message(&["7"]), "unexpected argument \"7\"");
        assert!(message(&["--messages=yes"]).contains("unexpected"));
    }
}
