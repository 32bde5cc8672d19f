//! What must hold whenever the threads run.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ch01_single_node_cluster::Result;
use ch02_single_node_proposals::CommandList;
use ch05_two_node_cluster::{Clock, Member, Network, Outcome, Proposal, Replica};
use ch06_two_node_snapshot::Node;
use raft_kernel::{Change, ConfChange, Index, NodeId, Storage};

use crate::nodes::SEED;

type Running = Member<Node<CommandList>>;

/// Short, so that much happens; the clock waits for whoever is slow.
const TICK: Duration = Duration::from_micros(200);

fn found(network: &Network, clock: &Clock) -> Result<Running> {
    let node = Node::found(1, &[1], SEED)?;
    Ok(Member::start(node, network, clock))
}

fn join(network: &Network, clock: &Clock) -> Result<Running> {
    let node = Node::join(2, SEED)?;
    Ok(Member::start(node, network, clock))
}

fn add(change: Change) -> Proposal<u8> {
    Proposal::Change(ConfChange::single(change))
}

/// Waits until the node has applied everything up to `index`.
fn wait_for(node: &Running, index: Index) -> Result<()> {
    node.wait_until("all is applied", move |node| node.status().applied >= index)
}

/// Adds to a failure how every node stands.
fn with_states<T>(result: Result<T>, nodes: &[&Running]) -> Result<T> {
    result.map_err(|error| {
        let states = nodes.iter().map(|node| {
            let state = node.ask(|node| node.to_string());
            state.unwrap_or_else(|ended| ended.to_string())
        });
        let states: Vec<String> = states.collect();
        format!("{error}\n{}", states.join("\n")).into()
    })
}

/// Compacts the node's log over and over, until `done`.
fn compact_until(done: &AtomicBool, node: &Running) -> Result<()> {
    while !done.load(Ordering::Acquire) {
        node.ask(Node::compact)??;
    }
    Ok(())
}

/// Says that it is over, also when its thread panics.
struct Done<'a>(&'a AtomicBool);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

#[test]
fn compaction_at_any_moment_disturbs_no_proposal_and_no_newcomer() -> Result<()> {
    let (network, clock) = (Network::default(), Clock::start(TICK));
    let (one, two) = (found(&network, &clock)?, join(&network, &clock)?);
    let commands: Vec<u8> = (0..=255).collect();
    let done = AtomicBool::new(false);
    let result = std::thread::scope(|scope| {
        let compacting = [&one, &two].map(|node| scope.spawn(|| compact_until(&done, node)));
        let proposed = {
            let _done = Done(&done);
            propose_and_join(&one, &two, &commands)
        };
        for thread in compacting {
            thread.join().expect("no panic")?;
        }
        proposed
    });
    with_states(result, &[&one, &two])?;

    for node in [one.stop()?, two.stop()?] {
        assert_eq!(node.machine().commands(), commands, "{node}");
        // The founder's entry, the leader's empty one, the change, and the commands.
        assert_eq!(node.storage().last_index()?, 3 + 256);
    }
    Ok(())
}

/// Node 1 takes the commands, and node 2 joins in the middle of them.
fn propose_and_join(one: &Running, two: &Running, commands: &[u8]) -> Result<()> {
    for (place, command) in commands.iter().enumerate() {
        if place == commands.len() / 2 {
            one.insist(&add(Change::AddVoter(2)))?;
        }
        one.insist(&Proposal::Command(*command))?;
    }
    let last = one.ask(|node| node.status().applied)?;
    wait_for(two, last)
}

/// A learner, so that node 1 can go on without it.
#[test]
fn a_node_that_was_away_for_longer_than_the_log_reaches_gets_another_snapshot() -> Result<()> {
    let (network, clock) = (Network::default(), Clock::start(TICK));
    let (one, two) = (found(&network, &clock)?, join(&network, &clock)?);
    one.insist(&Proposal::Command(1))?;
    one.ask(Node::compact)??;
    let joined = one.insist(&add(Change::AddLearner(2)))?;
    with_states(wait_for(&two, joined), &[&one, &two])?;
    let first = two.ask(|node| node.storage().snapshot())??.index;
    let storage = two.stop()?.into_storage();

    let missed = one.insist(&Proposal::Command(2))?;
    assert_eq!(one.ask(Node::compact)??, missed);
    let last = one.insist(&Proposal::Command(3))?;
    let again = Node::<CommandList>::start(2, SEED, storage)?;
    let two = Member::start(again, &network, &clock);
    with_states(wait_for(&two, last), &[&one, &two])?;

    let (one, two) = (one.stop()?, two.stop()?);
    assert_eq!(two.machine(), one.machine());
    let second = two.storage().snapshot()?.index;
    assert!(
        first < missed && second == missed,
        "{first}, {second}\n{two}"
    );
    Ok(())
}

/// Stops both nodes at moments that nobody chose, between the wish to join and its end.
/// Each thread ends, each node is given back, and each proposal has an outcome.
#[test]
fn every_thread_ends_while_a_snapshot_is_on_its_way() -> Result<()> {
    for round in 0..50_u32 {
        let (network, clock) = (Network::default(), Clock::start(TICK));
        let one = found(&network, &clock)?;
        one.insist(&Proposal::Command(1))?;
        one.ask(Node::compact)??;
        let two = join(&network, &clock)?;
        let tickets = [
            one.propose(add(Change::AddVoter(2))),
            one.propose(Proposal::Command(2)),
        ];
        let first_to_stop: NodeId = if round % 2 == 0 { 1 } else { 2 };
        let (one, two) = match first_to_stop {
            1 => (one.stop()?, two.stop()?),
            _ => {
                let two = two.stop()?;
                (one.stop()?, two)
            }
        };
        drop((one, two));
        for ticket in tickets {
            let outcome = ticket.outcome();
            let is_told = matches!(outcome, Some(Outcome::Applied { .. } | Outcome::Unknown));
            assert!(is_told, "{outcome:?}");
        }
    }
    Ok(())
}
