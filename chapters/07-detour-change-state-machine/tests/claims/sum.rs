//! The state machine by itself.

use ch06_two_node_snapshot::StateMachine;
use ch07_detour_change_state_machine::Sum;
use proptest::prelude::*;

use crate::property::{config, replay};

fn sum_of(numbers: &[u64]) -> Sum {
    let mut sum = Sum::default();
    for number in numbers {
        sum.apply(&Sum::encode(number)).expect("a number");
    }
    sum
}

/// Counted in another way: in 128 bits, and cut to 64 at the end.
fn counted(numbers: &[u64]) -> u64 {
    let wide: u128 = numbers.iter().map(|number| u128::from(*number)).sum();
    u64::try_from(wide % (1 << 64)).expect("64 bits")
}

fn numbers() -> impl Strategy<Value = Vec<u64>> {
    prop::collection::vec(any::<u64>(), 0..50)
}

proptest! {
    #![proptest_config(config(256))]

    #[test]
    fn each_command_counts_once_in_whatever_order(
        (some, shuffled) in numbers()
            .prop_flat_map(|some| (Just(some.clone()), Just(some).prop_shuffle())),
    ) {
        prop_assert_eq!(sum_of(&some).total(), counted(&some), "{}", replay());
        prop_assert_eq!(sum_of(&shuffled), sum_of(&some), "{}", replay());
    }

    #[test]
    fn what_is_restored_goes_on_like_what_made_the_snapshot(before in numbers(), after in numbers()) {
        let mut original = sum_of(&before);
        let mut restored = Sum::restore(&original.snapshot()).expect("its own snapshot");
        prop_assert_eq!(restored, original, "{}", replay());
        for number in &after {
            original.apply(&Sum::encode(number)).expect("a number");
            restored.apply(&Sum::encode(number)).expect("a number");
        }
        prop_assert_eq!(restored, original, "{}", replay());
    }

    #[test]
    fn a_snapshot_has_eight_bytes_whatever_it_stands_for(some in numbers()) {
        prop_assert_eq!(sum_of(&some).snapshot().len(), 8, "{}", replay());
    }

    #[test]
    fn bytes_of_another_length_are_refused_and_change_nothing(
        bytes in prop::collection::vec(any::<u8>(), 0..20)
            .prop_filter("eight bytes are a number", |bytes| bytes.len() != 8),
    ) {
        let mut sum = sum_of(&[7]);
        let says = format!("a number is eight bytes, and this has {}", bytes.len());
        let refused = sum.apply(&bytes).expect_err("no number");
        prop_assert_eq!(refused.to_string(), says.clone(), "{}", replay());
        prop_assert_eq!(sum, sum_of(&[7]), "{}", replay());
        let refused = Sum::restore(&bytes).expect_err("no snapshot");
        prop_assert_eq!(refused.to_string(), says, "{}", replay());
    }
}

#[test]
fn past_the_largest_number_it_begins_again_at_0() {
    assert_eq!(sum_of(&[u64::MAX]).total(), u64::MAX);
    assert_eq!(sum_of(&[u64::MAX, 1]).total(), 0);
    assert_eq!(sum_of(&[u64::MAX, u64::MAX]).total(), u64::MAX - 1);
}

#[test]
fn which_commands_there_were_cannot_be_told_from_a_sum() {
    assert_eq!(sum_of(&[1, 2, 3]).snapshot(), sum_of(&[6]).snapshot());
}
