//! Runs one node; `--help` says how.

use std::process::ExitCode;

fn main() -> ExitCode {
    ch11_persistence_shutdown::cli::main(std::env::args_os())
}
