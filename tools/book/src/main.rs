//! `cargo book`: builds, serves and checks the book.
//!
//! mdBook renders the pages; this tool adds what keeps the book true. A listing is
//! cut out of a file that the workspace compiles, what a program prints is printed
//! by that program, and a link leads somewhere, or the book does not pass.

mod check;
mod cli;
mod finding;
mod output;
mod page;
mod preprocess;
mod publish;
mod serve;
mod site;
mod summary;
mod warnings;
mod workspace;

use std::process::ExitCode;
use std::rc::Rc;

use anyhow::{Context, Result};
use clap::Parser;

use cli::{Cli, Command};
use site::Audience;
use workspace::Workspace;

fn main() -> ExitCode {
    // Wrong arguments end here, with exit code 2.
    match run(Cli::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// False if the book has problems, which have been reported then.
fn run(cli: Cli) -> Result<bool> {
    let given = cli.root.clone();
    let command = cli.into_command();
    let root = workspace::find_root(given.as_deref())?;
    let workspace = Rc::new(Workspace::load(&root)?);
    match command {
        Command::Serve(options) => serve::run(&root, &options).map(|()| true),
        Command::Build => build(&workspace),
        Command::Check(options) => {
            output::stop_on_interrupt().context("cannot watch for Ctrl-C")?;
            check::run(&workspace, options.time_limit())
        }
        Command::Update(options) => {
            output::stop_on_interrupt().context("cannot watch for Ctrl-C")?;
            output::update(&workspace, options.time_limit())
        }
    }
}

fn build(workspace: &Rc<Workspace>) -> Result<bool> {
    let site = site::build(workspace, Audience::Published)?;
    let problems = finding::report(site.findings);
    if site.written {
        println!(
            "The book is in {}; its first page is {}.",
            site.folder.display(),
            site.folder.join("index.html").display()
        );
    }
    Ok(problems == 0)
}
