//! A clock for threads, which waits for the slowest node.
//!
//! The rule: no node gets its next tick before every node has taken the last one. A
//! thread that the operating system keeps waiting would otherwise look like a node that
//! is down, and be voted out. With this clock, elections do not depend on how busy the
//! machine is. A real cluster cannot have it: its nodes share no clock. Chapter 10 has to
//! live without.

use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded, select_biased, tick, unbounded};

use crate::member::Never;

/// One unit of time has passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tick;

/// Ticks for every node that asked for them, until it is dropped.
#[derive(Debug)]
pub struct Clock {
    newcomers: Sender<Sender<Tick>>,
    stop: Option<Sender<Never>>,
    thread: Option<JoinHandle<()>>,
}

impl Clock {
    /// A clock that ticks every `period`, or less often if a node is busy for longer.
    pub fn start(period: Duration) -> Self {
        let (newcomers, arrivals) = unbounded();
        let (stop, stopped) = bounded(0);
        let thread = std::thread::spawn(move || run(period, &arrivals, &stopped));
        Clock {
            newcomers,
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    /// Ticks for one more node.
    pub fn attach(&self) -> Receiver<Tick> {
        // No room for a tick to wait in: it is handed over when the node takes it.
        let (ticks, node) = bounded(0);
        // It fails only if the clock's thread is gone. Then there are no ticks.
        drop(self.newcomers.send(ticks));
        node
    }
}

// ANCHOR: run
fn run(period: Duration, newcomers: &Receiver<Sender<Tick>>, stop: &Receiver<Never>) {
    let beat = tick(period);
    let mut nodes: Vec<Sender<Tick>> = Vec::new();
    loop {
        select_biased! {
            recv(stop) -> _ => return,
            recv(newcomers) -> node => nodes.extend(node),
            // Waits for each node in turn, and forgets those that have ended.
            recv(beat) -> _ => nodes.retain(|node| hand_over(node, stop)),
        }
    }
}

fn hand_over(node: &Sender<Tick>, stop: &Receiver<Never>) -> bool {
    select_biased! {
        recv(stop) -> _ => false,
        send(node, Tick) -> taken => taken.is_ok(),
    }
}
// ANCHOR_END: run

impl Drop for Clock {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            // A panic in it was printed where it happened.
            drop(thread.join());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_node_is_more_than_one_tick_ahead_of_another() {
        let clock = Clock::start(Duration::from_micros(1));
        let (quick, slow) = (clock.attach(), clock.attach());
        // The quick one may get ticks before the clock has heard of the slow one.
        loop {
            select_biased! {
                recv(slow) -> _ => break,
                recv(quick) -> _ => {}
            }
        }
        for _ in 0..100 {
            quick.recv().expect("a tick");
            assert!(
                quick.try_recv().is_err(),
                "the slow node has not had its own"
            );
            slow.recv().expect("a tick");
        }
    }

    #[test]
    fn a_node_that_has_ended_stops_nobody() {
        let clock = Clock::start(Duration::from_micros(1));
        let (ended, going_on) = (clock.attach(), clock.attach());
        drop(ended);
        for _ in 0..10 {
            going_on.recv().expect("a tick");
        }
    }

    #[test]
    fn a_clock_ends_even_if_a_node_takes_no_ticks() {
        let clock = Clock::start(Duration::from_micros(1));
        let (taking, not_taking) = (clock.attach(), clock.attach());
        taking.recv().expect("a tick");
        drop(clock);
        assert!(taking.recv().is_err() && not_taking.recv().is_err());
    }

    #[test]
    fn a_clock_that_ends_tells_its_nodes() {
        let clock = Clock::start(Duration::from_secs(3600));
        let node = clock.attach();
        drop(clock);
        assert!(node.recv().is_err());
    }
}
