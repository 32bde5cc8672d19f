//! The connection to one peer: kept open, made again when it is lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use raft_kernel::{Message, MessageBody, NodeId, SnapshotOutcome};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::mpsc::{self, error::TryRecvError};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};

use super::backoff::Backoff;
use super::snapshot::{Heard, Sending};
use super::{Event, Wiring};
use crate::address::Address;
use crate::machine;
use crate::wire::frame::{Frame, Hello, HelloAnswer, SnapshotFrame};
use crate::wire::stream::{FrameReader, FrameWriter, StreamError};

/// How many frames may wait for a peer. Beyond that they are lost, and the engine is told.
const QUEUE: usize = 1024;

/// A connection must come about in this time, the hello included.
const CONNECT_TIME: Duration = Duration::from_secs(2);

/// Frames are gathered up to this size before they are written.
const WRITE_BATCH: usize = 256 << 10;

/// An idle connection asks so often whether the other side is there.
const PING_EVERY: Duration = Duration::from_secs(1);

/// Without an answer for this long, the connection is made anew.
const SILENCE: Duration = Duration::from_secs(5);

/// What was sent last must have been read in this time by the other side, which closes the
/// connection then.
const FAREWELL: Duration = Duration::from_millis(250);

/// A connection that lasted this long was a success: the next wait is a short one.
const STABLE: Duration = Duration::from_secs(2);

/// What a refusal may have to say; the rest is cut off.
const REASON_CHARS: usize = 200;

const CONNECTING: u8 = 0;
const CONNECTED: u8 = 1;
const LOST: u8 = 2;

/// A peer, as the loop sees it: a queue.
pub(super) struct Peer {
    /// Where it is.
    pub(super) address: Address,
    /// Where else it may be.
    pub(super) or_at: Option<Address>,
    queue: mpsc::Sender<Frame>,
    state: Arc<AtomicU8>,
}

impl Peer {
    /// Starts the task that keeps the connection. When the `Peer` is dropped, it sends what is
    /// queued, and ends.
    pub(super) fn connect(
        id: NodeId,
        address: Address,
        or_at: Option<Address>,
        wiring: &Wiring,
    ) -> Self {
        let (queue, receiver) = mpsc::channel(QUEUE);
        let state = Arc::new(AtomicU8::new(CONNECTING));
        // What was heard last is tried first: it is the newer.
        let mut addresses: Vec<Address> = or_at.iter().cloned().collect();
        addresses.push(address.clone());
        let link = Link {
            id,
            addresses,
            wiring: wiring.clone(),
            queue: receiver,
            state: Arc::clone(&state),
            transfers: 0,
        };
        tokio::spawn(link.run());
        Peer {
            address,
            or_at,
            queue,
            state,
        }
    }

    /// Queues a frame, if the peer is not known to be gone and there is room.
    // ANCHOR: queue
    pub(super) fn send(&self, frame: Frame) -> bool {
        self.state.load(Ordering::Relaxed) != LOST && self.queue.try_send(frame).is_ok()
    }
    // ANCHOR_END: queue

    /// How many frames wait.
    pub(super) fn queued(&self) -> usize {
        self.queue.max_capacity() - self.queue.capacity()
    }

    pub(super) fn is_connected(&self) -> bool {
        self.state.load(Ordering::Relaxed) == CONNECTED
    }
}

/// Connects to a node and says hello. `what` is told if that does not work.
pub async fn open(
    address: &Address,
    hello: Hello,
) -> Result<(FrameReader<OwnedReadHalf>, FrameWriter<OwnedWriteHalf>), String> {
    let opening = async {
        let stream = TcpStream::connect(address.to_string()).await?;
        // Frames are gathered here already; the system need not wait for more.
        stream.set_nodelay(true)?;
        let (read, write) = stream.into_split();
        let (mut reader, mut writer) = (FrameReader::new(read), FrameWriter::new(write));
        writer
            .add_hello(&hello)
            .map_err(|_| StreamError::Malformed)?;
        writer.flush().await?;
        Ok::<_, StreamError>((reader.next().await?, reader, writer))
    };
    match timeout(CONNECT_TIME, opening).await {
        Err(_) => Err(format!("no connection within {CONNECT_TIME:?}")),
        Ok(Err(error)) => Err(error.to_string()),
        Ok(Ok((HelloAnswer::Refused(why), ..))) => Err(format!("refused: {}", printable(&why))),
        Ok(Ok((HelloAnswer::Welcome, reader, writer))) => Ok((reader, writer)),
    }
}

/// What a peer says, fit for a screen: short, and without control characters.
pub(super) fn printable(text: &str) -> String {
    let cleaned = text.chars().map(|c| if c.is_control() { '?' } else { c });
    cleaned.take(REASON_CHARS).collect()
}

/// The task behind a [`Peer`].
struct Link {
    id: NodeId,
    /// Where the peer may be; one after the other is tried.
    addresses: Vec<Address>,
    wiring: Wiring,
    queue: mpsc::Receiver<Frame>,
    state: Arc<AtomicU8>,
    /// Numbers the snapshots.
    transfers: u64,
}

/// Why a conversation ended.
enum End {
    /// The loop wants no connection to this peer any more.
    NotNeeded,
    /// The connection is of no use.
    Lost(String),
}

impl Link {
    // ANCHOR: run
    async fn run(mut self) {
        let mut backoff = Backoff::default();
        let mut last_told = String::new();
        for address in self.addresses.clone().iter().cycle() {
            self.state.store(CONNECTING, Ordering::Relaxed);
            let began = Instant::now();
            let end = match self.hello() {
                None => End::Lost("this node has no cluster yet".to_owned()),
                Some(hello) => match open(address, hello).await {
                    Ok((reader, writer)) => {
                        self.state.store(CONNECTED, Ordering::Relaxed);
                        tracing::info!("connected to node {} at {address}", self.id);
                        self.converse(reader, writer).await
                    }
                    Err(why) => End::Lost(why),
                },
            };
            let End::Lost(why) = end else { return };
            // The same trouble again and again is told once.
            if why != last_told {
                tracing::info!("node {} at {address}: {why}", self.id);
                last_told = why;
            }
            if began.elapsed() > STABLE {
                backoff.reset();
            }
            self.state.store(LOST, Ordering::Relaxed);
            if self.wait_unconnected(backoff.wait()).await.is_none() {
                return;
            }
        }
    }
    // ANCHOR_END: run

    fn hello(&self) -> Option<Hello> {
        let local = &self.wiring.local;
        local.cluster.get().map(|cluster| Hello {
            cluster: Some(*cluster),
            from: local.id,
            to: self.id,
        })
    }

    /// Throws away what is queued, tells the loop, and waits. Nothing if the peer is not
    /// needed any more.
    async fn wait_unconnected(&mut self, wait: Duration) -> Option<()> {
        let waited = sleep(wait);
        tokio::pin!(waited);
        let mut lost_snapshot = false;
        let told = loop {
            match self.queue.try_recv() {
                Ok(frame) => lost_snapshot |= is_snapshot(&frame),
                Err(TryRecvError::Empty) => {
                    break self.wiring.inbox.put(Event::PeerLost(self.id)).await;
                }
                Err(TryRecvError::Disconnected) => return None,
            }
        };
        told.ok()?;
        loop {
            if std::mem::take(&mut lost_snapshot) {
                self.report(SnapshotOutcome::Failed).await;
            }
            tokio::select! {
                () = &mut waited => return Some(()),
                frame = self.queue.recv() => lost_snapshot = is_snapshot(&frame?),
            }
        }
    }

    async fn report(&self, outcome: SnapshotOutcome) {
        // If the loop is gone, nobody wants to know.
        let told = Event::Snapshot(self.id, outcome);
        let _ = self.wiring.inbox.put(told).await;
    }

    /// Sends what is queued, and hears what the other side says about it.
    async fn converse(
        &mut self,
        mut reader: FrameReader<OwnedReadHalf>,
        mut writer: FrameWriter<OwnedWriteHalf>,
    ) -> End {
        let mut sending = None;
        let end = self
            .converse_until_lost(&mut reader, &mut writer, &mut sending)
            .await;
        if sending.is_some() {
            self.report(SnapshotOutcome::Failed).await;
        }
        match end {
            Ok(()) => {
                say_goodbye(reader, writer).await;
                End::NotNeeded
            }
            Err(error) => End::Lost(error.to_string()),
        }
    }

    // ANCHOR: converse
    async fn converse_until_lost(
        &mut self,
        reader: &mut FrameReader<OwnedReadHalf>,
        writer: &mut FrameWriter<OwnedWriteHalf>,
        sending: &mut Option<Sending>,
    ) -> Result<(), StreamError> {
        let mut ping = interval(PING_EVERY);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut last_heard = Instant::now();
        let local = &self.wiring.local;
        let here = machine::Peer {
            address: local.address.clone(),
            incarnation: local.incarnation,
        };
        writer.send(&Frame::Here(here)).await?;
        loop {
            let has_piece = sending.as_ref().is_some_and(Sending::may_send);
            tokio::select! {
                frame = self.queue.recv() => {
                    let Some(frame) = frame else { return Ok(()) };
                    self.add(frame, writer, sending).await;
                    // Whatever else is queued goes with it.
                    while writer.waiting() < WRITE_BATCH
                        && let Ok(frame) = self.queue.try_recv()
                    {
                        self.add(frame, writer, sending).await;
                    }
                    writer.flush().await?;
                }
                frame = reader.next() => {
                    last_heard = Instant::now();
                    self.hear(frame?, sending).await?;
                }
                // One piece at a time, so that heartbeats get through between them.
                () = std::future::ready(()), if has_piece => {
                    if let Some(piece) = sending.as_mut().and_then(Sending::next) {
                        writer.send(&Frame::Snapshot(piece)).await?;
                    }
                }
                _ = ping.tick() => {
                    if last_heard.elapsed() > SILENCE {
                        return Err(StreamError::Silent);
                    }
                    self.give_up_stalled(sending).await;
                    writer.send(&Frame::Ping).await?;
                }
            }
        }
    }
    // ANCHOR_END: converse

    async fn add(
        &mut self,
        frame: Frame,
        writer: &mut FrameWriter<OwnedWriteHalf>,
        sending: &mut Option<Sending>,
    ) {
        match frame {
            Frame::Raft(message) if is_snapshot_message(&message) => {
                self.transfers += 1;
                // The engine sends one at a time. If it sends another, it has given up the last.
                *sending = Sending::new(self.transfers, message);
                if sending.is_none() {
                    tracing::error!("the snapshot for node {} is too large to send", self.id);
                    self.report(SnapshotOutcome::Failed).await;
                }
            }
            frame => {
                if writer.add(&frame).is_err() {
                    tracing::error!("a frame for node {} is too large to send", self.id);
                }
            }
        }
    }

    async fn hear(
        &mut self,
        frame: Frame,
        sending: &mut Option<Sending>,
    ) -> Result<(), StreamError> {
        let frame = match frame {
            Frame::Pong => return Ok(()),
            Frame::Snapshot(frame) => frame,
            _ => return Err(StreamError::Unexpected("an answer to nothing")),
        };
        let Some(current) = sending else {
            return Ok(());
        };
        match current.hear(&frame) {
            Heard::Progress => {}
            Heard::AllArrived => {
                *sending = None;
                self.report(SnapshotOutcome::Arrived).await;
            }
            Heard::Failed(why) => {
                *sending = None;
                let why = printable(&why);
                tracing::warn!("node {} does not take a snapshot: {why}", self.id);
                self.report(SnapshotOutcome::Failed).await;
            }
        }
        Ok(())
    }

    async fn give_up_stalled(&mut self, sending: &mut Option<Sending>) {
        if sending.as_ref().is_some_and(Sending::has_stalled) {
            *sending = None;
            tracing::warn!("a snapshot for node {} stands still", self.id);
            self.report(SnapshotOutcome::Failed).await;
        }
    }
}

/// Sees to it that what was written is read: the other side closes the connection once it has
/// come to the end. To close it here earlier could take away what is still on its way.
async fn say_goodbye(mut reader: FrameReader<OwnedReadHalf>, writer: FrameWriter<OwnedWriteHalf>) {
    // This is what tells the other side that nothing follows.
    drop(writer);
    let closed = async { while reader.next::<Frame>().await.is_ok() {} };
    let _ = timeout(FAREWELL, closed).await;
}

fn is_snapshot(frame: &Frame) -> bool {
    match frame {
        Frame::Raft(message) => is_snapshot_message(message),
        Frame::Snapshot(SnapshotFrame::Begin { .. }) => true,
        _ => false,
    }
}

fn is_snapshot_message(message: &Message) -> bool {
    matches!(message.body, MessageBody::InstallSnapshot { .. })
}
