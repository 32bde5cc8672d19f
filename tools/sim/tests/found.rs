//! The seeds that broke the engine once. Each is kept as the short plan that the shrinker made
//! of it, since the plan of a seed changes with the generator.

use sim::{Plan, Tally, Wishes, run};

fn holds(name: &str, json: &str) {
    let plan: Plan = serde_json::from_str(json).expect("a plan");
    plan.validate().expect("a plan that can be carried out");
    let violation = run(&plan, Wishes::default()).violation;
    assert_eq!(violation, None, "{name}");
}

macro_rules! found {
    ($($name:ident),* $(,)?) => {
        $(
            #[test]
            fn $name() {
                let name = stringify!($name);
                holds(name, include_str!(concat!("found/", stringify!($name), ".json")));
            }
        )*
    };
}

found! {
    a_read_in_a_joint_configuration_of_one_voter,
    a_question_that_came_back_to_who_asked,
    a_leader_that_a_node_of_a_newer_term_does_not_know,
    candidates_that_do_not_ask_each_other,
    a_node_that_was_told_to_stand_under_a_lease,
    a_leader_without_a_vote_that_goes_on,
}

/// A search in which nothing happens would prove nothing.
#[test]
fn many_things_happen_in_a_few_runs() {
    let mut tally = Tally::default();
    for seed in 1..=50 {
        let outcome = run(&Plan::from_seed(seed), Wishes::default());
        assert_eq!(outcome.violation, None, "cargo sim --seed {seed} --trace");
        tally += outcome.tally;
    }
    let counts = [
        tally.terms_led,
        tally.committed,
        tally.changes,
        tally.answered,
        tally.crashes,
        tally.snapshots,
        tally.lost,
    ];
    assert!(counts.iter().all(|count| *count >= 20), "{tally}");
}
