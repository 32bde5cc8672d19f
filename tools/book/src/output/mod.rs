//! Output blocks: a `console` block shows a command and what it prints, and the
//! command is run to see that it still does.
//!
//! [`block`] reads a block, [`command`] says which commands it may hold, [`run`]
//! runs them, [`compare`] holds the printed lines against the shown ones. [`trace`]
//! does the same for the traces that the pages draw.

mod block;
mod command;
mod compare;
mod run;
mod trace;
mod update;

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::finding::{Finding, Problem};
use crate::page;
use crate::site::{self, Audience};
use crate::summary;
use crate::workspace::Workspace;

use block::{OutputBlock, Step};
use command::CargoCommand;
use run::{Ending, Printed, Runner};

pub(crate) use run::stop_on_interrupt;
pub(crate) use update::update;

const LANGUAGE: &str = "console";

#[derive(Debug, Default)]
pub(crate) struct OutputCheck {
    pub(crate) findings: Vec<Finding>,
    pub(crate) blocks: usize,
    pub(crate) traces: usize,
}

/// Runs every command of every output block and of every trace.
pub(crate) fn check(workspace: &Workspace, time_limit: Duration) -> Result<OutputCheck> {
    let mut runner = Runner::new(workspace, time_limit);
    let mut check = OutputCheck::default();
    let pages = read_pages(workspace)?;
    for page in &pages {
        for fence in page::fences(&page.text) {
            if fence.language() != LANGUAGE {
                continue;
            }
            check.blocks += 1;
            let block = match OutputBlock::parse(&fence) {
                Ok(block) => block,
                Err(fault) => {
                    check
                        .findings
                        .push(fault.problem.at(&page.shown, fault.line));
                    continue;
                }
            };
            for step in &block.steps {
                if let Err(problem) = check_step(workspace, &mut runner, &block, step) {
                    check.findings.push(problem.at(&page.shown, step.line));
                }
            }
        }
    }
    for trace in trace::shown_by(&pages, workspace)? {
        check.traces += 1;
        if let Err(problem) = trace.check(workspace, &mut runner) {
            check.findings.push(problem.at(&trace.shown, None));
        }
    }
    Ok(check)
}

/// A page, read from the disk as its author wrote it.
struct SourcePage {
    path: PathBuf,
    /// From the root of the repository.
    shown: PathBuf,
    text: String,
}

fn read_pages(workspace: &Workspace) -> Result<Vec<SourcePage>> {
    let config = site::load_config(&workspace.root, Audience::Published)?;
    let source = site::source_folder(&workspace.root, &config);
    let read = |path: PathBuf| {
        let shown = workspace.relative(&path);
        let text = fs::read_to_string(&path)
            .with_context(|| format!("cannot read {}", shown.display()))?;
        Ok(SourcePage { path, shown, text })
    };
    summary::pages(&source).into_iter().map(read).collect()
}

fn check_step(
    workspace: &Workspace,
    runner: &mut Runner,
    block: &OutputBlock,
    step: &Step,
) -> Result<(), Problem> {
    if step.expected.is_empty() {
        return Err(Problem::new(
            format!("`$ {}` is shown without its output", step.command),
            "add it with `cargo book update`, or use a sh block for a command without output",
        ));
    }
    let printed = print(workspace, runner, block, step)?;
    let alignment = compare::align(&step.expected, &printed);
    if alignment.matches() {
        return Ok(());
    }
    Err(Problem::new(
        format!(
            "`{}` prints something else (- is on the page, + was printed):\n{}",
            step.command,
            alignment.diff()
        ),
        "run `cargo book update`, or mend the program",
    ))
}

/// What the step's command prints, if it ends as the block says it does.
fn print(
    workspace: &Workspace,
    runner: &mut Runner,
    block: &OutputBlock,
    step: &Step,
) -> Result<Vec<String>, Problem> {
    let command = CargoCommand::parse(&step.command, workspace)?;
    if block.stderr && command.is_test() {
        return Err(Problem::new(
            "`console,stderr` is for `cargo run`: cargo test mixes cargo's own messages in",
            "take `stderr` away",
        ));
    }
    let Printed { lines, ending, log } = runner.run(&command, block.stderr)?;
    match ending {
        Ending::Exit(code) if code == block.exit => Ok(lines),
        ending => Err(Problem::new(
            format!(
                "`{}` {ending}; the block expects exit code {}{}",
                step.command,
                block.exit,
                run::last_lines(&log)
            ),
            "mend the program, or state the exit code as in ```console,exit=2",
        )),
    }
}
