//! Finding scripts, running them, and saying where one fails.
//!
//! etcd-io/raft's scripts are read from the folder that the environment variable
//! `ETCD_RAFT_DIR` names, a clone of <https://github.com/etcd-io/raft> for example. Without
//! it, the tests that need them say so and pass.

// Two test targets share this file, and neither uses all of it.
#![allow(dead_code)]

use std::io::Write;
use std::path::{Path, PathBuf};

use super::script::{Case, Script};

/// Plays the scripts in a folder of etcd-io/raft. `new_answerer` is called once a file; what
/// it gives answers the cases of that file.
pub(crate) fn play_etcd_scripts<A>(
    folder: &str,
    play: impl Fn(&Script, A) -> Result<(), String>,
    new_answerer: impl Fn() -> A,
) {
    let Some(root) = std::env::var_os("ETCD_RAFT_DIR") else {
        say(&format!(
            "skipped: {folder} of etcd-io/raft, because ETCD_RAFT_DIR does not name a clone of it"
        ));
        return;
    };
    let folder = PathBuf::from(root).join(folder);
    let paths = scripts_in(&folder);
    assert!(
        !paths.is_empty(),
        "ETCD_RAFT_DIR is set, but there are no scripts in {}; give an absolute path",
        folder.display()
    );
    play_all(&paths, play, new_answerer);
}

/// Tells whoever runs the tests. `println!` would be kept back as long as the test passes, and
/// what was skipped, or played, would not be seen.
fn say(line: &str) {
    // Nothing is lost but the line if nobody reads any more.
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// Every script of a folder, in the order of their names.
pub(crate) fn scripts_in(folder: &Path) -> Vec<PathBuf> {
    let Ok(files) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut paths: Vec<PathBuf> = files
        .filter_map(|file| file.ok().map(|file| file.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "txt"))
        .collect();
    paths.sort();
    paths
}

/// Plays these scripts, prints each one's name, and fails if one of them failed.
pub(crate) fn play_all<A>(
    paths: &[PathBuf],
    play: impl Fn(&Script, A) -> Result<(), String>,
    new_answerer: impl Fn() -> A,
) {
    let mut failures = Vec::new();
    for path in paths {
        let result = Script::read(path).and_then(|script| play(&script, new_answerer()));
        let verdict = if result.is_ok() { "ok" } else { "FAILED" };
        say(&format!("script {} ... {verdict}", path.display()));
        failures.extend(result.err());
    }
    assert!(
        failures.is_empty(),
        "{} of {} scripts failed\n\n{}",
        failures.len(),
        paths.len(),
        failures.join("\n")
    );
}

/// Compares behaviour: every line that is none of a log, since the engine speaks in events
/// where etcd's library writes to its log.
pub(crate) fn same_behaviour(
    script: &Script,
    answer: impl FnMut(&Case) -> String,
) -> Result<(), String> {
    same(script, |line| !is_log(line), answer)
}

/// Compares every line.
pub(crate) fn same_lines(
    script: &Script,
    answer: impl FnMut(&Case) -> String,
) -> Result<(), String> {
    same(script, |_| true, answer)
}

/// Compares up to the first case that does not print what it must: after that, the nodes
/// are no longer in the state that the rest of the script is about.
fn same(
    script: &Script,
    counts: impl Fn(&str) -> bool,
    mut answer: impl FnMut(&Case) -> String,
) -> Result<(), String> {
    for case in &script.cases {
        let actual = answer(case);
        let actual = picked(actual.lines(), &counts);
        let expected = picked(case.expected.iter().map(String::as_str), &counts);
        if actual != expected {
            let (path, line) = (script.path.display(), case.line);
            let (directive, diff) = (&case.directive, diff(&expected, &actual));
            return Err(format!(
                "{path}:{line}: {directive}\n(- expected, + printed)\n{diff}"
            ));
        }
    }
    Ok(())
}

/// Looks whether each node goes through the roles and configurations of the whole script, in
/// their order. `answer` must print them where the script is silent too: the engine tells of
/// them in events, and not always at the very moment at which etcd's library writes to its
/// log. It takes up the configuration of a snapshot only once the snapshot is stored.
pub(crate) fn same_changes(
    script: &Script,
    mut answer: impl FnMut(&Case) -> String,
) -> Result<(), String> {
    let (mut expected, mut actual) = (Vec::new(), Vec::new());
    for case in &script.cases {
        actual.extend(answer(case).lines().map(|line| line.trim().to_owned()));
        expected.extend(case.expected.iter().map(|line| line.trim().to_owned()));
    }
    let (expected, actual) = (changes_by_node(&expected), changes_by_node(&actual));
    let mut happened = actual.iter();
    if expected.iter().all(|line| happened.any(|it| it == line)) {
        return Ok(());
    }
    Err(format!(
        "{}: the nodes' roles and configurations\n(- did not happen in this order)\n{}",
        script.path.display(),
        diff(&expected, &actual)
    ))
}

fn changes_by_node(lines: &[String]) -> Vec<&str> {
    let lines = lines.iter().map(String::as_str);
    let mut changes: Vec<&str> = lines.filter(|line| is_change(line)).collect();
    // A stable sort keeps the order of each node's lines.
    changes.sort_by_key(|line| line.split_whitespace().nth(1));
    changes
}

/// The lines that count. The `ok` of a command that prints nothing is none.
pub(crate) fn picked<'a>(
    lines: impl Iterator<Item = &'a str>,
    counts: impl Fn(&str) -> bool,
) -> Vec<&'a str> {
    let rest: Vec<&str> = lines.filter(|line| counts(line)).collect();
    if rest == ["ok"] { Vec::new() } else { rest }
}

pub(crate) fn is_log(line: &str) -> bool {
    const LEVELS: [&str; 5] = ["DEBUG ", "INFO ", "WARN ", "ERROR ", "FATAL "];
    let line = line.trim_start();
    LEVELS.iter().any(|level| line.starts_with(level))
}

/// Whether it is a line of a log that reads `INFO 1 became …` or `INFO 1 switched to …`.
pub(crate) fn is_change(line: &str) -> bool {
    let mut words = line.split_whitespace().skip(2);
    let change = words.next();
    is_log(line) && (change == Some("became") || change == Some("switched"))
}

/// What to take from `old` and to add to it to get `new`, line by line, as `diff -u` shows
/// it: by their longest common subsequence.
fn diff(old: &[&str], new: &[&str]) -> String {
    // `common[i][j]` is the length of that subsequence of old[i..] and new[j..].
    let mut common = vec![vec![0_usize; new.len() + 1]; old.len() + 1];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            common[i][j] = if old[i] == new[j] {
                common[i + 1][j + 1] + 1
            } else {
                common[i + 1][j].max(common[i][j + 1])
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut text = String::new();
    while i < old.len() || j < new.len() {
        let (mark, line) = if i < old.len() && j < new.len() && old[i] == new[j] {
            j += 1;
            (' ', old[i])
        } else if j == new.len() || (i < old.len() && common[i + 1][j] >= common[i][j + 1]) {
            ('-', old[i])
        } else {
            j += 1;
            ('+', new[j - 1])
        };
        i += usize::from(mark != '+');
        text.push(mark);
        text.push_str(line);
        text.push('\n');
    }
    text
}
