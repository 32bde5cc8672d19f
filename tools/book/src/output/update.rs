//! `cargo book update`: writes into the pages, and into the traces
//! that they draw, what the commands print now.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result};

use super::block::{Fault, OutputBlock};
use super::run::Runner;
use super::{LANGUAGE, SourcePage, compare, print, read_pages, trace};
use crate::finding::{self, Finding, Problem, counted};
use crate::page::{self, Fence};
use crate::workspace::Workspace;

/// True if every command could be run. A block whose command fails stays as it is.
pub(crate) fn update(workspace: &Workspace, time_limit: Duration) -> Result<bool> {
    let mut runner = Runner::new(workspace, time_limit);
    let mut findings: Vec<Finding> = Vec::new();
    let (mut blocks, mut rewritten) = (0, 0);
    let pages = read_pages(workspace)?;
    for page in &pages {
        let mut text = page.text.clone();
        // From the last to the first, so that the places of the others hold.
        for fence in page::fences(&page.text).iter().rev() {
            if fence.language() != LANGUAGE {
                continue;
            }
            blocks += 1;
            match new_body(workspace, &mut runner, fence) {
                Ok(body) if body == trimmed(&fence.body) => {}
                Ok(body) => {
                    let place = body_range(page, fence);
                    text.replace_range(place, &page::indent_lines(&body, &fence.indent));
                    rewritten += 1;
                }
                Err(fault) => findings.push(fault.problem.at(&page.shown, fault.line)),
            }
        }
        if text != page.text {
            fs::write(&page.path, text)
                .with_context(|| format!("cannot write {}", page.shown.display()))?;
            println!("updated {}", page.shown.display());
        }
    }
    let traces = trace::shown_by(&pages, workspace)?;
    for trace in &traces {
        match trace.update(workspace, &mut runner) {
            Ok(true) => {
                println!("updated {}", trace.shown.display());
                rewritten += 1;
            }
            Ok(false) => {}
            Err(problem) => findings.push(problem.at(&trace.shown, None)),
        }
    }
    let problems = finding::report(findings);
    println!(
        "{}, {}: {rewritten} rewritten, {} found.",
        counted(blocks, "output block"),
        counted(traces.len(), "trace"),
        counted(problems, "problem")
    );
    Ok(problems == 0)
}

fn new_body(workspace: &Workspace, runner: &mut Runner, fence: &Fence) -> Result<String, Fault> {
    let block = OutputBlock::parse(fence)?;
    let mut lines = Vec::new();
    for step in &block.steps {
        let at_step = |problem| Fault {
            line: step.line,
            problem,
        };
        let printed = print(workspace, runner, &block, step).map_err(at_step)?;
        if printed
            .iter()
            .any(|line| line.trim_start().starts_with("```"))
        {
            return Err(at_step(Problem::new(
                format!("`{}` prints a line that would end the block", step.command),
                "show a run that prints none",
            )));
        }
        let alignment = compare::align(&step.expected, &printed);
        lines.push(format!("$ {}", step.command));
        lines.extend(alignment.updated());
        lines.extend(std::iter::repeat_n(String::new(), step.blank_after));
    }
    Ok(trimmed(&lines.join("\n")))
}

/// The lines without the white space at their ends, as `indent_lines` writes them.
fn trimmed(body: &str) -> String {
    let lines: Vec<&str> = body.trim_end().lines().map(str::trim_end).collect();
    lines.join("\n")
}

/// The bytes between the line of the opening fence and that of the closing one.
fn body_range(page: &SourcePage, fence: &Fence) -> std::ops::Range<usize> {
    let block = &page.text[fence.range.clone()];
    let first = block.find('\n').map_or(block.len(), |newline| newline + 1);
    let last = block.trim_end().rfind('\n').unwrap_or(block.len());
    let from = fence.range.start + first;
    from..(fence.range.start + last).max(from)
}
