//! A failure is only as useful as its story is short.

use sim::{Plan, Property, Wishes, run, shrink};

/// A cluster that takes no reads cannot get well, whatever else happens to it.
fn hopeless(seed: u64) -> Plan {
    let mut plan = Plan::from_seed(seed);
    for node in &mut plan.settings.nodes {
        node.max_pending_reads = 0;
    }
    plan
}

#[test]
fn what_has_nothing_to_do_with_a_failure_is_left_out() {
    for seed in [2, 3, 4] {
        let plan = hopeless(seed);
        let violation = run(&plan, Wishes::default()).violation.expect("no reads");
        assert_eq!(violation.property, Property::Liveness);
        let shrunk = shrink(&plan, &violation, None, 500);
        assert_eq!(shrunk.violation.property, Property::Liveness);
        assert!(
            plan.len() > 20,
            "seed {seed}: there was something to leave out"
        );
        assert!(shrunk.plan.is_empty(), "seed {seed}: {}", shrunk.plan);
        assert!(shrunk.plan.settings.nodes.len() <= plan.settings.nodes.len());
    }
}

#[test]
fn a_short_plan_fails_in_the_way_that_is_told() {
    let plan = hopeless(3);
    let violation = run(&plan, Wishes::default()).violation.expect("no reads");
    let shrunk = shrink(&plan, &violation, None, 500);
    let again = run(&shrunk.plan, Wishes::default());
    assert_eq!(again.violation, Some(shrunk.violation));
}

/// However few runs are allowed, what comes out still fails.
#[test]
fn the_shrinker_ends_when_it_may_not_go_on() {
    let plan = hopeless(3);
    let violation = run(&plan, Wishes::default()).violation.expect("no reads");
    let shrunk = shrink(&plan, &violation, None, 5);
    assert_eq!(shrunk.runs, 5);
    assert!(run(&shrunk.plan, Wishes::default()).violation.is_some());
}
