//! A network that loses messages, and says nothing.
//!
//! Chapter 5's network tells the sender when it drops a message. A real one does not.

use ch05_two_node_cluster::{Post, Undelivered};
use raft_kernel::Message;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// Passes on most messages, and loses the rest.
// ANCHOR: lossy
#[derive(Debug)]
pub struct Lossy<P> {
    post: P,
    percent: u32,
    chance: StdRng,
}

impl<P: Post> Lossy<P> {
    /// Loses so many in a hundred of what is sent by `post`.
    pub fn new(post: P, percent: u32, seed: u64) -> Self {
        Lossy {
            post,
            percent: percent.min(100),
            chance: StdRng::seed_from_u64(seed),
        }
    }
}

impl<P: Post> Post for Lossy<P> {
    fn send(&mut self, message: Message) -> Result<(), Undelivered> {
        if self.chance.random_ratio(self.percent, 100) {
            // The sender is to think that all is well.
            return Ok(());
        }
        self.post.send(message)
    }
}
// ANCHOR_END: lossy

#[cfg(test)]
mod tests {
    use super::*;
    use raft_kernel::MessageBody;

    #[derive(Default)]
    struct Counter(usize);

    impl Post for Counter {
        fn send(&mut self, _: Message) -> Result<(), Undelivered> {
            self.0 += 1;
            Ok(())
        }
    }

    fn arrived(percent: u32, seed: u64) -> usize {
        let mut lossy = Lossy::new(Counter::default(), percent, seed);
        for _ in 0..10_000 {
            let message = Message {
                from: 1,
                to: 2,
                term: 1,
                body: MessageBody::TimeoutNow,
            };
            assert_eq!(lossy.send(message), Ok(()), "the sender never knows");
        }
        lossy.post.0
    }

    #[test]
    fn the_share_that_was_asked_for_is_lost_without_a_word() {
        assert_eq!((arrived(0, 1), arrived(100, 1)), (10_000, 0));
        let arrived_of_four = arrived(25, 1);
        assert!(
            (7_300..=7_700).contains(&arrived_of_four),
            "{arrived_of_four}"
        );
    }

    #[test]
    fn the_same_seed_loses_as_many() {
        assert_eq!(arrived(25, 7), arrived(25, 7));
    }
}
