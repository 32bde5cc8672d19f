//! Tells chapter 5's story in the terminal.

use std::process::ExitCode;

use ch01_single_node_cluster::cli;
use ch05_two_node_cluster::story;

fn main() -> ExitCode {
    cli::main(
        env!("CARGO_PKG_NAME"),
        "Chapter 5: a second node joins, and nodes send messages.",
        story::tell,
    )
}
