//! Several asynchronous nodes in one process, and somebody who wants something of them.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use ch01_single_node_cluster::Result;
use ch05_two_node_cluster::{Clock, Member, Network, Outcome, PATIENCE, Proposal, Replica};
use ch06_two_node_snapshot::StateMachine;
use raft_kernel::{Change, ConfChange, Index, NodeId};

use crate::{Asynchronous, Disk, Hands, Lossy, threads};

/// How long to wait for what became of a change before it is proposed to another node.
const ONE_ANSWER: Duration = Duration::from_secs(5);

/// Nodes in threads, their network and their clock.
pub struct Cluster<M: StateMachine> {
    network: Network,
    clock: Clock,
    members: BTreeMap<NodeId, Member<Asynchronous<M>>>,
}

impl<M: StateMachine<Command: Clone>> Cluster<M> {
    /// A cluster without nodes, with a tick every `period`.
    pub fn new(period: Duration) -> Self {
        Cluster {
            network: Network::default(),
            clock: Clock::start(period),
            members: BTreeMap::new(),
        }
    }

    /// Where its nodes send their messages.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// The passing of time for its nodes.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Starts a node on a network that loses so many messages in a hundred.
    // ANCHOR: start
    pub fn start<D: Disk>(
        &mut self,
        node: Asynchronous<M>,
        hands: Hands<M, D>,
        percent: u32,
        seed: u64,
    ) {
        let id = node.status().id;
        // The loop and the append thread both send, each with its own luck.
        let post = Lossy::new(self.network.clone(), percent, seed ^ id);
        let answers = Lossy::new(self.network.clone(), percent, seed ^ id ^ u64::MAX);
        let run = move |node, lines| threads::run(node, &lines, hands, post, answers);
        let member = Member::start_with(node, &self.network, &self.clock, run);
        self.members.insert(id, member);
    }
    // ANCHOR_END: start

    /// Takes in a node that runs already.
    pub fn add(&mut self, member: Member<Asynchronous<M>>) {
        self.members.insert(member.id(), member);
    }

    /// The node `id`.
    ///
    /// # Errors
    /// When there is none.
    pub fn member(&self, id: NodeId) -> Result<&Member<Asynchronous<M>>> {
        let missing = || format!("node {id} is not there").into();
        self.members.get(&id).ok_or_else(missing)
    }

    /// Takes a node out and ends it.
    ///
    /// # Errors
    /// What it failed with, if it did.
    pub fn stop(&mut self, id: NodeId) -> Result<Asynchronous<M>> {
        match self.members.remove(&id) {
            Some(member) => member.stop(),
            None => Err(format!("node {id} is not there").into()),
        }
    }

    /// Proposes to one node after the other until one has applied it, and says where;
    /// nothing if nobody can tell any more whether it is applied.
    ///
    /// # Errors
    /// After [`PATIENCE`], with every node's state.
    pub fn insist(&self, proposal: &Proposal<M::Command>) -> Result<Option<Index>> {
        self.ask_around(self.after(0)?, proposal, PATIENCE)
    }

    // ANCHOR: ask_around
    fn ask_around(
        &self,
        mut asked: NodeId,
        proposal: &Proposal<M::Command>,
        one_answer: Duration,
    ) -> Result<Option<Index>> {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            let ticket = self.member(asked)?.propose(proposal.clone());
            match ticket.wait(one_answer) {
                Some(Outcome::Applied { index }) => return Ok(Some(index)),
                // It may be in the log or not.
                Some(Outcome::Unknown) | None => return Ok(None),
                // It is in no log, and can be proposed again without harm.
                Some(Outcome::Dropped { leader, .. }) => asked = self.whom_to_ask(asked, leader)?,
                Some(Outcome::Replaced | Outcome::Refused) => {}
            }
        }
        Err(self.gave_up("the proposal is applied"))
    }
    // ANCHOR_END: ask_around

    /// Makes `newcomer` a voter. To add a node that is there changes nothing, so it is
    /// asked for again whenever it is not known to have happened.
    ///
    /// # Errors
    /// After [`PATIENCE`], with every node's state.
    // ANCHOR: admit
    pub fn admit(&self, newcomer: NodeId) -> Result<()> {
        let change = Proposal::Change(ConfChange::single(Change::AddVoter(newcomer)));
        let deadline = Instant::now() + PATIENCE;
        let mut asked = self.after(0)?;
        while self.ask_around(asked, &change, ONE_ANSWER)?.is_none() {
            if Instant::now() > deadline {
                return Err(self.gave_up("the change is applied"));
            }
            asked = self.after(asked)?;
        }
        self.wait_until(newcomer, "it takes part", move |node| {
            node.status().config.conf_state().contains(newcomer)
        })
    }
    // ANCHOR_END: admit

    /// Whom to ask when `asked` dropped a proposal and named this leader.
    fn whom_to_ask(&self, asked: NodeId, leader: Option<NodeId>) -> Result<NodeId> {
        match leader {
            Some(leader) if leader != asked && self.members.contains_key(&leader) => Ok(leader),
            // It is worth asking again when it knows of another leader.
            _ => {
                let wait = self.member(asked)?.wait_until("it has heard of a leader", {
                    move |node| {
                        let known = node.status().soft_state.leader;
                        known.is_some() && (known != leader || known == Some(asked))
                    }
                });
                if wait.is_ok() {
                    return Ok(asked);
                }
                self.after(asked)
            }
        }
    }

    /// The node after `id`, and the first one after the last.
    fn after(&self, id: NodeId) -> Result<NodeId> {
        let mut ids = self.members.keys().copied();
        let next = ids.clone().find(|next| *next > id).or_else(|| ids.next());
        next.ok_or_else(|| "there is nobody to ask".into())
    }

    /// Waits until `condition` holds for the node `id`.
    ///
    /// # Errors
    /// When it has ended, or after [`PATIENCE`], with every node's state.
    pub fn wait_until(
        &self,
        id: NodeId,
        what: &str,
        condition: impl FnMut(&Asynchronous<M>) -> bool + Send + 'static,
    ) -> Result<()> {
        let waited = self.member(id)?.wait_until(what, condition);
        waited.map_err(|error| format!("{error}\nall of them:\n{}", self.states()).into())
    }

    /// Waits until every node has applied the entry at `index`.
    ///
    /// # Errors
    /// As for [`Cluster::wait_until`].
    pub fn wait_for_all(&self, index: Index) -> Result<()> {
        for id in self.members.keys() {
            self.wait_until(*id, &format!("it has applied entry {index}"), move |node| {
                node.status().applied >= index
            })?;
        }
        Ok(())
    }

    /// What the node's state machine has come to, with everything that the engine knows
    /// to be applied by now.
    ///
    /// # Errors
    /// When the node has ended, or its apply thread stands still.
    // ANCHOR: look
    pub fn look<R: Send + 'static>(
        &self,
        id: NodeId,
        look: impl FnOnce(&M) -> R + Send + 'static,
    ) -> Result<R> {
        let answer = self.member(id)?.ask(|node| node.look(look))?;
        let seen = answer.recv_timeout(PATIENCE);
        seen.map_err(|_| self.gave_up("its state machine is looked at"))
    }
    // ANCHOR_END: look

    /// Waits until a node has stopped by itself, takes it out, and says why it stopped.
    ///
    /// # Errors
    /// When it has not failed in time, or nobody knows it.
    pub fn failure_of(&mut self, id: NodeId) -> Result<String> {
        // There is nothing to be seen; the wait is over when the node's thread is.
        drop(self.member(id)?.wait_until("it has ended", |_| false));
        match self.stop(id) {
            Ok(_) => Err(self.gave_up("the node fails")),
            Err(failure) => Ok(failure.to_string()),
        }
    }

    /// How every node stands, a line for each.
    pub fn states(&self) -> String {
        let states = self.members.values().map(|member| {
            let state = member.ask(|node| node.to_string());
            state.unwrap_or_else(|ended| ended.to_string())
        });
        states.collect::<Vec<_>>().join("\n")
    }

    fn gave_up(&self, what: &str) -> Box<dyn std::error::Error + Send + Sync> {
        format!("this was to happen: {what}\n{}", self.states()).into()
    }
}
