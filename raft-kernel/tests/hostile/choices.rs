//! Where every decision of an attack comes from: a seed, or a string of bytes.
//!
//! A seed decides without end. Bytes decide as long as they last, which lets a fuzzer
//! and a shrinker change one decision by changing one byte.

/// A source of decisions. The same seed or the same bytes decide the same.
#[derive(Clone, Debug)]
pub(crate) enum Choices {
    /// The state of Steele, Lea and Flood's generator (2014).
    Seeded(u64),
    /// Bytes, and how many of them are used.
    Taped { tape: Vec<u8>, used: usize },
}

impl Choices {
    pub(crate) fn seeded(seed: u64) -> Self {
        Choices::Seeded(seed)
    }

    pub(crate) fn taped(tape: &[u8]) -> Self {
        Choices::Taped {
            tape: tape.to_vec(),
            used: 0,
        }
    }

    /// Whether nothing is left to decide with. From here on every answer is the first.
    pub(crate) fn are_exhausted(&self) -> bool {
        matches!(self, Choices::Taped { tape, used } if *used >= tape.len())
    }

    /// A number made of so many bytes.
    fn draw(&mut self, bytes: usize) -> u64 {
        match self {
            Choices::Seeded(state) => {
                *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
                let mut z = *state;
                z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
                z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
                z ^ (z >> 31)
            }
            Choices::Taped { tape, used } => {
                let left = tape.get(*used..).unwrap_or_default();
                *used += bytes;
                left.iter()
                    .take(bytes)
                    .fold(0, |number, byte| number << 8 | u64::from(*byte))
            }
        }
    }

    /// Any number at all.
    pub(crate) fn number(&mut self) -> u64 {
        self.draw(8)
    }

    /// A number less than `bound`, which is not 0.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        let bytes = match bound {
            0..=0x100 => 1,
            0x101..=0x1_0000 => 2,
            _ => 8,
        };
        self.draw(bytes) % bound
    }

    /// The same for a place in a list that is not empty.
    pub(crate) fn place(&mut self, len: usize) -> usize {
        usize::try_from(self.below(len as u64)).expect("a list fits into memory")
    }

    pub(crate) fn percent(&mut self, chance: u64) -> bool {
        self.below(100) < chance
    }

    pub(crate) fn coin(&mut self) -> bool {
        self.below(2) == 1
    }

    pub(crate) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.place(from.len())]
    }
}
