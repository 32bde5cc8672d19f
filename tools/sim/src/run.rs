//! From a plan to its outcome.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

use crate::check::{Property, Violation};
use crate::plan::{Mishap, Moment, Plan};
use crate::tally::Tally;
use crate::world::World;

/// What is asked of a run beside the plan.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wishes {
    /// Whether its story is to be told. That takes time.
    pub story: bool,
    /// The one property that counts as a failure, if not all do.
    pub only: Option<Property>,
}

/// What came of a plan.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// What broke, if anything did.
    pub violation: Option<Violation>,
    /// When the run ended.
    pub at: Moment,
    /// What happened.
    pub tally: Tally,
    /// The story, if it was asked for.
    pub story: Option<String>,
    /// What the weather did. A fixed plan with these mishaps runs in the same way.
    pub happened: Vec<Mishap>,
}

/// Carries a plan out. An engine that panics has failed like one that stops.
pub fn run(plan: &Plan, wishes: Wishes) -> Outcome {
    hush_panics();
    RUNNING.set(true);
    let carried_out = catch_unwind(AssertUnwindSafe(|| {
        World::new(plan, wishes.story, wishes.only).run()
    }));
    RUNNING.set(false);
    match carried_out {
        Ok(ended) => Outcome {
            violation: ended.verdict.err(),
            at: ended.at,
            tally: ended.tally,
            story: ended.story,
            happened: ended.happened,
        },
        Err(_) => {
            let said = LAST_WORDS.with_borrow_mut(std::mem::take);
            let what = format!("panicked: {said}");
            let violation = Violation {
                property: Property::KeepsRunning,
                what,
            };
            Outcome {
                violation: Some(violation),
                at: plan.end,
                tally: Tally {
                    runs: 1,
                    ..Tally::default()
                },
                story: None,
                happened: Vec::new(),
            }
        }
    }
}

thread_local! {
    static RUNNING: Cell<bool> = const { Cell::new(false) };
    static LAST_WORDS: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Keeps what a panic in a run says for the report, instead of printing it in the middle of
/// one.
fn hush_panics() {
    static HUSHED: Once = Once::new();
    HUSHED.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if RUNNING.get() {
                LAST_WORDS.set(panic.to_string());
            } else {
                usual(panic);
            }
        }));
    });
}
