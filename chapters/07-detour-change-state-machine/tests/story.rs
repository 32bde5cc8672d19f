//! The program as a reader runs it: what it prints, and how it ends.

#[path = "../../01-single-node-cluster/tests/program/mod.rs"]
mod program;

the_program_keeps_the_readers_rules!(env!("CARGO_BIN_EXE_ch07-detour-change-state-machine"));

/// The number behind `label` in the story.
fn number(told: &str, label: &str) -> u64 {
    let line = told
        .lines()
        .find_map(|line| line.trim_start().strip_prefix(label))
        .unwrap_or_else(|| panic!("no line begins with '{label}':\n{told}"));
    let word = line.split_whitespace().next().expect("a number behind it");
    word.parse().expect("a number")
}

#[test]
fn whatever_the_seed_every_node_ends_with_the_sum_that_was_counted_outside() {
    for seed in 0..3 {
        let mut out = Vec::new();
        ch07_detour_change_state_machine::story::tell(seed, &mut out).expect("a story");
        let told = String::from_utf8(out).expect("a story is text");
        let (_, volume) = told.split_once("In volume").expect("the volume");

        assert_eq!(number(volume, "accepted"), 10_000, "seed {seed}\n{told}");
        assert_eq!(number(volume, "unknown"), 0, "seed {seed}\n{told}");
        assert!(number(volume, "retried") > 0, "seed {seed}\n{told}");
        let counted = number(volume, "their sum");
        for node in ["node 1 ", "node 2 ", "node 3 "] {
            assert_eq!(number(volume, node), counted, "seed {seed}\n{told}");
        }
    }
}
