//! The program as a reader runs it: what it prints, and how it ends.

mod program;

the_program_keeps_the_readers_rules!(env!("CARGO_BIN_EXE_ch01-single-node-cluster"));

#[test]
fn another_seed_waits_for_another_time() {
    let printed = |seed| {
        let mut out = Vec::new();
        ch01_single_node_cluster::story::tell(seed, &mut out).expect("a story");
        out
    };
    assert!((2..10).any(|seed| printed(seed) != printed(1)));
}
