//! The traces that the pages draw: each is written by the command that its heading names,
//! and that command is run to see that it still writes the same.
//!
//! The rule: a diagram shows a run that anybody can repeat. So a trace names its command,
//! and not a byte of the trace is written by hand.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use diagram::Trace;

use super::command::CargoCommand;
use super::run::{self, Ending, Runner};
use super::{SourcePage, compare};
use crate::finding::Problem;
use crate::page;
use crate::workspace::Workspace;

const DIRECTIVE: &str = "diagram";

/// A trace that a page draws.
pub(super) struct ShownTrace {
    path: PathBuf,
    /// From the root of the repository.
    pub(super) shown: PathBuf,
    lines: Vec<String>,
}

/// Every trace that a page draws, once. A file that is not there is found where the page
/// is built.
pub(super) fn shown_by(pages: &[SourcePage], workspace: &Workspace) -> Result<Vec<ShownTrace>> {
    let mut paths = BTreeSet::new();
    for page in pages {
        let folder = page.path.parent().unwrap_or(&page.path);
        for directive in page::directives(&page.text) {
            let file = directive.argument.split_whitespace().next();
            if let (DIRECTIVE, Some(file)) = (directive.name.as_str(), file) {
                paths.extend(folder.join(file).canonicalize());
            }
        }
    }
    let inside = paths
        .into_iter()
        .filter(|path| path.starts_with(&workspace.root));
    let read = |path: PathBuf| {
        let shown = workspace.relative(&path);
        let text = fs::read_to_string(&path)
            .with_context(|| format!("cannot read {}", shown.display()))?;
        let lines = text.lines().map(str::to_string).collect();
        Ok(ShownTrace { path, shown, lines })
    };
    inside.map(read).collect()
}

impl ShownTrace {
    /// Runs the trace's command, and holds what it writes against the file.
    pub(super) fn check(&self, workspace: &Workspace, runner: &mut Runner) -> Result<(), Problem> {
        if Trace::parse(&self.lines.join("\n")).is_err() {
            // Where the page is built, the line that is wrong is found.
            return Ok(());
        }
        let command = self.command()?;
        let printed = written_by(command, workspace, runner)?;
        if printed == self.lines {
            return Ok(());
        }
        Err(Problem::new(
            format!(
                "`{command}` writes another trace (- is in the file, + was written):\n{}",
                compare::align(&self.lines, &printed).diff()
            ),
            "run `cargo book update`, or mend the program",
        ))
    }

    /// Writes the file again, and says whether that changed it.
    pub(super) fn update(
        &self,
        workspace: &Workspace,
        runner: &mut Runner,
    ) -> Result<bool, Problem> {
        let command = self.command()?;
        let printed = written_by(command, workspace, runner)?;
        if printed == self.lines {
            return Ok(false);
        }
        let text = printed.join("\n") + "\n";
        if let Err(error) = Trace::parse(&text) {
            return Err(Problem::new(
                format!("what `{command}` writes is no trace: {error}"),
                "mend the program",
            ));
        }
        fs::write(&self.path, text).map_err(|error| {
            Problem::new(
                format!("the trace cannot be written: {error}"),
                "see that the file may be changed",
            )
        })?;
        Ok(true)
    }

    /// The command that the heading names; also that of a file that is no trace any more.
    fn command(&self) -> Result<&str, Problem> {
        let heading = self.lines.iter().map_while(|line| line.strip_prefix('#'));
        let mut named = heading.filter_map(|line| line.trim_start().strip_prefix("command:"));
        named.next().map(str::trim).ok_or_else(|| {
            Problem::new(
                "the trace does not name the command that writes it",
                "write it by a program, with `# command: cargo run -p …` in its heading",
            )
        })
    }
}

fn written_by(
    command: &str,
    workspace: &Workspace,
    runner: &mut Runner,
) -> Result<Vec<String>, Problem> {
    let printed = runner.run(&CargoCommand::parse(command, workspace)?, false)?;
    match printed.ending {
        Ending::Exit(0) => Ok(printed.lines),
        ending => Err(Problem::new(
            format!("`{command}` {ending}{}", run::last_lines(&printed.log)),
            "mend the program",
        )),
    }
}
