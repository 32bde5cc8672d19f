//! Predict: what the state machine holds, turn by turn.
//!
//! A new node is asked to take the command 5, before anybody leads. It refuses. Then it is
//! elected, and has nothing left to do. Now this happens, in this order:
//!
//! 1. propose 10, propose 20
//! 2. turn the loop once
//! 3. propose 30
//! 4. turn the loop once
//! 5. turn the loop once
//!
//! Predict what the state machine holds after each turn, and where 30 is in the log. The
//! tests do it with the chapter's node and compare.

/// What you expect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prediction {
    /// The commands that the state machine holds after step 2.
    pub after_the_first_turn: Vec<u8>,
    /// After step 4.
    pub after_the_second_turn: Vec<u8>,
    /// After step 5.
    pub after_the_third_turn: Vec<u8>,
    /// The index of the entry that carries 30.
    pub index_of_30: u64,
}

/// Your prediction.
pub fn predict() -> Prediction {
    todo!("fill in a Prediction: three lists of commands, such as vec![10], and an index")
}
