//! What the program says about its flags.

mod support;

use support::process::run;
use support::{listening, program};

/// Exit code 2, nothing on standard output, and this on standard error.
fn refuses(arguments: &[&str], why: &str) {
    let (code, output, errors) = run(program(arguments), "");
    assert_eq!(code, Some(2), "{arguments:?}: {errors}");
    assert_eq!(output, "", "{arguments:?}");
    assert!(errors.starts_with("error: "), "{arguments:?}: {errors}");
    assert!(errors.contains(why), "{arguments:?}: {errors}");
}

#[test]
fn wrong_flags_are_named_with_what_is_wrong() {
    let id = |id| vec!["--bootstrap", "--id", id];
    refuses(&[], "--id <N>");
    refuses(&["--bootstrap"], "--id <N>");
    refuses(&id("0"), "0 is not in 1..=62");
    refuses(&id("63"), "63 is not in 1..=62");
    refuses(&id("one"), "invalid digit");
    refuses(&["--id", "1", "--sum"], "unexpected argument '--sum'");
    let listen = |address| [id("1"), vec!["--listen", address]].concat();
    refuses(&listen("4001"), "an address is HOST:PORT");
    refuses(&listen("127.0.0.1:65536"), "`65536` is no port");
    refuses(&listen("0.0.0.0:0"), "--advertise");
    let join = |member| ["--id", "1", "--join", member];
    refuses(&join("127.0.0.1:4001"), "a member is ID=HOST:PORT");
    refuses(&join("0=127.0.0.1:4001"), "`0` is no id from 1 to 62");
    refuses(&join("2=127.0.0.1:0"), "nobody can be reached at port 0");
    refuses(
        &["--id", "1", "--bootstrap", "--advertise", "a:0"],
        "nobody can reach",
    );
    refuses(&["--bench", "0"], "0 is not in 1..=");
}

#[test]
fn flags_that_contradict_each_other_are_refused() {
    refuses(&["--id", "1"], "--bootstrap to found a new one, or --join");
    refuses(
        &["--id", "1", "--bootstrap", "--join", "2=127.0.0.1:4001"],
        "'--bootstrap' cannot be used with '--join",
    );
    refuses(
        &["--id", "1", "--join", "1=127.0.0.1:4001"],
        "names this node itself",
    );
    refuses(
        &[
            "--id",
            "1",
            "--join",
            "2=127.0.0.1:1",
            "--join",
            "2=127.0.0.1:2",
        ],
        "two addresses for node 2",
    );
    refuses(&["--bench", "10", "--id", "1"], "cannot be used with");
}

#[test]
fn help_says_what_the_flags_and_the_prompt_are_for() {
    let (code, output, errors) = run(program(&["--help"]), "");
    assert_eq!((code, errors.as_str()), (Some(0), ""));
    for flag in [
        "--bootstrap",
        "--id",
        "--listen",
        "--join",
        "--bench",
        "RUST_LOG",
        "Ctrl-C",
    ] {
        assert!(output.contains(flag), "{flag}");
    }
    let (_, output, _) = run(program(&["--bootstrap", "--id", "1"]), "help\nq\n");
    for command in ["status", "propose", "peers", "leader", "help", "quit"] {
        assert!(output.contains(command), "{command}");
    }
}

#[test]
fn a_port_in_use_and_a_host_that_is_not_here_are_errors_of_one_line() {
    let (_node, address) = listening(&["--bootstrap", "--id", "1"]);
    for listen in [address.as_str(), "nosuchhost.invalid:0"] {
        let arguments = ["--bootstrap", "--id", "2", "--listen", listen];
        let (code, output, errors) = run(program(&arguments), "");
        assert_eq!((code, output.as_str()), (Some(1), ""));
        let beginning = format!("error: cannot listen on {listen}: ");
        assert!(errors.starts_with(&beginning), "{errors}");
        assert_eq!(errors.lines().count(), 1, "{errors}");
    }
}
