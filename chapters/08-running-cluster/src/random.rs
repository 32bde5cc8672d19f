//! Everything that is left to chance, drawn from one seed.
//!
//! The rule: whatever is random in a run comes from here, in the order in which it is
//! needed. So the seed is all that has to be known to repeat the run.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};

/// Numbers that look random and are not: the same seed gives the same ones.
// ANCHOR: random
#[derive(Debug)]
pub struct Random(Xoshiro256PlusPlus);

impl Random {
    /// The numbers that begin with this seed.
    pub fn new(seed: u64) -> Self {
        Random(Xoshiro256PlusPlus::seed_from_u64(seed))
    }

    /// One of these numbers, each as likely as any other.
    pub fn between(&mut self, range: RangeInclusive<u64>) -> u64 {
        self.0.random_range(range)
    }

    /// Whether something happens that has this chance.
    pub fn happens(&mut self, chance: Chance) -> bool {
        self.0.random_bool(chance.0)
    }
}
// ANCHOR_END: random

/// How likely something is: 0 never happens, 1 always.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Chance(f64);

impl Chance {
    /// It never happens.
    pub const NEVER: Chance = Chance(0.0);

    /// So many times in a hundred. More than a hundred is always.
    pub fn percent(percent: u8) -> Self {
        Chance(f64::from(percent.min(100)) / 100.0)
    }
}

impl fmt::Display for Chance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A text that is no chance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAChance;

impl FromStr for Chance {
    type Err = NotAChance;

    fn from_str(text: &str) -> Result<Self, NotAChance> {
        match text.parse() {
            // Added to 0, a negative zero becomes a zero.
            Ok(chance) if (0.0..=1.0).contains(&chance) => Ok(Chance(chance + 0.0)),
            _ => Err(NotAChance),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_draws_the_same_numbers_in_every_version_of_this_book() {
        let mut random = Random::new(7);
        let drawn: Vec<u64> = (0..6).map(|_| random.between(1..=100)).collect();
        assert_eq!(drawn, [6, 18, 72, 43, 97, 47]);
        let happened: Vec<bool> = (0..6)
            .map(|_| random.happens(Chance::percent(50)))
            .collect();
        assert_eq!(happened, [false, true, false, true, true, true]);
    }

    #[test]
    fn what_never_happens_does_not_and_what_always_happens_does() {
        let mut random = Random::new(7);
        for _ in 0..1000 {
            assert!(!random.happens(Chance::NEVER));
            assert!(random.happens(Chance::percent(100)));
        }
    }

    #[test]
    fn only_a_number_from_0_to_1_is_a_chance() {
        for (text, chance) in [("0", 0.0), ("0.25", 0.25), ("1", 1.0), ("-0", 0.0)] {
            assert_eq!(text.parse(), Ok(Chance(chance)), "{text}");
        }
        for text in ["", "x", "-0.1", "1.1", "25", "NaN", "inf", "25%"] {
            assert_eq!(text.parse::<Chance>(), Err(NotAChance), "{text}");
        }
        assert_eq!(
            Chance::from_str("-0").map(|c| c.to_string()),
            Ok("0".into())
        );
    }
}
