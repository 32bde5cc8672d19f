//! A node in a thread of its own.
//!
//! The rule: the thread owns the node, and everybody else talks to it through channels.
//! It waits for one thing at a time: a message, a tick, a request, or the end. Whatever
//! came, it then turns the loop until there is nothing to do.

use std::fmt;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use ch01_single_node_cluster::{Result, Turn};
use crossbeam_channel::{Receiver, Sender, bounded, select_biased};
use raft_kernel::{Index, Message, NodeId, Status};

use crate::{Clock, Network, Outcome, Post, Promise, Proposal, Tick, Ticket};

/// How long to wait for something before saying that it does not come. Nothing here takes
/// a second; this is for machines that do much else at the same time.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// What a thread needs to know of the node that it runs.
// ANCHOR: replica
pub trait Replica: fmt::Display + Send + 'static {
    /// What its state machine takes.
    type Command: Send + 'static;

    /// Lets one unit of time pass.
    fn tick(&mut self) -> Result<()>;
    /// Takes a message that another node sent.
    fn step(&mut self, message: Message) -> Result<()>;
    /// Proposes, and keeps the promise when the outcome is known.
    fn propose(&mut self, proposal: Proposal<Self::Command>, promise: Promise) -> Result<()>;
    /// One turn of the loop, if there is anything to do.
    fn turn(&mut self, post: &mut dyn Post) -> Result<Option<Turn>>;
    /// How the engine stands.
    fn status(&self) -> Status;
}
// ANCHOR_END: replica

/// Something that others want of a node.
pub enum Request<N: Replica> {
    /// To propose this.
    Propose(Proposal<N::Command>, Promise),
    /// To be looked at, or told something, once.
    Ask(Box<dyn FnOnce(&mut N) + Send>),
    /// To be looked at after every turn, until this answers that it has seen enough.
    Watch(Watch<N>),
}

type Watch<N> = Box<dyn FnMut(&N) -> bool + Send>;

/// Where everything reaches a node's thread.
// ANCHOR: lines
pub struct Lines<N: Replica> {
    /// Messages from other nodes.
    pub inbox: Receiver<Message>,
    /// The passing of time.
    pub ticks: Receiver<Tick>,
    /// What others want of the node.
    pub requests: Receiver<Request<N>>,
    /// Nothing ever comes here. It is closed when the node is to stop.
    pub stop: Receiver<Never>,
    /// Where its own messages go.
    pub network: Network,
}
// ANCHOR_END: lines

/// A message that nobody can send.
#[derive(Clone, Copy, Debug)]
pub enum Never {}

/// Runs a node until one of its lines is closed, and gives it back.
// ANCHOR: run
fn run<N: Replica>(mut node: N, mut lines: Lines<N>) -> Result<N> {
    let mut watches = Watches::default();
    while lines.serve_next(&mut node, &mut watches)? {
        while node.turn(&mut lines.network)?.is_some() {}
        watches.look(&node);
    }
    Ok(node)
}

impl<N: Replica> Lines<N> {
    /// Waits until a line has something, and gives it to the node. Answers whether the
    /// node is to go on: it is not when a line is closed.
    pub fn serve_next(&self, node: &mut N, watches: &mut Watches<N>) -> Result<bool> {
        // The first line that has something is served. Messages go before ticks: nobody
        // is to think that the leader is silent while its message waits in the inbox.
        select_biased! {
            recv(self.stop) -> _ => return Ok(false),
            recv(self.inbox) -> message => match message {
                Ok(message) => node.step(message)?,
                Err(_) => return Ok(false),
            },
            recv(self.ticks) -> tick => match tick {
                Ok(Tick) => node.tick()?,
                Err(_) => return Ok(false),
            },
            recv(self.requests) -> request => match request {
                Ok(request) => watches.serve(request, node)?,
                Err(_) => return Ok(false),
            },
        }
        Ok(true)
    }
}
// ANCHOR_END: run

/// Who wants to see the node after each turn.
pub struct Watches<N>(Vec<Watch<N>>);

impl<N> Default for Watches<N> {
    fn default() -> Self {
        Watches(Vec::new())
    }
}

impl<N: Replica> Watches<N> {
    /// Does what is asked for.
    pub fn serve(&mut self, request: Request<N>, node: &mut N) -> Result<()> {
        match request {
            Request::Propose(proposal, promise) => node.propose(proposal, promise)?,
            Request::Ask(ask) => ask(node),
            Request::Watch(watch) => self.0.push(watch),
        }
        Ok(())
    }

    /// Shows the node to everybody who waits to see something in it.
    pub fn look(&mut self, node: &N) {
        self.0.retain_mut(|watch| !watch(node));
    }
}

/// A node that runs in a thread. When this is dropped, the thread ends.
// ANCHOR: member
pub struct Member<N: Replica> {
    id: NodeId,
    requests: Sender<Request<N>>,
    stop: Option<Sender<Never>>,
    network: Network,
    thread: Option<JoinHandle<Result<N>>>,
}

impl<N: Replica> Member<N> {
    /// Starts a thread that runs `node`. Stop it before another of the same id is started.
    pub fn start(node: N, network: &Network, clock: &Clock) -> Self {
        Member::start_with(node, network, clock, run)
    }
    // ANCHOR_END: member

    /// Starts a thread that runs `node` by another loop than this chapter's.
    pub fn start_with(
        node: N,
        network: &Network,
        clock: &Clock,
        run: impl FnOnce(N, Lines<N>) -> Result<N> + Send + 'static,
    ) -> Self {
        let id = node.status().id;
        let (stop, stopped) = bounded(0);
        // No room to wait in: a request that waited when the node ends would never be
        // answered. So it is handed over when the node takes it, or comes back.
        let (requests, wanted) = bounded(0);
        let lines = Lines {
            inbox: network.open(id),
            ticks: clock.attach(),
            requests: wanted,
            stop: stopped,
            network: network.clone(),
        };
        Member {
            id,
            requests,
            stop: Some(stop),
            network: network.clone(),
            thread: Some(std::thread::spawn(move || run(node, lines))),
        }
    }

    /// The node's id.
    pub fn id(&self) -> NodeId {
        self.id
    }

    /// Proposes to this node, and waits until it has taken notice. If it has ended, the
    /// outcome is unknown.
    pub fn propose(&self, proposal: Proposal<N::Command>) -> Ticket {
        let (promise, ticket) = Ticket::new();
        self.request(Request::Propose(proposal, promise));
        ticket
    }

    /// If the node does not take the request, it is dropped, and with it the other end of
    /// the channel on which the answer would have come.
    fn request(&self, request: Request<N>) {
        drop(self.requests.send_timeout(request, PATIENCE));
    }

    /// Proposes to this node until the proposal is applied, and says where.
    ///
    /// # Errors
    /// When the outcome is unknown, so that to propose again could do it twice; and when
    /// it takes longer than [`PATIENCE`].
    pub fn insist(&self, proposal: &Proposal<N::Command>) -> Result<Index>
    where
        N::Command: Clone,
    {
        self.insist_for(PATIENCE, proposal)
    }

    // ANCHOR: insist
    fn insist_for(&self, patience: Duration, proposal: &Proposal<N::Command>) -> Result<Index>
    where
        N::Command: Clone,
    {
        let deadline = Instant::now() + patience;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            self.wait_for(left, "it leads", leads)?;
            let answer = match self.propose(proposal.clone()).wait(left) {
                Some(Outcome::Applied { index }) => return Ok(index),
                None => return Err(self.gave_up("its proposal is answered")),
                Some(other) => other,
            };
            let may_ask_again = answer != Outcome::Unknown && Instant::now() < deadline;
            if !may_ask_again {
                return Err(self.gave_up(&format!("its proposal is applied, not {answer}")));
            }
            // Until something else has reached the node, the answer would be the same.
            let mut looks = 0;
            self.wait_for(left, "something happens", move |_| {
                looks += 1;
                looks > 1
            })?;
        }
    }
    // ANCHOR_END: insist

    /// Asks the node something.
    ///
    /// # Errors
    /// When its thread has ended, or does not answer for [`PATIENCE`].
    pub fn ask<R: Send + 'static>(
        &self,
        question: impl FnOnce(&mut N) -> R + Send + 'static,
    ) -> Result<R> {
        let (answer, answered) = bounded(1);
        let ask = Box::new(move |node: &mut N| drop(answer.send(question(node))));
        self.request(Request::Ask(ask));
        let answer = answered.recv_timeout(PATIENCE);
        answer.map_err(|_| {
            let id = self.id;
            format!("node {id} does not answer; if it has ended, `stop` says why").into()
        })
    }

    /// Waits until `condition` holds for the node. `what` says what is waited for. The
    /// node's thread looks at the condition after every turn, so it should be a quick one.
    ///
    /// # Errors
    /// When its thread has ended, or after [`PATIENCE`]; with the node's state.
    pub fn wait_until(
        &self,
        what: &str,
        condition: impl FnMut(&N) -> bool + Send + 'static,
    ) -> Result<()> {
        self.wait_for(PATIENCE, what, condition)
    }

    // ANCHOR: wait_until
    fn wait_for(
        &self,
        patience: Duration,
        what: &str,
        mut condition: impl FnMut(&N) -> bool + Send + 'static,
    ) -> Result<()> {
        let (seen, awaited) = bounded(1);
        let watch = Box::new(move |node: &N| {
            let holds = condition(node);
            if holds {
                // Who waited for it may have given up.
                let _ = seen.send(());
            }
            holds
        });
        self.request(Request::Watch(watch));
        awaited
            .recv_timeout(patience)
            .map_err(|_| self.gave_up(what))
    }
    // ANCHOR_END: wait_until

    fn gave_up(&self, what: &str) -> Box<dyn std::error::Error + Send + Sync> {
        let state = match self.ask(|node| node.to_string()) {
            Ok(state) => state,
            Err(ended) => ended.to_string(),
        };
        format!("node {} was to come to this: {what}\n{state}", self.id).into()
    }

    /// Ends the thread, and gives the node back with all that it owes: the answers to
    /// its proposals become [`Outcome::Unknown`] when the node is dropped.
    ///
    /// # Errors
    /// What the node failed with, if it did.
    pub fn stop(mut self) -> Result<N> {
        match self.end() {
            Some(Ok(result)) => result,
            Some(Err(panic)) => std::panic::resume_unwind(panic),
            None => unreachable!("a thread is ended once"),
        }
    }

    fn end(&mut self) -> Option<std::thread::Result<Result<N>>> {
        self.network.close(self.id);
        self.stop = None;
        self.thread.take().map(JoinHandle::join)
    }
}

fn leads(node: &impl Replica) -> bool {
    let status = node.status();
    status.soft_state.leader == Some(status.id)
}

impl<N: Replica> Drop for Member<N> {
    fn drop(&mut self) {
        drop(self.end());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Node;
    use raft_kernel::{Change, ConfChange};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    fn waiting_to_join() -> (Member<Node>, Clock) {
        let clock = Clock::start(Duration::from_micros(100));
        let node = Node::join(7, 1).expect("a new node");
        (Member::start(node, &Network::default(), &clock), clock)
    }

    const STATE: &str = "node 7: follower of term 0, log empty after 0, committed 0, applied 0, \
                         commands []";

    #[test]
    fn who_waits_in_vain_is_told_for_what_and_how_the_node_stands() {
        let (member, _clock) = waiting_to_join();
        let waited = member.wait_for(Duration::ZERO, "it snows", |_| false);
        assert_eq!(
            waited.unwrap_err().to_string(),
            format!("node 7 was to come to this: it snows\n{STATE}")
        );
    }

    #[test]
    fn who_insists_in_vain_is_told_how_the_node_stands() {
        let (member, _clock) = waiting_to_join();
        let insisted = member.insist_for(Duration::ZERO, &Proposal::Command(10));
        assert_eq!(
            insisted.unwrap_err().to_string(),
            format!("node 7 was to come to this: it leads\n{STATE}")
        );
    }

    #[test]
    fn who_insists_on_the_impossible_gives_up() {
        let clock = Clock::start(Duration::from_micros(100));
        let node = Node::found(7, 1).expect("a new node");
        let member = Member::start(node, &Network::default(), &clock);
        let last_voter = ConfChange::single(Change::Remove(7));
        let patience = Duration::from_millis(50);
        let insisted = member.insist_for(patience, &Proposal::Change(last_voter));
        let said = insisted.unwrap_err().to_string();
        assert!(said.starts_with("node 7 was to come to this: "), "{said}");
    }

    /// A leader that takes a proposal and forgets whom it owes the answer.
    struct Forgetful {
        node: Node,
        asked: usize,
    }

    impl Replica for Forgetful {
        type Command = u8;

        fn propose(&mut self, _: Proposal<u8>, promise: Promise) -> Result<()> {
            self.asked += 1;
            drop(promise);
            Ok(())
        }

        fn tick(&mut self) -> Result<()> {
            self.node.tick()
        }

        fn step(&mut self, message: Message) -> Result<()> {
            self.node.step(message)
        }

        fn turn(&mut self, post: &mut dyn Post) -> Result<Option<Turn>> {
            self.node.turn(post)
        }

        fn status(&self) -> Status {
            self.node.status()
        }
    }

    impl fmt::Display for Forgetful {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.node.fmt(f)
        }
    }

    #[test]
    fn what_may_have_been_done_is_not_asked_for_again() {
        let clock = Clock::start(Duration::from_micros(100));
        let node = Node::found(7, 1).expect("a new node");
        let forgetful = Forgetful { node, asked: 0 };
        let member = Member::start(forgetful, &Network::default(), &clock);
        let insisted = member.insist(&Proposal::Command(10));
        let said = insisted.unwrap_err().to_string();
        assert!(
            said.contains("its proposal is applied, not unknown"),
            "{said}"
        );
        assert_eq!(member.stop().expect("the node").asked, 1);
    }

    #[test]
    fn a_watch_that_nobody_waits_for_any_more_ends_with_what_it_waited_for() {
        let (member, _clock) = waiting_to_join();
        let (held, holds) = (Arc::new(()), Arc::new(AtomicBool::new(false)));
        let (in_watch, condition) = (Arc::clone(&held), Arc::clone(&holds));
        let waited = member.wait_for(Duration::ZERO, "it snows", move |_| {
            let _ = &in_watch;
            condition.load(Ordering::SeqCst)
        });
        waited.unwrap_err();
        assert_eq!(Arc::strong_count(&held), 2, "it goes on looking");
        holds.store(true, Ordering::SeqCst);
        // The node looks after each request, and before it takes the next.
        for _ in 0..2 {
            member.ask(|_| ()).expect("the node is there");
        }
        assert_eq!(Arc::strong_count(&held), 1);
    }
}
