//! The chapter's chief claim: a thousand seeds, and in none of them is Raft's word broken.
//!
//! `CH08_SEEDS=a..b cargo test -p ch08-running-cluster --test seeds` runs other seeds.

mod runs;

use std::ops::Range;
use std::sync::Mutex;

use ch07_detour_change_state_machine::{Paced, Sum};
use ch08_running_cluster::{Chance, Failure, Setting};
use runs::{Totals, run};

fn seeds() -> Range<u64> {
    const USUAL: Range<u64> = 0..1000;
    let Ok(range) = std::env::var("CH08_SEEDS") else {
        return USUAL;
    };
    let bounds = range.split_once("..").map(|(a, b)| (a.parse(), b.parse()));
    match bounds {
        Some((Ok(from), Ok(to))) if from < to => from..to,
        _ => panic!("CH08_SEEDS must be two numbers, as in 0..1000, but is {range}"),
    }
}

/// Runs on every core. Answers with the first failure in the order of the settings, so
/// that it does not depend on which core was faster.
fn run_all(settings: impl Iterator<Item = Setting> + Send) -> Result<Totals, Failure> {
    let settings = Mutex::new(settings.enumerate());
    let outcomes = Mutex::new((Totals::default(), None));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                while let Some((place, setting)) = next(&settings) {
                    let outcome = run::<Paced<Sum>>(setting);
                    let mut outcomes = outcomes.lock().expect("no panic in here");
                    match outcome {
                        Ok(totals) => outcomes.0 += totals,
                        Err(failure) => {
                            let first = outcomes.1.take();
                            outcomes.1 = match first {
                                Some((earlier, kept)) if earlier < place => Some((earlier, kept)),
                                _ => Some((place, failure)),
                            };
                        }
                    }
                }
            });
        }
    });
    let (totals, first) = outcomes.into_inner().expect("no panic in here");
    first.map_or(Ok(totals), |(_, failure)| Err(failure))
}

fn next<T>(items: &Mutex<impl Iterator<Item = T>>) -> Option<T> {
    items.lock().expect("no panic in here").next()
}

// ANCHOR: thousand
#[test]
fn in_a_thousand_runs_no_promise_is_broken_and_all_is_done_in_the_end() {
    match run_all(seeds().map(Setting::usual)) {
        Ok(totals) => println!("{totals:?}"),
        Err(failure) => panic!("{failure}"),
    }
}
// ANCHOR_END: thousand

/// What 50 runs come to in which so many messages get lost.
fn fifty(drop: Chance) -> Totals {
    let settings = (0..50).map(|seed| Setting {
        drop,
        ..Setting::usual(seed)
    });
    run_all(settings).unwrap_or_else(|failure| panic!("{failure}"))
}

/// Runs in which nothing happens would prove nothing.
#[test]
fn everything_that_can_happen_happens_in_fifty_runs() {
    let totals = fifty(Chance::percent(25));
    let often = [
        totals.terms_led,
        totals.dropped,
        totals.twice,
        totals.late,
        totals.cuts,
        totals.stops,
        totals.compactions,
        totals.installed,
        totals.in_the_storm,
    ];
    assert!(often.iter().all(|count| *count >= 100), "{totals:?}");
    assert!(totals.replaced >= 5 && totals.unknown >= 50, "{totals:?}");
}

#[test]
fn the_more_gets_lost_the_less_is_acknowledged_in_the_storm_and_nothing_else_changes() {
    let chances = [0, 25, 60, 100];
    let totals = chances.map(|percent| fifty(Chance::percent(percent)));
    let in_the_storm = totals.map(|totals| totals.in_the_storm);
    assert!(in_the_storm.is_sorted_by(|a, b| a > b), "{in_the_storm:?}");
    assert_eq!(in_the_storm[3], 0, "nothing gets through");
    for totals in totals {
        let answered = totals.acknowledged + totals.unknown;
        assert!(answered >= 50 * Setting::PROPOSALS, "{totals:?}");
    }
}

#[test]
fn a_run_without_proposals_ends_too() {
    for seed in 0..10 {
        let setting = Setting {
            proposals: 0,
            ..Setting::usual(seed)
        };
        let totals = run::<Paced<Sum>>(setting).unwrap_or_else(|failure| panic!("{failure}"));
        assert_eq!(totals.acknowledged, 0);
    }
}
