//! Tells chapter 9's story in the terminal, or measures.

use std::process::ExitCode;

fn main() -> ExitCode {
    ch09_asynchronous_storage_writes::cli::main()
}
