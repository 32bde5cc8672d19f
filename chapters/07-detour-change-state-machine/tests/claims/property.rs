//! How the property tests draw what they try, and how a failure is replayed.

use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;

use proptest::test_runner::{Config, RngSeed};

/// The seed of this run: the one that was asked for, or a new one.
pub(crate) static SEED: LazyLock<u64> = LazyLock::new(|| match Config::default().rng_seed {
    RngSeed::Fixed(seed) => seed,
    RngSeed::Random => RandomState::new().hash_one("a new seed"),
});

pub(crate) fn config(cases: u32) -> Config {
    Config {
        cases,
        rng_seed: RngSeed::Fixed(*SEED),
        failure_persistence: None,
        // A smaller failure is nice to have, but not worth minutes.
        max_shrink_iters: 300,
        ..Config::default()
    }
}

/// What to run to see the same again.
pub(crate) fn replay() -> String {
    format!(
        "replay: PROPTEST_RNG_SEED={} cargo test -p ch07-detour-change-state-machine --test claims",
        *SEED
    )
}
