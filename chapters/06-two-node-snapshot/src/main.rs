//! Tells chapter 6's story in the terminal.

use std::process::ExitCode;

use ch01_single_node_cluster::cli;
use ch06_two_node_snapshot::story;

fn main() -> ExitCode {
    cli::main(
        env!("CARGO_PKG_NAME"),
        "Chapter 6: a snapshot takes the place of the log's beginning.",
        story::tell,
    )
}
