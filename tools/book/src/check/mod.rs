//! `cargo book check`: the gate that the book passes before it is published.
//!
//! It builds the site (which finds what is wrong with listings, with SUMMARY.md and
//! with anything mdBook warns about), then follows every link of the rendered
//! pages, then runs the command of every output block and of every trace. All problems
//! are reported, not only the first.

mod html;
mod links;
mod locate;

use std::rc::Rc;
use std::time::Duration;

use anyhow::Result;

use crate::finding::{self, Finding, counted};
use crate::output;
use crate::site::{self, Audience};
use crate::workspace::Workspace;

/// True if there was nothing to complain about.
pub(crate) fn run(workspace: &Rc<Workspace>, time_limit: Duration) -> Result<bool> {
    let site = site::build(workspace, Audience::Published)?;
    let mut findings: Vec<Finding> = site.findings.clone();
    let mut links = 0;
    if site.written {
        let check = links::check(&site, workspace)?;
        links = check.links;
        findings.extend(check.findings);
    }
    let outputs = output::check(workspace, time_limit)?;
    findings.extend(outputs.findings);

    let problems = finding::report(findings);
    let checked = [
        counted(site.pages.len(), "page"),
        counted(site.listings, "listing"),
        counted(links, "link"),
        counted(outputs.blocks, "output block"),
        counted(outputs.traces, "trace"),
    ]
    .join(", ");
    if problems == 0 {
        println!("The book is sound: checked {checked}.");
    } else {
        eprintln!("{} found in {checked}.", counted(problems, "problem"));
    }
    Ok(problems == 0)
}
