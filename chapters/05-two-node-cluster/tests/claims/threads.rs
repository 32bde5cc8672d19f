//! Each node in a thread of its own.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use ch01_single_node_cluster::{Result, Turn};
use ch05_two_node_cluster::{
    Clock, Lines, Member, Network, Node, Outcome, PATIENCE, Post, Promise, Proposal, Replica,
    Ticket, Undelivered,
};
use crossbeam_channel::{Receiver, Select, Sender, bounded, unbounded};
use raft_kernel::{Change, Index, Message, MessageBody, NodeId, Status};

use crate::{SEED, change, command};

/// The clock waits for every node, so it can tick as fast as it likes.
const PERIOD: Duration = Duration::from_micros(100);

fn start(node: Node, network: &Network, clock: &Clock) -> Member<Node> {
    Member::start(node, network, clock)
}

fn found(network: &Network, clock: &Clock) -> Member<Node> {
    start(Node::found(1, SEED).expect("a new node"), network, clock)
}

/// Two threads with a node each. Node 1 leads.
fn two_members(network: &Network, clock: &Clock) -> (Member<Node>, Member<Node>) {
    let one = found(network, clock);
    let two = start(Node::join(2, SEED).expect("a new node"), network, clock);
    let joined = insist(&one, &change(Change::AddVoter(2)));
    wait_for_applied(&two, joined);
    (one, two)
}

#[track_caller]
fn insist(member: &Member<Node>, proposal: &Proposal<u8>) -> Index {
    member
        .insist(proposal)
        .unwrap_or_else(|error| panic!("{error}"))
}

#[track_caller]
fn wait_for_applied(member: &Member<Node>, index: Index) {
    member
        .wait_until(&format!("{index} entries are applied"), move |node| {
            node.status().applied >= index
        })
        .unwrap_or_else(|error| panic!("{error}"));
}

#[track_caller]
fn stop(member: Member<Node>) -> Node {
    member.stop().unwrap_or_else(|error| panic!("{error}"))
}

fn is_nobody_there(network: &mut Network, id: NodeId) -> bool {
    let message = Message {
        from: 9,
        to: id,
        term: 1,
        body: MessageBody::TimeoutNow,
    };
    network.send(message) == Err(Undelivered::NobodyThere(id))
}

#[test]
fn what_is_proposed_by_many_at_once_arrives_once_on_both_nodes() {
    let (network, clock) = (Network::default(), Clock::start(PERIOD));
    let (one, two) = two_members(&network, &clock);
    // Each of five proposers counts in steps of five.
    let last = std::thread::scope(|scope| {
        let proposers: Vec<_> = (0..5)
            .map(|first| {
                let one = &one;
                let bytes = (first..100).step_by(5);
                scope.spawn(move || bytes.map(|byte| insist(one, &command(byte))).max())
            })
            .collect();
        let last = proposers.into_iter().map(|it| it.join().expect("no panic"));
        last.max().flatten().expect("there are proposers")
    });
    wait_for_applied(&two, last);
    // The clock waits for the slowest, so nobody was taken for dead: node 1 was elected
    // once, in term 2, and has led ever since.
    let status = two.ask(|node| node.status()).expect("node 2 is there");
    assert_eq!(status.hard_state.term, 2);
    assert_eq!(status.soft_state.leader, Some(1));
    let (one, two) = (stop(one), stop(two));
    let all = one.machine().commands();
    assert_eq!(all, two.machine().commands());
    let mut sorted = all.to_vec();
    sorted.sort_unstable();
    assert_eq!(sorted, (0..100).collect::<Vec<u8>>());
    for first in 0..5 {
        let of_one = all.iter().copied().filter(|byte| byte % 5 == first);
        assert!(of_one.is_sorted(), "one proposer's order: {all:?}");
    }
}

#[test]
fn a_dropped_proposal_is_repeated_where_the_answer_says() {
    let (network, clock) = (Network::default(), Clock::start(PERIOD));
    let (one, two) = two_members(&network, &clock);
    let answer = two.propose(command(40)).wait(PATIENCE);
    let leader = match answer {
        Some(Outcome::Dropped { leader, .. }) => leader.expect("node 2 has heard of it"),
        other => panic!("not dropped: {other:?}"),
    };
    assert_eq!(leader, one.id());
    let index = insist(&one, &command(40));
    wait_for_applied(&two, index);
    assert_eq!(stop(two).machine().commands(), [40]);
}

#[test]
fn who_insists_gets_a_change_through_although_others_want_one_too() {
    let (network, clock) = (Network::default(), Clock::start(PERIOD));
    let (one, two) = two_members(&network, &clock);
    std::thread::scope(|scope| {
        for id in 3..7 {
            let one = &one;
            scope.spawn(move || insist(one, &change(Change::AddLearner(id))));
        }
    });
    let learners = stop(one).status().config.conf_state().learners;
    assert_eq!(learners, [3, 4, 5, 6]);
    drop(two);
}

#[test]
fn a_node_that_is_stopped_and_started_again_catches_up() {
    let (network, clock) = (Network::default(), Clock::start(PERIOD));
    let (one, two) = two_members(&network, &clock);
    let two = stop(two);
    // Whether node 1 still leads by then is up to the clock, so the answer may be that it
    // drops the proposal. Then it is in no log, and is proposed again.
    let ticket = one.propose(command(40));
    let two = start(two, &network, &clock);
    let members = [&one, &two];
    let mut answer = ticket.wait(PATIENCE);
    let mut asked = 0;
    let index = loop {
        match answer {
            Some(Outcome::Applied { index }) => break index,
            Some(Outcome::Dropped { .. } | Outcome::Replaced) => asked += 1,
            other => panic!("{other:?}"),
        }
        let member = members[asked % 2];
        member
            .wait_until("there is a leader", |node| {
                node.status().soft_state.leader.is_some()
            })
            .unwrap_or_else(|error| panic!("{error}"));
        answer = member.propose(command(40)).wait(PATIENCE);
    };
    for member in members {
        wait_for_applied(member, index);
    }
    assert_eq!(stop(one).machine().commands(), [40]);
    assert_eq!(stop(two).machine().commands(), [40]);
}

/// What a thread holds, to be asked whether it is still held by anybody.
struct Witness {
    token: Arc<()>,
    requests: Receiver<ch05_two_node_cluster::Request<Node>>,
    inbox: Receiver<Message>,
}

/// Starts a node in a thread that gives away what it listens to, and then runs a loop that
/// ends when it is told to stop.
fn witnessed(id: NodeId, network: &Network, clock: &Clock) -> (Member<Node>, Witness) {
    let (told, witness) = bounded(1);
    let node = Node::join(id, SEED).expect("a new node");
    let member = Member::start_with(node, network, clock, move |node, lines: Lines<Node>| {
        let token = Arc::new(());
        let witness = Witness {
            token: token.clone(),
            requests: lines.requests.clone(),
            inbox: lines.inbox.clone(),
        };
        drop(told.send(witness));
        // The clock would wait for this node to take its ticks.
        drop(lines.ticks);
        let _ = lines.stop.recv();
        drop(token);
        Ok(node)
    });
    (member, witness.recv().expect("the thread has started"))
}

#[test]
fn every_thread_ends_and_every_channel_is_closed() {
    let mut network = Network::default();
    let clock = Clock::start(PERIOD);
    let ticks = clock.attach();
    for by_drop in [true, false] {
        let (member, witness) = witnessed(1, &network, &clock);
        assert_eq!(Arc::strong_count(&witness.token), 2, "the thread runs");
        if by_drop {
            drop(member);
        } else {
            stop(member);
        }
        assert_eq!(Arc::strong_count(&witness.token), 1, "the thread has ended");
        assert!(witness.requests.recv().is_err(), "nobody can ask any more");
        assert!(witness.inbox.recv().is_err(), "nobody can send any more");
        assert!(is_nobody_there(&mut network, 1));
    }
    drop(clock);
    assert!(ticks.recv().is_err(), "the clock has stopped");
}

#[test]
fn nodes_stop_in_the_middle_of_everything_and_every_proposer_is_told() {
    for round in 0..12 {
        let (mut network, clock) = (Network::default(), Clock::start(PERIOD));
        let (one, two) = two_members(&network, &clock);
        let tickets: Vec<Ticket> = (0..200)
            .map(|byte| [&one, &two][usize::from(byte % 2)].propose(command(byte)))
            .collect();
        match round % 4 {
            0 => drop((one, clock, two)),
            1 => drop((two, one, clock)),
            2 => drop((clock, one, two)),
            _ => drop((stop(one), stop(two))),
        }
        for ticket in tickets {
            let told = ticket.outcome();
            assert!(told.is_some(), "round {round}: the nodes are gone");
            assert_ne!(told, Some(Outcome::Refused));
        }
        assert!(is_nobody_there(&mut network, 1) && is_nobody_there(&mut network, 2));
    }
}

#[test]
fn a_proposal_that_a_node_has_not_taken_when_it_ends_is_answered_as_unknown() {
    let (network, clock) = (Network::default(), Clock::start(PERIOD));
    let node = Node::join(1, SEED).expect("a new node");
    let member = Member::start_with(node, &network, &clock, |node, lines: Lines<Node>| {
        drop(lines.ticks);
        // Somebody wants something. The loop ends without looking what it is.
        let mut wanted = Select::new();
        wanted.recv(&lines.requests);
        wanted.ready();
        Ok(node)
    });
    let outcome = member.propose(command(40)).wait(PATIENCE);
    assert_eq!(outcome, Some(Outcome::Unknown));
}

/// A node that notes what reaches it.
struct Noting {
    node: Node,
    notes: Sender<&'static str>,
}

#[test]
fn a_message_that_waits_goes_before_a_tick_that_waits() {
    let (mut network, clock) = (Network::default(), Clock::start(PERIOD));
    let before = clock.attach();
    let (notes, pad) = unbounded();
    let node = Node::join(2, SEED).expect("a new node");
    let member = Member::start(Noting { node, notes }, &network, &clock);
    std::thread::scope(|scope| {
        let (release, released) = bounded::<()>(0);
        let (begun, has_begun) = bounded::<()>(0);
        let member = &member;
        let asking = scope.spawn(move || {
            member.ask(move |_| {
                begun.send(()).expect("the test waits for it");
                let _ = released.recv();
            })
        });
        has_begun.recv().expect("the node looks at the question");
        // The clock goes on until it waits for the node, which can take no tick now.
        while before.recv_timeout(Duration::from_millis(10)).is_ok() {}
        let message = Message {
            from: 1,
            to: 2,
            term: 1,
            body: MessageBody::TimeoutNow,
        };
        network.send(message).expect("node 2 is there");
        while pad.try_recv().is_ok() {}
        drop(release);
        asking.join().expect("no panic").expect("it is answered");
    });
    assert_eq!(pad.recv(), Ok("message"));
}

impl Replica for Noting {
    type Command = u8;

    fn tick(&mut self) -> Result<()> {
        let _ = self.notes.send("tick");
        self.node.tick()
    }

    fn step(&mut self, message: Message) -> Result<()> {
        let _ = self.notes.send("message");
        self.node.step(message)
    }

    fn propose(&mut self, proposal: Proposal<u8>, promise: Promise) -> Result<()> {
        self.node.propose(proposal, promise)
    }

    fn turn(&mut self, post: &mut dyn Post) -> Result<Option<Turn>> {
        self.node.turn(post)
    }

    fn status(&self) -> Status {
        self.node.status()
    }
}

impl fmt::Display for Noting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.node.fmt(f)
    }
}

/// A node that fails as soon as time passes.
struct Failing(Node);

impl Replica for Failing {
    type Command = u8;

    fn tick(&mut self) -> Result<()> {
        Err("its disk is full".into())
    }

    fn step(&mut self, message: Message) -> Result<()> {
        self.0.step(message)
    }

    fn propose(&mut self, proposal: Proposal<u8>, promise: Promise) -> Result<()> {
        self.0.propose(proposal, promise)
    }

    fn turn(&mut self, post: &mut dyn Post) -> Result<Option<Turn>> {
        self.0.turn(post)
    }

    fn status(&self) -> Status {
        self.0.status()
    }
}

impl fmt::Display for Failing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[test]
fn a_node_that_fails_ends_alone_and_says_why() {
    let (mut network, clock) = (Network::default(), Clock::start(PERIOD));
    let one = found(&network, &clock);
    let failing = Failing(Node::join(2, SEED).expect("a new node"));
    let failing = Member::start(failing, &network, &clock);

    let gave_up = failing.wait_until("it leads", |_| false).unwrap_err();
    let said = gave_up.to_string();
    assert_eq!(
        said,
        "node 2 was to come to this: it leads\nnode 2 does not answer; if it has ended, `stop` says why"
    );
    let outcome = failing.propose(command(40)).wait(PATIENCE);
    assert_eq!(outcome, Some(Outcome::Unknown));
    assert!(is_nobody_there(&mut network, 2));
    let why = failing.stop().err().expect("it has failed").to_string();
    assert_eq!(why, "its disk is full");

    // The clock no longer waits for it, and node 1 goes on.
    insist(&one, &command(40));
    assert_eq!(stop(one).machine().commands(), [40]);
}
