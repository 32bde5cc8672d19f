//! The one source of chance.
//!
//! The rule: the same seed gives the same numbers on every machine, for ever. So the
//! generator is named (`ChaCha8`: the block of RFC 8439 with 8 rounds and a counter of 64 bits),
//! its key is written down here, and so is the way from its words to a number below a bound;
//! a library may change such a way from one version to the next.
//!
//! The key of 32 bytes is the seed, the least significant byte first, then the stream's
//! number, then zeros. Words are taken in order.

use rand::rngs::ChaCha8Rng;
use rand::{Rng, SeedableRng};

/// What the numbers are for. Each use has a stream of its own, so that one that draws more
/// changes nothing for the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stream {
    /// Making a plan.
    Plan = 0,
    /// The weather while a plan is carried out.
    Weather = 1,
}

pub(crate) struct Random(ChaCha8Rng);

impl Random {
    pub(crate) fn new(seed: u64, stream: Stream) -> Self {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        key[8] = stream as u8;
        Random(ChaCha8Rng::from_seed(key))
    }

    pub(crate) fn number(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A number less than `bound`, which is at least 1 and below 2³²: the high half of a
    /// product of 64 bits.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        (u64::from(self.0.next_u32()) * bound) >> 32
    }

    /// A number of this range, its end included.
    pub(crate) fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high - low + 1)
    }

    pub(crate) fn percent(&mut self, chance: u64) -> bool {
        self.below(100) < chance
    }

    pub(crate) fn coin(&mut self) -> bool {
        self.below(2) == 0
    }

    pub(crate) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        let place = self.below(from.len() as u64);
        from[usize::try_from(place).unwrap_or(0)]
    }
}

/// The same word for the same words: Steele, Lea and Flood's finalizer (2014).
pub(crate) fn mix(mut z: u64) -> u64 {
    z = z.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// If this fails, every seed in every report means another run.
    #[test]
    fn a_seed_gives_the_numbers_that_it_always_gave() {
        let mut random = Random::new(7, Stream::Plan);
        let numbers: Vec<u64> = (0..6).map(|_| random.below(1000)).collect();
        assert_eq!(numbers, [172, 764, 916, 465, 447, 5]);
        assert_eq!(
            Random::new(7, Stream::Weather).number(),
            0xdeae_fd96_0a34_0db5
        );
    }

    #[test]
    fn the_streams_of_a_seed_differ() {
        let first = |stream| Random::new(7, stream).number();
        assert_ne!(first(Stream::Plan), first(Stream::Weather));
    }
}
