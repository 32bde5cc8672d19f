//! Prints what a storage does in every case, as pictures in text.

use std::process::ExitCode;

fn main() -> ExitCode {
    ch03_detour_memory_storage::cli::main()
}
