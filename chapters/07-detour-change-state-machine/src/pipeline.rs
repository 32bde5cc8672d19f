//! Many proposals at once.
//!
//! The rule: whoever proposes does not wait for one answer before asking the next thing,
//! and reads every answer all the same. How much may be unanswered is limited: to ask
//! faster than a cluster answers is to wait for it.

use std::collections::VecDeque;
use std::time::Instant;

use ch01_single_node_cluster::Result;
use ch05_two_node_cluster::{Member, Outcome, PATIENCE, Proposal, Replica, Ticket};
use raft_kernel::{Index, NodeId};

/// How many commands may wait for an answer at once.
pub const WINDOW: usize = 256;

/// What became of everything that was proposed.
// ANCHOR: answers
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Answers {
    /// How many commands are applied.
    pub accepted: u64,
    /// How often a command was dropped, or lost its place, and was proposed again.
    pub retried: u64,
    /// Of how many commands nobody can tell whether they are in the log. To propose them
    /// again could do them twice.
    pub unknown: u64,
    /// The last entry with one of the accepted commands.
    pub last: Index,
}
// ANCHOR_END: answers

/// Proposes commands to members of a cluster, and tells `accepted` of each that is applied.
// ANCHOR: pipeline
pub struct Pipeline<'a, N: Replica, F> {
    members: &'a [&'a Member<N>],
    accepted: F,
    unanswered: VecDeque<Asked<N::Command>>,
    answers: Answers,
}

/// A command that waits for its answer.
struct Asked<C> {
    command: C,
    /// When it was first asked for.
    since: Instant,
    to: NodeId,
    ticket: Ticket,
}
// ANCHOR_END: pipeline

impl<'a, N, F> Pipeline<'a, N, F>
where
    N: Replica<Command: Clone>,
    F: FnMut(&N::Command),
{
    /// A pipeline to these members, with nothing in it.
    pub fn new(members: &'a [&'a Member<N>], accepted: F) -> Self {
        Pipeline {
            members,
            accepted,
            unanswered: VecDeque::new(),
            answers: Answers::default(),
        }
    }

    /// Proposes a command to the member `to`. Waits only if [`WINDOW`] commands are
    /// unanswered.
    ///
    /// # Errors
    /// When there is no such member, and when a command is not answered in time.
    // ANCHOR: propose
    pub fn propose(&mut self, to: NodeId, command: N::Command) -> Result<()> {
        while self.unanswered.len() >= WINDOW {
            self.read_oldest()?;
        }
        self.ask(to, command, Instant::now())
    }

    fn ask(&mut self, to: NodeId, command: N::Command, since: Instant) -> Result<()> {
        let proposal = Proposal::Command(command.clone());
        let ticket = self.member(to)?.propose(proposal);
        self.unanswered.push_back(Asked {
            command,
            since,
            to,
            ticket,
        });
        Ok(())
    }
    // ANCHOR_END: propose

    /// Reads every answer that is still to come, and says what became of everything.
    ///
    /// # Errors
    /// When a command is not answered in time.
    pub fn finish(mut self) -> Result<Answers> {
        while !self.unanswered.is_empty() {
            self.read_oldest()?;
        }
        Ok(self.answers)
    }

    // ANCHOR: read_oldest
    fn read_oldest(&mut self) -> Result<()> {
        let Some(asked) = self.unanswered.pop_front() else {
            return Ok(());
        };
        let left = PATIENCE.saturating_sub(asked.since.elapsed());
        match asked.ticket.wait(left) {
            Some(Outcome::Applied { index }) => {
                (self.accepted)(&asked.command);
                self.answers.accepted += 1;
                self.answers.last = self.answers.last.max(index);
                Ok(())
            }
            // It may be in the log or not. To ask again could count it twice.
            Some(Outcome::Unknown) => {
                self.answers.unknown += 1;
                Ok(())
            }
            Some(Outcome::Dropped {
                leader: Some(leader),
                ..
            }) if leader != asked.to && self.member(leader).is_ok() => self.retry(leader, asked),
            Some(Outcome::Dropped { .. } | Outcome::Replaced | Outcome::Refused) => {
                // Until something else has reached the node, the answer would be the same.
                let mut looks = 0;
                self.member(asked.to)?
                    .wait_until("something happens", move |_| {
                        looks += 1;
                        looks > 1
                    })?;
                self.retry(asked.to, asked)
            }
            None => Err(self.gave_up()),
        }
    }
    // ANCHOR_END: read_oldest

    fn retry(&mut self, to: NodeId, asked: Asked<N::Command>) -> Result<()> {
        if asked.since.elapsed() > PATIENCE {
            return Err(self.gave_up());
        }
        self.answers.retried += 1;
        self.ask(to, asked.command, asked.since)
    }

    fn member(&self, id: NodeId) -> Result<&'a Member<N>> {
        let found = self.members.iter().find(|member| member.id() == id);
        match found {
            Some(member) => Ok(*member),
            None => Err(format!("there is no node {id} to propose to").into()),
        }
    }

    fn gave_up(&self) -> Box<dyn std::error::Error + Send + Sync> {
        let mut what = format!(
            "a command was to be accepted within {} seconds",
            PATIENCE.as_secs()
        );
        for member in self.members {
            let state = member.ask(|node| node.to_string());
            what.push('\n');
            what.push_str(&state.unwrap_or_else(|ended| ended.to_string()));
        }
        what.into()
    }
}
