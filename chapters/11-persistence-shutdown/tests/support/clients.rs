//! Clients that propose numbers, each at a node of its own, and a tally of what they were told.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::process::ChildStdin;
use std::sync::mpsc::Receiver;
use std::sync::{Condvar, Mutex, MutexGuard};

use raft_kernel::Index;

use super::process::DEADLINE;

/// What the nodes propose when they join is smaller than this, so that no two proposals are
/// alike.
pub(crate) const FIRST_NUMBER: u64 = 1000;

/// What the clients were told.
#[derive(Default)]
pub(crate) struct Tally {
    /// The numbers that were applied, and where.
    pub(crate) applied: BTreeMap<u64, Index>,
    /// Those of which nobody could say what became of them.
    pub(crate) unknown: BTreeSet<u64>,
    /// Those that were certainly not taken.
    pub(crate) refused: BTreeSet<u64>,
    proposed: u64,
    waiting_for_answers: usize,
    /// No more may be applied than this.
    limit: usize,
    /// The nodes whose clients are to end.
    dismissed: BTreeSet<u64>,
}

impl Tally {
    /// Compares what the clients were told with the log.
    pub(crate) fn check(&self, log: &BTreeMap<u64, Index>) {
        for (number, index) in &self.applied {
            assert_eq!(log.get(number), Some(index), "{number} was acknowledged");
        }
        for number in &self.refused {
            assert!(!log.contains_key(number), "{number} was refused");
        }
        for number in log.keys().filter(|number| **number >= FIRST_NUMBER) {
            let told = self.applied.contains_key(number) || self.unknown.contains(number);
            assert!(told, "nobody has proposed {number}");
        }
        let unknown_in_log = self.unknown.iter().filter(|it| log.contains_key(it));
        println!(
            "{} applied, {} refused, {} unknown, of which {} are in the log",
            self.applied.len(),
            self.refused.len(),
            self.unknown.len(),
            unknown_in_log.count()
        );
    }
}

/// What all clients share.
#[derive(Default)]
pub(crate) struct Clients {
    tally: Mutex<Tally>,
    changed: Condvar,
}

impl Clients {
    pub(crate) fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().expect("no panic")
    }

    fn change(&self, change: impl FnOnce(&mut Tally)) {
        change(&mut self.tally());
        self.changed.notify_all();
    }

    /// Lets the clients go on until so many proposals are applied.
    pub(crate) fn allow(&self, limit: usize) {
        self.change(|tally| tally.limit = limit);
    }

    /// Lets the client of this node end, after the answer that it waits for.
    pub(crate) fn dismiss(&self, node: u64) {
        self.change(|tally| _ = tally.dismissed.insert(node));
    }

    /// This node is to have a client.
    pub(crate) fn employ(&self, node: u64) {
        self.change(|tally| _ = tally.dismissed.remove(&node));
    }

    /// Waits until so many proposals are applied. Says whether they are; if not, it is hopeless.
    pub(crate) fn wait_for_applied(&self, count: usize) -> bool {
        let too_few = |tally: &mut Tally| tally.applied.len() < count;
        let waited = self
            .changed
            .wait_timeout_while(self.tally(), DEADLINE, too_few);
        !waited.expect("no panic").1.timed_out()
    }

    /// The next number to propose, when one may be proposed; nothing if the client is to end.
    fn next_number(&self, node: u64) -> Option<u64> {
        let must_wait = |tally: &mut Tally| {
            let enough = tally.applied.len() + tally.waiting_for_answers >= tally.limit;
            enough && !tally.dismissed.contains(&node)
        };
        let tally = self.changed.wait_while(self.tally(), must_wait);
        let mut tally = tally.expect("no panic");
        if tally.dismissed.contains(&node) {
            return None;
        }
        tally.proposed += 1;
        tally.waiting_for_answers += 1;
        Some(FIRST_NUMBER + tally.proposed)
    }

    /// Proposes one number after the other at a node, until that is killed or the client is
    /// dismissed. Gives back what it talks to the node with.
    pub(crate) fn work(
        &self,
        node: u64,
        mut input: ChildStdin,
        lines: Receiver<String>,
    ) -> (ChildStdin, Receiver<String>) {
        while let Some(number) = self.next_number(node) {
            let beginning = format!("propose {number}: ");
            let answer = writeln!(input, "p {number}").ok().and_then(|()| {
                lines
                    .iter()
                    .find_map(|line| line.strip_prefix(&beginning).map(str::to_owned))
            });
            let is_gone = answer.is_none();
            self.change(|tally| tally.note(number, answer.as_deref()));
            if is_gone {
                break;
            }
        }
        (input, lines)
    }
}

impl Tally {
    fn note(&mut self, number: u64, answer: Option<&str>) {
        self.waiting_for_answers -= 1;
        let applied = answer.and_then(|answer| answer.strip_prefix("applied at index "));
        if let Some(place) = applied {
            let (index, _) = place.split_once(',').expect("and the sum");
            let index = index.parse().expect("an index");
            assert_eq!(self.applied.insert(number, index), None);
        } else if answer.is_some_and(|answer| answer.starts_with("not committed: ")) {
            self.refused.insert(number);
        } else {
            let said = answer.is_none_or(|answer| answer.starts_with("unknown: "));
            assert!(said, "{answer:?}");
            self.unknown.insert(number);
        }
    }
}
