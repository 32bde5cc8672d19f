//! The property test: whatever is done to them, in whatever order, `MemoryStorage`
//! and the naive model say the same, hold the same and keep the invariants.

use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;

use ch03_detour_memory_storage::{Naive, Operation, State};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use raft_kernel::{Bytes, ConfState, Entry, Index, MemoryStorage, Payload, Snapshot};

/// Small numbers, so that the operations meet each other.
const INDEXES: std::ops::Range<Index> = 0..16;

fn payload() -> impl Strategy<Value = Payload> {
    prop_oneof![
        Just(Payload::Empty),
        prop::collection::vec(any::<u8>(), 0..40)
            .prop_map(|bytes| Payload::Command(Bytes::from(bytes))),
    ]
}

/// Up to five entries that count up, except that now and then one of them does not.
fn entries() -> impl Strategy<Value = Vec<Entry>> {
    let places = prop::collection::vec((1..5_u64, payload()), 0..6);
    let misfit = prop::option::weighted(0.05, (any::<prop::sample::Index>(), INDEXES));
    (INDEXES, places, misfit).prop_map(|(from, places, misfit)| {
        let mut entries: Vec<Entry> = (from..)
            .zip(places)
            .map(|(index, (term, payload))| Entry {
                term,
                index,
                payload,
            })
            .collect();
        if let Some((which, index)) = misfit
            && !entries.is_empty()
        {
            which.get_mut(&mut entries).index = index;
        }
        entries
    })
}

fn snapshot((index, term): (Index, u64)) -> Snapshot {
    Snapshot {
        index,
        term,
        conf_state: ConfState::of_voters([1]),
        data: Bytes::from_static(b"a leader's state"),
    }
}

fn operation() -> impl Strategy<Value = Operation> {
    // An entry has at least 20 bytes, so some limits are too small for any.
    let limit = prop_oneof![Just(u64::MAX), 0..20_u64, 20..150_u64];
    let range = (INDEXES, INDEXES, limit);
    prop_oneof![
        8 => entries().prop_map(Operation::Append),
        1 => (INDEXES, 1..5_u64).prop_map(snapshot).prop_map(Operation::ApplySnapshot),
        2 => INDEXES.prop_map(Operation::CreateSnapshot),
        2 => INDEXES.prop_map(Operation::Compact),
        2 => INDEXES.prop_map(Operation::Term),
        4 => range.prop_map(|(from, end, max_bytes)| Operation::Entries {
            range: from..end,
            max_bytes,
        }),
    ]
}

/// Everything that is there, commands included.
fn read_all(state: &State) -> Operation {
    Operation::Entries {
        range: state.first_index()..state.last_index() + 1,
        max_bytes: u64::MAX,
    }
}

/// The seed of this run: the one that was asked for, or a new one. A failure says how
/// to ask for it again.
static SEED: LazyLock<u64> = LazyLock::new(|| match ProptestConfig::default().rng_seed {
    RngSeed::Fixed(seed) => seed,
    RngSeed::Random => RandomState::new().hash_one("a new seed"),
});

fn config() -> ProptestConfig {
    ProptestConfig {
        cases: 512,
        rng_seed: RngSeed::Fixed(*SEED),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

fn context(number: usize, operation: &Operation) -> String {
    format!(
        "operation {number}: {}\nreplay: PROPTEST_RNG_SEED={} \
         cargo test -p ch03-detour-memory-storage --test naive_model\n",
        operation.in_words(),
        *SEED
    )
}

// ANCHOR: property
proptest! {
    #![proptest_config(config())]

    #[test]
    fn the_storage_and_the_naive_model_agree(
        operations in prop::collection::vec(operation(), 1..40)
    ) {
        let storage = MemoryStorage::new();
        let mut naive = Naive::default();
        for (number, operation) in operations.iter().enumerate() {
            let context = context(number, operation);
            let expected = naive.run(operation);
            prop_assert_eq!(operation.run(&storage), expected, "{}", context);

            let state = State::read(&storage).expect("the storage answers");
            prop_assert_eq!(&state, &naive.state(), "{}", context);
            prop_assert_eq!(state.broken_invariant(), None, "{}", context);
            let all = read_all(&state);
            prop_assert_eq!(all.run(&storage), naive.run(&all), "{}", context);
        }
    }
}
// ANCHOR_END: property
