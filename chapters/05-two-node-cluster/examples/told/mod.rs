//! A cluster that is driven by hand, and told of as a trace.
//!
//! Each step is one deed: somebody proposes, time passes, or one message arrives. What that
//! leads to at once, and what is sent because of it, belongs to the same step.

use std::collections::VecDeque;
use std::io::Write;

use ch01_single_node_cluster::Result;
use ch05_two_node_cluster::by_hand::ByHand;
use ch05_two_node_cluster::{Outcome, Proposal, Replica, Ticket};
use raft_kernel::{MemoryStorage, Message, NodeId, Payload, Storage};
use trace::Writer;

/// The cluster, and what is told of it.
pub(crate) struct Told<N, W> {
    pub(crate) cluster: ByHand<N>,
    pub(crate) trace: Writer<W>,
    storage: fn(&N) -> &MemoryStorage,
    step: u64,
    /// The messages that are on their way, each with the step in which it was sent.
    sent: VecDeque<(u64, Fate)>,
    /// Which message is to be lost next, if any is.
    pub(crate) loses: Option<fn(&Message) -> bool>,
    /// The last proposal, until its proposer has an answer.
    unanswered: Option<(NodeId, Ticket)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Arrives,
    Lost,
}

impl<N: Replica<Command = u8>, W: Write> Told<N, W> {
    /// Tells nothing yet. `storage` is where a node keeps its log.
    pub(crate) fn new(trace: Writer<W>, storage: fn(&N) -> &MemoryStorage) -> Self {
        Told {
            cluster: ByHand::default(),
            trace,
            storage,
            step: 0,
            sent: VecDeque::new(),
            loses: None,
            unanswered: None,
        }
    }

    /// What is told from here on belongs to the next step.
    pub(crate) fn next_step(&mut self) {
        self.step += 1;
        self.trace.set_time(self.step);
    }

    /// Adds a node that starts now.
    pub(crate) fn starts(&mut self, node: N) -> Result<()> {
        let (id, term) = (node.status().id, node.status().hard_state.term);
        self.cluster.add(node);
        self.trace.starts(id, term)?;
        self.stands(id)
    }

    /// How a node stands, as far as that is new.
    pub(crate) fn stands(&mut self, id: NodeId) -> Result<()> {
        let node = self.cluster.node(id);
        let storage = (self.storage)(node);
        let log = (storage.first_index()?, storage.last_index()?);
        Ok(self.trace.stands(&node.status(), log)?)
    }

    /// Somebody proposes to a node.
    pub(crate) fn propose(&mut self, id: NodeId, proposal: Proposal<u8>) -> Result<()> {
        self.next_step();
        let what = match &proposal {
            Proposal::Command(number) => command(&[*number]),
            Proposal::Change(change) => {
                trace::words::payload(&Payload::ConfChange(change.clone().into()), command)
            }
        };
        self.trace.node(id, format_args!("is asked for: {what}"))?;
        self.unanswered = Some((id, self.cluster.propose(id, proposal)?));
        self.turn(id)
    }

    /// Delivers messages until there are none, those that get lost apart.
    pub(crate) fn deliver_all(&mut self) -> Result<()> {
        while let Some(message) = self.cluster.next_message()? {
            let fate = self.sent.pop_front();
            let Some((sent, Fate::Arrives)) = fate else {
                continue;
            };
            self.next_step();
            self.trace.arrives(sent, &message)?;
            let to = message.to;
            self.cluster.deliver(message)?;
            self.turn(to)?;
        }
        Ok(())
    }

    /// Lets the nodes do what is to be done, and tells what became of the one that had a
    /// reason to, and then what is lost of what it sent.
    pub(crate) fn turn(&mut self, id: NodeId) -> Result<()> {
        self.cluster.turn()?;
        self.stands(id)?;
        if let Some((asked, answer)) = self.answer() {
            let answer = format_args!("answers: {answer}");
            self.trace.node(asked, answer)?;
        }
        for message in self.cluster.on_the_way().skip(self.sent.len()) {
            let mut fate = Fate::Arrives;
            if self.loses.is_some_and(|loses| loses(message)) {
                self.loses = None;
                fate = Fate::Lost;
                self.trace.lost(message)?;
            }
            self.sent.push_back((self.step, fate));
        }
        Ok(())
    }

    /// The answer that a node has given by now to its last proposer, once.
    fn answer(&mut self) -> Option<(NodeId, Outcome)> {
        let (asked, ticket) = self.unanswered.as_ref()?;
        let answer = (*asked, ticket.outcome()?);
        self.unanswered = None;
        Some(answer)
    }
}

/// A command is one byte.
pub(crate) fn command(bytes: &[u8]) -> String {
    let numbers: Vec<String> = bytes.iter().map(u8::to_string).collect();
    format!("command {}", numbers.join(" "))
}
