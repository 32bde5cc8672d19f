//! The window of appends that are on their way to one follower.
//!
//! Bounded by a number of messages and by a number of bytes (dissertation, section
//! 10.2.2, pipelining). An acknowledgement of one index frees everything up to it.

use std::collections::VecDeque;

use crate::Index;

/// How much may be on its way to one follower before the leader waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InflightLimit {
    /// At most so many messages.
    pub messages: usize,
    /// No further message once the sum of payloads has reached this; 0 for no limit.
    pub bytes: u64,
}

/// The messages on their way, oldest first.
#[derive(Clone, Debug)]
pub(crate) struct Inflights {
    limit: InflightLimit,
    /// The last index of each message, and its size.
    window: VecDeque<(Index, u64)>,
    bytes: u64,
}

impl Inflights {
    pub(crate) fn new(limit: InflightLimit) -> Self {
        Inflights {
            limit,
            window: VecDeque::new(),
            bytes: 0,
        }
    }

    /// A message went out whose last entry is `last_index`.
    pub(crate) fn add(&mut self, last_index: Index, bytes: u64) {
        self.window.push_back((last_index, bytes));
        self.bytes = self.bytes.saturating_add(bytes);
    }

    /// Everything up to `index` is acknowledged.
    pub(crate) fn free_up_to(&mut self, index: Index) {
        while let Some(&(last, bytes)) = self.window.front() {
            if last > index {
                break;
            }
            self.window.pop_front();
            self.bytes = self.bytes.saturating_sub(bytes);
        }
    }

    pub(crate) fn clear(&mut self) {
        self.window.clear();
        self.bytes = 0;
    }

    pub(crate) fn count(&self) -> usize {
        self.window.len()
    }

    pub(crate) fn is_full(&self) -> bool {
        self.window.len() >= self.limit.messages
            || (self.limit.bytes > 0 && self.bytes >= self.limit.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(messages: usize, bytes: u64) -> Inflights {
        Inflights::new(InflightLimit { messages, bytes })
    }

    #[test]
    fn the_window_is_full_at_its_number_of_messages() {
        let mut window = window(2, 0);
        window.add(1, 1_000_000);
        assert!(!window.is_full());
        window.add(2, 1_000_000);
        assert!(window.is_full());
    }

    #[test]
    fn the_window_is_full_at_its_number_of_bytes() {
        let mut window = window(100, 10);
        window.add(1, 9);
        assert!(!window.is_full());
        window.add(2, 1);
        assert!(window.is_full());
    }

    #[test]
    fn an_acknowledgement_frees_what_came_before_it_and_all_its_bytes() {
        let mut window = window(3, 30);
        for index in 1..=3 {
            window.add(index, 10);
        }
        window.free_up_to(2);
        assert_eq!((window.count(), window.bytes), (1, 10));
        window.free_up_to(3);
        assert_eq!((window.count(), window.bytes), (0, 0));
        // A late one frees nothing twice.
        window.free_up_to(3);
        assert_eq!((window.count(), window.bytes), (0, 0));
    }
}
