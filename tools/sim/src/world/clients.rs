//! Clients: what they asked for, what they were told, and when.
//!
//! The rule: a client has one request at a time, and knows of it only what its node told it.
//! What it does not know (a node crashed, an answer never came) may have happened, may still
//! happen, or never will; the checker of histories must allow for each.

use raft_kernel::{Bytes, Index, NodeId, Term};

use super::machine::Command;
use crate::linearizability::{Operation, Request};
use crate::plan::{CLIENTS, Moment, TICK};

/// How long a client waits before it gives a request up and asks for something else.
const PATIENCE: Moment = 15 * TICK;

/// A request that waits for its answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pending {
    /// Its place in the history.
    pub(super) operation: usize,
    pub(super) at: NodeId,
    /// The start of the node that it was made at.
    pub(super) start: u32,
    since: Moment,
    pub(super) kind: Kind,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    Write {
        number: u32,
        /// Where it stands, if the node appended it itself.
        appended: Option<(Index, Term)>,
    },
    Read {
        key: u8,
        /// What the read must not be older than.
        floor: Index,
        /// The index to wait for, once it is known.
        index: Option<Index>,
    },
}

#[derive(Debug, Default)]
pub(super) struct Clients {
    pending: [Option<Pending>; CLIENTS as usize],
    numbers: [u32; CLIENTS as usize],
    pub(super) history: Vec<Operation>,
    /// Counts what clients do and are told: an order of all of it.
    events: u64,
}

impl Clients {
    pub(super) fn pending(&self, client: u8) -> Option<Pending> {
        self.pending[usize::from(client)]
    }

    /// The clients that wait for this start of a node.
    pub(super) fn waiting_at(&self, id: NodeId, start: u32) -> impl Iterator<Item = u8> + use<> {
        let all = self.pending;
        (0..CLIENTS).filter(move |client| {
            all[usize::from(*client)].is_some_and(|p| (p.at, p.start) == (id, start))
        })
    }

    /// Whether the client can ask for something now. What it waited for too long it gives up.
    pub(super) fn is_free(&mut self, client: u8, now: Moment) -> bool {
        let pending = &mut self.pending[usize::from(client)];
        if pending.is_some_and(|waits| now < waits.since + PATIENCE) {
            return false;
        }
        *pending = None;
        true
    }

    /// A client is to write: the command. Its value is the request's place in the history.
    pub(super) fn writes(&mut self, client: u8, key: u8) -> Command {
        let number = &mut self.numbers[usize::from(client)];
        *number += 1;
        Command {
            client,
            number: *number,
            key,
            value: self.history.len() as u64 + 1,
        }
    }

    /// A request goes out.
    pub(super) fn asks(
        &mut self,
        client: u8,
        (at, start): (NodeId, u32),
        now: Moment,
        kind: Kind,
        (key, request): (u8, Request),
    ) {
        self.events += 1;
        self.pending[usize::from(client)] = Some(Pending {
            operation: self.history.len(),
            at,
            start,
            since: now,
            kind,
        });
        self.history.push(Operation {
            client,
            key,
            request,
            asked: self.events,
            told: None,
            refused: false,
        });
    }

    /// What a waiting client waits for has become known better.
    pub(super) fn learns(&mut self, client: u8, kind: Kind) {
        if let Some(pending) = &mut self.pending[usize::from(client)] {
            pending.kind = kind;
        }
    }

    /// A client gets its answer: the value that it replaced, or read.
    pub(super) fn told(&mut self, client: u8, value: u64) {
        self.events += 1;
        if let Some(pending) = self.pending[usize::from(client)].take() {
            self.history[pending.operation].told = Some((self.events, value));
        }
    }

    /// A client is told that its request never happened and never will.
    pub(super) fn refused(&mut self, client: u8) {
        if let Some(pending) = self.pending[usize::from(client)].take() {
            self.history[pending.operation].refused = true;
        }
    }

    /// A client loses its node, and does not know what became of its request.
    pub(super) fn abandons(&mut self, client: u8) {
        self.pending[usize::from(client)] = None;
    }
}

/// What a read is known by: its place in the history.
pub(super) fn context(operation: usize) -> Bytes {
    Bytes::copy_from_slice(&(operation as u64).to_le_bytes())
}

/// The place in the history that a context names.
pub(super) fn from_context(context: &[u8]) -> Option<usize> {
    let number = u64::from_le_bytes(*context.first_chunk()?);
    usize::try_from(number).ok()
}
