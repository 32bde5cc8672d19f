//! The program as a reader runs it: what it prints, and how it ends.

use std::process::{Command, Output, Stdio};

use ch07_detour_change_state_machine::{Paced, Sum};
use ch08_running_cluster::Setting;
use ch08_running_cluster::story::{Detail, tell};

#[path = "../../01-single-node-cluster/tests/program/mod.rs"]
mod program;

const PROGRAM: &str = env!("CARGO_BIN_EXE_ch08-running-cluster");

the_program_keeps_the_readers_rules!(PROGRAM);

fn run(args: &[&str]) -> Output {
    Command::new(PROGRAM)
        .args(args)
        .output()
        .expect("the chapter's program starts")
}

fn text(output: &[u8]) -> String {
    String::from_utf8_lossy(output).into_owned()
}

/// What a run with this seed prints.
fn told(seed: u64, detail: Detail) -> String {
    let mut out = Vec::new();
    let told = tell::<Paced<Sum>>(Setting::usual(seed), detail, &mut out);
    told.unwrap_or_else(|failure| panic!("{failure}"));
    text(&out)
}

#[test]
fn the_same_seed_prints_the_same_bytes_each_message_among_them() {
    for seed in 0..20 {
        for detail in [Detail::Events, Detail::Messages] {
            assert_eq!(told(seed, detail), told(seed, detail), "seed {seed}");
        }
    }
}

#[test]
fn another_seed_tells_another_story() {
    // Without the first lines, which name the seed.
    let mut stories: Vec<String> = (0..20)
        .map(|seed| told(seed, Detail::Events).lines().skip(3).collect())
        .collect();
    stories.sort();
    stories.dedup();
    assert_eq!(stories.len(), 20);
}

#[test]
fn telling_the_messages_does_not_change_what_happens() {
    let brief = told(7, Detail::Events);
    let long = told(7, Detail::Messages);
    let events = long.lines().filter(|line| !line.contains(" → "));
    assert_eq!(
        events.collect::<Vec<_>>(),
        brief.lines().collect::<Vec<_>>()
    );
    assert!(long.lines().count() > 3 * brief.lines().count());
}

#[test]
fn a_quarter_is_lost_if_nobody_asks_for_more_or_less() {
    let usual = run(&["--seed", "7"]);
    let named = run(&["--seed", "7", "--drop", "0.25", "--proposals", "50"]);
    assert!(usual.status.success());
    assert_eq!(usual.stdout, named.stdout);
}

#[test]
fn a_story_can_be_read_in_one_sitting() {
    for seed in 0..20 {
        let lines = told(seed, Detail::Events).lines().count();
        assert!(
            (30..150).contains(&lines),
            "seed {seed} takes {lines} lines"
        );
    }
}

#[test]
fn if_everything_gets_lost_the_run_ends_all_the_same() {
    let lost = run(&["--drop", "1"]);
    assert_eq!(lost.status.code(), Some(0));
    let told = text(&lost.stdout);
    let count = |name: &str| {
        told.lines()
            .find(|line| line.starts_with(name))
            .map(str::to_owned)
    };
    let in_the_storm = count("  acknowledged in the storm").expect("a line of the table");
    assert!(in_the_storm.ends_with("  0"), "{told}");
    assert!(told.contains("all nodes agree"), "{told}");
    // Nobody begins a term without the promise of a majority.
    let leads = told.find(" leads term 2").expect("a leader in the end");
    let calm = told.find("calms down").expect("the storm ends");
    assert!(calm < leads, "{told}");
}

#[test]
fn a_wrong_value_is_named_and_exits_with_2() {
    for (args, said) in [
        (["--drop", "1.5"], "--drop takes a number from 0 to 1"),
        (["--drop", "-0.5"], "--drop takes a number from 0 to 1"),
        (["--drop", "NaN"], "--drop takes a number from 0 to 1"),
        (["--proposals", "x"], "--proposals takes a whole number"),
        (["--seed", "0.5"], "--seed takes a whole number"),
    ] {
        let wrong = run(&args);
        assert_eq!(wrong.status.code(), Some(2), "{args:?}");
        assert!(wrong.stdout.is_empty());
        let stderr = text(&wrong.stderr);
        assert!(stderr.starts_with(&format!("error: {said}")), "{stderr}");
        assert!(stderr.contains("--help"), "{stderr}");
    }
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let mut program = Command::new(PROGRAM)
        .arg("--messages")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the chapter's program starts");
    drop(program.stdout.take());
    let output = program.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(output.stderr.is_empty(), "{output:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error() {
    let full = std::fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .expect("Linux has it");
    let output = Command::new(PROGRAM)
        .stdout(full)
        .output()
        .expect("the chapter's program starts");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(text(&output.stderr).starts_with("error: "), "{output:?}");
}
