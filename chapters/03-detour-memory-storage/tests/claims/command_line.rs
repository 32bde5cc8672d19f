use std::process::{Command, Output, Stdio};

use ch03_detour_memory_storage::cli::{Request, answer, parse};
use ch03_detour_memory_storage::names;

fn run(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_ch03-detour-memory-storage"))
        .args(args)
        .output()
        .expect("the program starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn without_arguments_every_case_is_printed() {
    let printed = run(&[]);
    assert!(printed.status.success());
    let printed = text(&printed.stdout);
    for name in names() {
        assert!(printed.contains(&format!("\n{name}\n")), "{name}");
    }
}

#[test]
fn one_case_can_be_asked_for_in_both_usual_ways() {
    let one = Request::One("append-with-gap".into());
    assert_eq!(parse(["--case", "append-with-gap"]), Ok(one.clone()));
    assert_eq!(parse(["--case=append-with-gap"]), Ok(one.clone()));
    assert!(answer(&one).starts_with("append-with-gap\n"));
    assert!(!answer(&one).contains("append-nothing\n"));
}

#[test]
fn the_list_names_every_case() {
    let listed = answer(&Request::List);
    for name in names() {
        assert!(listed.contains(name), "{name}");
    }
}

#[test]
fn help_names_every_flag() {
    let help = text(&run(&["--help"]).stdout);
    for flag in ["--list", "--case", "--help"] {
        assert!(help.contains(flag), "{flag}");
    }
}

#[test]
fn a_wrong_command_line_is_explained_and_ends_in_exit_code_2() {
    for (args, message) in [
        (&["--cases"][..], "invalid option '--cases'"),
        (&["append"], "unexpected argument \"append\""),
        (&["--case"], "missing argument for option '--case'"),
        (
            &["--case", "x"],
            "there is no case 'x'; --list prints the names",
        ),
        (
            &["--list", "--case", "append-nothing"],
            "--list and --case can be given once, and not together",
        ),
    ] {
        let printed = run(args);
        assert_eq!(printed.status.code(), Some(2), "{args:?}");
        assert!(printed.stdout.is_empty(), "{args:?}");
        assert_eq!(
            text(&printed.stderr),
            format!("error: {message}\n\nTry: cargo run -p ch03-detour-memory-storage -- --help\n")
        );
    }
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    // Nobody reads from the beginning: the very first write meets a closed pipe.
    drop(reader);
    let printed = Command::new(env!("CARGO_BIN_EXE_ch03-detour-memory-storage"))
        .stdout(writer)
        .stderr(Stdio::piped())
        .output()
        .expect("the program starts");
    assert!(printed.status.success(), "{}", printed.status);
    assert_eq!(text(&printed.stderr), "");
}
