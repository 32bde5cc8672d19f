//! Test programs, compiled by cargo; or what the compiler says instead.
//!
//! Cargo reports in JSON, so nothing here reads what was written for people. What the
//! compiler says to a student is shown as the compiler renders it.

use std::env;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde::Deserialize;

use crate::catalogue::Task;
use crate::failure::Failure;
use crate::process::{self, Patience};

/// What is said when cargo needs longer than a moment.
const REMARK: (Duration, &str) = (
    Duration::from_secs(3),
    "Compiling. The first time takes a minute. (If another cargo is at work, your editor's\n\
     for example, this one waits for it.)",
);

/// Where cargo works.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    /// The repository: cargo's settings are read from here.
    pub(crate) root: &'a Path,
    /// Another workspace than the repository's, and where to compile it.
    pub(crate) copy: Option<(&'a Path, &'a Path)>,
}

/// A test program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Program {
    pub(crate) package: String,
    pub(crate) test: String,
    pub(crate) path: PathBuf,
}

/// Something that the compiler has to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Remark {
    pub(crate) is_error: bool,
    /// As the compiler prints it.
    pub(crate) rendered: String,
    /// The files that it is about, as the compiler names them.
    pub(crate) files: Vec<PathBuf>,
}

/// What came of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Compiled {
    pub(crate) programs: Vec<Program>,
    pub(crate) remarks: Vec<Remark>,
    pub(crate) is_success: bool,
}

impl Compiled {
    pub(crate) fn errors(&self) -> impl Iterator<Item = &Remark> {
        self.remarks.iter().filter(|remark| remark.is_error)
    }

    pub(crate) fn program(&self, task: &Task) -> Option<&Path> {
        let is_its = |it: &&Program| it.package == task.package && it.test == task.name;
        self.programs
            .iter()
            .find(is_its)
            .map(|it| it.path.as_path())
    }
}

/// Compiles the tests of these tasks.
pub(crate) fn compile(place: Place<'_>, tasks: &[&Task]) -> Result<Compiled, Failure> {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(place.root);
    command.args(["build", "--quiet", "--keep-going"]);
    let format = if io::stdout().is_terminal() {
        "--message-format=json-diagnostic-rendered-ansi"
    } else {
        "--message-format=json"
    };
    command.arg(format);
    if let Some((workspace, target)) = place.copy {
        command
            .arg("--manifest-path")
            .arg(workspace.join("Cargo.toml"));
        command.arg("--target-dir").arg(target);
    }
    let mut packages: Vec<_> = tasks.iter().map(|task| task.package.as_str()).collect();
    packages.sort_unstable();
    packages.dedup();
    for package in packages {
        command.args(["--package", package]);
    }
    let mut tests: Vec<_> = tasks.iter().map(|task| task.name.as_str()).collect();
    tests.sort_unstable();
    tests.dedup();
    for test in tests {
        command.args(["--test", test]);
    }
    let patience = Patience {
        limit: None,
        // Who proves all tasks is told of the time anyway.
        remark: place.copy.is_none().then_some(REMARK),
    };
    let ended = process::run(&mut command, patience)?;
    let is_success = ended.status.is_some_and(|status| status.success());
    let compiled = understood(&ended.stdout, is_success);
    if !is_success && compiled.errors().next().is_none() {
        let why = format!("cargo could not compile:\n{}", ended.stderr.trim_end());
        return Err(Failure::Failed(why));
    }
    Ok(compiled)
}

#[derive(Deserialize)]
#[serde(tag = "reason")]
enum Message {
    #[serde(rename = "compiler-message")]
    Remark { message: Diagnostic },
    #[serde(rename = "compiler-artifact")]
    Artifact {
        package_id: String,
        target: Target,
        executable: Option<PathBuf>,
    },
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct Diagnostic {
    rendered: Option<String>,
    level: String,
    spans: Vec<Span>,
}

#[derive(Deserialize)]
struct Span {
    file_name: PathBuf,
    is_primary: bool,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

fn understood(messages: &str, is_success: bool) -> Compiled {
    let mut compiled = Compiled {
        is_success,
        ..Compiled::default()
    };
    let messages = messages
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok());
    for message in messages {
        match message {
            Message::Remark { message } => compiled.remarks.extend(remark(message)),
            Message::Artifact {
                package_id,
                target,
                executable: Some(path),
            } if target.kind.iter().any(|kind| kind == "test") => {
                compiled.programs.push(Program {
                    package: package_of(&package_id),
                    test: target.name,
                    path,
                });
            }
            Message::Artifact { .. } | Message::Other => {}
        }
    }
    compiled
}

/// What the compiler says of a place in a file. It sums up at the end without one.
fn remark(message: Diagnostic) -> Option<Remark> {
    let primary = message.spans.into_iter().filter(|span| span.is_primary);
    let files: Vec<_> = primary.map(|span| span.file_name).collect();
    if files.is_empty() {
        return None;
    }
    Some(Remark {
        is_error: message.level.starts_with("error"),
        rendered: message.rendered?,
        files,
    })
}

/// `path+file:///a/01-b#ex01-b@0.1.0`, or without the name where the folder has the same.
fn package_of(id: &str) -> String {
    let (folder, rest) = id.split_once('#').unwrap_or((id, ""));
    let name = match rest.split_once('@') {
        Some((name, _)) => name,
        None => folder.rsplit('/').next().unwrap_or(folder),
    };
    name.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargo_s_messages_name_the_programs_and_what_is_wrong() {
        let messages = r#"{"reason":"compiler-artifact","package_id":"path+file:///r/exercises/01-a#ex01-a@0.1.0","target":{"name":"ex01_a","kind":["lib"]},"executable":null}
{"reason":"compiler-artifact","package_id":"path+file:///r/exercises/01-a#ex01-a@0.1.0","target":{"name":"turn","kind":["test"]},"executable":"/t/turn-1"}
{"reason":"compiler-message","message":{"rendered":"error: no","level":"error","spans":[{"file_name":"src/turn.rs","is_primary":true},{"file_name":"src/lib.rs","is_primary":false}]}}
{"reason":"compiler-message","message":{"rendered":"error: aborting","level":"error","spans":[]}}
{"reason":"build-finished","success":false}
"#;
        let compiled = understood(messages, false);
        let program = Program {
            package: "ex01-a".to_owned(),
            test: "turn".to_owned(),
            path: "/t/turn-1".into(),
        };
        assert_eq!(compiled.programs, [program]);
        let remark = Remark {
            is_error: true,
            rendered: "error: no".to_owned(),
            files: vec!["src/turn.rs".into()],
        };
        assert_eq!(compiled.remarks, [remark]);
    }

    #[test]
    fn a_package_that_is_called_like_its_folder_is_known() {
        assert_eq!(package_of("path+file:///r/ex01-a#0.1.0"), "ex01-a");
    }
}
