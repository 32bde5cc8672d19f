//! Tells chapter 8's story in the terminal.

use std::process::ExitCode;

use ch08_running_cluster::cli;

fn main() -> ExitCode {
    cli::main()
}
