//! `cargo exercise`; see the library.

fn main() -> std::process::ExitCode {
    exercise_tool::main()
}
