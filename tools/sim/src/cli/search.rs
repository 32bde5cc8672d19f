//! Tries seeds, several at a time, until they are done or somebody has enough.
//!
//! What is found is told in the order of the seeds, whoever found it first: the same command
//! prints the same failures.

use std::fs;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, OnceLock};

use super::options::{Mode, Options, Source};
use super::progress::Progress;
use super::{report, say};
use crate::plan::Plan;
use crate::run::{Outcome, Wishes, run};
use crate::tally::Tally;

/// A plan that was carried out.
struct Tried {
    plan: Plan,
    outcome: Outcome,
}

/// Tries what was asked for: how many failures there were.
pub(super) fn search(options: &Options) -> Result<usize, String> {
    match &options.source {
        Source::Seeds(seeds) => Ok(try_seeds(options, *seeds.start(), *seeds.end())),
        Source::Plan(file) => {
            let text = fs::read_to_string(file)
                .map_err(|error| format!("{} cannot be read: {error}", file.display()))?;
            let plan: Plan = serde_json::from_str(&text)
                .map_err(|error| format!("{} is no plan: {error}", file.display()))?;
            plan.validate()
                .map_err(|why| format!("{} is no plan: {why}", file.display()))?;
            Ok(try_plan(options, plan))
        }
    }
}

fn wishes(options: &Options) -> Wishes {
    Wishes {
        story: options.trace,
        only: options.only(),
    }
}

fn plan_of(options: &Options, seed: u64) -> Plan {
    let mut plan = Plan::from_seed(seed);
    plan.recovery = options.mode != Mode::Safety;
    plan
}

fn try_plan(options: &Options, plan: Plan) -> usize {
    let outcome = run(&plan, wishes(options));
    let tried = Tried { plan, outcome };
    let found = usize::from(tell(options, &tried));
    say!("{}", tried.outcome.tally);
    found
}

fn try_seeds(options: &Options, from: u64, to: u64) -> usize {
    let count = (to - from).saturating_add(1);
    let mut progress = Progress::of(count);
    let mut tally = Tally::default();
    let mut failures = Vec::new();
    let stop = stopped_by_hand();
    let next = AtomicU64::new(0);
    let (send, receive) = channel();
    std::thread::scope(|scope| {
        for _ in 0..options.jobs {
            let (send, stop, next) = (send.clone(), &stop, &next);
            scope.spawn(move || work(options, from, count, next, stop, &send));
        }
        drop(send);
        for tried in receive {
            tally += tried.outcome.tally;
            let failed = tried.outcome.violation.is_some();
            if failed {
                failures.push(tried);
                if options.first {
                    stop.store(true, Ordering::Relaxed);
                }
            } else if options.trace {
                tell(options, &tried);
            }
            progress.tell(&tally, failures.len());
        }
    });
    progress.clear();
    failures.sort_by_key(|tried| tried.plan.seed);
    if options.first {
        failures.truncate(1);
    }
    for tried in &failures {
        tell(options, tried);
    }
    if tally.runs < count && !options.first {
        say!("stopped by hand after {} of {count} seeds", tally.runs);
    }
    say!("{tally}");
    say!(
        "{} failures; {} seconds, {} steps a second on {} cores",
        failures.len(),
        progress.seconds(),
        progress.speed(&tally),
        options.jobs,
    );
    failures.len()
}

/// Takes one seed after the other, until there are no more.
fn work(
    options: &Options,
    from: u64,
    count: u64,
    next: &AtomicU64,
    stop: &AtomicBool,
    send: &Sender<Tried>,
) {
    while !stop.load(Ordering::Relaxed) {
        let place = next.fetch_add(1, Ordering::Relaxed);
        if place >= count {
            return;
        }
        let plan = plan_of(options, from + place);
        let outcome = run(&plan, wishes(options));
        if send.send(Tried { plan, outcome }).is_err() {
            return;
        }
    }
}

/// Tells of a run, and says whether it failed.
fn tell(options: &Options, tried: &Tried) -> bool {
    let Some(violation) = &tried.outcome.violation else {
        if let Some(story) = &tried.outcome.story {
            say!("{}", crate::story::trace(&tried.plan, None, story));
        }
        return false;
    };
    report::failure(options, &tried.plan, violation);
    true
}

/// Set once somebody presses Ctrl-C: what is running ends, and the summary is printed.
fn stopped_by_hand() -> Arc<AtomicBool> {
    static STOP: OnceLock<Arc<AtomicBool>> = OnceLock::new();
    let stop = STOP.get_or_init(|| {
        let stop = Arc::new(AtomicBool::new(false));
        let pressed = Arc::clone(&stop);
        let set = ctrlc::set_handler(move || {
            if pressed.swap(true, Ordering::Relaxed) {
                // A second time: at once.
                std::process::exit(130);
            }
        });
        if let Err(error) = set {
            eprintln!("Ctrl-C will end this without a summary: {error}");
        }
        stop
    });
    Arc::clone(stop)
}
