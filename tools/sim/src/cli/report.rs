//! A failure: made short, told, and written to files.

use std::fs;
use std::path::PathBuf;

use super::options::{Options, Source};
use super::say;
use crate::check::Violation;
use crate::plan::Plan;
use crate::run::{Wishes, run};
use crate::shrink::shrink;
use crate::story::trace;

/// So many runs are spent on making one failure short.
const MOST_RUNS: u32 = 3000;

pub(super) fn failure(options: &Options, plan: &Plan, violation: &Violation) {
    let only = options.only();
    let seed = plan.seed;
    say!("\n== seed {seed}: {violation}");
    let (short, violation) = if options.shrinks {
        let shrunk = shrink(plan, violation, only, MOST_RUNS);
        say!(
            "made short in {} runs: from {} events to {} events and {} mishaps",
            shrunk.runs,
            plan.events.len(),
            shrunk.plan.events.len(),
            shrunk.plan.mishaps.len(),
        );
        (shrunk.plan, shrunk.violation)
    } else {
        (plan.clone(), violation.clone())
    };
    let wishes = Wishes { story: true, only };
    let story = run(&short, wishes).story.unwrap_or_default();
    let text = trace(&short, Some(&violation), &story);
    say!("\n{short}\n{text}");
    for (name, contents) in [
        (format!("seed-{seed}.trace"), text),
        (format!("seed-{seed}.plan.json"), to_json(&short)),
    ] {
        match write(options, &name, &contents) {
            Ok(path) => say!("written to {}", path.display()),
            Err(error) => eprintln!("{name} cannot be written: {error}"),
        }
    }
    if let Source::Seeds(_) = options.source {
        say!("again: cargo sim --seed {seed} --trace");
    }
}

fn to_json(plan: &Plan) -> String {
    let json = serde_json::to_string_pretty(plan);
    json.unwrap_or_else(|error| format!("this plan cannot be written: {error}"))
}

fn write(options: &Options, name: &str, contents: &str) -> std::io::Result<PathBuf> {
    fs::create_dir_all(&options.out)?;
    let path = options.out.join(name);
    fs::write(&path, contents)?;
    Ok(path)
}
