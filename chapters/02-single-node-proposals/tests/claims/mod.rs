//! The claims of chapter 2, about whatever a [`Subject`] is.
//!
//! Chapter 4 builds the same thing in another shape and runs these very tests on it.

use ch01_single_node_cluster::{NODE, Turn, config};
use ch02_single_node_proposals::CommandList;
use raft_kernel::{Change, ConfChange, DropReason, Entry, Error, Payload, Proposed, Role};

/// A node that takes commands: all that the claims need to know of it.
// ANCHOR: subject
pub(crate) trait Subject: Sized {
    fn start(seed: u64) -> Self;
    fn tick(&mut self);
    fn propose(&mut self, command: u8) -> Result<Proposed, Error>;
    fn propose_conf_change(&mut self, change: ConfChange) -> Result<Proposed, Error>;
    /// One turn of the loop, if there is anything to do.
    fn turn(&mut self) -> Option<Turn>;
    fn role(&self) -> Role;
    fn commands(&self) -> Vec<u8>;
    fn stored(&self) -> Vec<Entry>;
}
// ANCHOR_END: subject

/// Makes a test of every claim, about the given subject.
#[macro_export]
macro_rules! chapter_2_claims_hold_for {
    ($subject:ty) => {
        chapter_2_claims_hold_for! { $subject:
            a_proposal_without_a_leader_is_refused_and_given_back,
            a_refused_command_can_be_proposed_again,
            commands_are_applied_once_and_in_the_order_of_their_proposals,
            a_proposal_says_where_its_entry_is,
            a_command_is_stored_before_it_is_applied,
            several_proposals_share_a_turn,
            only_commands_reach_the_state_machine,
            the_stored_log_leads_to_the_same_state_again,
        }
    };
    ($subject:ty: $($claim:ident),+ $(,)?) => {
        $(#[test]
        fn $claim() {
            claims::$claim::<$subject>();
        })+
    };
}

fn settle<S: Subject>(subject: &mut S) -> Vec<Turn> {
    std::iter::from_fn(|| subject.turn()).collect()
}

fn leader<S: Subject>() -> S {
    let mut subject = S::start(1);
    settle(&mut subject);
    let longest = 2 * config(1).election_ticks;
    for _ in 0..longest {
        subject.tick();
        settle(&mut subject);
    }
    assert_eq!(
        subject.role(),
        Role::Leader,
        "no election timeout is longer than {longest} ticks"
    );
    subject
}

// ANCHOR: refused
pub(crate) fn a_proposal_without_a_leader_is_refused_and_given_back<S: Subject>() {
    let mut subject = S::start(1);
    let refused = subject.propose(10).expect_err("there is no leader yet");
    assert_eq!(
        refused.to_string(),
        "proposal dropped: there is no leader yet"
    );
    let Error::ProposalDropped { reason, payloads } = refused else {
        unreachable!()
    };
    assert_eq!(reason, DropReason::NoLeader);
    assert_eq!(payloads, [Payload::Command(vec![10].into())]);
    settle(&mut subject);
    assert!(subject.commands().is_empty());
}
// ANCHOR_END: refused

pub(crate) fn a_refused_command_can_be_proposed_again<S: Subject>() {
    let mut subject = S::start(1);
    settle(&mut subject);
    let longest = 2 * config(1).election_ticks;
    let mut attempts = 0;
    while subject.propose(10).is_err() {
        attempts += 1;
        subject.tick();
        settle(&mut subject);
        assert!(attempts < longest, "there must be a leader by now");
    }
    settle(&mut subject);
    assert!(attempts > 0);
    assert_eq!(
        subject.commands(),
        [10],
        "what was refused must not come back by itself"
    );
}

pub(crate) fn commands_are_applied_once_and_in_the_order_of_their_proposals<S: Subject>() {
    let mut subject = leader::<S>();
    let commands: Vec<u8> = (0..=255).collect();
    for command in &commands {
        subject.propose(*command).expect("the leader takes it");
        if command % 3 == 0 {
            settle(&mut subject);
        }
    }
    settle(&mut subject);
    assert_eq!(subject.commands(), commands);
}

pub(crate) fn a_proposal_says_where_its_entry_is<S: Subject>() {
    let mut subject = leader::<S>();
    let Ok(Proposed::Appended { term, index }) = subject.propose(10) else {
        panic!("the leader appends it itself")
    };
    settle(&mut subject);
    let entry = Entry {
        term,
        index,
        payload: Payload::Command(vec![10].into()),
    };
    assert!(subject.stored().contains(&entry), "{:?}", subject.stored());
}

pub(crate) fn a_command_is_stored_before_it_is_applied<S: Subject>() {
    let mut subject = leader::<S>();
    subject.propose(10).expect("the leader takes it");
    let turns = settle(&mut subject);
    let turn_that = |test: fn(&Turn) -> bool| turns.iter().position(test);
    let stored = turn_that(|turn| turn.entries.iter().any(|entry| entry.command().is_some()));
    let applied = turn_that(|turn| turn.committed.iter().any(|entry| entry.command().is_some()));
    assert_eq!((stored, applied), (Some(0), Some(1)));
}

pub(crate) fn several_proposals_share_a_turn<S: Subject>() {
    let mut subject = leader::<S>();
    for command in [10, 20, 30] {
        subject.propose(command).expect("the leader takes it");
    }
    let turns = settle(&mut subject);
    let counts: Vec<_> = turns
        .iter()
        .map(|turn| (turn.entries.len(), turn.committed.len()))
        .collect();
    assert_eq!(counts, [(3, 0), (0, 3)]);
}

pub(crate) fn only_commands_reach_the_state_machine<S: Subject>() {
    let mut subject = leader::<S>();
    let news = ConfChange::single(Change::Update(NODE)).with_context("the node has moved");
    subject.propose(10).expect("the leader takes it");
    subject
        .propose_conf_change(news)
        .expect("the leader takes it");
    subject.propose(20).expect("the leader takes it");
    settle(&mut subject);
    assert_eq!(subject.commands(), [10, 20]);
    // The founder's entry, the leader's empty one, two commands and a change.
    assert_eq!(subject.stored().len(), 5);
}

pub(crate) fn the_stored_log_leads_to_the_same_state_again<S: Subject>() {
    let mut subject = leader::<S>();
    for command in [10, 20, 30] {
        subject.propose(command).expect("the leader takes it");
        settle(&mut subject);
    }
    let mut replayed = CommandList::default();
    for entry in subject.stored() {
        if let Some(command) = entry.command() {
            replayed.apply(command).expect("a command");
        }
    }
    assert_eq!(replayed.commands(), subject.commands());
}
