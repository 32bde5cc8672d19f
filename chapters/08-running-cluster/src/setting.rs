//! What a run begins with. Nothing else has a say in what happens in it.

use crate::Chance;

/// What a run begins with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Setting {
    /// Where the randomness begins.
    pub seed: u64,
    /// How many of the messages get lost.
    pub drop: Chance,
    /// How many numbers are proposed while the weather is bad.
    pub proposals: u64,
}

impl Setting {
    /// How many numbers are proposed if nobody asks for more or fewer.
    pub const PROPOSALS: u64 = 50;

    /// The usual run with this seed: a quarter of the messages is lost.
    pub fn usual(seed: u64) -> Self {
        Setting {
            seed,
            drop: Chance::percent(25),
            proposals: Setting::PROPOSALS,
        }
    }

    /// The command that runs this again.
    pub fn replay(&self) -> String {
        let Setting {
            seed,
            drop,
            proposals,
        } = self;
        let usual = *proposals == Setting::PROPOSALS;
        let more = if usual {
            String::new()
        } else {
            format!(" --proposals {proposals}")
        };
        format!("cargo run -p ch08-running-cluster -- --seed {seed} --drop {drop}{more}")
    }
}
