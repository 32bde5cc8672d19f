//! The environment that a script plays in: the nodes, one queue for all messages on their
//! way, and the steps that move work from one place to the next.

use raft_kernel::{AppendAck, AppendWork, ApplyAck, Error, Message, NodeId, StorageWrites};

use super::node::{Journal, Node};
use super::rendering;
use super::wire::Wire;

/// etcd's words for a proposal that was not taken.
const DROPPED: &str = "raft proposal dropped";
/// etcd's words for an answer from a node that is not in the configuration.
const STRANGER: &str = "raft: cannot step as peer not found";

#[derive(Default)]
pub(crate) struct Environment {
    pub(crate) nodes: Vec<Node>,
    pub(crate) messages: Vec<InFlight>,
    pub(crate) output: String,
    pub(crate) level: LogLevel,
    /// Whether new roles and configurations are printed whatever the level.
    tells_always: bool,
    pub(crate) journal: Journal,
    indent: usize,
}

/// From which level on lines are printed. The last one silences the commands too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum LogLevel {
    #[default]
    Debug,
    Info,
    Warn,
    Error,
    Fatal,
    None,
}

/// Something on its way to a node.
pub(crate) struct InFlight {
    to: NodeId,
    wire: Wire,
    letter: Letter,
}

enum Letter {
    /// From another node.
    Message(Message),
    /// A vote of the node for itself, or its acknowledgement of its own entries.
    ToSelf(AppendAck),
    /// From the append thread.
    Appended(AppendAck),
    /// From the apply thread.
    Applied(ApplyAck),
}

impl InFlight {
    pub(crate) fn message(message: Message) -> Self {
        InFlight {
            to: message.to,
            wire: Wire::message(&message),
            letter: Letter::Message(message),
        }
    }

    fn is_local(&self) -> bool {
        !matches!(self.letter, Letter::Message(_))
    }
}

/// What `deliver-msgs` does with the messages for one node.
#[derive(Clone, Copy)]
pub(crate) enum Delivery {
    To(NodeId),
    Drop(NodeId),
}

impl Delivery {
    pub(crate) fn recipient(self) -> NodeId {
        match self {
            Delivery::To(id) | Delivery::Drop(id) => id,
        }
    }

    fn takes(self, in_flight: &InFlight) -> bool {
        let loses = matches!(self, Delivery::Drop(_));
        in_flight.to == self.recipient() && !(loses && in_flight.is_local())
    }
}

impl Environment {
    /// One that prints new roles and configurations where the script is silent too.
    pub(crate) fn telling_always() -> Self {
        Environment {
            tells_always: true,
            ..Environment::default()
        }
    }

    /// Prints lines at the present indentation.
    pub(crate) fn print(&mut self, text: &str) {
        self.print_journal();
        if self.level < LogLevel::None {
            self.print_lines(text);
        }
    }

    /// Prints what happened inside the nodes since the last line.
    pub(crate) fn print_journal(&mut self) {
        let lines = self.journal.take();
        if self.tells_always || self.level <= LogLevel::Info {
            self.print_lines(&lines.join("\n"));
        }
    }

    fn print_lines(&mut self, text: &str) {
        for line in text.lines() {
            self.output.push_str(&" ".repeat(self.indent));
            self.output.push_str(line);
            self.output.push('\n');
        }
    }

    /// Prints `> N …`, and what `work` prints indented under it.
    pub(crate) fn under_header<T>(
        &mut self,
        node: usize,
        doing: &str,
        work: impl FnOnce(&mut Self) -> T,
    ) -> T {
        let id = node + 1;
        self.print(&format!("> {id} {doing}"));
        self.indent += 2;
        let result = work(self);
        self.print_journal();
        self.indent -= 2;
        result
    }

    /// Takes a `Ready` of the node and does what it asks for, or hands that to the node's
    /// threads.
    pub(crate) fn process_ready(&mut self, at: usize) -> Result<(), String> {
        let node = &mut self.nodes[at];
        let id = node.id();
        let asynchronous = node.config.storage_writes == StorageWrites::Asynchronous;
        let mut ready = node.engine.ready().map_err(|error| error.to_string())?;
        let must_sync = node.must_sync(&ready.append);
        let messages = if asynchronous {
            std::mem::take(&mut ready.messages)
        } else {
            ready.take_messages().collect()
        };
        let mut wires: Vec<Wire> = messages.iter().map(Wire::message).collect();
        if asynchronous {
            if asks_for_write(&ready.append) {
                wires.push(Wire::storage_append(id, &ready.append));
            }
            if !ready.apply.is_empty() {
                wires.push(Wire::storage_apply(id, &ready.apply));
            }
        }
        let text = rendering::ready(&ready, must_sync, &wires);
        self.print(&text);

        let node = &mut self.nodes[at];
        if !asynchronous {
            node.write(&ready.append)?;
            node.apply(&ready.apply.entries)?;
        }
        self.messages
            .extend(messages.into_iter().map(InFlight::message));
        if !asynchronous {
            return node
                .engine
                .advance(ready)
                .map_err(|error| error.to_string());
        }
        if asks_for_write(&ready.append) {
            node.append_queue.push_back(ready.append);
        }
        if !ready.apply.is_empty() {
            node.apply_queue.push_back(ready.apply);
        }
        Ok(())
    }

    /// Writes the first of what waits for the node's append thread. The answers to it join
    /// the messages in the order in which the engine gave them.
    pub(crate) fn process_append(&mut self, at: usize) -> Result<(), String> {
        let node = &mut self.nodes[at];
        let id = node.id();
        let Some(work) = node.append_queue.pop_front() else {
            self.print("no append work to perform");
            return Ok(());
        };
        let mut order = Wire::storage_append(id, &work);
        order.responses.clear();
        self.begin(&order);
        self.nodes[at].write(&work)?;

        let responses = work.responses().to_vec();
        let snapshot = work.snapshot.as_deref().cloned();
        let mut parts = work.done().into_parts().into_iter();
        let mut answers = Vec::new();
        for message in responses {
            if message.to == id {
                let ack = parts
                    .next()
                    .ok_or("a message of the node to itself is lost")?;
                answers.push(InFlight {
                    to: id,
                    wire: Wire::message(&message),
                    letter: Letter::ToSelf(ack),
                });
            } else {
                answers.push(InFlight::message(message));
            }
        }
        answers.extend(parts.map(|ack| InFlight {
            to: id,
            wire: Wire::storage_append_response(
                id,
                ack.term(),
                ack.last_entry(),
                snapshot.as_ref(),
            ),
            letter: Letter::Appended(ack),
        }));
        self.answer(answers);
        Ok(())
    }

    /// Applies the first of what waits for the node's apply thread.
    pub(crate) fn process_apply(&mut self, at: usize) -> Result<(), String> {
        let node = &mut self.nodes[at];
        let id = node.id();
        let Some(work) = node.apply_queue.pop_front() else {
            self.print("no apply work to perform");
            return Ok(());
        };
        let mut order = Wire::storage_apply(id, &work);
        order.responses.clear();
        self.begin(&order);
        self.nodes[at].apply(&work.entries)?;
        let answer = InFlight {
            to: id,
            wire: Wire::storage_apply_response(id, &work.entries),
            letter: Letter::Applied(work.done()),
        };
        self.answer(vec![answer]);
        Ok(())
    }

    fn begin(&mut self, order: &Wire) {
        self.print("Processing:");
        self.print(&order.text());
    }

    fn answer(&mut self, answers: Vec<InFlight>) {
        self.print("Responses:");
        for answer in &answers {
            self.print(&answer.wire.text());
        }
        self.messages.extend(answers);
    }

    /// Delivers what is queued for one node, of one type if so asked. Says how many
    /// messages that were.
    pub(crate) fn deliver(&mut self, delivery: Delivery, kind: Option<&str>) -> usize {
        let queued = std::mem::take(&mut self.messages);
        let (taken, left): (Vec<_>, Vec<_>) = queued
            .into_iter()
            .partition(|it| delivery.takes(it) && kind.is_none_or(|kind| it.wire.kind == kind));
        self.messages = left;
        let count = taken.len();
        for InFlight { to, wire, letter } in taken {
            if matches!(delivery, Delivery::Drop(_)) {
                self.print(&format!("dropped: {}", wire.text()));
                continue;
            }
            self.print(&wire.text());
            match self.hand_over(to, letter) {
                Ok(()) => {}
                Err(text) => self.print(&text),
            }
        }
        count
    }

    fn hand_over(&mut self, to: NodeId, letter: Letter) -> Result<(), String> {
        let node = self.node(to)?;
        let result = match letter {
            Letter::Message(message) => node.engine.step(message),
            Letter::ToSelf(_) if !node.is_member() => Err(Error::UnknownPeer(to)),
            Letter::ToSelf(ack) | Letter::Appended(ack) => node.engine.appended(ack),
            Letter::Applied(ack) => node.engine.applied(ack),
        };
        result.or_else(|error| error_text(&error))
    }

    /// The node of that id.
    pub(crate) fn node(&mut self, id: NodeId) -> Result<&mut Node, String> {
        let at = self.place(id)?;
        Ok(&mut self.nodes[at])
    }

    /// Where in `nodes` the node of that id stands.
    pub(crate) fn place(&self, id: NodeId) -> Result<usize, String> {
        usize::try_from(id)
            .ok()
            .and_then(|id| id.checked_sub(1))
            .filter(|at| *at < self.nodes.len())
            .ok_or_else(|| format!("there is no node {id}"))
    }

    /// Goes round the nodes at these places until nothing is left to do.
    pub(crate) fn stabilize(&mut self, places: &[usize]) -> Result<(), String> {
        let mut done = false;
        while !done {
            done = true;
            for &at in places {
                if self.nodes[at].engine.has_ready() {
                    self.under_header(at, "handling Ready", |env| env.process_ready(at))?;
                    done = false;
                }
            }
            for &at in places {
                let delivery = Delivery::To(self.nodes[at].id());
                if self.messages.iter().any(|it| delivery.takes(it)) {
                    self.under_header(at, "receiving messages", |env| env.deliver(delivery, None));
                    done = false;
                }
            }
            for &at in places {
                if !self.nodes[at].append_queue.is_empty() {
                    self.under_header(at, "processing append thread", |env| {
                        while !env.nodes[at].append_queue.is_empty() {
                            env.process_append(at)?;
                        }
                        Ok::<_, String>(())
                    })?;
                    done = false;
                }
            }
            for &at in places {
                if !self.nodes[at].apply_queue.is_empty() {
                    self.under_header(at, "processing apply thread", |env| {
                        while !env.nodes[at].apply_queue.is_empty() {
                            env.process_apply(at)?;
                        }
                        Ok::<_, String>(())
                    })?;
                    done = false;
                }
            }
        }
        Ok(())
    }

    /// Crashes the node and starts it again from its storage. What its threads had still to
    /// tell it is lost; what it sent to others is not.
    pub(crate) fn restart(&mut self, id: NodeId) -> Result<(), String> {
        let node = self.node(id)?;
        *node = node.restarted().map_err(|error| error.to_string())?;
        self.messages.retain(|it| it.to != id || !it.is_local());
        Ok(())
    }
}

/// Whether the append thread is needed: for a write, or for an answer that waits for
/// earlier writes.
fn asks_for_write(work: &AppendWork) -> bool {
    work.snapshot.is_some()
        || !work.entries.is_empty()
        || work.hard_state.is_some()
        || !work.responses().is_empty()
}

/// What etcd says instead; nothing where it only writes a line to its log.
pub(crate) fn error_text(error: &Error) -> Result<(), String> {
    match error {
        Error::ProposalDropped { .. } => Err(DROPPED.to_owned()),
        Error::UnknownPeer(_) => Err(STRANGER.to_owned()),
        Error::RequestDropped(_) | Error::CannotTransfer(_) => Ok(()),
        other => Err(other.to_string()),
    }
}
