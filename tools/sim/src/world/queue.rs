//! Virtual time: what is going to happen, in order.
//!
//! The rule: of two things at the same moment, that which was put down first happens first,
//! so there is never a choice that the plan did not make.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use raft_kernel::{Message, NodeId};

use crate::plan::Moment;

/// Something that is going to happen. What happens to a node happens to one start of it: it
/// is void after a crash.
#[derive(Debug)]
pub(super) enum Happening {
    /// The event at this place of the plan.
    Planned(usize),
    /// The ways that the event at this place has cut are open again.
    Healed(usize),
    /// The weather of the event at this place is over.
    Calm(usize),
    /// The ambush at this place of the plan falls on a leader, or lets go of it.
    Ambushed {
        place: usize,
        id: NodeId,
        start: u32,
        ends: bool,
    },
    /// A node that crashed starts again.
    Restart {
        id: NodeId,
        start: u32,
        keeps_machine: bool,
    },
    /// A message arrives.
    Arrives { message: Message, sent: Moment },
    /// A node's transport says what became of a snapshot.
    Reported {
        to: NodeId,
        about: NodeId,
        arrived: bool,
    },
    /// A node's clock ticks.
    Tick(NodeId, u32),
    /// A node's write is done.
    Written(NodeId, u32),
    /// An asynchronous node is told of its oldest write.
    Told(NodeId, u32),
    /// An asynchronous node's oldest entries are applied.
    Applied(NodeId, u32),
    /// A node's loop turns.
    Turn(NodeId, u32),
}

#[derive(Debug, Default)]
pub(super) struct Queue {
    order: BinaryHeap<Reverse<(Moment, u64, usize)>>,
    /// What happens, at the places that `order` names. Kept apart, because the heap moves
    /// its items often.
    slots: Vec<Option<Happening>>,
    free: Vec<usize>,
    put_down: u64,
}

impl Queue {
    pub(super) fn at(&mut self, moment: Moment, happening: Happening) {
        let slot = if let Some(slot) = self.free.pop() {
            self.slots[slot] = Some(happening);
            slot
        } else {
            self.slots.push(Some(happening));
            self.slots.len() - 1
        };
        self.order.push(Reverse((moment, self.put_down, slot)));
        self.put_down += 1;
    }

    /// Takes what happens next, if that is before `end`.
    pub(super) fn next(&mut self, end: Moment) -> Option<(Moment, Happening)> {
        let Reverse((moment, _, _)) = *self.order.peek()?;
        if moment >= end {
            return None;
        }
        let Reverse((moment, _, slot)) = self.order.pop()?;
        self.free.push(slot);
        self.slots[slot].take().map(|happening| (moment, happening))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_down_first_happens_first() {
        let mut queue = Queue::default();
        queue.at(5, Happening::Planned(1));
        queue.at(3, Happening::Planned(2));
        queue.at(5, Happening::Planned(3));
        let mut order = Vec::new();
        while let Some((moment, Happening::Planned(place))) = queue.next(9) {
            order.push((moment, place));
        }
        assert_eq!(order, [(3, 2), (5, 1), (5, 3)]);
    }
}
