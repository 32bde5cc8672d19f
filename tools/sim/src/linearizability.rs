//! Whether what clients saw could have come from one register at a time.
//!
//! Herlihy and Wing (1990) call a history *linearizable* if each request can be given a
//! moment between its asking and its answer, such that done at those moments, one after the
//! other, the requests give the answers that were given. Each register is looked at by
//! itself: a history is linearizable exactly if its part for each object is (their theorem 1).
//!
//! The search is Wing and Gong's (1993): take any request that was asked before the first
//! answer that is still open, do it, go on; go back when an answer does not fit. As in Lowe's
//! (2017), a set of requests that was done before with the same outcome is not tried again.
//!
//! This knows nothing of Raft: it sees the requests and the answers.

use std::collections::BTreeSet;

/// What a client asked of a register, which begins with 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// Put this value there, and tell which it replaces. No two requests of a history write
    /// the same value.
    Write(u64),
    /// Tell the value.
    Read,
}

/// A request, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// The client.
    pub client: u8,
    /// The register.
    pub key: u8,
    /// What was asked.
    pub request: Request,
    /// When, in an order of all that clients did and were told.
    pub asked: u64,
    /// When the answer came, and the value in it. A write without an answer may have happened
    /// at any time since, or not at all.
    pub told: Option<(u64, u64)>,
    /// Whether the client was told that the request did not happen and never will.
    pub refused: bool,
}

/// Checks a history.
///
/// # Errors
/// In words, with the first answer of a register that no order explains.
pub fn check(history: &[Operation]) -> Result<(), String> {
    let mut keys: Vec<u8> = history.iter().map(|operation| operation.key).collect();
    keys.sort_unstable();
    keys.dedup();
    keys.into_iter()
        .try_for_each(|key| check_register(key, history))
}

fn check_register(key: u8, history: &[Operation]) -> Result<(), String> {
    let all = || {
        let of_key = history.iter().filter(|operation| operation.key == key);
        of_key.filter(|operation| !operation.refused)
    };
    let seen: BTreeSet<u64> = all().filter_map(|o| Some(o.told?.1)).collect();
    let counts = |operation: &&Operation| match (operation.told, operation.request) {
        (Some(_), _) => true,
        (None, Request::Read) => false,
        // What nobody saw can as well not have happened.
        (None, Request::Write(value)) => seen.contains(&value),
    };
    let operations: Vec<&Operation> = all().filter(counts).collect();
    Search::new(&operations).run().map_err(|stuck| {
        let Operation {
            client,
            request,
            told,
            ..
        } = operations[stuck];
        let value = told.map_or(0, |(_, value)| value);
        match request {
            Request::Read => format!(
                "client {client} read {value} from register {key}, which no order of the \
                 requests explains"
            ),
            Request::Write(written) => format!(
                "client {client} wrote {written} to register {key} and was told that it \
                 replaced {value}, which no order of the requests explains"
            ),
        }
    })
}

/// A request is asked, or answered.
#[derive(Clone, Copy, Debug)]
struct Moment {
    operation: usize,
    is_answer: bool,
}

/// The moments that are left, as a list from which pairs are taken and to which they return.
struct Search<'a> {
    operations: &'a [&'a Operation],
    moments: Vec<Moment>,
    /// The neighbours of each moment; the first place is the list's head.
    next: Vec<usize>,
    previous: Vec<usize>,
    /// Where each operation's answer is.
    answers: Vec<usize>,
    done: Vec<u64>,
    tried: BTreeSet<(Vec<u64>, u64)>,
}

const HEAD: usize = 0;

impl<'a> Search<'a> {
    fn new(operations: &'a [&'a Operation]) -> Self {
        let mut timed: Vec<(u64, Moment)> = Vec::new();
        for (operation, known) in operations.iter().enumerate() {
            let asked = Moment {
                operation,
                is_answer: false,
            };
            let answered = Moment {
                is_answer: true,
                ..asked
            };
            timed.push((known.asked, asked));
            timed.push((known.told.map_or(u64::MAX, |(when, _)| when), answered));
        }
        timed.sort_by_key(|(when, _)| *when);
        let mut moments = vec![Moment {
            operation: 0,
            is_answer: true,
        }];
        moments.extend(timed.into_iter().map(|(_, moment)| moment));
        let count = moments.len();
        let mut answers = vec![HEAD; operations.len()];
        for (place, moment) in moments.iter().enumerate().skip(1) {
            if moment.is_answer {
                answers[moment.operation] = place;
            }
        }
        Search {
            operations,
            moments,
            next: (1..=count).map(|place| place % count).collect(),
            previous: (0..count)
                .map(|place| (place + count - 1) % count)
                .collect(),
            answers,
            done: vec![0; operations.len().div_ceil(64)],
            tried: BTreeSet::new(),
        }
    }

    /// Says which operation's answer stood in the way when the search had come furthest.
    fn run(mut self) -> Result<(), usize> {
        let mut value = 0;
        let mut path: Vec<(usize, u64)> = Vec::new();
        let mut furthest = (0, 0);
        let mut place = self.next[HEAD];
        while self.next[HEAD] != HEAD {
            let moment = self.moments[place];
            if moment.is_answer {
                if path.len() >= furthest.0 {
                    furthest = (path.len(), moment.operation);
                }
                let Some((back, before)) = path.pop() else {
                    return Err(furthest.1);
                };
                value = before;
                self.put_back(back);
                place = self.next[back];
            } else if let Some(after) = self.outcome(moment.operation, value)
                && self.is_new(moment.operation, after)
            {
                path.push((place, value));
                value = after;
                self.take(place);
                place = self.next[HEAD];
            } else {
                place = self.next[place];
            }
        }
        Ok(())
    }

    /// What the register holds after an operation, if its answer fits.
    fn outcome(&self, operation: usize, value: u64) -> Option<u64> {
        let Operation { request, told, .. } = self.operations[operation];
        let fits = told.is_none_or(|(_, answer)| answer == value);
        fits.then_some(match request {
            Request::Write(written) => *written,
            Request::Read => value,
        })
    }

    /// Whether the operation, done now, leads to where the search was not yet.
    fn is_new(&mut self, operation: usize, value: u64) -> bool {
        let mut done = self.done.clone();
        done[operation / 64] |= 1 << (operation % 64);
        self.tried.insert((done, value))
    }

    fn take(&mut self, place: usize) {
        let operation = self.moments[place].operation;
        self.done[operation / 64] |= 1 << (operation % 64);
        for gone in [place, self.answers[operation]] {
            let (before, after) = (self.previous[gone], self.next[gone]);
            self.next[before] = after;
            self.previous[after] = before;
        }
    }

    fn put_back(&mut self, place: usize) {
        let operation = self.moments[place].operation;
        self.done[operation / 64] &= !(1 << (operation % 64));
        for back in [self.answers[operation], place] {
            let (before, after) = (self.previous[back], self.next[back]);
            self.next[before] = back;
            self.previous[after] = back;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn operation(request: Request, asked: u64, told: impl Into<Option<(u64, u64)>>) -> Operation {
        Operation {
            client: 1,
            key: 0,
            request,
            asked,
            told: told.into(),
            refused: false,
        }
    }

    fn write(value: u64, asked: u64, told: impl Into<Option<(u64, u64)>>) -> Operation {
        operation(Request::Write(value), asked, told)
    }

    fn read(asked: u64, told: u64, value: u64) -> Operation {
        operation(Request::Read, asked, (told, value))
    }

    #[test]
    fn requests_one_after_the_other_are_linearizable() {
        check(&[]).unwrap();
        check(&[write(1, 1, (2, 0)), write(2, 3, (4, 1)), read(5, 6, 2)]).unwrap();
    }

    /// Herlihy and Wing's point: what overlaps may have happened in either order.
    #[test]
    fn requests_that_overlap_may_have_happened_in_either_order() {
        check(&[write(1, 1, (4, 0)), read(2, 3, 0)]).unwrap();
        check(&[write(1, 1, (4, 0)), read(2, 3, 1)]).unwrap();
        check(&[write(1, 1, (6, 2)), write(2, 2, (5, 0)), read(3, 4, 2)]).unwrap();
    }

    #[test]
    fn a_read_of_what_was_replaced_before_it_began_is_not() {
        let stale = [write(1, 1, (2, 0)), write(2, 3, (4, 1)), read(5, 6, 1)];
        let found = check(&stale).unwrap_err();
        assert!(found.contains("read 1 from register 0"), "{found}");
    }

    #[test]
    fn two_reads_that_see_a_write_come_and_go_are_not() {
        let history = [write(1, 1, (9, 0)), read(2, 3, 1), read(4, 5, 0)];
        assert!(check(&history).is_err());
    }

    #[test]
    fn a_lost_update_is_not() {
        assert!(check(&[write(1, 1, (2, 0)), write(2, 3, (4, 0))]).is_err());
    }

    #[test]
    fn a_write_without_an_answer_may_have_happened_or_not() {
        check(&[write(1, 1, None), read(2, 3, 0), read(4, 5, 1)]).unwrap();
        check(&[write(1, 1, None), read(2, 3, 0), read(4, 5, 0)]).unwrap();
        assert!(check(&[write(1, 1, None), read(2, 3, 1), read(4, 5, 0)]).is_err());
    }

    #[test]
    fn a_value_that_nobody_wrote_or_that_was_refused_is_not() {
        assert!(check(&[read(1, 2, 7)]).is_err());
        let refused = Operation {
            refused: true,
            ..write(7, 1, None)
        };
        assert!(check(&[refused, read(2, 3, 7)]).is_err());
    }

    #[test]
    fn each_register_is_looked_at_by_itself() {
        let other = Operation {
            key: 1,
            ..write(1, 1, (2, 0))
        };
        check(&[other.clone(), write(2, 3, (4, 0))]).unwrap();
        let wrong = Operation {
            key: 1,
            ..read(5, 6, 2)
        };
        assert!(check(&[other, write(2, 3, (4, 0)), wrong]).is_err());
    }

    /// Every order of overlapping requests would be too many to try one by one.
    #[test]
    fn many_requests_at_once_are_no_trouble() {
        let count = 200;
        let mut history: Vec<Operation> = (1..=count)
            .map(|value| write(value, value, (1000 - value, value - 1)))
            .collect();
        check(&history).unwrap();
        history.push(read(2000, 2001, count - 1));
        assert!(check(&history).is_err());
    }
}
