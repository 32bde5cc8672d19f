//! Predict: an election with a long timeout.
//!
//! A node alone founds its cluster as in the chapter, with one difference: `election_ticks`
//! is 100 instead of 10. Predict what happens, before you run anything. The tests run the
//! node and compare.

/// What you expect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prediction {
    /// The fewest ticks that may pass until the node stands for election, over all seeds.
    pub shortest_wait: u32,
    /// The most ticks that may pass.
    pub longest_wait: u32,
    /// The term that it leads in the end.
    pub term: u64,
    /// How many turns of the loop it took, from the start until nothing was left to do.
    pub turns: usize,
    /// How many entries its log has then.
    pub entries: u64,
}

/// Your prediction.
pub fn predict() -> Prediction {
    Prediction {
        // The timeout is drawn from election_ticks up to one less than twice as much.
        shortest_wait: 100,
        longest_wait: 199,
        // Founding was term 1, and a candidate begins a new one.
        term: 2,
        // The founder, the vote, the empty entry, and its commit index.
        turns: 4,
        // The founder's and the empty one.
        entries: 2,
    }
}
