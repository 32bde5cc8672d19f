//! Why a command ends without what was asked for, and the exit code that says so.

use std::fmt;
use std::io;
use std::path::Path;
use std::process::ExitCode;

/// Why a command ended early.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The command line asks for something that there is not.
    Usage(String),
    /// What was asked for did not come about.
    Failed(String),
    /// All that is to be said has been said: a claim does not hold.
    Told,
    /// Somebody pressed Ctrl-C.
    Stopped,
}

impl Failure {
    /// `what` cannot be done to a file.
    pub(crate) fn file(what: &str, path: &Path, error: &io::Error) -> Self {
        Failure::Failed(format!("cannot {what} {}: {error}", path.display()))
    }

    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Failure::Failed(_) | Failure::Told => ExitCode::FAILURE,
            Failure::Usage(_) => ExitCode::from(2),
            // As shells say it of a program that Ctrl-C ended.
            Failure::Stopped => ExitCode::from(130),
        }
    }

    /// What is still to be said.
    pub(crate) fn words(&self) -> Option<String> {
        (*self != Failure::Told).then(|| self.to_string())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Usage(why) => write!(
                f,
                "error: {why}\n`cargo exercise --help` shows what there is."
            ),
            Failure::Failed(why) => write!(f, "error: {why}"),
            Failure::Told => f.write_str("not all claims hold"),
            Failure::Stopped => f.write_str("stopped"),
        }
    }
}

impl std::error::Error for Failure {}
