//! What the program says about its flags and its directory.

mod support;

use std::path::Path;

use support::{Site, process, program};

/// Runs the program to its end: its exit code, its output, its errors.
fn run(directory: Option<&Path>, arguments: &[&str], input: &str) -> (Option<i32>, String, String) {
    process::run(program(directory, arguments), input)
}

#[test]
fn wrong_flags_are_named_with_what_is_wrong() {
    let site = Site::new();
    let directory = site.directory(1);
    let refuses = |directory: Option<&Path>, arguments: &[&str], why: &str| {
        let (code, output, errors) = run(directory, arguments, "");
        assert_eq!(
            (code, output.as_str()),
            (Some(2), ""),
            "{arguments:?}: {errors}"
        );
        assert!(errors.starts_with("error: "), "{arguments:?}: {errors}");
        assert!(errors.contains(why), "{arguments:?}: {errors}");
    };
    let there = Some(directory.as_path());
    refuses(None, &["--bootstrap"], "--data-dir <DIR>");
    refuses(there, &[], "holds no node yet. Give --bootstrap");
    refuses(there, &["--join", "1=127.0.0.1:4001"], "--id N is missing");
    refuses(there, &["--id", "63", "--bootstrap"], "63 is not in 1..=62");
    refuses(
        there,
        &["--bootstrap", "--join", "1=a:1"],
        "cannot be used with",
    );
    refuses(
        there,
        &["--id", "2", "--join", "2=a:1"],
        "names this node itself",
    );
    refuses(
        there,
        &["--bootstrap", "--listen", "0.0.0.0:1"],
        "--advertise",
    );
    refuses(
        there,
        &["--bootstrap", "--tick-ms", "0"],
        "0 is not in 1..=10000",
    );
    refuses(None, &["--bench", "0"], "0 is not in 1..=");
}

#[test]
fn flags_that_contradict_what_is_stored_are_refused_and_those_that_do_not_are_not() {
    let site = Site::new();
    let directory = site.directory(2);
    let there = Some(directory.as_path());
    let (code, output, errors) = run(there, &["--id", "2", "--bootstrap"], "p 5\nstop\n");
    assert_eq!(code, Some(0), "{errors}");
    assert!(output.contains("this is node 2"), "{output}");
    assert!(
        output.ends_with("propose 5: applied at index 4, the sum is 9\n"),
        "{output}"
    );

    let (code, _, errors) = run(there, &["--id", "3"], "");
    assert_eq!(code, Some(2));
    assert!(errors.contains("this directory holds node 2"), "{errors}");

    // The command of the first run may stand in a script.
    let (code, output, errors) = run(there, &["--id", "2", "--bootstrap"], "p 1\nstop\n");
    assert_eq!(code, Some(0), "{errors}");
    assert!(output.contains("--bootstrap founds nothing"), "{output}");
    assert!(output.ends_with("the sum is 10\n"), "{output}");
}

#[test]
fn two_processes_cannot_have_one_directory() {
    let site = Site::new();
    let (first, _) = site.founder(&[]);
    let directory = site.directory(1);
    let (code, output, errors) = run(Some(&directory), &[], "");
    assert_eq!((code, output.as_str()), (Some(1), ""));
    let expected = format!(
        "error: the data directory {} is in use by process {}; each node needs a directory of \
         its own\n",
        directory.display(),
        first.child.id()
    );
    assert_eq!(errors, expected);
}

#[test]
fn a_directory_that_cannot_be_made_is_an_error_of_one_line() {
    let site = Site::new();
    let directory = site.directory(1);
    std::fs::write(&directory, "a file").expect("it can be written");
    let (code, output, errors) = run(Some(&directory), &["--bootstrap"], "");
    assert_eq!((code, output.as_str()), (Some(1), ""));
    assert!(
        errors.starts_with("error: cannot create the directory "),
        "{errors}"
    );
    assert_eq!(errors.lines().count(), 1, "{errors}");
}

#[test]
fn help_says_what_the_flags_and_the_prompt_are_for() {
    let (code, output, _) = run(None, &["--help"], "");
    assert_eq!(code, Some(0));
    for flag in [
        "--data-dir",
        "--bootstrap",
        "--join",
        "--listen",
        "--bench",
        "Ctrl-C",
    ] {
        assert!(output.contains(flag), "{flag}");
    }
    let site = Site::new();
    let (_, output, _) = run(Some(&site.directory(1)), &["--bootstrap"], "help\nstop\n");
    for command in ["status", "propose", "peers", "leader", "quit", "stop"] {
        assert!(output.contains(command), "{command}");
    }
}
