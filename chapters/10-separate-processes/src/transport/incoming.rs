//! Connections that other nodes open to this one.
//!
//! The rule it keeps: nothing that arrives is believed before it was checked, and whatever is
//! wrong ends that connection with one line in the log, and changes nothing else.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use raft_kernel::{Message, NodeId};
use tokio::net::tcp::OwnedWriteHalf;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::snapshot::{AT_ONCE, Assembly, Received};
use super::{Event, Inbox, Local};
use crate::identity::{MAX_ID, MIN_ID};
use crate::joining;
use crate::wire::frame::{Frame, Hello, HelloAnswer};
use crate::wire::stream::{FrameReader, FrameWriter, StreamError};

/// How many connections may be open at once. A cluster needs one for each member, and a few
/// for those who join.
const CONNECTIONS: usize = 256;

/// Whoever connects must have said hello after this time.
const HELLO_TIME: Duration = Duration::from_secs(5);

/// A connection on which nothing comes for this long is closed: peers ping every second.
const IDLE: Duration = Duration::from_secs(10);

/// When no connection can be accepted, for want of files perhaps, try again after this time.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// Accepts connections until it is dropped, and with it all of them.
// ANCHOR: accept
pub async fn accept(listener: TcpListener, local: Arc<Local>, inbox: Inbox) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let snapshots = Arc::new(Semaphore::new(AT_ONCE));
    let mut connections = JoinSet::new();
    loop {
        // Those that have ended are counted off.
        while connections.try_join_next().is_some() {}
        let (stream, from) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!("cannot accept a connection: {error}");
                sleep(ACCEPT_AGAIN).await;
                continue;
            }
        };
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
            tracing::warn!("{from}: closed, {CONNECTIONS} connections are open already");
            continue;
        };
        let connection = Connection {
            from,
            local: Arc::clone(&local),
            inbox: inbox.clone(),
            assembly: Assembly::new(Arc::clone(&snapshots)),
        };
        connections.spawn(async move {
            let _place = place;
            connection.run(stream).await;
        });
    }
}
// ANCHOR_END: accept

struct Connection {
    from: SocketAddr,
    local: Arc<Local>,
    inbox: Inbox,
    assembly: Assembly,
}

type Writer = FrameWriter<OwnedWriteHalf>;

impl Connection {
    async fn run(mut self, stream: TcpStream) {
        match self.converse(stream).await {
            Ok(()) | Err(StreamError::Closed) => {
                tracing::debug!("{}: connection closed", self.from);
            }
            Err(error) => tracing::warn!("{}: {error}; connection closed", self.from),
        }
    }

    async fn converse(&mut self, stream: TcpStream) -> Result<(), StreamError> {
        stream.set_nodelay(true)?;
        let (read, write) = stream.into_split();
        let (mut reader, mut writer) = (FrameReader::new(read), FrameWriter::new(write));
        let hello = timeout(HELLO_TIME, reader.hello())
            .await
            .map_err(|_| StreamError::TooSlow)??;
        if let Some(why) = self.refusal(&hello) {
            tracing::info!("{}: refused: {why}", self.from);
            return writer.send(&HelloAnswer::Refused(why)).await;
        }
        writer.send(&HelloAnswer::Welcome).await?;
        let hears_members = hello.cluster.is_some();
        loop {
            let (frame, size) = timeout(IDLE, reader.next_sized())
                .await
                .map_err(|_| StreamError::Silent)??;
            match frame {
                Frame::Join(request) => {
                    let answer = joining::answer(request, &self.local, &self.inbox).await;
                    writer.send(&Frame::JoinAnswer(answer)).await?;
                }
                _ if !hears_members => {
                    return Err(StreamError::Unexpected("this frame of a node that joins"));
                }
                frame => self.take(hello.from, frame, size, &mut writer).await?,
            }
        }
    }

    /// Why whoever says this is not let in, if he is not.
    // ANCHOR: refusal
    fn refusal(&self, hello: &Hello) -> Option<String> {
        let own = self.local.id;
        if !(MIN_ID..=MAX_ID).contains(&hello.from) {
            return Some(format!("{} is no node's id", hello.from));
        }
        if hello.to != own {
            return Some(format!("this is node {own}, not node {}", hello.to));
        }
        if hello.from == own {
            return Some(format!("node {own} is this node"));
        }
        match (hello.cluster, self.local.cluster.get()) {
            (Some(theirs), Some(ours)) if theirs != *ours => Some(format!(
                "node {own} belongs to cluster {ours}, not to {theirs}"
            )),
            (_, None) => Some(format!("node {own} belongs to no cluster yet")),
            _ => None,
        }
    }
    // ANCHOR_END: refusal

    async fn take(
        &mut self,
        from: NodeId,
        frame: Frame,
        size: usize,
        writer: &mut Writer,
    ) -> Result<(), StreamError> {
        let event = match frame {
            Frame::Raft(message) if message.from == from => self.own_or_relay(message),
            Frame::Raft(_) => return Err(StreamError::Unexpected("another node's message")),
            Frame::Relay(message) => self.own_or_relay(message),
            Frame::Propose { request, proposals } => Event::Propose {
                from,
                request,
                proposals,
            },
            Frame::Proposed { request, places } => Event::Proposed {
                from,
                request,
                places,
            },
            Frame::Here(peer) => Event::Here(from, peer),
            Frame::Ping => return writer.send(&Frame::Pong).await,
            Frame::Members => {
                let members = joining::members(&self.inbox).await;
                let members = members.ok_or(StreamError::Closed)?;
                return writer.send(&Frame::MembersAre(members)).await;
            }
            Frame::Snapshot(frame) => {
                let answer = match self.assembly.take(frame) {
                    Received::Nothing => return Ok(()),
                    Received::Answer(answer) => answer,
                    Received::Complete(message, size, answer) => {
                        if message.from != from || message.to != self.local.id {
                            return Err(StreamError::Unexpected("another node's snapshot"));
                        }
                        self.tell(Event::Message(message), size).await?;
                        answer
                    }
                };
                return writer.send(&Frame::Snapshot(answer)).await;
            }
            Frame::Pong | Frame::Join(_) | Frame::JoinAnswer(_) | Frame::MembersAre(_) => {
                return Err(StreamError::Unexpected("an answer to nothing"));
            }
        };
        self.tell(event, size).await
    }

    fn own_or_relay(&self, message: Message) -> Event {
        if message.to == self.local.id {
            Event::Message(message)
        } else {
            Event::Relay(message)
        }
    }

    /// Waits while the loop is busy: the connection is not read meanwhile, and TCP passes
    /// that on to the sender.
    async fn tell(&self, event: Event, size: usize) -> Result<(), StreamError> {
        let told = self.inbox.put_sized(event, size).await;
        told.map_err(|_| StreamError::Closed)
    }
}
