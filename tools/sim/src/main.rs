//! `cargo sim`; see the library.

fn main() -> std::process::ExitCode {
    sim::main()
}
