//! Which commands an output block may hold: `cargo run` and `cargo test` of a
//! package of this workspace, with no shell in between.
//!
//! A page is a text that many people edit; running it must not do more than run
//! the programs of the repository.

use crate::finding::Problem;
use crate::workspace::Workspace;

/// Options of cargo that stand alone.
const SWITCHES: &[&str] = &[
    "-q",
    "--quiet",
    "-r",
    "--release",
    "--lib",
    "--bins",
    "--tests",
    "--examples",
    "--doc",
    "--all-features",
    "--no-default-features",
];
/// Options of cargo that have a value.
const OPTIONS: &[&str] = &["--bin", "--test", "--example", "-F", "--features"];

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Run,
    Test,
}

/// A command that is fit to be run.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct CargoCommand {
    kind: Kind,
    package: String,
    /// Other options of cargo, without `--quiet`.
    options: Vec<String>,
    quiet: bool,
    /// The name that `cargo test` filters by.
    filter: Option<String>,
    /// What follows `--`.
    arguments: Vec<String>,
}

impl CargoCommand {
    pub(crate) fn parse(text: &str, workspace: &Workspace) -> Result<Self, Problem> {
        if let Some(sign) = sign_for_the_shell(text) {
            return Err(Problem::new(
                format!("`{text}` needs a shell for `{sign}`; output blocks have none"),
                "quote the sign, or show the command in a sh block, which is not run",
            ));
        }
        let words = shlex::split(text).ok_or_else(|| {
            Problem::new(
                format!("`{text}` has a quote that is not closed"),
                "close the quote",
            )
        })?;
        let mut words = words.into_iter();
        let kind = match (words.next().as_deref(), words.next().as_deref()) {
            (Some("cargo"), Some("run")) => Kind::Run,
            (Some("cargo"), Some("test")) => Kind::Test,
            _ => {
                return Err(Problem::new(
                    format!("`{text}` is not `cargo run` or `cargo test`, so it is not run"),
                    "use a sh block for commands that are not checked",
                ));
            }
        };
        let mut command = Self {
            kind,
            package: String::new(),
            options: Vec::new(),
            quiet: false,
            filter: None,
            arguments: Vec::new(),
        };
        while let Some(word) = words.next() {
            if word == "--" {
                command.arguments = words.collect();
                break;
            }
            command.add(&word, &mut words)?;
        }
        command.check_package(text, workspace)?;
        Ok(command)
    }

    fn add(&mut self, word: &str, rest: &mut impl Iterator<Item = String>) -> Result<(), Problem> {
        let (name, value) = match word.split_once('=') {
            Some((name, value)) => (name, Some(value.to_string())),
            None => (word, None),
        };
        let needs_value = matches!(name, "-p" | "--package") || OPTIONS.contains(&name);
        if needs_value {
            let value = value.or_else(|| rest.next()).ok_or_else(|| {
                Problem::new(format!("`{name}` has no value"), "write its value after it")
            })?;
            if matches!(name, "-p" | "--package") {
                self.package = value;
            } else {
                self.options.extend([name.to_string(), value]);
            }
            return Ok(());
        }
        if matches!(word, "-q" | "--quiet") {
            self.quiet = true;
        } else if SWITCHES.contains(&word) {
            self.options.push(word.to_string());
        } else if self.kind == Kind::Test && !word.starts_with(['-', '+']) && self.filter.is_none()
        {
            self.filter = Some(word.to_string());
        } else {
            return Err(Problem::new(
                format!("`{word}` may not be given to cargo in an output block"),
                "give the program's own arguments after `--`",
            ));
        }
        Ok(())
    }

    fn check_package(&self, text: &str, workspace: &Workspace) -> Result<(), Problem> {
        if self.package.is_empty() {
            return Err(Problem::new(
                format!("`{text}` does not name its package"),
                "add `-p NAME`",
            ));
        }
        if !workspace.has_package(&self.package) {
            return Err(Problem::new(
                format!("`{}` is no package of this workspace", self.package),
                "correct the name after -p",
            ));
        }
        Ok(())
    }

    pub(crate) fn is_test(&self) -> bool {
        self.kind == Kind::Test
    }

    /// What compiles the program, so that the time limit covers its run alone.
    pub(crate) fn build_arguments(&self) -> Vec<String> {
        // Documentation tests are compiled as they run; cargo refuses --no-run there.
        let is_doc = |option: &String| option == "--doc";
        let start: &[&str] = if self.kind == Kind::Run || self.options.iter().any(is_doc) {
            &["build", "--quiet", "-p"]
        } else {
            &["test", "--quiet", "--no-run", "-p"]
        };
        let mut arguments: Vec<String> = start.iter().map(ToString::to_string).collect();
        arguments.push(self.package.clone());
        let options = self.options.iter().filter(|option| !is_doc(option));
        arguments.extend(options.cloned());
        arguments
    }

    pub(crate) fn run_arguments(&self) -> Vec<String> {
        let start = match self.kind {
            Kind::Run => "run",
            Kind::Test => "test",
        };
        let mut arguments = vec![start.to_string()];
        // `--quiet` silences cargo, and that is all it does to `cargo run`. It makes
        // `cargo test` print dots instead of names, so there the page decides.
        if self.quiet || self.kind == Kind::Run {
            arguments.push("--quiet".to_string());
        }
        arguments.extend(["-p".to_string(), self.package.clone()]);
        arguments.extend(self.options.iter().cloned());
        arguments.extend(self.filter.iter().cloned());
        if !self.arguments.is_empty() {
            arguments.push("--".to_string());
            arguments.extend(self.arguments.iter().cloned());
        }
        arguments
    }
}

/// The first sign outside of quotes that a shell would take for itself.
fn sign_for_the_shell(text: &str) -> Option<char> {
    let mut quote = None;
    for c in text.chars() {
        match quote {
            Some(open) if c == open => quote = None,
            // A shell expands these between double quotes too.
            Some('"') if matches!(c, '$' | '`' | '\\') => return Some(c),
            None if matches!(c, '\'' | '"') => quote = Some(c),
            None if "|&;<>()$`\\*?[]{}~#!".contains(c) => return Some(c),
            Some(_) | None => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_is_needed_for_pipes_but_not_for_what_is_quoted() {
        assert_eq!(sign_for_the_shell("cargo run -p a | head"), Some('|'));
        assert_eq!(sign_for_the_shell("cargo run -p a > out"), Some('>'));
        assert_eq!(sign_for_the_shell("cargo run -p a -- \"$HOME\""), Some('$'));
        assert_eq!(
            sign_for_the_shell("cargo run -p a -- 'x | y' \"a;b\""),
            None
        );
    }
}
