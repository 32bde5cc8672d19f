//! Raft's safety, under everything that may go wrong at once.
//!
//! Figure 3 of the paper lists five properties that are true at all times, whatever the
//! network loses, repeats, delays and reorders, and whoever crashes when. Here seeds choose
//! clusters, settings and mishaps; `network::observer` checks the properties after every
//! step. Then all goes well again, and the cluster must elect a leader and bring
//! everyone up to date in bounded time.
//!
//! `CHAOS_SEEDS=a..b cargo test -p raft-kernel --test safety_under_chaos` runs other seeds.

mod chaos;
mod network;

use chaos::{Chaos, Tally};

fn seeds() -> std::ops::Range<u64> {
    const USUAL: std::ops::Range<u64> = 0..200;
    let Ok(range) = std::env::var("CHAOS_SEEDS") else {
        return USUAL;
    };
    let bounds = range.split_once("..").map(|(a, b)| (a.parse(), b.parse()));
    match bounds {
        Some((Ok(from), Ok(to))) => from..to,
        _ => panic!("CHAOS_SEEDS must be two numbers, as in 0..200, but is {range}"),
    }
}

#[test]
fn nothing_that_goes_wrong_breaks_safety_and_all_recover() {
    let mut tally = Tally::default();
    for seed in seeds() {
        tally += Chaos::new(seed).run();
    }
    println!("{tally:?}");
}

/// A chaos in which nothing happens would prove nothing.
#[test]
fn many_things_happen_in_a_few_runs() {
    let mut tally = Tally::default();
    for seed in 0..50 {
        tally += Chaos::new(seed).run();
    }
    let counts = [
        tally.terms_led,
        tally.committed,
        tally.changes,
        tally.snapshots_received,
        tally.starts,
    ];
    assert!(counts.iter().all(|count| *count >= 20), "{tally:?}");
}
