//! Every proposal gets an answer, and the proposer makes the right thing of it.

use std::cell::Cell;
use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

use ch01_single_node_cluster::{Result, Turn};
use ch05_two_node_cluster::{Clock, Member, Network, Outcome, Post, Promise, Proposal, Replica};
use ch07_detour_change_state_machine::{Answers, Pipeline, WINDOW};
use raft_kernel::{DropReason, Message, NodeId, Role, Status};

use crate::watched::{Record, Watched};

const TICK: Duration = Duration::from_millis(1);

/// A node that gives these answers to the first proposals and does nothing else for them.
struct Answering {
    node: Watched,
    answers: VecDeque<Option<Outcome>>,
}

impl Answering {
    fn start(
        answers: impl IntoIterator<Item = Option<Outcome>>,
        network: &Network,
        clock: &Clock,
    ) -> Member<Self> {
        let node = Answering {
            node: Watched::found(1, &[1], 3, &Record::default()),
            answers: answers.into_iter().collect(),
        };
        let member = Member::start(node, network, clock);
        member
            .wait_until("it leads", |node| {
                node.status().soft_state.role == Role::Leader
            })
            .expect("a leader");
        member
    }
}

impl Replica for Answering {
    type Command = u64;

    fn propose(&mut self, proposal: Proposal<u64>, promise: Promise) -> Result<()> {
        match self.answers.pop_front() {
            Some(Some(answer)) => promise.keep(answer),
            // The promise is broken.
            Some(None) => drop(promise),
            None => self.node.propose(proposal, promise)?,
        }
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

impl fmt::Display for Answering {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.node.fmt(f)
    }
}

fn dropped(reason: DropReason, leader: Option<NodeId>) -> Outcome {
    Outcome::Dropped { reason, leader }
}

/// Proposes 1, 2, … 10 to a node that leads and first gives these answers. Says what came
/// of it: what was counted, the node's sum, and the answers.
fn after(answers: impl IntoIterator<Item = Option<Outcome>>) -> (u64, u64, Answers) {
    let (network, clock) = (Network::default(), Clock::start(TICK));
    let member = Answering::start(answers, &network, &clock);
    let mut counted = 0;
    let members = [&member];
    let mut pipeline = Pipeline::new(&members, |number| counted += number);
    for number in 1..=10 {
        pipeline.propose(1, number).expect("room for it");
    }
    let answers = pipeline.finish().expect("an answer to each");
    let node = member.stop().expect("a node without errors");
    (counted, node.node.total(), answers)
}

#[test]
fn what_is_taken_at_once_is_counted_once() {
    let (counted, total, answers) = after([]);
    let expected = Answers {
        accepted: 10,
        retried: 0,
        unknown: 0,
        // A founder's entry and the leader's empty one come first.
        last: 12,
    };
    assert_eq!((counted, total, answers), (55, 55, expected));
}

#[test]
fn a_leader_that_has_too_much_to_do_is_asked_again() {
    let too_much = || Some(dropped(DropReason::TooMuchUncommitted, Some(1)));
    let (counted, total, answers) = after([too_much(), too_much(), too_much()]);
    assert_eq!((counted, total), (55, 55));
    assert_eq!((answers.accepted, answers.retried), (10, 3));
}

#[test]
fn a_node_that_knows_no_leader_is_asked_again() {
    let (counted, total, answers) = after([Some(dropped(DropReason::NoLeader, None))]);
    assert_eq!((counted, total), (55, 55));
    assert_eq!((answers.accepted, answers.retried), (10, 1));
}

#[test]
fn a_node_that_names_somebody_unknown_is_asked_again() {
    let (counted, total, answers) = after([Some(dropped(DropReason::NotForwarding, Some(9)))]);
    assert_eq!((counted, total), (55, 55));
    assert_eq!((answers.accepted, answers.retried), (10, 1));
}

#[test]
fn what_another_leaders_entry_replaced_is_proposed_again() {
    let (counted, total, answers) = after([Some(Outcome::Replaced)]);
    assert_eq!((counted, total), (55, 55));
    assert_eq!((answers.accepted, answers.retried), (10, 1));
}

#[test]
fn what_nobody_can_tell_is_not_proposed_again_and_not_counted() {
    // Node 1 took neither 1 nor 2, which the proposer cannot know.
    let (counted, total, answers) = after([Some(Outcome::Unknown), None]);
    assert_eq!((counted, total), (52, 52));
    assert_eq!(
        (answers.accepted, answers.retried, answers.unknown),
        (8, 0, 2)
    );
}

#[test]
fn what_waits_for_an_election_is_applied_once_after_it() {
    let (network, clock) = (Network::default(), Clock::start(TICK));
    let node = Watched::found(1, &[1], 3, &Record::default());
    let member = Member::start(node, &network, &clock);
    let mut counted = 0;
    let members = [&member];
    // Nobody has waited for a leader. Whether there is one by now, the answers tell.
    let mut pipeline = Pipeline::new(&members, |number| counted += number);
    for number in 1..=1000 {
        pipeline.propose(1, number).expect("room for it");
    }
    let answers = pipeline.finish().expect("an answer to each");
    assert_eq!((counted, answers.accepted), (500_500, 1000));
    assert_eq!(member.stop().expect("the node").total(), 500_500);
}

#[test]
fn no_more_than_the_window_is_ever_unanswered() {
    let (network, clock) = (Network::default(), Clock::start(TICK));
    let member = Answering::start([], &network, &clock);
    let members = [&member];
    let read = Cell::new(0);
    let mut pipeline = Pipeline::new(&members, |_| read.set(read.get() + 1));
    for proposed in 1..=5 * WINDOW {
        pipeline.propose(1, 1).expect("room for it");
        let unread = proposed - read.get();
        assert!(unread <= WINDOW, "{unread} answers are not read");
    }
    pipeline.finish().expect("an answer to each");
    assert_eq!(read.get(), 5 * WINDOW);
}

#[test]
fn whoever_asks_a_node_that_is_not_there_is_told() {
    let (network, clock) = (Network::default(), Clock::start(TICK));
    let node = Watched::found(1, &[1], 3, &Record::default());
    let member = Member::start(node, &network, &clock);
    let members = [&member];
    let mut pipeline = Pipeline::new(&members, |_: &u64| {});
    let refused = pipeline.propose(2, 10).expect_err("no node 2");
    assert_eq!(refused.to_string(), "there is no node 2 to propose to");
}
