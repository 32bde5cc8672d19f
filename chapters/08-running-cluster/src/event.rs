//! Virtual time, and what is going to happen.
//!
//! The rule: time is the time of the event that happens now. It does not pass between two
//! events; it jumps. Events of the same time happen in the order in which they were put
//! down, so there is never a choice that the seed did not make.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Add;

use raft_kernel::{Message, NodeId};

/// A moment of a run: milliseconds since its beginning, which nobody waits for.
// ANCHOR: queue
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time(pub u64);

/// What is going to happen, and when.
#[derive(Debug, Default)]
pub struct Queue {
    events: BTreeMap<(Time, u64), Event>,
    put_down: u64,
}

impl Queue {
    /// Puts down that something is going to happen.
    pub fn at(&mut self, time: Time, event: Event) {
        self.events.insert((time, self.put_down), event);
        self.put_down += 1;
    }

    /// Takes what happens next.
    pub fn take_next(&mut self) -> Option<(Time, Event)> {
        let ((time, _), event) = self.events.pop_first()?;
        Some((time, event))
    }
    // ANCHOR_END: queue

    /// What is going to happen, in this order: when, how many events were put down before
    /// it, and what.
    pub fn iter(&self) -> impl Iterator<Item = (Time, u64, &Event)> {
        let told = |(key, event)| {
            let (time, before): &(Time, u64) = key;
            (*time, *before, event)
        };
        self.events.iter().map(told)
    }

    /// How much is going to happen.
    pub fn len(&self) -> usize {
        self.events.len()
    }

    /// Whether nothing is going to happen.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }
}

/// What can happen.
// ANCHOR: event
#[derive(Debug)]
pub enum Event {
    /// A message arrives.
    Arrives(Box<Message>),
    /// A unit of time has passed for this node, by its own clock.
    Tick(NodeId),
    /// Somebody proposes so many numbers to a node.
    Propose(u64),
    /// Somebody proposes a number again, to this node.
    ProposeAgain(u64, NodeId),
    /// Some nodes can no longer reach each other.
    CutOff,
    /// They can again.
    Heal,
    /// A node stops. Only what it has stored is left.
    Stop(NodeId),
    /// It starts again, with what it had stored.
    Start(NodeId),
    /// From now on nothing goes wrong any more.
    CalmDown,
    /// Somebody looks whether all proposals have been answered.
    LookForAnswers,
}
// ANCHOR_END: event

impl Add<u64> for Time {
    type Output = Time;

    fn add(self, milliseconds: u64) -> Time {
        Time(self.0 + milliseconds)
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{}.{:03} s", self.0 / 1000, self.0 % 1000);
        f.pad(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(queue: &mut Queue) -> Vec<(u64, NodeId)> {
        std::iter::from_fn(|| queue.take_next())
            .map(|(time, event)| match event {
                Event::Tick(id) => (time.0, id),
                other => panic!("no tick: {other:?}"),
            })
            .collect()
    }

    #[test]
    fn what_is_earlier_happens_first_and_ties_keep_their_order() {
        let mut queue = Queue::default();
        for (time, id) in [(5, 3), (2, 2), (5, 1), (2, 9), (0, 4)] {
            queue.at(Time(time), Event::Tick(id));
        }
        assert_eq!(order(&mut queue), [(0, 4), (2, 2), (2, 9), (5, 3), (5, 1)]);
    }

    #[test]
    fn a_time_is_told_in_seconds() {
        assert_eq!(Time(12_045).to_string(), "12.045 s");
        assert_eq!(format!("{:>9}", Time(7)), "  0.007 s");
    }
}
