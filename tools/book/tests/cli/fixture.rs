//! A small book with a small workspace, sound until a test spoils it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

const BOOK: &str = r#"
[book]
title = "A Book"
language = "en"
src = "book/src"

[build]
build-dir = "target/book"

[output.html.playground]
runnable = false
"#;

const WORKSPACE: &str = r#"
[workspace]
resolver = "3"
members = ["chapters/*"]
"#;

const PACKAGE: &str = r#"
[package]
name = "ch01-program"
version = "0.1.0"
edition = "2024"
"#;

/// The arguments of the fixture's program say what it does.
const PROGRAM: &str = r#"
mod node;

// ANCHOR: main
fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.first().map(String::as_str) {
        Some("fail") => std::process::exit(2),
        Some("loop") => loop {
            std::thread::park();
        },
        Some("both") => both(),
        Some("file") => print!("{}", std::fs::read_to_string(&arguments[1]).unwrap()),
        Some(other) => println!("argument {other}"),
        None => println!("one\ntwo\nthree\n{}", node::NAME),
    }
}
// ANCHOR_END: main

fn both() {
    println!("out");
    eprintln!("err");
    println!("out again");
}

#[test]
fn it_holds() {}
"#;

const NODE: &str = r#"
pub const NAME: &str = "node";

mod tests {
    // ANCHOR: indented
    #[derive(Debug)]
    // ANCHOR: inner
    #[allow(dead_code)]
    struct Indented;
    // ANCHOR_END: inner
    // ANCHOR_END: indented
}

// ANCHOR: empty

// ANCHOR_END: empty
// ANCHOR: open
"#;

pub(crate) struct Book {
    folder: TempDir,
}

impl Book {
    /// A book of two pages: the one that the tests write and one to link to.
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let book = Self { folder };
        book.write("book.toml", BOOK);
        book.write("Cargo.toml", WORKSPACE);
        book.write("chapters/01/Cargo.toml", PACKAGE);
        book.write("chapters/01/src/main.rs", PROGRAM);
        book.write("chapters/01/src/node.rs", NODE);
        book.write(
            "book/src/SUMMARY.md",
            "# Summary\n\n- [Page](page.md)\n- [Other](other.md)\n",
        );
        book.write("book/src/other.md", "# Other\n\n## A heading\n");
        book.write("book/src/page.md", "# Page\n");
        book
    }

    /// A sound book except for what the page says.
    pub(crate) fn with_page(text: &str) -> Self {
        let book = Self::new();
        book.write("book/src/page.md", text);
        book
    }

    pub(crate) fn root(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.root().join(path)
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("to make a folder");
        fs::write(path, text).expect("to write a file");
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).expect("to read a file")
    }

    /// The tool, started in the book's folder.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_book-tool"));
        command
            .args(arguments)
            .current_dir(self.root())
            // Each book has its own: they all hold the same program.
            .env_remove("CARGO_TARGET_DIR")
            .env_remove("CARGO_BUILD_TARGET_DIR");
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Said {
        let output = self.command(arguments).output().expect("to run the tool");
        Said::from(&output)
    }

    pub(crate) fn check(&self) -> Said {
        self.run(&["check", "--time-limit", "20"])
    }
}

/// What the tool said, and how it ended.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) code: Option<i32>,
}

impl From<&Output> for Said {
    fn from(output: &Output) -> Self {
        Self {
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            code: output.status.code(),
        }
    }
}

impl Said {
    /// There is exactly this problem, at this place.
    #[track_caller]
    pub(crate) fn finds(&self, place: &str, problem: &str) -> &Self {
        let found = format!("{place}: {problem}");
        assert!(
            self.stderr.contains(&found),
            "expected the finding\n  {found}\nbut the tool said\n{self}"
        );
        assert_eq!(self.code, Some(1), "exit code; the tool said\n{self}");
        let fixes = self.stderr.matches("\n    fix: ").count();
        assert_eq!(fixes, 1, "number of findings; the tool said\n{self}");
        self
    }

    #[track_caller]
    pub(crate) fn is_fine(&self) -> &Self {
        assert_eq!(self.code, Some(0), "exit code; the tool said\n{self}");
        assert!(!self.stderr.contains("fix: "), "the tool said\n{self}");
        self
    }
}

impl std::fmt::Display for Said {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{}(exit {:?})", self.stdout, self.stderr, self.code)
    }
}
