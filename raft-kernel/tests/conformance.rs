//! The engine behaves like etcd-io/raft: it plays the scripts that etcd-io/raft's own tests
//! play, and does the same at every step.
//!
//! ```text
//! ETCD_RAFT_DIR=/path/to/etcd-io/raft cargo test -p raft-kernel -- conformance --nocapture
//! ```
//!
//! The scripts in `tests/scripts` are our own, in the same language, and run always.
//! `REWRITE_SCRIPTS=1` writes into them what the engine does now; read the difference
//! before you keep it.

#[path = "conformance/changes.rs"]
mod changes;
#[path = "conformance/commands.rs"]
mod commands;
#[path = "conformance/configuration.rs"]
mod configuration;
#[path = "conformance/environment.rs"]
mod environment;
#[path = "conformance/node.rs"]
mod node;
#[path = "conformance/quorum.rs"]
mod quorum;
#[path = "conformance/rendering.rs"]
mod rendering;
#[path = "conformance/script.rs"]
mod script;
#[path = "conformance/suite.rs"]
mod suite;
#[path = "conformance/wire.rs"]
mod wire;

use std::path::Path;

use environment::Environment;
use raft_kernel::Change;
use script::{Case, Script};

fn in_new_environment() -> impl FnMut(&Case) -> String {
    let mut environment = Environment::default();
    move |case| environment.answer_case(case)
}

#[test]
fn conformance_of_interactions() {
    suite::play_etcd_scripts("testdata", suite::same_behaviour, in_new_environment);
}

#[test]
fn conformance_of_roles_and_configurations() {
    suite::play_etcd_scripts("testdata", suite::same_changes, || {
        let mut environment = Environment::telling_always();
        move |case: &Case| environment.answer_case(case)
    });
}

#[test]
fn conformance_of_quorums() {
    suite::play_etcd_scripts("quorum/testdata", suite::same_behaviour, || {
        quorum::answer_case
    });
}

#[test]
fn our_own_scripts_hold() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scripts");
    let paths = suite::scripts_in(&folder);
    assert!(!paths.is_empty(), "no scripts in {}", folder.display());
    if std::env::var_os("REWRITE_SCRIPTS").is_some_and(|value| value == "1") {
        for path in &paths {
            rewrite(path);
        }
    }
    suite::play_all(&paths, suite::same_lines, in_new_environment);
}

/// Writes into the script what the engine does now.
fn rewrite(path: &Path) {
    let script = Script::read(path).expect("a script of ours can be read");
    let mut answer = in_new_environment();
    let outputs: Vec<Vec<String>> = script
        .cases
        .iter()
        .map(|case| answer(case).lines().map(str::to_owned).collect())
        .collect();
    std::fs::write(path, script.with_outputs(&outputs)).expect("a script of ours can be written");
}

fn parse(text: &str) -> Script {
    Script::parse(Path::new("test"), text)
}

#[test]
fn a_directive_may_continue_on_the_next_line() {
    let script = parse("# comment\n\nadd-nodes 3 \\\n  voters=(1, 2,3) index=10\n----\nok\n");
    let case = &script.cases[0];
    assert_eq!((case.line, case.command.as_str()), (3, "add-nodes"));
    assert_eq!(case.numbers(), [3]);
    assert_eq!(case.values("voters"), ["1", "2", "3"]);
    assert_eq!(case.value("index"), Some("10"));
}

#[test]
fn an_output_between_double_separators_may_have_blank_lines() {
    let script =
        parse("one\nin\nput\n----\n----\na\n\nb\n----\n----\n\ntwo\n----\nc\n\n\nthree\n----\n");
    let expected: Vec<&[String]> = script.cases.iter().map(|it| &it.expected[..]).collect();
    assert_eq!(script.cases[0].input, "in\nput");
    assert_eq!(expected, [&["a", "", "b"][..], &["c"][..], &[][..]]);
}

#[test]
fn a_script_with_its_own_outputs_is_the_same_script() {
    let text =
        "# a\none\n----\n----\na\n\nb\n----\n----\n\n# b\ntwo\nin\n----\nc\nd\n\nthree\n----\n";
    let script = parse(text);
    let outputs: Vec<_> = script.cases.iter().map(|it| it.expected.clone()).collect();
    assert_eq!(script.with_outputs(&outputs), text);
}

#[test]
fn log_lines_and_a_lone_ok_are_no_behaviour() {
    let behaviour = |text: &'static str| suite::picked(text.lines(), |line| !suite::is_log(line));
    assert!(behaviour("ok").is_empty());
    assert!(behaviour("INFO 1 became leader at term 2\n  DEBUG x").is_empty());
    assert_eq!(behaviour("> 1\n  INFO x\nok"), ["> 1", "ok"]);
}

#[test]
fn a_log_tells_of_new_roles_and_new_configurations() {
    assert!(suite::is_change("INFO 1 became leader at term 2"));
    assert!(suite::is_change(
        "  INFO 1 switched to configuration voters=(1)"
    ));
    assert!(!suite::is_change(
        "INFO 1 is starting a new election at term 0"
    ));
    assert!(!suite::is_change("> 1 became"));
}

#[test]
fn a_failing_case_is_shown_with_its_place_and_the_difference() {
    let script = parse("\nsay\n----\na\nb\nc\n");
    let failure =
        suite::same_behaviour(&script, |_| "a\nx\nc".to_owned()).expect_err("it must fail");
    assert!(failure.starts_with("test:2: say\n"), "{failure}");
    assert!(failure.ends_with("\n a\n-b\n+x\n c\n"), "{failure}");
}

#[test]
fn bytes_are_quoted_as_go_quotes_them() {
    let quoted = rendering::quoted(b"a\"\\\n\x00\xff\xc3\xa9");
    assert_eq!(quoted, "\"a\\\"\\\\\\n\\x00\\xff\u{e9}\"");
}
