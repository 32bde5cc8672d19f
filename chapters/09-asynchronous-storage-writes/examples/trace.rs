//! Writes the trace of one proposal in an asynchronous cluster, from which the page's
//! diagram is drawn.
//!
//! Each step is one deed: somebody proposes, a message arrives, a disk finishes its write,
//! or a state machine applies. What is sent because of it belongs to the same step.

use std::collections::{BTreeMap, VecDeque};
use std::io::Write;
use std::process::ExitCode;

use ch01_single_node_cluster::{Result, cli};
use ch05_two_node_cluster::{Proposal, Replica};
use ch06_two_node_snapshot::StateMachine;
use ch07_detour_change_state_machine::Sum;
use ch09_asynchronous_storage_writes::held::Held;
use raft_kernel::{Message, NodeId, Storage};
use trace::Writer;

/// As on the page.
const SEED: u64 = 7;

/// No node makes a snapshot.
const NEVER: u64 = u64::MAX;

fn main() -> ExitCode {
    cli::run(env!("CARGO_PKG_NAME"), Ok(()), |(), out| tell(out))
}

fn tell(out: &mut dyn Write) -> Result<()> {
    let heading = [
        (
            "title",
            "An entry is committed before its leader has written it",
        ),
        (
            "command",
            "cargo run -q -p ch09-asynchronous-storage-writes --example trace",
        ),
        ("nodes", "2 1 3"),
        ("unit", "steps"),
    ];
    let mut told = Told {
        held: Held::led_by_1(&[1, 2, 3], SEED, NEVER)?,
        trace: Writer::begin(out, number, &heading)?,
        step: 0,
        on_the_way: VecDeque::new(),
        jobs: BTreeMap::new(),
    };
    for id in [1, 2, 3] {
        told.stands(id)?;
    }

    told.next_step();
    told.trace.node(1, "is asked to add 5")?;
    let ticket = told.held.propose(1, Proposal::Command(5))?;
    told.sent(Vec::new())?;
    told.stands(1)?;
    told.deliver_all()?;
    for id in [2, 3] {
        told.writes(id)?;
        told.deliver_all()?;
    }
    told.applies(2)?;
    told.applies(3)?;
    told.writes(1)?;
    told.applies(1)?;
    let answer = ticket.outcome().ok_or("there is an answer by now")?;
    told.trace.node(1, format_args!("answers: {answer}"))?;
    Ok(())
}

/// What a command adds to nothing.
fn number(command: &[u8]) -> String {
    let mut sum = Sum::default();
    match sum.apply(command) {
        Ok(()) => format!("add {}", sum.total()),
        Err(error) => error.to_string(),
    }
}

/// The cluster, and what is told of it.
struct Told<W> {
    held: Held<Sum>,
    trace: Writer<W>,
    step: u64,
    /// Each message with the step in which it was sent.
    on_the_way: VecDeque<(u64, Message)>,
    /// How many jobs of each node wait for its disk, and how many for its state machine.
    jobs: BTreeMap<NodeId, (usize, usize)>,
}

impl<W: Write> Told<W> {
    fn next_step(&mut self) {
        self.step += 1;
        self.trace.set_time(self.step);
    }

    /// These messages are on their way now, and what the loops have sent.
    fn sent(&mut self, messages: Vec<Message>) -> Result<()> {
        let loops = self.held.sent()?;
        let all = messages.into_iter().chain(loops);
        self.on_the_way
            .extend(all.map(|message| (self.step, message)));
        Ok(())
    }

    fn deliver_all(&mut self) -> Result<()> {
        while let Some((sent, message)) = self.on_the_way.pop_front() {
            self.next_step();
            self.trace.arrives(sent, &message)?;
            let to = message.to;
            self.held.deliver(message)?;
            self.stands(to)?;
            self.sent(Vec::new())?;
        }
        Ok(())
    }

    /// A disk finishes what it was given.
    fn writes(&mut self, id: NodeId) -> Result<()> {
        self.next_step();
        self.trace.node(id, "its disk has written")?;
        let after = self.held.write(id)?;
        self.stands(id)?;
        self.sent(after)
    }

    /// A state machine does what it was given.
    fn applies(&mut self, id: NodeId) -> Result<()> {
        self.next_step();
        self.held.apply(id)?;
        let state = self.held.hands(id).machine.state();
        let applied = format_args!("its state machine has applied: {state}");
        self.trace.node(id, applied)?;
        self.stands(id)?;
        self.sent(Vec::new())
    }

    /// How a node stands, and what it has handed over, as far as that is new.
    fn stands(&mut self, id: NodeId) -> Result<()> {
        let storage = &self.held.hands(id).disk.storage;
        let log = (storage.first_index()?, storage.last_index()?);
        let node = self.held.node(id);
        let (status, jobs) = (node.status(), node.waiting_jobs());
        self.trace.stands(&status, log)?;
        let before = self.jobs.insert(id, jobs).unwrap_or_default();
        if jobs.0 > before.0 {
            self.trace.node(id, "its disk has a write to do")?;
        }
        if jobs.1 > before.1 {
            self.trace
                .node(id, "its state machine has an entry to apply")?;
        }
        Ok(())
    }
}
