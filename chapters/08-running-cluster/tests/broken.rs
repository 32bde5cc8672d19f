//! Nodes that are broken on purpose. The simulation has to find each of them, and what it
//! says has to be enough to see it again.

mod runs;

use std::fmt;
use std::marker::PhantomData;

use ch01_single_node_cluster::{Result, Turn};
use ch05_two_node_cluster::{Post, Promise, Proposal, Replica, Undelivered};
use ch07_detour_change_state_machine::{Paced, Sum};
use ch08_running_cluster::{Failure, NODES, Property, Setting, Simulated};
use raft_kernel::{
    AppendOutcome, Entries, Entry, HardState, MemoryStorage, Message, MessageBody, NodeId, Payload,
    Status, Storage,
};
use runs::run;

/// What is wrong with a node.
// ANCHOR: defect
trait Defect: Send + 'static {
    /// What is left of a storage after the node has stopped.
    fn left(storage: MemoryStorage) -> MemoryStorage {
        storage
    }

    /// What becomes of a message that the node sends.
    fn sent(message: Message) -> Option<Message> {
        Some(message)
    }

    /// What the node says that it has added up to.
    fn told(total: u64) -> u64 {
        total
    }

    /// What happens at a tick.
    fn tick(_: &Status) -> Result<()> {
        Ok(())
    }

    /// What the node does when there is nothing to do.
    fn idle() -> Option<Turn> {
        None
    }
}

/// Chapter 7's node with a defect.
struct Broken<D> {
    node: Paced<Sum>,
    defect: PhantomData<D>,
}
// ANCHOR_END: defect

impl<D: Defect> Broken<D> {
    fn of(node: Paced<Sum>) -> Self {
        Broken {
            node,
            defect: PhantomData,
        }
    }
}

impl<D: Defect> Simulated for Broken<D> {
    fn found(id: NodeId, voters: &[NodeId], seed: u64, pace: u64) -> Result<Self> {
        Ok(Broken::of(Simulated::found(id, voters, seed, pace)?))
    }

    fn start(id: NodeId, seed: u64, pace: u64, storage: MemoryStorage) -> Result<Self> {
        Ok(Broken::of(Simulated::start(id, seed, pace, storage)?))
    }

    fn storage(&self) -> &MemoryStorage {
        self.node.storage()
    }

    fn total(&self) -> u64 {
        D::told(self.node.total())
    }

    fn stop(self) -> MemoryStorage {
        D::left(self.node.stop())
    }
}

impl<D: Defect> Replica for Broken<D> {
    type Command = u64;

    fn tick(&mut self) -> Result<()> {
        D::tick(&self.status())?;
        self.node.tick()
    }

    fn step(&mut self, message: Message) -> Result<()> {
        self.node.step(message)
    }

    fn propose(&mut self, proposal: Proposal<u64>, promise: Promise) -> Result<()> {
        self.node.propose(proposal, promise)
    }

    fn turn(&mut self, post: &mut dyn Post) -> Result<Option<Turn>> {
        let turn = self.node.turn(&mut Altering::<D>(post, PhantomData))?;
        Ok(turn.or_else(D::idle))
    }

    fn status(&self) -> Status {
        self.node.status()
    }
}

impl<D: Defect> fmt::Display for Broken<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.node.fmt(f)
    }
}

struct Altering<'a, D>(&'a mut dyn Post, PhantomData<D>);

impl<D: Defect> Post for Altering<'_, D> {
    fn send(&mut self, message: Message) -> std::result::Result<(), Undelivered> {
        match D::sent(message) {
            Some(message) => self.0.send(message),
            None => Ok(()),
        }
    }
}

/// The first of these many seeds that finds the defect, which must be seen as one of these
/// properties.
fn found_by<D: Defect>(seeds: u64, properties: &[Property]) -> Failure {
    let mut outcomes = (0..seeds).map(|seed| run::<Broken<D>>(Setting::usual(seed)));
    let first = outcomes.find_map(std::result::Result::err);
    let failure = first.expect("a seed that finds it");
    let property = failure.violation.property;
    assert!(properties.contains(&property), "{failure}");
    failure
}

// What is left after a stop.

// ANCHOR: forgets
struct ForgetsItsVote;

impl Defect for ForgetsItsVote {
    fn left(storage: MemoryStorage) -> MemoryStorage {
        let kept = storage.hard_state();
        storage.set_hard_state(HardState { vote: None, ..kept });
        storage
    }
}
// ANCHOR_END: forgets

#[test]
fn a_node_that_forgets_its_vote_when_it_stops_is_found() {
    found_by::<ForgetsItsVote>(1000, &[Property::OneVote, Property::ElectionSafety]);
}

struct ForgetsEverything;
impl Defect for ForgetsEverything {
    fn left(_: MemoryStorage) -> MemoryStorage {
        MemoryStorage::new()
    }
}

#[test]
fn a_node_that_forgets_everything_when_it_stops_is_found() {
    found_by::<ForgetsEverything>(10, &[Property::NeverBack]);
}

struct LosesItsLastEntry;
impl Defect for LosesItsLastEntry {
    fn left(storage: MemoryStorage) -> MemoryStorage {
        let (first, last) = (storage.first_index(), storage.last_index());
        let (first, last) = (first.expect("memory"), last.expect("memory"));
        if first > last {
            return storage;
        }
        let left = MemoryStorage::from_snapshot(storage.snapshot().expect("memory"));
        let kept = storage.entries(first..last, u64::MAX).expect("memory");
        left.append(&kept).expect("they follow the snapshot");
        let hard_state = storage.hard_state();
        left.set_hard_state(HardState {
            commit: hard_state.commit.min(last - 1),
            ..hard_state
        });
        left
    }
}

#[test]
fn a_node_that_loses_its_last_entry_when_it_stops_is_found() {
    let properties = [
        Property::NeverBack,
        Property::Majority,
        Property::LeaderCompleteness,
    ];
    found_by::<LosesItsLastEntry>(100, &properties);
}

// What becomes of messages.

struct VotesForAll;
impl Defect for VotesForAll {
    fn sent(mut message: Message) -> Option<Message> {
        if let MessageBody::RequestVoteResponse { granted } = &mut message.body {
            *granted = true;
        }
        Some(message)
    }
}

#[test]
fn a_node_that_votes_for_everybody_is_found() {
    found_by::<VotesForAll>(100, &[Property::PersistBeforeSend, Property::OneVote]);
}

struct AcceptsAll;
impl Defect for AcceptsAll {
    fn sent(mut message: Message) -> Option<Message> {
        if let MessageBody::AppendEntriesResponse(outcome) = &mut message.body
            && let AppendOutcome::Rejected { prev_index, .. } = *outcome
        {
            *outcome = AppendOutcome::Accepted {
                match_index: prev_index,
            };
        }
        Some(message)
    }
}

#[test]
fn a_node_that_says_to_have_what_it_has_not_is_found() {
    found_by::<AcceptsAll>(10, &[Property::PersistBeforeSend]);
}

struct FlipsABit;
impl Defect for FlipsABit {
    fn sent(mut message: Message) -> Option<Message> {
        if let MessageBody::AppendEntries { entries, .. } = &mut message.body {
            *entries = entries.iter().map(flipped).collect();
        }
        Some(message)
    }
}

fn flipped(entry: &Entry) -> Entry {
    let mut entry = entry.clone();
    if let Payload::Command(command) = &entry.payload {
        let mut bytes = command.to_vec();
        bytes[0] ^= 1;
        entry.payload = Payload::Command(bytes.into());
    }
    entry
}

#[test]
fn a_command_that_changes_on_its_way_is_found() {
    found_by::<FlipsABit>(1, &[Property::LogMatching]);
}

// What a node says, and whether it goes on at all.

struct MiscountsFrom1000000;
impl Defect for MiscountsFrom1000000 {
    fn told(total: u64) -> u64 {
        total + u64::from(total > 1_000_000)
    }
}

#[test]
fn a_wrong_sum_is_found() {
    found_by::<MiscountsFrom1000000>(1, &[Property::State]);
}

struct SaysNothing;
impl Defect for SaysNothing {
    fn sent(_: Message) -> Option<Message> {
        None
    }
}

#[test]
fn a_cluster_that_does_nothing_is_given_up_and_not_waited_for() {
    let failure = found_by::<SaysNothing>(1, &[Property::Liveness]);
    assert!(failure.to_string().contains("have no answer"), "{failure}");
}

struct NeverRests;
impl Defect for NeverRests {
    fn idle() -> Option<Turn> {
        Some(Turn {
            soft_state: None,
            hard_state: None,
            entries: Entries::default(),
            committed: Entries::default(),
            messages: 0,
            has_snapshot: false,
        })
    }
}

#[test]
fn a_node_whose_loop_never_ends_is_given_up_and_not_waited_for() {
    let failure = found_by::<NeverRests>(1, &[Property::Liveness]);
    assert!(failure.to_string().contains("comes to no end"), "{failure}");
}

struct StopsAtTerm3;
impl Defect for StopsAtTerm3 {
    fn tick(status: &Status) -> Result<()> {
        if status.hard_state.term < 3 {
            return Ok(());
        }
        Err("I have seen enough".into())
    }
}

#[test]
fn a_node_that_stops_by_itself_is_found() {
    let failure = found_by::<StopsAtTerm3>(10, &[Property::KeepsRunning]);
    assert!(failure.to_string().contains("seen enough"), "{failure}");
}

struct PanicsAtTerm3;
impl Defect for PanicsAtTerm3 {
    fn tick(status: &Status) -> Result<()> {
        assert!(status.hard_state.term < 3, "nobody was ready for term 3");
        Ok(())
    }
}

#[test]
fn a_panic_is_told_with_the_seed_too() {
    let failure = found_by::<PanicsAtTerm3>(10, &[Property::KeepsRunning]);
    assert!(
        failure.to_string().contains("ready for term 3"),
        "{failure}"
    );
    assert!(failure.to_string().contains("--seed "), "{failure}");
}

// What is said.

// ANCHOR: failure
#[test]
fn a_failure_says_what_broke_how_all_nodes_stood_and_how_to_see_it_again() {
    let failure = found_by::<ForgetsItsVote>(1000, &[Property::OneVote]);
    let said = failure.to_string();
    println!("\n{said}");
    for id in NODES {
        assert!(said.contains(&format!("\n  node {id}: ")), "{said}");
    }
    let seed = failure.seed;
    let command = format!("cargo run -p ch08-running-cluster -- --seed {seed} --drop 0.25");
    assert!(said.ends_with(&format!("\nagain: {command}")), "{said}");

    let again = run::<Broken<ForgetsItsVote>>(Setting::usual(seed));
    assert_eq!(
        again.err(),
        Some(failure),
        "the same failure at the same step"
    );
}
// ANCHOR_END: failure
