//! Writes down what the nodes of a run do, as a trace that the crate `diagram` draws.
//!
//! A program that drives nodes tells a [`Writer`] of each message and of each deed, and
//! shows it after each step how a node stands. The rule: what happens is told when it
//! happens, and of how a node stands only what is new. So the same run gives the same
//! bytes, and no line is there twice.
//!
//! The format is told on the first page of the crate `diagram`.

pub mod words;

use std::collections::BTreeMap;
use std::fmt::Display;
use std::io::{self, Write};

use raft_kernel::{Entry, HardState, Index, Message, NodeId, Role, Status, Term};

use words::Command;

/// The version of the format.
pub const VERSION: u32 = 1;

/// Writes a trace, line by line.
#[derive(Debug)]
pub struct Writer<W> {
    out: W,
    command: Command,
    now: String,
    seen: BTreeMap<NodeId, Seen>,
}

/// What the trace has said of a node that is up.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    role: Option<(Role, Term)>,
    log: Option<Log>,
}

/// The first and the last entry of a log, and the last one known to be committed.
type Log = ((Index, Index), Index);

impl<W: Write> Writer<W> {
    /// Begins a trace with its heading: the title, the nodes and so on, by name. `command`
    /// says what the commands in the entries mean.
    pub fn begin(mut out: W, command: Command, heading: &[(&str, &str)]) -> io::Result<Self> {
        writeln!(out, "# trace {VERSION}")?;
        for (name, value) in heading {
            writeln!(out, "# {name}: {value}")?;
        }
        Ok(Writer {
            out,
            command,
            now: String::from("0"),
            seen: BTreeMap::new(),
        })
    }

    /// From now on it is this time: a number with two decimals, or a whole one.
    pub fn set_time(&mut self, now: impl Display) {
        self.now = now.to_string();
    }

    fn tell(&mut self, line: impl Display) -> io::Result<()> {
        writeln!(self.out, "{:>8} {line}", self.now)
    }

    /// Something happens to the whole cluster.
    pub fn cluster(&mut self, what: impl Display) -> io::Result<()> {
        self.tell(format_args!("*: {what}"))
    }

    /// A node does something, or something is done to it.
    pub fn node(&mut self, id: NodeId, what: impl Display) -> io::Result<()> {
        self.tell(format_args!("n{id}: {what}"))
    }

    /// A node is up, as a follower.
    pub fn starts(&mut self, id: NodeId, term: Term) -> io::Result<()> {
        let role = Some((Role::Follower, term));
        self.seen.insert(id, Seen { role, log: None });
        self.node(id, format_args!("starts in term {term}"))
    }

    /// A node is down. What it is when it starts again is told anew.
    pub fn stops(&mut self, id: NodeId) -> io::Result<()> {
        self.seen.remove(&id);
        self.node(id, "stops")
    }

    /// A message arrives.
    pub fn arrives(&mut self, sent: impl Display, message: &Message) -> io::Result<()> {
        let told = self.told('→', message);
        self.tell(format_args!("{told} (sent {sent})"))
    }

    /// A message arrives, and nobody takes it.
    pub fn unheard(
        &mut self,
        sent: impl Display,
        message: &Message,
        why: impl Display,
    ) -> io::Result<()> {
        let told = self.told('→', message);
        self.tell(format_args!("{told} (sent {sent}) ({why})"))
    }

    /// A message is lost. This is told when it is sent.
    pub fn lost(&mut self, message: &Message) -> io::Result<()> {
        let told = self.told('↛', message);
        self.tell(format_args!("{told} (lost)"))
    }

    fn told(&self, arrow: char, message: &Message) -> String {
        let Message { from, to, .. } = message;
        let words = words::message(message, self.command);
        format!("n{from} {arrow} n{to} {words}")
    }

    /// A node's write is durable: these entries, and the promises if they changed.
    pub fn written(
        &mut self,
        id: NodeId,
        entries: &[Entry],
        promises: Option<HardState>,
    ) -> io::Result<()> {
        let told = |entry| words::deed(entry, self.command);
        let mut what: Vec<String> = entries.iter().map(told).collect();
        what.extend(promises.map(words::promises));
        if what.is_empty() {
            return Ok(());
        }
        self.node(id, format_args!("has written {}", what.join("; ")))
    }

    /// A node applies these entries, each in a line of its own.
    pub fn applies(&mut self, id: NodeId, entries: &[Entry]) -> io::Result<()> {
        for entry in entries {
            let entry = words::deed(entry, self.command);
            self.node(id, format_args!("applies {entry}"))?;
        }
        Ok(())
    }

    /// How a node stands, and the first and the last entry of its log. Tells of it what has
    /// changed since this was last said.
    pub fn stands(&mut self, status: &Status, log: (Index, Index)) -> io::Result<()> {
        let id = status.id;
        let seen = self.seen.entry(id).or_default();
        let role = (status.soft_state.role, status.hard_state.term);
        let log = (log, status.hard_state.commit);
        let (before, log_before) = (seen.role.replace(role), seen.log.replace(log));
        if before != Some(role) {
            // A node that the trace has said nothing of was this before the trace began.
            let verb = before.map_or("is", |_| "became");
            let (role, term) = role;
            self.node(id, format_args!("{verb} {role} at term {term}"))?;
        }
        if log_before != Some(log) {
            self.node(id, words::log(log))?;
        }
        Ok(())
    }

    /// Gives back what the trace was written to.
    pub fn into_inner(self) -> W {
        self.out
    }
}
