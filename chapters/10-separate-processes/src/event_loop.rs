//! The loop: the one task that owns the node.
//!
//! The rules it keeps: it waits for nothing but its inputs, it takes many of them before it
//! turns the node, and each of its queues has a limit. So a slow peer, a slow client or a
//! flood of either cannot stop the clock.

use std::sync::Arc;
use std::time::Duration;

use raft_kernel::{Error, Message, MessageBody, NodeId, Role, SnapshotOutcome};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{MissedTickBehavior, interval};

use crate::disk::{Disk, DiskError};
use crate::forwarding::{Forwarding, answer_all};
use crate::identity::{ClusterId, Identity, MAX_ID, MIN_ID};
use crate::machine::{Peer, StateMachine};
use crate::node::{MAX_PROPOSAL_BYTES, MAX_WAITING, Node};
use crate::outcome::{Outcome, Refusal};
use crate::request::{News, NodeStatus, Request};
use crate::transport::{Delivery, Event, JoinStep, Local, Transport};
use crate::waiting::Answer;
use crate::wire::frame::{Frame, JoinAnswer, JoinRequest, Members, Place, Proposal};

/// How many inputs of a kind are taken before the node is turned: all that came together goes
/// into one `Ready`, and the clock is looked at often enough.
const BATCH: usize = 1024;

/// The task's state.
pub struct EventLoop<D: Disk, M> {
    /// The node.
    pub node: Node<D, M>,
    /// The way to its peers.
    pub transport: Transport,
    /// What it knows about itself.
    pub local: Arc<Local>,
    /// What the network says.
    pub inbox: mpsc::Receiver<Delivery>,
    /// What clients want.
    pub requests: mpsc::Receiver<Request>,
    /// What is told to those who wait for it.
    pub news: watch::Sender<News>,
    /// How often the clock ticks.
    pub tick: Duration,
    /// Set to end the loop.
    pub stop: watch::Receiver<bool>,
    /// Proposals on their way to the leader.
    pub forwarding: Forwarding,
    /// The time.
    pub clock: Clock,
}

/// Time, in ticks.
pub struct Clock {
    /// The ticks so far.
    now: u64,
    /// How many ticks a proposal waits for its end before the answer is "unknown".
    patience: u64,
}

impl Clock {
    /// A clock that ticks so often, and proposals that wait so long.
    pub fn new(tick: Duration, proposal_time: Duration) -> Self {
        let ticks = proposal_time.as_nanos() / tick.as_nanos().max(1);
        Clock {
            now: 0,
            patience: u64::try_from(ticks).unwrap_or(u64::MAX),
        }
    }

    fn deadline(&self) -> u64 {
        self.now.saturating_add(self.patience)
    }
}

impl<D: Disk, M: StateMachine> EventLoop<D, M> {
    /// Runs until it is told to stop.
    ///
    /// # Errors
    /// The node could not keep what it must keep, and has stopped.
    // ANCHOR: run
    pub async fn run(mut self) -> Result<(), DiskError> {
        let mut ticks = interval(self.tick);
        // After a pause the clock goes on; it does not make up for the ticks that it missed.
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        self.meet_peers();
        self.settle()?;
        self.node.lead_if_alone()?;
        self.settle()?;
        loop {
            tokio::select! {
                () = stopped(&mut self.stop) => return Ok(()),
                _ = ticks.tick() => self.tick()?,
                Some(delivery) = self.inbox.recv() => self.take_event(delivery.event)?,
                Some(request) = self.requests.recv() => self.take_request(request)?,
            }
            // Whatever else has come by now goes into the same turn.
            for _ in 0..BATCH {
                let Ok(delivery) = self.inbox.try_recv() else {
                    break;
                };
                self.take_event(delivery.event)?;
            }
            for _ in 0..BATCH {
                let Ok(request) = self.requests.try_recv() else {
                    break;
                };
                self.take_request(request)?;
            }
            self.forward();
            self.settle()?;
        }
    }

    // ANCHOR_END: run

    /// Turns the node until there is nothing to do.
    // ANCHOR: settle
    fn settle(&mut self) -> Result<(), DiskError> {
        while self.node.has_ready() {
            let mut lost = Vec::new();
            let transport = &mut self.transport;
            let peers_changed = self.node.turn(|message| {
                let (to, is_snapshot) = (message.to, is_snapshot(&message));
                if !transport.send(message) {
                    lost.push((to, is_snapshot));
                }
            })?;
            for (peer, was_snapshot) in lost {
                self.report_lost(peer, was_snapshot);
            }
            if peers_changed {
                self.meet_peers();
            }
        }
        self.tell_news();
        Ok(())
    }
    // ANCHOR_END: settle

    fn report_lost(&mut self, peer: NodeId, was_snapshot: bool) {
        self.node.report_unreachable(peer);
        if was_snapshot {
            self.node.report_snapshot(peer, SnapshotOutcome::Failed);
        }
    }

    fn meet_peers(&mut self) {
        let peers = self.node.machine().peers().iter();
        let addresses = peers.map(|(id, peer)| (*id, peer.address.clone()));
        self.transport.set_peers(&addresses.collect());
    }

    fn tell_news(&self) {
        let news = News {
            member: self.node.is_member(),
            leader: self.node.leader(),
        };
        self.news
            .send_if_modified(|told| std::mem::replace(told, news) != news);
    }

    fn tick(&mut self) -> Result<(), DiskError> {
        self.clock.now += 1;
        self.forwarding.expire(self.clock.now);
        Ok(self.node.tick(self.clock.now)?)
    }

    fn take_event(&mut self, event: Event) -> Result<(), DiskError> {
        match event {
            Event::Message(message) => self.step(message)?,
            Event::Relay(message) => self.transport.relay(message),
            Event::Propose {
                from,
                request,
                proposals,
            } => self.propose_for(from, request, proposals),
            Event::Proposed {
                from,
                request,
                places,
            } => self.take_places(from, request, places),
            Event::Join(request, step) => {
                let _ = step.send(self.join(request));
            }
            Event::Here(from, peer) => self.hear_of(from, &peer),
            Event::Members(answer) => {
                let _ = answer.send(Members {
                    applied: self.node.status().applied,
                    ids: self.node.machine().peers().keys().copied().collect(),
                });
            }
            Event::Welcomed(cluster, done) => {
                self.take_part(cluster)?;
                let _ = done.send(());
            }
            Event::PeerLost(peer) => {
                self.node.report_unreachable(peer);
                self.forwarding.lost(peer);
            }
            Event::Snapshot(peer, outcome) => self.node.report_snapshot(peer, outcome),
        }
        Ok(())
    }

    /// A member says where it is. Another life of it, which is none, may be anywhere.
    fn hear_of(&mut self, id: NodeId, peer: &Peer) {
        let member = self.node.machine().peers().get(&id);
        if member.is_some_and(|member| member.incarnation == peer.incarnation) {
            self.transport.heard_of(id, &peer.address);
        }
    }

    /// What a peer says cannot stop the node; that its own storage fails can.
    // ANCHOR: step
    fn step(&mut self, message: Message) -> Result<(), Error> {
        match self.node.step(message) {
            Err(error) if error.is_fatal() => Err(error),
            Err(error) => {
                tracing::debug!("a message was not taken: {error}");
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }
    // ANCHOR_END: step

    fn take_request(&mut self, request: Request) -> Result<(), DiskError> {
        match request {
            Request::Status(answer) => {
                let _ = answer.send(self.status()?);
            }
            Request::Propose(proposal, answer) => self.propose(proposal, answer),
            Request::HandOver => match self.node.hand_over() {
                Err(error) if error.is_fatal() => return Err(error.into()),
                Err(error) => tracing::info!("no other node can lead now: {error}"),
                Ok(()) => {}
            },
        }
        Ok(())
    }

    fn status(&self) -> Result<NodeStatus, DiskError> {
        let status = self.node.status();
        let (first, last) = self.node.log_range()?;
        let peers = self.node.machine().peers().iter();
        Ok(NodeStatus {
            id: status.id,
            role: status.soft_state.role,
            term: status.hard_state.term,
            leader: status.soft_state.leader,
            commit: status.hard_state.commit,
            applied: status.applied,
            first,
            last,
            sum: self.node.machine().sum(),
            peers: peers
                .map(|(id, peer)| (*id, peer.address.clone()))
                .collect(),
        })
    }

    /// A client of this node proposes something.
    // ANCHOR: propose
    fn propose(&mut self, proposal: Proposal, answer: Answer) {
        let refusal = if self.node.waiting() + self.forwarding.len() >= MAX_WAITING {
            Refusal::TooMuchWaiting
        } else if proposal.len() > MAX_PROPOSAL_BYTES {
            Refusal::TooLarge
        } else if self.node.role() != Role::Leader {
            return self.forwarding.queue(proposal, answer);
        } else {
            match self.node.propose(proposal) {
                Ok(place) => return self.node.wait_for(place, answer, self.clock.deadline()),
                Err(refusal) => refusal,
            }
        };
        let _ = answer.send(Outcome::NotCommitted(refusal));
    }

    /// Sends the leader what clients of this node have proposed in this batch.
    fn forward(&mut self) {
        for (proposals, answers) in self.forwarding.take_batches() {
            let request = self.forwarding.next_request();
            let frame = Frame::Propose { request, proposals };
            let refusal = match self.node.leader() {
                None => Refusal::NoLeader,
                Some(leader) if self.transport.send_frame(leader, frame) => {
                    let deadline = self.clock.deadline();
                    self.forwarding.sent(leader, answers, deadline);
                    continue;
                }
                Some(leader) => Refusal::Unreachable(leader),
            };
            answer_all(answers, &Outcome::NotCommitted(refusal));
        }
    }
    // ANCHOR_END: propose

    /// Another node takes this one for the leader.
    // ANCHOR: propose_for
    fn propose_for(&mut self, from: NodeId, request: u64, proposals: Vec<Proposal>) {
        let is_member = self.node.machine().peers().contains_key(&from);
        let leads = self.node.role() == Role::Leader;
        let own = self.local.id;
        let places = proposals.into_iter().map(|proposal| {
            if !is_member {
                Err(Refusal::NotAMember)
            } else if leads {
                self.node.propose(proposal)
            } else {
                Err(Refusal::NotTheLeader(own))
            }
        });
        let places = places.collect();
        self.transport
            .send_frame(from, Frame::Proposed { request, places });
    }

    /// The leader says where in its log this node's proposals are: they are waited for like
    /// the leader's own.
    fn take_places(&mut self, from: NodeId, request: u64, places: Vec<Result<Place, Refusal>>) {
        let Some(sent) = self.forwarding.answered(from, request, places.len()) else {
            tracing::debug!("node {from} answers a request that it was not asked, or too late");
            return;
        };
        for (answer, place) in sent.answers.into_iter().zip(places) {
            match place {
                Ok(place) => self.node.wait_for(place, answer, sent.deadline),
                Err(refusal) => {
                    let _ = answer.send(Outcome::NotCommitted(refusal));
                }
            }
        }
    }
    // ANCHOR_END: propose_for

    /// What to do about a node that wants to join.
    // ANCHOR: join
    fn join(&mut self, request: JoinRequest) -> JoinStep {
        let later = |why: &str| JoinStep::Answer(JoinAnswer::Later(why.to_owned()));
        let (id, address) = (request.id, request.address);
        let newcomer = Peer {
            address,
            incarnation: request.incarnation,
        };
        let refused = |why| JoinStep::Answer(JoinAnswer::Refused(why));
        if !(MIN_ID..=MAX_ID).contains(&id) {
            return refused(format!("a node's id is a number from {MIN_ID} to {MAX_ID}"));
        }
        if newcomer.address.port() == 0 || newcomer.address.is_every_interface() {
            return refused(format!("nobody can reach a node at {}", newcomer.address));
        }
        let change = match self.node.machine().peers().get(&id) {
            Some(member) if *member == newcomer => match self.local.cluster.get() {
                Some(cluster) => return JoinStep::Answer(JoinAnswer::Welcome(*cluster)),
                None => return later("this node belongs to no cluster yet"),
            },
            Some(member) if member.incarnation != newcomer.incarnation => {
                let why = format!(
                    "id {id} belongs to a member at {} already; a node that has lost its memory \
                     must come back with an id that was never used",
                    member.address
                );
                return refused(why);
            }
            // The same node, with its memory, at another address.
            Some(_) => {
                self.hear_of(id, &newcomer);
                newcomer.moved(id)
            }
            None => newcomer.added(id),
        };
        if self.node.role() != Role::Leader {
            return match self.leader_to_ask(request.forwarded) {
                Some((leader, address)) => JoinStep::AskLeader(leader, address),
                None => later("there is no leader at the moment"),
            };
        }
        let (answer, outcome) = oneshot::channel();
        self.propose(Proposal::Change(change), answer);
        JoinStep::Proposed(outcome)
    }
    // ANCHOR_END: join

    fn leader_to_ask(&self, forwarded: bool) -> Option<(NodeId, crate::address::Address)> {
        let leader = self.node.leader().filter(|_| !forwarded)?;
        let peer = self.node.machine().peers().get(&leader)?;
        Some((leader, peer.address.clone()))
    }

    /// A cluster has welcomed this node. From here on it takes messages.
    fn take_part(&mut self, cluster: ClusterId) -> Result<(), DiskError> {
        if self.local.cluster.get().is_none() {
            self.node.remember(Identity {
                id: self.local.id,
                cluster,
                incarnation: self.local.incarnation,
            })?;
        }
        let own = self.local.cluster.get_or_init(|| cluster);
        if *own != cluster {
            return Err("welcomed by two clusters; give --join members of one only".into());
        }
        Ok(())
    }
}

/// Waits until it is time to stop, or nobody is there any more to say so.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

fn is_snapshot(message: &Message) -> bool {
    matches!(message.body, MessageBody::InstallSnapshot { .. })
}
