//! The command line of `cargo book`.

use std::path::PathBuf;
use std::time::Duration;

use clap::error::ErrorKind;
use clap::{Args, CommandFactory, Parser, Subcommand};

/// Builds, serves and checks the book.
///
/// Without a command it serves the book and opens it in the browser.
#[derive(Debug, Parser)]
#[command(name = "book", bin_name = "cargo book", after_help = EXAMPLES)]
pub(crate) struct Cli {
    /// The folder that holds book.toml [default: the nearest one at or above the
    /// current folder]
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) root: Option<PathBuf>,

    #[command(flatten)]
    serve: ServeOptions,

    #[command(subcommand)]
    command: Option<Command>,
}

const EXAMPLES: &str = "\
Examples:
  cargo book                     read the book, and see it change while you write
  cargo book serve --port 4000   the same at an address of your choice
  cargo book check               what continuous integration runs
  cargo book update              put into the pages what the programs print now";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Builds the book and serves it on this computer, until Ctrl-C
    ///
    /// The page in the browser reloads itself whenever a page, a chapter's code or
    /// book.toml changes.
    Serve(ServeOptions),

    /// Builds the book and says where it is
    ///
    /// Fails if a listing is broken, if SUMMARY.md and the pages disagree, or if
    /// mdBook warns of anything.
    Build,

    /// Builds the book and checks all that it claims
    ///
    /// Every listing is compiled code, every link leads somewhere, and every console
    /// block shows what its command prints: `$ cargo run -p …` and `$ cargo test -p
    /// …` are run, and `[...]` on the page stands for any lines, `[..]` for any text
    /// of a line. Tests run one at a time, so that they print in the order of their
    /// names. Every diagram's trace is what its command writes. Lists all problems; exits with 1 if there are any.
    Check(RunOptions),

    /// Runs the commands of the console blocks and of the diagrams' traces, and writes
    /// what they print into the pages and the traces
    ///
    /// Lines with `[..]` and elisions `[...]` stay where they still match. Look at
    /// the difference before you commit it.
    Update(RunOptions),
}

#[derive(Debug, Default, Clone, Args)]
pub(crate) struct ServeOptions {
    /// Serve at exactly this port; 0 lets the system choose [default: the first
    /// free one from 3000 on]
    #[arg(long, value_name = "N")]
    pub(crate) port: Option<u16>,

    /// Do not open the browser
    #[arg(long)]
    pub(crate) no_open: bool,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct RunOptions {
    /// How long each command may run, not counting its compilation
    #[arg(long, value_name = "SECONDS", default_value_t = 120)]
    time_limit: u64,
}

impl RunOptions {
    pub(crate) fn time_limit(&self) -> Duration {
        Duration::from_secs(self.time_limit)
    }
}

impl Cli {
    /// The command; options before it belong to `serve` and to nothing else.
    pub(crate) fn into_command(self) -> Command {
        let early = self.serve;
        match self.command {
            None => Command::Serve(early),
            Some(Command::Serve(options)) => Command::Serve(ServeOptions {
                port: options.port.or(early.port),
                no_open: options.no_open || early.no_open,
            }),
            Some(_) if early.port.is_some() || early.no_open => Self::command()
                .error(
                    ErrorKind::ArgumentConflict,
                    "--port and --no-open belong to `serve`",
                )
                .exit(),
            Some(command) => command,
        }
    }
}
