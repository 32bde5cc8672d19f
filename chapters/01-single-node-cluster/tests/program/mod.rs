//! What a reader can rely on when running a chapter's program. The later chapters run
//! these tests on their own programs.

use std::process::{Command, Output};

/// Makes the tests of the program at this path.
#[macro_export]
macro_rules! the_program_keeps_the_readers_rules {
    ($program:expr) => {
        #[test]
        fn the_same_seed_prints_the_same_story() {
            program::the_same_seed_prints_the_same_story($program);
        }

        #[test]
        fn help_is_printed_and_is_no_error() {
            program::help_is_printed_and_is_no_error($program);
        }

        #[test]
        fn a_wrong_flag_is_named_and_exits_with_2() {
            program::a_wrong_flag_is_named_and_exits_with_2($program);
        }
    };
}

fn run(program: &str, args: &[&str]) -> Output {
    Command::new(program)
        .args(args)
        .output()
        .expect("the chapter's program starts")
}

pub(crate) fn the_same_seed_prints_the_same_story(program: &str) {
    let one = run(program, &["--seed", "7"]);
    let again = run(program, &["--seed=7"]);
    assert!(one.status.success(), "{one:?}");
    assert!(!one.stdout.is_empty());
    assert_eq!(one.stdout, again.stdout);
}

pub(crate) fn help_is_printed_and_is_no_error(program: &str) {
    let help = run(program, &["--help"]);
    assert_eq!(help.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&help.stdout).contains("Usage: cargo run -p ch"));
}

pub(crate) fn a_wrong_flag_is_named_and_exits_with_2(program: &str) {
    let wrong = run(program, &["--sede", "7"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(wrong.stdout.is_empty());
    let said = String::from_utf8_lossy(&wrong.stderr);
    assert!(said.starts_with("error: invalid option '--sede'"), "{said}");
}
