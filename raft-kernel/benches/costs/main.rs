//! What the engine costs: `cargo bench -p raft-kernel`, and with `-- --help` what can be
//! chosen.
//!
//! Everything runs in memory on one thread, `MemoryStorage` included: see
//! `tests/cluster`. The rounds of all lines of a table take turns, so that whatever else
//! the machine does hits all of them alike. Times depend on the machine; allocations and
//! calls of the storage do not, and `tests/allocations.rs` bounds them.

#[path = "../../tests/cluster/mod.rs"]
mod cluster;

mod backlog;
mod changes;
mod commit;
mod length;
mod memory;
mod options;
mod ready;
mod table;

use std::process::ExitCode;

use options::{Asked, HELP, Options};

fn main() -> ExitCode {
    match options::parse(std::env::args().skip(1)) {
        Ok(Asked::Help) => print!("{HELP}"),
        Ok(Asked::Measure(options)) => measure(&options),
        Err(wrong) => {
            eprintln!("error: {wrong}\n\n{HELP}");
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}

fn measure(options: &Options) {
    let groups = [
        commit::table,
        ready::table,
        length::table,
        changes::table,
        backlog::table,
    ];
    for group in groups {
        group(options).print(options);
    }
    memory::print(options);
}
