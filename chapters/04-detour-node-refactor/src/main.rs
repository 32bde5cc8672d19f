//! Tells chapter 4's story in the terminal.

use std::process::ExitCode;

use ch01_single_node_cluster::cli;
use ch04_detour_node_refactor::story;

fn main() -> ExitCode {
    cli::main(
        env!("CARGO_PKG_NAME"),
        "Chapter 4: the story of chapter 2, told by one type.",
        story::tell,
    )
}
