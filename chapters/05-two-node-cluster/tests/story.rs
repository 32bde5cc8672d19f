//! The program as a reader runs it: what it prints, and how it ends.

#[path = "../../01-single-node-cluster/tests/program/mod.rs"]
mod program;

the_program_keeps_the_readers_rules!(env!("CARGO_BIN_EXE_ch05-two-node-cluster"));

/// The seed says how long node 1 waits before it stands for election, and the story does
/// not tell how long that was. Everything else is the same, however the threads are run.
#[test]
fn every_seed_tells_the_same_story() {
    let told = |seed| {
        let mut out = Vec::new();
        ch05_two_node_cluster::story::tell(seed, &mut out).expect("a story");
        String::from_utf8(out).expect("a story is text")
    };
    let first = told(0);
    assert!(
        first.ends_with("Node 2 has stopped with commands [10, 20, 30, 40].\n"),
        "{first}"
    );
    for seed in 1..20 {
        assert_eq!(told(seed), first, "seed {seed}");
    }
}
