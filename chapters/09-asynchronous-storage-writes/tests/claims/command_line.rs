//! What the program's flags mean, and what it says to wrong ones.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use ch09_asynchronous_storage_writes::cli::{Request, parse};

#[test]
fn without_arguments_the_story_is_told_with_seed_1() {
    assert_eq!(parse([] as [&str; 0]), Ok(Request::Tell { seed: 1 }));
    assert_eq!(parse(["--seed=7"]), Ok(Request::Tell { seed: 7 }));
}

#[test]
fn a_measurement_has_a_delay_and_a_file() {
    let usual = Request::Measure {
        delay: Duration::from_millis(2),
        out: None,
    };
    assert_eq!(parse(["--measure"]), Ok(usual));
    let given = Request::Measure {
        delay: Duration::from_millis(5),
        out: Some(PathBuf::from("numbers.csv")),
    };
    let args = ["--measure", "--delay-ms", "5", "--out", "numbers.csv"];
    assert_eq!(parse(args), Ok(given));
}

#[test]
fn a_wrong_command_line_is_explained_and_ends_in_exit_code_2() {
    for (args, message) in [
        (&["--measur"][..], "invalid option '--measur'"),
        (&["now"], "unexpected argument \"now\""),
        (&["--seed"], "missing argument for option '--seed'"),
        (
            &["--seed", "x"],
            "--seed takes a whole number from 0 on, not 'x'",
        ),
        (
            &["--measure", "--delay-ms", "1001"],
            "--delay-ms takes a whole number from 0 to 1000, not '1001'",
        ),
        (
            &["--measure", "--seed", "1"],
            "--measure has no story, so it takes no --seed",
        ),
        (&["--out", "x"], "--delay-ms and --out belong to --measure"),
    ] {
        let printed = Command::new(env!("CARGO_BIN_EXE_ch09-asynchronous-storage-writes"))
            .args(args)
            .output()
            .expect("the program starts");
        assert_eq!(printed.status.code(), Some(2), "{args:?}");
        assert!(printed.stdout.is_empty(), "{args:?}");
        let said = String::from_utf8_lossy(&printed.stderr);
        assert!(
            said.starts_with(&format!("error: {message}\n\nTry: ")),
            "{said}"
        );
    }
}
