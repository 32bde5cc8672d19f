//! Frames on a connection: a length, then so many bytes.
//!
//! The rules it keeps: a length is checked before anything is allocated for it, and memory
//! grows with what arrives, not with what is announced. Whatever a peer sends, the result is
//! a value or an error; after an error the connection is of no use any more.

use std::fmt;
use std::io;
use std::time::Duration;

use bytes::{Buf, BytesMut};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, timeout, timeout_at};

use super::codec;
use super::frame::{Hello, MAGIC, VERSION};

/// The length that stands before each frame, in bytes.
const LENGTH: usize = 4;

/// A hello is short, and whoever says it is a stranger yet.
const MAX_HELLO: usize = 256;

/// Bytes are read in steps of this size at least.
const READ_STEP: usize = 16 << 10;

/// A frame that has begun must be complete after this time. Half a frame is worth nothing,
/// and keeps a connection busy.
const FRAME_TIME: Duration = Duration::from_secs(10);

/// A peer that takes nothing for this long is as good as gone.
const WRITE_TIME: Duration = Duration::from_secs(5);

/// Why a connection is of no use any more.
#[derive(Debug)]
pub enum StreamError {
    /// The other side closed it, between two frames.
    Closed,
    /// The other side closed it, within a frame.
    HalfAFrame,
    /// The frame did not arrive in full in time.
    TooSlow,
    /// Nothing was heard for too long.
    Silent,
    /// Nothing could be written for too long.
    Stuck,
    /// The length announced is over the limit.
    TooLong(u32),
    /// The frame is nothing that can be read.
    Malformed,
    /// The first bytes are not ours.
    NotOurProtocol,
    /// The protocol is ours, in a version that we do not speak.
    OtherVersion(u16),
    /// A frame that nobody sends here.
    Unexpected(&'static str),
    /// The connection failed.
    Io(io::Error),
}

impl fmt::Display for StreamError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StreamError::Closed => f.write_str("the other side closed the connection"),
            StreamError::HalfAFrame => f.write_str("it ended in the middle of a frame"),
            StreamError::TooSlow => write!(f, "a frame took more than {FRAME_TIME:?}"),
            StreamError::Silent => f.write_str("nothing was heard for too long"),
            StreamError::Stuck => write!(f, "nothing could be written for {WRITE_TIME:?}"),
            StreamError::TooLong(length) => write!(
                f,
                "a frame of {length} bytes was announced, and {} are allowed",
                codec::MAX_BYTES
            ),
            StreamError::Malformed => f.write_str("a frame cannot be read"),
            StreamError::NotOurProtocol => f.write_str("the other side speaks another protocol"),
            StreamError::OtherVersion(version) => write!(
                f,
                "the other side speaks version {version} of the protocol, this node version {VERSION}"
            ),
            StreamError::Unexpected(what) => write!(f, "{what} is not expected here"),
            StreamError::Io(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for StreamError {}

impl From<io::Error> for StreamError {
    fn from(error: io::Error) -> Self {
        StreamError::Io(error)
    }
}

/// Reads frames. A call to [`next`](FrameReader::next) may be dropped and made again:
/// nothing that was read is lost.
pub struct FrameReader<R> {
    stream: R,
    buffer: BytesMut,
    /// When the frame in the buffer must be complete.
    deadline: Option<Instant>,
}

impl<R: AsyncRead + Unpin> FrameReader<R> {
    /// Reads from this stream.
    pub fn new(stream: R) -> Self {
        FrameReader {
            stream,
            buffer: BytesMut::new(),
            deadline: None,
        }
    }

    /// The next frame's bytes.
    // ANCHOR: next
    async fn next_bytes(&mut self, limit: usize) -> Result<BytesMut, StreamError> {
        loop {
            let missing = match self.buffer.first_chunk::<LENGTH>() {
                None => LENGTH - self.buffer.len(),
                Some(length) => {
                    let announced = u32::from_le_bytes(*length);
                    let length = usize::try_from(announced).unwrap_or(usize::MAX);
                    if length > limit {
                        return Err(StreamError::TooLong(announced));
                    }
                    match (LENGTH + length).checked_sub(self.buffer.len()) {
                        None | Some(0) => {
                            self.deadline = None;
                            self.buffer.advance(LENGTH);
                            return Ok(self.buffer.split_to(length));
                        }
                        Some(missing) => missing,
                    }
                }
            };
            // No more than a step ahead of what has arrived, whatever was announced.
            self.buffer.reserve(missing.clamp(READ_STEP, 4 * READ_STEP));
            self.read_some().await?;
        }
    }
    // ANCHOR_END: next

    async fn read_some(&mut self) -> Result<(), StreamError> {
        let begun = !self.buffer.is_empty();
        let read = if begun {
            let deadline = *self
                .deadline
                .get_or_insert_with(|| Instant::now() + FRAME_TIME);
            timeout_at(deadline, self.stream.read_buf(&mut self.buffer))
                .await
                .map_err(|_| StreamError::TooSlow)??
        } else {
            self.stream.read_buf(&mut self.buffer).await?
        };
        match read {
            0 if begun => Err(StreamError::HalfAFrame),
            0 => Err(StreamError::Closed),
            _ => Ok(()),
        }
    }

    /// The next frame.
    pub async fn next<T: DeserializeOwned>(&mut self) -> Result<T, StreamError> {
        let (frame, _) = self.next_sized().await?;
        Ok(frame)
    }

    /// The next frame, and how many bytes it took.
    pub async fn next_sized<T: DeserializeOwned>(&mut self) -> Result<(T, usize), StreamError> {
        let bytes = self.next_bytes(codec::MAX_BYTES).await?;
        let frame = codec::decode(&bytes).map_err(|_| StreamError::Malformed)?;
        Ok((frame, bytes.len()))
    }

    /// The first frame of a connection: the protocol's name, its version, a [`Hello`].
    // ANCHOR: hello
    pub async fn hello(&mut self) -> Result<Hello, StreamError> {
        let bytes = match self.next_bytes(MAX_HELLO).await {
            // Four bytes of something else make a strange length.
            Err(StreamError::TooLong(_)) => return Err(StreamError::NotOurProtocol),
            read => read?,
        };
        let Some((magic, rest)) = bytes.split_first_chunk() else {
            return Err(StreamError::NotOurProtocol);
        };
        let Some((version, rest)) = rest.split_first_chunk() else {
            return Err(StreamError::NotOurProtocol);
        };
        if *magic != MAGIC {
            return Err(StreamError::NotOurProtocol);
        }
        match u16::from_le_bytes(*version) {
            VERSION => codec::decode(rest).map_err(|_| StreamError::Malformed),
            other => Err(StreamError::OtherVersion(other)),
        }
    }
    // ANCHOR_END: hello
}

/// Writes frames: gathers them, and sends them together.
pub struct FrameWriter<W> {
    stream: W,
    buffer: Vec<u8>,
}

impl<W: AsyncWrite + Unpin> FrameWriter<W> {
    /// Writes to this stream.
    pub fn new(stream: W) -> Self {
        FrameWriter {
            stream,
            buffer: Vec::new(),
        }
    }

    /// How many bytes wait to be sent.
    pub fn waiting(&self) -> usize {
        self.buffer.len()
    }

    /// Adds a frame to what is to be sent.
    pub fn add<T: Serialize>(&mut self, frame: &T) -> Result<(), codec::TooLarge> {
        self.add_after(&[], frame)
    }

    /// The first frame of a connection.
    pub fn add_hello(&mut self, hello: &Hello) -> Result<(), codec::TooLarge> {
        let [a, b, c, d] = MAGIC;
        let [low, high] = VERSION.to_le_bytes();
        self.add_after(&[a, b, c, d, low, high], hello)
    }

    fn add_after<T: Serialize>(&mut self, first: &[u8], frame: &T) -> Result<(), codec::TooLarge> {
        let start = self.buffer.len();
        self.buffer.extend_from_slice(&[0; LENGTH]);
        self.buffer.extend_from_slice(first);
        let encoded = codec::encode_into(frame, &mut self.buffer);
        let length = self.buffer.len() - start - LENGTH;
        if encoded.is_err() || length > codec::MAX_BYTES {
            self.buffer.truncate(start);
            return Err(codec::TooLarge);
        }
        let length = u32::try_from(length).map_err(|_| codec::TooLarge)?;
        self.buffer[start..start + LENGTH].copy_from_slice(&length.to_le_bytes());
        Ok(())
    }

    /// Sends what was added.
    pub async fn flush(&mut self) -> Result<(), StreamError> {
        let written = timeout(WRITE_TIME, self.stream.write_all(&self.buffer)).await;
        self.buffer.clear();
        match written {
            Ok(written) => Ok(written?),
            Err(_) => Err(StreamError::Stuck),
        }
    }

    /// Adds a frame and sends it.
    pub async fn send<T: Serialize>(&mut self, frame: &T) -> Result<(), StreamError> {
        self.add(frame)
            .map_err(|_| StreamError::Unexpected("a frame over the limit"))?;
        self.flush().await
    }
}

#[cfg(test)]
mod tests;
