//! What the network tells the loop, in a queue with two limits.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use super::Event;

/// How many events may wait for the loop. When it is full, connections are read no further,
/// and TCP slows the senders down.
const EVENTS: usize = 1024;

/// How many bytes of frames may wait for the loop. In memory a value may take ten times what
/// its frame took, if somebody wants it to.
const BYTES: usize = 32 << 20;

/// An event, and the room that it takes up until it is dropped.
pub struct Delivery {
    /// What happened.
    pub event: Event,
    _room: Option<OwnedSemaphorePermit>,
}

/// The loop is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NobodyListens;

/// Where events are put in. Cheap to clone.
#[derive(Clone)]
pub struct Inbox {
    events: mpsc::Sender<Delivery>,
    room: Arc<Semaphore>,
}

/// An inbox, and where it is read.
pub fn inbox() -> (Inbox, mpsc::Receiver<Delivery>) {
    let (events, receiver) = mpsc::channel(EVENTS);
    let room = Arc::new(Semaphore::new(BYTES));
    (Inbox { events, room }, receiver)
}

impl Inbox {
    /// Puts in an event of this node's own. Waits while the inbox is full.
    pub async fn put(&self, event: Event) -> Result<(), NobodyListens> {
        let delivery = Delivery { event, _room: None };
        let put = self.events.send(delivery).await;
        put.map_err(|_| NobodyListens)
    }

    /// Puts in an event that came as a frame of so many bytes.
    pub async fn put_sized(&self, event: Event, bytes: usize) -> Result<(), NobodyListens> {
        // Something larger than all the room, a snapshot say, waits until it has all of it.
        let wanted = u32::try_from(bytes.min(BYTES)).unwrap_or(u32::MAX);
        let room = Arc::clone(&self.room).acquire_many_owned(wanted).await;
        let delivery = Delivery {
            event,
            _room: room.ok(),
        };
        let put = self.events.send(delivery).await;
        put.map_err(|_| NobodyListens)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    const SOON: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn a_full_inbox_makes_senders_wait_and_not_grow() {
        let (inbox, mut receiver) = inbox();
        inbox
            .put_sized(Event::PeerLost(1), BYTES)
            .await
            .expect("there is room");
        let second = inbox.put_sized(Event::PeerLost(2), 1);
        assert!(timeout(SOON, second).await.is_err());
        // Our own events are few and small: they are not held up by a flood.
        inbox.put(Event::PeerLost(3)).await.expect("there is room");

        drop(receiver.recv().await);
        let second = inbox.put_sized(Event::PeerLost(2), 1);
        assert!(timeout(SOON, second).await.is_ok());
    }
}
