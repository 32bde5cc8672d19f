//! Tells chapter 7's story in the terminal.

use std::process::ExitCode;

use ch01_single_node_cluster::cli;
use ch07_detour_change_state_machine::story;

fn main() -> ExitCode {
    cli::main(
        env!("CARGO_PKG_NAME"),
        "Chapter 7: another state machine, and every node compacts at its own pace.",
        story::tell,
    )
}
