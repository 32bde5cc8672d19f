//! A student's answers, checked: which claims hold, which does not and why, and what to do
//! next. `watch` does it again whenever a file is saved.
//!
//! The rule: whatever came out, the last thing said is what to do now.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::catalogue::{self, Chapter, Task};
use crate::claims::{self, LIMIT, Outcome, Tried};
use crate::compile::{self, Compiled, Place};
use crate::failure::Failure;
use crate::process;
use crate::progress::{Progress, Standing};
use crate::say;
use crate::words::indented;

/// How often the files that are watched are looked at. There are few, and looking needs
/// nothing of the system that a container or a network disk may lack.
const LOOK: Duration = Duration::from_millis(200);

/// The repository with its exercises, as a student sees it.
pub(crate) struct Desk {
    pub(crate) root: PathBuf,
    pub(crate) chapters: Vec<Chapter>,
    pub(crate) progress: Progress,
}

impl Desk {
    pub(crate) fn at(root: &Path) -> Result<Self, Failure> {
        Ok(Desk {
            chapters: catalogue::read(root)?,
            progress: Progress::of(root),
            root: root.to_owned(),
        })
    }

    /// All chapters with how far each task is.
    pub(crate) fn list(&self) -> Result<(), Failure> {
        let (mut done, mut all) = (0, 0);
        for chapter in &self.chapters {
            say!("{} ({})", chapter.title, chapter.page.display());
            for task in &chapter.tasks {
                let standing = self.progress.standing(task)?;
                let hints = match self.progress.hints(task)? {
                    0 => String::new(),
                    given => format!(", {given} of {} hints", task.about.hints.len()),
                };
                let about = &task.about;
                say!(
                    "  {}  {:8}  {:7}  {:3} min  {} ({}{hints})",
                    task.id(),
                    about.level,
                    about.kind,
                    about.minutes,
                    about.title,
                    standing.words()
                );
                done += usize::from(standing == Standing::Done);
                all += 1;
            }
        }
        say!("\n{done} of {all} done.");
        match self.next(self.chapters.iter().flat_map(|it| &it.tasks))? {
            Some(task) => say!("Next: cargo exercise check {}", task.id()),
            None => say!("There is nothing left to do here."),
        }
        Ok(())
    }

    /// The first of these tasks that is not done.
    pub(crate) fn next<'a>(
        &self,
        tasks: impl IntoIterator<Item = &'a Task>,
    ) -> Result<Option<&'a Task>, Failure> {
        for task in tasks {
            if self.progress.standing(task)? != Standing::Done {
                return Ok(Some(task));
            }
        }
        Ok(None)
    }

    /// Checks these tasks. Says whether all of them are done.
    pub(crate) fn check(&self, tasks: &[&Task]) -> Result<bool, Failure> {
        let mut begun = Vec::new();
        for task in tasks {
            match self.progress.standing(task)? {
                Standing::NotBegun => {}
                _ => begun.push(*task),
            }
        }
        if !begun.is_empty() {
            // Before compiling: whatever is saved meanwhile has not been checked.
            let answers = begun.iter().map(|task| self.answer(task));
            let answers = answers.collect::<Result<Vec<_>, _>>()?;
            let place = Place {
                root: &self.root,
                copy: None,
            };
            let compiled = compile::compile(place, &begun)?;
            if !compiled.is_success {
                self.say_errors(tasks, &compiled);
                return Ok(false);
            }
            for (task, answer) in begun.iter().zip(answers) {
                let program = compiled.program(task).ok_or_else(|| {
                    Failure::Failed(format!(
                        "cargo did not say where the tests of {} are",
                        task.id()
                    ))
                })?;
                let tried = claims::try_all(task, program)?;
                say_claims(task, &tried);
                if tried.iter().all(|(_, outcome)| *outcome == Outcome::Holds) {
                    self.progress.mark_done(task, &answer)?;
                }
            }
        }
        self.say_next(tasks)
    }

    fn answer(&self, task: &Task) -> Result<String, Failure> {
        catalogue::read_text(&self.root.join(task.file()))
    }

    fn say_next(&self, tasks: &[&Task]) -> Result<bool, Failure> {
        if let Some(task) = self.next(tasks.iter().copied())? {
            match self.progress.standing(task)? {
                Standing::NotBegun => say_invitation(task),
                _ => say!(
                    "Next: go on in {},\n\
                     then run `cargo exercise check {}` again.\n\
                     Stuck? `cargo exercise hint {1}` gives a hint.",
                    task.file().display(),
                    task.id()
                ),
            }
            return Ok(false);
        }
        for task in tasks {
            say!("Done: {}", task.heading());
        }
        say!(
            "`cargo exercise solution {}` shows how the book would write it.",
            tasks[0].id()
        );
        match self.next(self.chapters.iter().flat_map(|it| &it.tasks))? {
            Some(task) => say!("Next: cargo exercise check {}", task.id()),
            None => say!("There is nothing left to do here."),
        }
        Ok(true)
    }

    fn say_errors(&self, tasks: &[&Task], compiled: &Compiled) {
        for error in compiled.errors() {
            say!("{}", error.rendered.trim_end());
            say!("");
        }
        let files: Vec<_> = compiled.errors().flat_map(|error| &error.files).collect();
        let is_hit = |task: &&Task| files.iter().any(|file| **file == task.file());
        if let Some(task) = tasks.iter().find(|task| is_hit(task)) {
            say!(
                "{} does not compile yet.\nMend what the compiler says above, \
                 the first error first.\nThen run `cargo exercise check {}` again.",
                task.file().display(),
                task.id()
            );
            return;
        }
        let all = self.chapters.iter().flat_map(|chapter| &chapter.tasks);
        if let Some(other) = all.into_iter().find(is_hit) {
            say!(
                "{} does not compile.\n\
                 It belongs to task {}, and a chapter compiles as a whole.\n\
                 Mend it, or put it aside: `cargo exercise reset {1}` keeps a copy.",
                other.file().display(),
                other.id()
            );
            return;
        }
        let of_tests = tasks
            .iter()
            .find(|task| files.iter().any(|file| **file == task.tests()));
        match of_tests {
            Some(task) => say!(
                "The tests do not fit {} any more.\n\
                 Keep the names and the types that the starter had;\n`cargo exercise reset {}` brings it back and keeps a copy of yours.",
                task.file().display(),
                task.id()
            ),
            None => {
                say!("It does not compile, and not because of your file. Is the rest as it was?");
            }
        }
    }

    /// Checks these tasks, and again whenever one of their files changes, until Ctrl-C.
    pub(crate) fn watch(&self, tasks: &[&Task]) -> Result<(), Failure> {
        loop {
            let seen = self.contents(tasks);
            match self.check(tasks) {
                Err(Failure::Failed(why)) => say!("error: {why}"),
                other => drop(other?),
            }
            say!("\nWatching. Save a file to check again; Ctrl-C ends.");
            while self.contents(tasks) == seen {
                process::pause(LOOK)?;
            }
            say!("\n{}\n", "=".repeat(40));
        }
    }

    /// What is in the files. One that an editor is replacing is not there for a moment.
    fn contents(&self, tasks: &[&Task]) -> Vec<Option<Vec<u8>>> {
        let files = tasks.iter().map(|task| self.root.join(task.file()));
        files.map(|file| fs::read(file).ok()).collect()
    }
}

/// What somebody does who has not begun.
fn say_invitation(task: &Task) {
    let id = task.id();
    say!("{}\n", task.heading());
    say!("You have not begun this one. So:\n");
    say!("  1. Read {}", task.section());
    say!("  2. Open {}", task.file().display());
    say!("     and write your answer where it says `todo!`.");
    say!("  3. Run  cargo exercise check {id}\n");
    say!("What is asked:\n\n{}\n", indented(&task.about.asks, 2));
    say!("No idea how to begin? `cargo exercise hint {id}` gives a hint.");
}

/// Every claim with what came of it. Only the first that does not hold says why: the others
/// often fail for the same reason.
fn say_claims(task: &Task, tried: &[Tried<'_>]) {
    say!("{}\n", task.heading());
    let mut is_explained = false;
    for (claim, outcome) in tried {
        let (mark, why) = match outcome {
            Outcome::Holds => ("holds", None),
            Outcome::Open(what) => ("open ", Some(format!("still to be written: {what}"))),
            Outcome::Fails { why, printed } if printed.is_empty() => ("FAILS", Some(why.clone())),
            Outcome::Fails { why, printed } => (
                "FAILS",
                Some(format!("{why}\n\nYour code printed:\n{printed}")),
            ),
            Outcome::TooLong => {
                let seconds = LIMIT.as_secs();
                let why = format!(
                    "It was ended after {seconds} seconds. Is there a loop that never ends?"
                );
                ("FAILS", Some(why))
            }
            Outcome::Died(why) => ("FAILS", Some(why.clone())),
            Outcome::NotTried => ("  ?  ", None),
        };
        say!("  {mark}  {}", indented(&claim.says, 9).trim_start());
        if let Some(why) = why.filter(|_| !is_explained) {
            say!("\n{}\n", indented(&why, 9));
            is_explained = true;
        }
    }
    say!("");
}
