//! Snapshots in pieces.
//!
//! The rules it keeps: both sides hold a snapshot once and a few pieces of it, the sender
//! waits for the receiver, and every transfer ends: arrived, refused, or given up.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use raft_kernel::{Message, MessageBody};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use crate::wire::frame::SnapshotFrame;

/// The largest snapshot that is sent or taken.
pub const MAX_SNAPSHOT_BYTES: usize = 64 << 20;

/// The size of a piece. Small, so that a heartbeat never waits long behind one.
const PIECE: usize = 64 << 10;

/// How much may be on its way before the receiver has said that it came.
const WINDOW: usize = 8 * PIECE;

/// A transfer that stands still for this long has failed.
const STALL: Duration = Duration::from_secs(10);

/// A node takes so many snapshots at once. Each holds [`MAX_SNAPSHOT_BYTES`] at most.
pub(super) const AT_ONCE: usize = 2;

/// The data of a snapshot message, taken out of it.
fn take_data(message: &mut Message) -> Option<Bytes> {
    match &mut message.body {
        MessageBody::InstallSnapshot { snapshot } => Some(std::mem::take(&mut snapshot.data)),
        _ => None,
    }
}

/// A snapshot on its way out.
// ANCHOR: sending
pub(super) struct Sending {
    transfer: u64,
    /// What remains of the message once the data is out; sent first.
    begin: Option<Message>,
    data: Bytes,
    sent: usize,
    arrived: usize,
    last_progress: Instant,
}

impl Sending {
    /// Nothing for a message without a snapshot, or with one that is too large.
    pub(super) fn new(transfer: u64, mut message: Message) -> Option<Self> {
        let data = take_data(&mut message)?;
        (data.len() <= MAX_SNAPSHOT_BYTES).then(|| Sending {
            transfer,
            begin: Some(message),
            data,
            sent: 0,
            arrived: 0,
            last_progress: Instant::now(),
        })
    }

    // ANCHOR_END: sending

    /// The next frame, if the receiver has taken enough of the earlier ones.
    // ANCHOR: next_piece
    pub(super) fn next(&mut self) -> Option<SnapshotFrame> {
        let transfer = self.transfer;
        if let Some(message) = self.begin.take() {
            return Some(SnapshotFrame::Begin {
                transfer,
                message,
                length: self.data.len() as u64,
            });
        }
        if !self.may_send() {
            return None;
        }
        let end = self.data.len().min(self.sent + PIECE);
        let data = self.data.slice(self.sent..end);
        self.sent = end;
        Some(SnapshotFrame::Piece { transfer, data })
    }
    // ANCHOR_END: next_piece

    /// Whether [`next`](Sending::next) has a frame.
    pub(super) fn may_send(&self) -> bool {
        let on_its_way = self.sent - self.arrived;
        self.begin.is_some() || (self.sent < self.data.len() && on_its_way < WINDOW)
    }

    /// Whether it has stood still for too long.
    pub(super) fn has_stalled(&self) -> bool {
        self.last_progress.elapsed() > STALL
    }

    /// What the receiver says. An answer about an earlier transfer says nothing.
    pub(super) fn hear(&mut self, frame: &SnapshotFrame) -> Heard {
        match frame {
            SnapshotFrame::Arrived { transfer, length } if *transfer == self.transfer => {
                let length = usize::try_from(*length).unwrap_or(usize::MAX);
                if length > self.sent || self.begin.is_some() {
                    return Heard::Failed("it acknowledges what was not sent".to_owned());
                }
                self.arrived = self.arrived.max(length);
                self.last_progress = Instant::now();
                if length == self.data.len() {
                    Heard::AllArrived
                } else {
                    Heard::Progress
                }
            }
            SnapshotFrame::Refused { transfer, why } if *transfer == self.transfer => {
                Heard::Failed(why.clone())
            }
            _ => Heard::Progress,
        }
    }
}

/// What an answer means for a transfer.
pub(super) enum Heard {
    /// It goes on.
    Progress,
    /// It is done.
    AllArrived,
    /// It is over.
    Failed(String),
}

/// A snapshot on its way in.
pub(super) struct Receiving {
    transfer: u64,
    message: Message,
    length: usize,
    /// Grows with what arrives: the announced length is only a claim.
    data: Vec<u8>,
    _permit: OwnedSemaphorePermit,
}

/// What a frame of a snapshot led to.
pub(super) enum Received {
    /// This is to be answered.
    Answer(SnapshotFrame),
    /// The snapshot is complete: it, of so many bytes, goes to the engine, and then this
    /// to the sender.
    Complete(Message, usize, SnapshotFrame),
    /// A piece of a transfer that was given up earlier.
    Nothing,
}

/// Puts together the snapshots of one connection, one at a time.
pub(super) struct Assembly {
    current: Option<Receiving>,
    permits: Arc<Semaphore>,
}

impl Assembly {
    pub(super) fn new(permits: Arc<Semaphore>) -> Self {
        Assembly {
            current: None,
            permits,
        }
    }

    /// Takes the next frame.
    // ANCHOR: assembly
    pub(super) fn take(&mut self, frame: SnapshotFrame) -> Received {
        match frame {
            SnapshotFrame::Begin {
                transfer,
                message,
                length,
            } => {
                // A sender that begins another one has given up the last.
                self.current = None;
                match self.begin(transfer, message, length) {
                    Ok(receiving) => self.current = Some(receiving),
                    Err(why) => return refusal(transfer, why),
                }
                self.progress(transfer)
            }
            SnapshotFrame::Piece { transfer, data } => {
                let Some(current) = self.matching(transfer) else {
                    return Received::Nothing;
                };
                if data.is_empty() || data.len() > current.length - current.data.len() {
                    self.current = None;
                    return refusal(transfer, "its pieces do not fit together");
                }
                current.data.extend_from_slice(&data);
                self.progress(transfer)
            }
            SnapshotFrame::Arrived { .. } | SnapshotFrame::Refused { .. } => Received::Nothing,
        }
    }
    // ANCHOR_END: assembly

    fn matching(&mut self, transfer: u64) -> Option<&mut Receiving> {
        self.current
            .as_mut()
            .filter(|current| current.transfer == transfer)
    }

    fn begin(
        &self,
        transfer: u64,
        message: Message,
        length: u64,
    ) -> Result<Receiving, &'static str> {
        if !matches!(&message.body, MessageBody::InstallSnapshot { snapshot } if snapshot.data.is_empty())
        {
            return Err("it does not begin with a snapshot's message");
        }
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if length > MAX_SNAPSHOT_BYTES {
            return Err("it is larger than the limit");
        }
        let permit = Arc::clone(&self.permits).try_acquire_owned();
        Ok(Receiving {
            transfer,
            message,
            length,
            data: Vec::new(),
            _permit: permit.map_err(|_| "too many snapshots arrive at once; send it later")?,
        })
    }

    fn progress(&mut self, transfer: u64) -> Received {
        let Some(current) = self.matching(transfer) else {
            return Received::Nothing;
        };
        let answer = SnapshotFrame::Arrived {
            transfer,
            length: current.data.len() as u64,
        };
        if current.data.len() < current.length {
            return Received::Answer(answer);
        }
        let Some(mut done) = self.current.take() else {
            return Received::Nothing;
        };
        if let MessageBody::InstallSnapshot { snapshot } = &mut done.message.body {
            snapshot.data = Bytes::from(done.data);
        }
        Received::Complete(done.message, done.length, answer)
    }
}

fn refusal(transfer: u64, why: &str) -> Received {
    Received::Answer(SnapshotFrame::Refused {
        transfer,
        why: why.to_owned(),
    })
}

#[cfg(test)]
mod tests;
