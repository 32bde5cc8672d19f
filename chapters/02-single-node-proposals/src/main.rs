//! Tells chapter 2's story in the terminal.

use std::process::ExitCode;

use ch01_single_node_cluster::cli;
use ch02_single_node_proposals::story;

fn main() -> ExitCode {
    cli::main(
        env!("CARGO_PKG_NAME"),
        "Chapter 2: commands become entries, and entries reach a state machine.",
        story::tell,
    )
}
