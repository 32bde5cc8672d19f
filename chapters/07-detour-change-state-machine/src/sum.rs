//! A state machine that adds.
//!
//! It keeps less than chapter 2's list: which commands there were cannot be told from
//! their sum. That is what makes its snapshots small.

use std::fmt;

use ch06_two_node_snapshot::StateMachine;

/// The sum of all committed commands.
// ANCHOR: sum
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum(u64);

impl StateMachine for Sum {
    type Command = u64;
    type Error = NotANumber;

    fn encode(number: &u64) -> Vec<u8> {
        number.to_le_bytes().to_vec()
    }

    fn apply(&mut self, command: &[u8]) -> Result<(), NotANumber> {
        // Past the end it begins again at 0. A panic would stop every node at this entry.
        self.0 = self.0.wrapping_add(number(command)?);
        Ok(())
    }

    fn snapshot(&self) -> Vec<u8> {
        self.0.to_le_bytes().to_vec()
    }

    fn restore(snapshot: &[u8]) -> Result<Self, NotANumber> {
        Ok(Sum(number(snapshot)?))
    }
}
// ANCHOR_END: sum

impl Sum {
    /// The sum so far.
    pub fn total(self) -> u64 {
        self.0
    }
}

fn number(bytes: &[u8]) -> Result<u64, NotANumber> {
    let bytes = bytes.try_into().map_err(|_| NotANumber {
        length: bytes.len(),
    })?;
    Ok(u64::from_le_bytes(bytes))
}

impl fmt::Display for Sum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sum {}", self.0)
    }
}

/// Bytes that are no number of this state machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotANumber {
    length: usize,
}

impl fmt::Display for NotANumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a number is eight bytes, and this has {}", self.length)
    }
}

impl std::error::Error for NotANumber {}
