//! What a student can ask for: hints, a solution, a fresh start.
//!
//! The rule: nobody reads a solution or loses work by a slip. Both are asked about first;
//! and where there is nobody to ask, the answer is no.

use std::io::{self, BufRead, IsTerminal, Write};

use crate::catalogue::{Task, read_text};
use crate::check::Desk;
use crate::failure::Failure;
use crate::progress::Standing;
use crate::say;
use crate::words::indented;

/// Gives the next hint, after those that were given before.
pub(crate) fn hint(desk: &Desk, tasks: &[&Task]) -> Result<(), Failure> {
    let Some(task) = desk.next(tasks.iter().copied())?.or(tasks.first().copied()) else {
        return Ok(());
    };
    let all = &task.about.hints;
    let before = desk.progress.hints(task)?.min(all.len());
    let given = all.len().min(before + 1);
    desk.progress.set_hints(task, given)?;
    say!("{}\n", task.heading());
    for (number, hint) in (1..).zip(&all[..given]) {
        say!("Hint {number} of {}:\n{}\n", all.len(), indented(hint, 2));
    }
    let id = task.id();
    if before == all.len() {
        say!("These are all. `cargo exercise solution {id}` shows an answer.");
    } else if given == all.len() {
        say!("That was the last one. Then there is `cargo exercise solution {id}`.");
    } else {
        say!("Not enough? The same command gives the next one.");
    }
    Ok(())
}

/// Shows the solution. It is not written anywhere.
pub(crate) fn solution(desk: &Desk, task: &Task, is_sure: bool) -> Result<(), Failure> {
    let standing = desk.progress.standing(task)?;
    let question = format!("{} is {}. Show its solution?", task.id(), standing.words());
    if standing != Standing::Done && !is_sure && !agreed(&question)? {
        say!(
            "Not shown. `cargo exercise hint {}` gives a hint.",
            task.id()
        );
        return Ok(());
    }
    say!("// {}", task.solution().display());
    say!(
        "{}",
        read_text(&desk.root.join(task.solution()))?.trim_end()
    );
    Ok(())
}

/// Puts the starter back, after a copy of what was there.
pub(crate) fn reset(desk: &Desk, task: &Task, is_sure: bool) -> Result<(), Failure> {
    let file = task.file();
    let file = file.display();
    let standing = desk.progress.standing(task)?;
    if standing == Standing::NotBegun {
        say!("{file} is the starter already.");
        return Ok(());
    }
    let question = format!(
        "{} is {}. Put the starter in the place of {file}? (A copy is kept.)",
        task.id(),
        standing.words()
    );
    if !is_sure && !agreed(&question)? {
        say!("Nothing was changed.");
        return Ok(());
    }
    let backup = desk.progress.back_up(task)?;
    desk.progress.restore_starter(task)?;
    say!(
        "{file} is the starter again. What was there is in {}.",
        backup.display()
    );
    Ok(())
}

/// Asks the person at the terminal.
fn agreed(question: &str) -> Result<bool, Failure> {
    if !io::stdin().is_terminal() {
        return Err(Failure::Failed(format!(
            "{question}\nThere is nobody to ask: the input is no terminal. With --yes it is done \
             without asking."
        )));
    }
    print!("{question} [y/N] ");
    let failed = |error| Failure::Failed(format!("cannot ask: {error}"));
    io::stdout().flush().map_err(failed)?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer).map_err(failed)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
