//! Numbers in volume, with a thread for each node and for each proposer.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ch01_single_node_cluster::Result;
use ch05_two_node_cluster::{Clock, Member, Network, Proposal, Replica};
use ch07_detour_change_state_machine::{Answers, Pipeline};
use raft_kernel::Index;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::watched::{Record, Watched, add_voter};

const TICK: Duration = Duration::from_millis(1);

/// How many numbers each proposer proposes, at least.
const NUMBERS: u64 = 1000;

/// How many propose at once.
const PROPOSERS: u64 = 4;

/// What the proposers know in the end.
#[derive(Clone, Copy, Debug, Default)]
struct Counted {
    proposed: u64,
    /// The sum of what was accepted.
    sum: u64,
    answers: Answers,
}

/// Proposes random numbers to random members until it has proposed enough and `is_over`,
/// and adds up what is accepted.
// ANCHOR: propose_random
fn propose_random(
    seed: u64,
    members: &[&Member<Watched>],
    is_over: &AtomicBool,
) -> Result<Counted> {
    let mut random = StdRng::seed_from_u64(seed);
    let (mut proposed, mut sum) = (0, 0_u64);
    let mut pipeline = Pipeline::new(members, |number| sum = sum.wrapping_add(*number));
    while proposed < NUMBERS || !is_over.load(Ordering::Relaxed) {
        let to = members[random.random_range(0..members.len())].id();
        pipeline.propose(to, random.random())?;
        proposed += 1;
    }
    let answers = pipeline.finish()?;
    Ok(Counted {
        proposed,
        sum,
        answers,
    })
}
// ANCHOR_END: propose_random

/// Several proposers at once, who go on for as long as `meanwhile` takes.
fn in_volume<T>(members: &[&Member<Watched>], meanwhile: impl FnOnce() -> T) -> (Counted, T) {
    /// Says that it is over when it goes, if by a panic too.
    struct SayWhenOver<'a>(&'a AtomicBool);
    impl Drop for SayWhenOver<'_> {
        fn drop(&mut self) {
            self.0.store(true, Ordering::Relaxed);
        }
    }

    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let over = SayWhenOver(&is_over);
        let proposers: Vec<_> = (0..PROPOSERS)
            .map(|seed| {
                let is_over = &is_over;
                scope.spawn(move || propose_random(seed, members, is_over))
            })
            .collect();
        let result = meanwhile();
        drop(over);
        let mut all = Counted::default();
        for proposer in proposers {
            let part = proposer
                .join()
                .expect("no panic")
                .unwrap_or_else(|error| panic!("{error}\n{}", states(members)));
            all.proposed += part.proposed;
            all.sum = all.sum.wrapping_add(part.sum);
            all.answers.accepted += part.answers.accepted;
            all.answers.retried += part.answers.retried;
            all.answers.unknown += part.answers.unknown;
            all.answers.last = all.answers.last.max(part.answers.last);
        }
        (all, result)
    })
}

fn states(members: &[&Member<Watched>]) -> String {
    let state = |member: &&Member<Watched>| member.ask(|node| node.to_string());
    let states: Vec<_> = members
        .iter()
        .map(|member| state(member).unwrap_or_else(|ended| ended.to_string()))
        .collect();
    states.join("\n")
}

struct Cluster {
    // Fields end in this order: the nodes before their clock.
    members: Vec<Member<Watched>>,
    network: Network,
    clock: Clock,
    record: Record,
}

impl Cluster {
    /// A cluster of nodes with these paces, of which node 1 leads.
    fn start(paces: &[u64]) -> Self {
        let record = Record::default();
        let mut cluster = Cluster {
            members: Vec::new(),
            network: Network::default(),
            clock: Clock::start(TICK),
            record: record.clone(),
        };
        cluster.run(Watched::found(1, &[1], paces[0], &record));
        for (id, pace) in (2..).zip(&paces[1..]) {
            cluster.run(Watched::join(id, *pace, &record));
            let joined = cluster.members[0]
                .insist(&Proposal::Change(add_voter(id)))
                .expect("it joins");
            cluster.wait_until_applied(joined);
        }
        cluster
    }

    fn run(&mut self, node: Watched) {
        let member = Member::start(node, &self.network, &self.clock);
        self.members.push(member);
    }

    fn members(&self) -> Vec<&Member<Watched>> {
        self.members.iter().collect()
    }

    fn wait_until_applied(&self, index: Index) {
        for member in &self.members {
            member
                .wait_until(&format!("entry {index} is applied"), move |node| {
                    node.status().applied >= index
                })
                .unwrap_or_else(|error| panic!("{error}\n{}", states(&self.members())));
        }
    }

    /// Ends every node, and checks that each has the sum that was counted.
    fn every_node_has(self, counted: Counted) -> Vec<Watched> {
        let Counted {
            proposed,
            sum,
            answers,
        } = counted;
        assert_eq!(
            (answers.accepted, answers.unknown),
            (proposed, 0),
            "{counted:?}"
        );
        self.wait_until_applied(answers.last);
        let nodes: Vec<Watched> = self
            .members
            .into_iter()
            .map(|member| member.stop().expect("a node without errors"))
            .collect();
        for node in &nodes {
            assert_eq!(node.total(), sum, "{node}\n{counted:?}");
        }
        assert_eq!(self.record.total(), sum);
        nodes
    }
}

// ANCHOR: claim
#[test]
fn every_node_has_the_sum_of_what_was_accepted() {
    let cluster = Cluster::start(&[100, 37, 5]);
    let (counted, ()) = in_volume(&cluster.members(), || ());
    assert!(
        counted.answers.retried > 0,
        "nodes 2 and 3 drop what they get"
    );
    for node in cluster.every_node_has(counted) {
        assert!(node.compacted() > 0, "{node}");
    }
}
// ANCHOR_END: claim

#[test]
fn a_node_that_joins_in_the_middle_begins_with_a_snapshot_and_has_the_sum_too() {
    let mut cluster = Cluster::start(&[50, 20]);
    // So slow a pace that it makes no snapshot of its own.
    let newcomer = Watched::join(3, u64::MAX, &cluster.record);
    let (network, clock) = (cluster.network.clone(), &cluster.clock);
    let ((counted, newcomer), last) = {
        let members = cluster.members();
        let one = members[0];
        let mut joined = 0;
        let result = in_volume(&members, || {
            // Enough for node 1 to have compacted its log.
            one.wait_until("a thousand entries are applied", |node| {
                node.status().applied > 1000
            })
            .expect("the volume goes on");
            let newcomer = Member::start(newcomer, &network, clock);
            joined = one
                .insist(&Proposal::Change(add_voter(3)))
                .expect("it joins");
            newcomer
        });
        (result, joined)
    };
    cluster.members.push(newcomer);
    cluster.wait_until_applied(last);
    let nodes = cluster.every_node_has(counted);
    assert!(nodes[2].compacted() > 0, "{}", nodes[2]);
}

#[test]
fn a_node_that_stops_in_the_middle_goes_on_from_its_storage_and_has_the_sum_too() {
    let mut cluster = Cluster::start(&[50, 20, 7]);
    let three = cluster.members.pop().expect("node 3");
    let (network, clock, record) = (cluster.network.clone(), &cluster.clock, &cluster.record);
    let (counted, three) = {
        let members = cluster.members();
        let one = members[0];
        in_volume(&members, || {
            one.wait_until("a thousand entries are applied", |node| {
                node.status().applied > 1000
            })
            .expect("the volume goes on");
            let before = three.stop().expect("a node without errors");
            let applied = before.status().applied;
            // Only now is it certain that it has missed something.
            one.wait_until("a hundred more are applied", move |node| {
                node.status().applied > applied + 100
            })
            .expect("the volume goes on without it");
            let node = Watched::start(3, before.into_storage(), 7, record);
            let again = Member::start(node, &network, clock);
            again
                .wait_until("it has caught up with what it missed", move |node| {
                    node.status().applied > applied + 100
                })
                .expect("the volume goes on with it");
            again
        })
    };
    cluster.members.push(three);
    cluster.every_node_has(counted);
}

#[test]
fn past_the_largest_number_the_sum_begins_again_at_0_on_every_node() {
    let cluster = Cluster::start(&[1, 2, 3]);
    let one = &cluster.members[0];
    for (number, expected) in [(u64::MAX, u64::MAX), (1, 0), (u64::MAX, u64::MAX), (8, 7)] {
        let last = one.insist(&Proposal::Command(number)).expect("a leader");
        cluster.wait_until_applied(last);
        for member in cluster.members() {
            let total = member.ask(|node| node.total()).expect("it goes on");
            assert_eq!(total, expected);
        }
    }
}
