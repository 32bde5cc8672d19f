//! The program as a reader runs it: what it prints, and how it ends.

#[path = "../../01-single-node-cluster/tests/program/mod.rs"]
mod program;

the_program_keeps_the_readers_rules!(env!("CARGO_BIN_EXE_ch06-two-node-snapshot"));

/// The seed decides when node 1 stands for election, and the story begins after that.
#[test]
fn every_seed_tells_the_same_story() {
    let told = |seed| {
        let mut out = Vec::new();
        ch06_two_node_snapshot::story::tell(seed, &mut out).expect("a story");
        String::from_utf8(out).expect("a story is text")
    };
    let first = told(0);
    for seed in 1..10 {
        assert_eq!(told(seed), first, "seed {seed}");
    }
}
