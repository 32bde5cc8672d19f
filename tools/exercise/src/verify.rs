//! The tasks themselves, put to the proof: what CI runs.
//!
//! Of every task: the starter compiles and every claim meets its `todo!`; the solution keeps
//! all claims; each wrong answer compiles, breaks the claim that it should, and is answered
//! with the words that point at its misconception. And what a student reads fits together:
//! the page names the task, the heading to read is there, each claim has a test and each test
//! a claim.
//!
//! All starters are compiled together, then all solutions, then the first wrong answer of
//! each task, and so on: a call of cargo costs more than a test.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Instant;

use crate::bench::Bench;
use crate::catalogue::{Kind, Level, Task, Wrong, read_text};
use crate::check::Desk;
use crate::claims::{self, Outcome};
use crate::compile::Compiled;
use crate::failure::Failure;
use crate::say;

/// Fewer would not be tiers.
const FEWEST_HINTS: usize = 3;
/// A chapter has a task of each level.
const LEVELS: [Level; 3] = [Level::Easy, Level::Moderate, Level::Hard];

/// What is not as it should be, each with its task.
type Findings = Vec<String>;

/// What is put in the student's place.
#[derive(Clone, Copy, Debug)]
enum Answer<'a> {
    Starter,
    Solution,
    Wrong(&'a Wrong),
}

impl Answer<'_> {
    fn file(self, task: &Task) -> PathBuf {
        match self {
            Answer::Starter => task.starter(),
            Answer::Solution => task.solution(),
            Answer::Wrong(wrong) => task.wrong(wrong),
        }
    }
}

/// Proves these tasks. Says whether all is as it should be.
pub(crate) fn verify(desk: &Desk, tasks: &[&Task]) -> Result<bool, Failure> {
    let began = Instant::now();
    let mut findings = Findings::new();
    for task in tasks {
        read_through(&desk.root, task, &mut findings)?;
    }
    for chapter in &desk.chapters {
        for level in LEVELS {
            if !chapter.tasks.iter().any(|task| task.about.level == level) {
                findings.push(format!(
                    "chapter {:02}: there is no task that is {level}",
                    chapter.number
                ));
            }
        }
    }
    let bench = Bench::open(&desk.root, tasks)?;
    prove(
        "starters",
        desk,
        &bench,
        &all(tasks, Answer::Starter),
        &mut findings,
    )?;
    prove(
        "solutions",
        desk,
        &bench,
        &all(tasks, Answer::Solution),
        &mut findings,
    )?;
    let most = tasks.iter().map(|task| task.about.wrong.len()).max();
    for round in 0..most.unwrap_or(0) {
        let wrong = |task: &&'_ Task| task.about.wrong.len() > round;
        let some: Vec<_> = tasks.iter().copied().filter(wrong).collect();
        let answers = some
            .into_iter()
            .map(|task| (task, Answer::Wrong(&task.about.wrong[round])));
        let title = format!("wrong answers, round {}", round + 1);
        prove(
            &title,
            desk,
            &bench,
            &answers.collect::<Vec<_>>(),
            &mut findings,
        )?;
    }
    say!("");
    // What is wrong with the tests comes up in every round.
    let mut said = BTreeSet::new();
    findings.retain(|finding| said.insert(finding.clone()));
    for finding in &findings {
        say!("{finding}\n");
    }
    let seconds = began.elapsed().as_secs();
    match findings.len() {
        0 => say!("{} tasks are as they should be ({seconds} s).", tasks.len()),
        many => say!("{many} findings in {} tasks ({seconds} s).", tasks.len()),
    }
    Ok(findings.is_empty())
}

fn all<'a>(tasks: &[&'a Task], answer: Answer<'a>) -> Vec<(&'a Task, Answer<'a>)> {
    tasks.iter().map(|task| (*task, answer)).collect()
}

/// What can be told without running anything.
fn read_through(root: &Path, task: &Task, findings: &mut Findings) -> Result<(), Failure> {
    let mut find = |what: String| findings.push(format!("{}: {what}", task.id()));
    let about = &task.about;
    let starter = read_text(&root.join(task.starter()))?;
    if starter != read_text(&root.join(task.file()))? {
        find(format!(
            "{} is not {}. Where nobody has begun, they are the same",
            task.file().display(),
            task.starter().display()
        ));
    }
    if !starter.starts_with("//!") || !starter.contains("todo!(\"") {
        find("the starter lacks a doc comment that says what to do, or a todo! with words".into());
    }
    if read_text(&root.join(task.solution()))?.contains("todo!") {
        find("the solution has a todo!".into());
    }
    if about.hints.len() < FEWEST_HINTS {
        find(format!("there are fewer than {FEWEST_HINTS} hints"));
    }
    if about.kind != Kind::Predict && about.wrong.is_empty() {
        find("a coding task without a wrong answer".into());
    }
    for wrong in &about.wrong {
        if !about.claims.iter().any(|claim| claim.test == wrong.fails) {
            find(format!(
                "{} fails a claim that there is not: {}",
                wrong.name, wrong.fails
            ));
        }
        if wrong.misconception.trim().is_empty() || wrong.answer.trim().is_empty() {
            find(format!(
                "{}: its misconception and its answer want words",
                wrong.name
            ));
        }
    }
    let page = read_text(&root.join(&task.page))?;
    if !page
        .lines()
        .filter_map(|line| line.strip_prefix("##"))
        .any(|heading| address(heading.trim_start_matches('#')) == about.section)
    {
        find(format!(
            "{} has no heading #{}",
            task.page.display(),
            about.section
        ));
    }
    if !page.contains(&format!("cargo exercise check {}", task.id())) {
        find(format!(
            "{} does not name it: cargo exercise check {}",
            task.page.display(),
            task.id()
        ));
    }
    Ok(())
}

/// A heading as it stands in an address.
fn address(heading: &str) -> String {
    let kept = heading.trim().chars().filter_map(|letter| match letter {
        ' ' => Some('-'),
        '-' | '_' => Some(letter),
        letter => letter
            .is_alphanumeric()
            .then(|| letter.to_ascii_lowercase()),
    });
    kept.collect()
}

/// Compiles one answer for each of these tasks and tries their claims.
fn prove(
    title: &str,
    desk: &Desk,
    bench: &Bench,
    answers: &[(&Task, Answer<'_>)],
    findings: &mut Findings,
) -> Result<(), Failure> {
    let began = Instant::now();
    let mut texts = Vec::new();
    for (task, answer) in answers {
        texts.push((*task, read_text(&desk.root.join(answer.file(task)))?));
    }
    let compiled = bench.compile(&texts)?;
    let compiling = began.elapsed();
    let began = Instant::now();
    note_remarks(answers, &compiled, findings);
    for (task, answer) in answers {
        let Some(program) = compiled.program(task) else {
            findings.push(format!(
                "{}: {} does not compile",
                task.id(),
                answer.file(task).display()
            ));
            continue;
        };
        prove_one(task, *answer, program, findings)?;
    }
    say!(
        "{title}: {} tasks, compiled in {:.1} s, tried in {:.1} s",
        answers.len(),
        compiling.as_secs_f32(),
        began.elapsed().as_secs_f32()
    );
    Ok(())
}

/// Whatever the compiler says of these files, a reader would see too.
fn note_remarks(answers: &[(&Task, Answer<'_>)], compiled: &Compiled, findings: &mut Findings) {
    for remark in &compiled.remarks {
        let is_hit = |task: &Task| remark.files.iter().any(|file| file.ends_with(task.file()));
        let hit = answers.iter().find(|(task, _)| is_hit(task));
        let of = match hit {
            Some((task, answer)) => answer.file(task).display().to_string(),
            None => "the exercises".to_owned(),
        };
        findings.push(format!(
            "the compiler says of {of}:\n{}",
            remark.rendered.trim_end()
        ));
    }
}

fn prove_one(
    task: &Task,
    answer: Answer<'_>,
    program: &Path,
    findings: &mut Findings,
) -> Result<(), Failure> {
    let of = answer.file(task);
    let mut find = |what: String| findings.push(format!("{}: {}: {what}", task.id(), of.display()));
    if matches!(answer, Answer::Starter) {
        let mut tests = claims::tests(program)?;
        let mut said: Vec<_> = task
            .about
            .claims
            .iter()
            .map(|claim| claim.test.clone())
            .collect();
        tests.sort();
        said.sort();
        if tests != said {
            find(format!("the tests are {tests:?}, and the claims {said:?}"));
        }
    }
    for (claim, outcome) in claims::try_all(task, program)? {
        let test = &claim.test;
        match answer {
            Answer::Starter => {
                if !matches!(&outcome, Outcome::Open(words) if !words.is_empty()) {
                    find(format!(
                        "{test} should meet a todo! with words, and there came {outcome:?}"
                    ));
                }
            }
            Answer::Solution => {
                if outcome != Outcome::Holds {
                    find(format!("{test} should hold, and there came {outcome:?}"));
                }
            }
            Answer::Wrong(wrong) if *test == wrong.fails => {
                if !matches!(&outcome, Outcome::Fails { why, .. } if why.contains(&wrong.answer)) {
                    find(format!(
                        "{test} should fail with {:?}, and there came {outcome:?}",
                        wrong.answer
                    ));
                }
            }
            Answer::Wrong(_) => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_heading_is_addressed_as_the_book_does_it() {
        assert_eq!(address(" Run it"), "run-it");
        assert_eq!(address(" What's `turn`, 2?"), "whats-turn-2");
    }
}
