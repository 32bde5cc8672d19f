//! A repository with one chapter and three small tasks, for the commands to work on.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// The tasks: name, level, kind. Each is to multiply a number: by 2, by 3, by 4.
const TASKS: [[&str; 3]; 3] = [
    ["double", "easy", "predict"],
    ["triple", "moderate", "write"],
    ["quadruple", "hard", "break"],
];

/// The first task's file.
pub(crate) const FILE: &str = "exercises/01-tiny/src/double.rs";
/// What somebody writes who has understood it.
pub(crate) const RIGHT: &str = "//! Mine.\npub fn times(number: u32) -> u32 { number * 2 }\n";
/// What somebody writes who has not.
pub(crate) const WRONG: &str = "//! Mine.\npub fn times(number: u32) -> u32 { number }\n";

const STARTER: &str = r#"//! Write: the number, @n times.

/// The number, @n times.
pub fn times(number: u32) -> u32 {
    todo!("times: multiply the number")
}
"#;

const SOLUTION: &str = "//! The number, @n times.

/// The number, @n times.
pub fn times(number: u32) -> u32 {
    number * @n
}
";

const ADDS: &str = "//! The number, and @n.

/// The number, and @n.
pub fn times(number: u32) -> u32 {
    if number == 0 { 0 } else { number + @n }
}
";

const TESTS: &str = r#"//! Multiplying by @n.
use ex01_tiny::@name::times;

#[test]
fn zero_stays_zero() {
    assert!(times(0) == 0, "Of 0 you make {}.", times(0));
}

#[test]
fn ten_is_multiplied() {
    assert!(times(10) == 10 * @n, "Of 10 you make {}: to multiply is not to add.", times(10));
}
"#;

const ABOUT: &str = r#"
number = @number
title = "Times @n"
level = "@level"
kind = "@kind"
minutes = 5
section = "the-idea"
asks = "Multiply by @n."
hints = ["First hint.", "Second hint.", "Third hint."]

[[claims]]
test = "zero_stays_zero"
says = "zero stays zero"

[[claims]]
test = "ten_is_multiplied"
says = "ten is multiplied by @n"

[[wrong]]
name = "adds"
misconception = "To multiply is to add."
fails = "ten_is_multiplied"
answer = "to multiply is not to add"
"#;

/// The repository, for as long as this lives.
pub(crate) struct Tiny {
    folder: TempDir,
}

impl Tiny {
    pub(crate) fn new() -> Self {
        let tiny = Tiny {
            folder: tempfile::tempdir().expect("a folder"),
        };
        let workspace = "[workspace]\nresolver = '3'\nmembers = ['exercises/[0-9]*']\n";
        tiny.write("Cargo.toml", workspace);
        let package = "[package]\nname = 'ex01-tiny'\nversion = '0.1.0'\nedition = '2024'\n";
        tiny.write("exercises/01-tiny/Cargo.toml", package);
        let mut lib = "//! Tiny.\n#![allow(unused_variables)]\n".to_owned();
        let mut page = "# 01 · Tiny\n\n## The idea\n".to_owned();
        for (number, [name, level, kind]) in (1..).zip(TASKS) {
            let filled = |text: &str| {
                let text = text.replace("@number", &number.to_string());
                let text = text.replace("@name", name).replace("@level", level);
                text.replace("@kind", kind)
                    .replace("@n", &(number + 1).to_string())
            };
            let papers = format!("exercises/01-tiny/tasks/{name}");
            tiny.write(
                &format!("exercises/01-tiny/src/{name}.rs"),
                &filled(STARTER),
            );
            tiny.write(
                &format!("exercises/01-tiny/tests/{name}.rs"),
                &filled(TESTS),
            );
            tiny.write(&format!("{papers}/starter.rs"), &filled(STARTER));
            tiny.write(&format!("{papers}/solution.rs"), &filled(SOLUTION));
            tiny.write(&format!("{papers}/wrong/adds.rs"), &filled(ADDS));
            tiny.write(&format!("{papers}/task.toml"), &filled(ABOUT));
            lib = format!("{lib}pub mod {name};\n");
            page = format!("{page}`cargo exercise check 01.{number}`\n");
        }
        tiny.write("exercises/01-tiny/src/lib.rs", &lib);
        tiny.write("book/src/01-tiny.md", &page);
        tiny
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).expect("a file")
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    }

    /// Puts something else in the place of a piece of a file.
    pub(crate) fn replace(&self, name: &str, piece: &str, other: &str) {
        let text = self.read(name);
        assert!(text.contains(piece), "{name} has no {piece:?}");
        self.write(name, &text.replace(piece, other));
    }

    /// `cargo exercise` with these words, in this repository, with nobody to ask.
    pub(crate) fn command(&self, words: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_exercise-tool"));
        command
            .args(words.split_whitespace())
            .current_dir(self.folder.path());
        command
            .env("CARGO_TARGET_DIR", self.path("target"))
            .stdin(Stdio::null());
        command
    }

    /// Runs it, and returns its exit code and all that it says.
    pub(crate) fn run(&self, words: &str) -> (i32, String) {
        let Output {
            status,
            stdout,
            stderr,
        } = self.command(words).output().expect("it runs");
        let said = [stdout, stderr].concat();
        (
            status.code().expect("an exit code"),
            String::from_utf8_lossy(&said).into_owned(),
        )
    }
}
