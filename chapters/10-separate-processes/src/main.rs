//! Runs one node; `--help` says how.

use std::process::ExitCode;

fn main() -> ExitCode {
    ch10_separate_processes::cli::main(std::env::args_os())
}
