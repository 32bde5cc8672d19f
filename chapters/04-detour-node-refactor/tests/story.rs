//! The program as a reader runs it. A refactoring changes nothing that can be seen.

#[path = "../../01-single-node-cluster/tests/program/mod.rs"]
mod program;

the_program_keeps_the_readers_rules!(env!("CARGO_BIN_EXE_ch04-detour-node-refactor"));

/// What a story prints.
fn printed(tell: ch01_single_node_cluster::cli::Story, seed: u64) -> String {
    let mut out = Vec::new();
    tell(seed, &mut out).expect("a story");
    String::from_utf8(out).expect("a story is text")
}

#[test]
fn the_story_is_chapter_2s_word_for_word() {
    for seed in 0..100 {
        let before = printed(ch02_single_node_proposals::story::tell, seed);
        let after = printed(ch04_detour_node_refactor::story::tell, seed);
        assert!(
            before.contains("The state machine holds [10, 20, 30]."),
            "{before}"
        );
        assert_eq!(after, before, "seed {seed}");
    }
}
