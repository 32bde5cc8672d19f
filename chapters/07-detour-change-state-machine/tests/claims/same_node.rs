//! Chapter 6's node takes either state machine as it is: the same claims, word for word,
//! hold for both.

use std::fmt::Debug;
use std::time::Duration;

use ch02_single_node_proposals::CommandList;
use ch05_two_node_cluster::by_hand::ByHand;
use ch05_two_node_cluster::{Clock, Member, Network, Outcome, Proposal, Replica};
use ch06_two_node_snapshot::{Node, StateMachine};
use ch07_detour_change_state_machine::{Paced, Sum};
use raft_kernel::Role;

use crate::watched::{add_voter, settle};

/// A state machine that can be checked from outside.
// ANCHOR: subject
trait Subject: StateMachine<Command: From<u8> + Clone> + PartialEq + Debug {
    /// What these commands come to, worked out without the state machine.
    fn expected(commands: &[u8]) -> Self;
}

impl Subject for CommandList {
    fn expected(commands: &[u8]) -> Self {
        CommandList::restore(commands).expect("a list of commands")
    }
}

impl Subject for Sum {
    fn expected(commands: &[u8]) -> Self {
        let sum: u64 = commands.iter().map(|command| u64::from(*command)).sum();
        Sum::restore(&sum.to_le_bytes()).expect("a number")
    }
}
// ANCHOR_END: subject

macro_rules! the_same_holds_for {
    ($($name:ident: $subject:ty),+ $(,)?) => {
        $(mod $name {
            use super::*;

            #[test]
            fn a_newcomer_begins_with_a_snapshot_and_has_what_the_others_have() {
                super::a_newcomer_begins_with_a_snapshot_and_has_what_the_others_have::<$subject>();
            }

            #[test]
            fn a_node_that_starts_again_has_what_it_had() {
                super::a_node_that_starts_again_has_what_it_had::<$subject>();
            }

            #[test]
            fn threads_come_to_the_same_as_by_hand() {
                super::threads_come_to_the_same_as_by_hand::<$subject>();
            }
        })+
    };
}

the_same_holds_for! {
    the_list: CommandList,
    the_sum: Sum,
}

const COMMANDS: std::ops::RangeInclusive<u8> = 1..=200;

fn all() -> Vec<u8> {
    COMMANDS.collect()
}

fn founder<M: StateMachine>(pace: u64) -> Paced<M> {
    Paced::new(Node::found(1, &[1], 1).expect("a new node"), pace).expect("a possible pace")
}

fn newcomer<M: StateMachine>(pace: u64) -> Paced<M> {
    Paced::new(Node::join(2, 1).expect("a new node"), pace).expect("a possible pace")
}

/// A leader that has taken all commands.
fn leader<M: Subject>(pace: u64) -> ByHand<Paced<M>> {
    let mut nodes = ByHand::default();
    nodes.add(founder(pace));
    while nodes.node(1).status().soft_state.role != Role::Leader {
        nodes.tick(1).expect("a tick");
        settle(&mut nodes);
    }
    for command in COMMANDS {
        let proposal = Proposal::Command(command.into());
        let ticket = nodes.propose(1, proposal).expect("an answer");
        settle(&mut nodes);
        assert!(matches!(ticket.outcome(), Some(Outcome::Applied { .. })));
    }
    nodes
}

fn a_newcomer_begins_with_a_snapshot_and_has_what_the_others_have<M: Subject>() {
    let mut nodes = leader::<M>(7);
    nodes.add(newcomer(u64::MAX));
    let proposal = Proposal::Change(add_voter(2));
    drop(nodes.propose(1, proposal).expect("an answer"));
    settle(&mut nodes);
    for id in [1, 2] {
        let node = nodes.node(id).node();
        assert_eq!(node.machine(), &M::expected(&all()), "{node}");
        let first = raft_kernel::Storage::first_index(node.storage());
        assert!(first.expect("the first index") > 1, "{node}");
    }
}

fn a_node_that_starts_again_has_what_it_had<M: Subject>() {
    for pace in [1, 7, u64::MAX] {
        let mut nodes = leader::<M>(pace);
        let stopped = nodes.remove(1).expect("node 1");
        let applied = stopped.status().applied;
        let again = Node::<M>::start(1, 2, stopped.into_storage()).expect("its storage");
        nodes.add(Paced::new(again, pace).expect("a possible pace"));
        settle(&mut nodes);
        let node = nodes.node(1);
        assert_eq!(node.status().applied, applied, "{node}");
        assert_eq!(node.node().machine(), &M::expected(&all()), "{node}");
    }
}

fn threads_come_to_the_same_as_by_hand<M: Subject>() {
    let (network, clock) = (Network::default(), Clock::start(Duration::from_millis(1)));
    let one = Member::start(founder::<M>(7), &network, &clock);
    let two = Member::start(newcomer::<M>(3), &network, &clock);
    one.insist(&Proposal::Change(add_voter(2)))
        .expect("it joins");
    let tickets: Vec<_> = COMMANDS
        .map(|command| one.propose(Proposal::Command(command.into())))
        .collect();
    let last = tickets
        .iter()
        .map(
            |ticket| match ticket.wait(ch05_two_node_cluster::PATIENCE) {
                Some(Outcome::Applied { index }) => index,
                other => panic!("a leader that nobody disturbs: {other:?}"),
            },
        )
        .max()
        .expect("some commands");
    for member in [one, two] {
        member
            .wait_until("all is applied", move |node| node.status().applied >= last)
            .expect("it catches up");
        let node = member.stop().expect("a node without errors");
        assert_eq!(node.node().machine(), &M::expected(&all()), "{node}");
    }
}
