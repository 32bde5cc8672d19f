//! Tells chapter 1's story in the terminal.

use std::process::ExitCode;

use ch01_single_node_cluster::{cli, story};

fn main() -> ExitCode {
    cli::main(
        env!("CARGO_PKG_NAME"),
        "Chapter 1: a node that is alone becomes its own leader.",
        story::tell,
    )
}
