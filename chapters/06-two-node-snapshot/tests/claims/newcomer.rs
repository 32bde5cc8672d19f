//! A node that joins after the log was compacted.

use ch01_single_node_cluster::Result;
use ch05_two_node_cluster::{Outcome, Post, Replica, Ticket, Undelivered};
use raft_kernel::{
    AppendOutcome, Change, DropReason, MemoryStorage, Message, MessageBody, Storage,
};

use crate::nodes::{
    Nodes, SNAPSHOT, change, compacted, count, entries_after_a_heartbeat, is_acceptance,
    is_snapshot, join_2, joined, joining, leader, log_of, newcomer, propose, settle,
    settle_at_list, settle_up_to, snapshot_of, snapshot_on_its_way,
};

const ALL: [u8; 12] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];

// ANCHOR: newcomer
#[test]
fn a_newcomer_starts_from_the_snapshot_and_the_entries_after_it() -> Result<()> {
    let mut nodes = joining()?;
    let messages = settle(&mut nodes)?;

    assert_eq!(nodes.node(2).machine().commands(), ALL);
    assert_eq!(snapshot_of(&mut nodes, 2)?, snapshot_of(&mut nodes, 1)?);
    assert_eq!(log_of(&mut nodes, 2)?, (SNAPSHOT + 1, SNAPSHOT + 3));
    // What the snapshot stands for never travelled.
    for message in &messages {
        if let MessageBody::AppendEntries { entries, .. } = &message.body {
            assert!(entries.iter().all(|entry| entry.index > SNAPSHOT));
        }
    }
    Ok(())
}
// ANCHOR_END: newcomer

/// What follows is what the log is for: the two go on as if there had been no snapshot.
#[test]
fn from_then_on_the_newcomer_gets_what_everybody_gets() -> Result<()> {
    let mut nodes = joined()?;
    let ticket = propose(&mut nodes, 1, 13)?;
    let messages = settle(&mut nodes)?;
    assert!(matches!(ticket.outcome(), Some(Outcome::Applied { .. })));
    assert_eq!(count(&messages, is_snapshot), 0);
    assert_eq!(nodes.node(2).machine().commands().last(), Some(&13));
    Ok(())
}

/// The guard is that a log which reaches back far enough is sent as it is.
#[test]
fn without_compaction_no_snapshot_is_sent() -> Result<()> {
    let mut nodes = leader(ALL)?;
    drop(join_2(&mut nodes, newcomer()?)?);
    let messages = settle(&mut nodes)?;
    assert_eq!(count(&messages, is_snapshot), 0);
    assert_eq!(nodes.node(2).machine().commands(), ALL);
    Ok(())
}

/// Takes messages, and looks into the sender's storage as each is sent.
struct Looking {
    storage: MemoryStorage,
    acceptances: usize,
}

impl Post for Looking {
    fn send(&mut self, message: Message) -> std::result::Result<(), Undelivered> {
        if let MessageBody::AppendEntriesResponse(AppendOutcome::Accepted { match_index }) =
            message.body
        {
            let last = self.storage.last_index().expect("memory does not fail");
            assert!(
                last >= match_index,
                "{match_index} acknowledged, {last} stored"
            );
            self.acceptances += 1;
        }
        Ok(())
    }
}

#[test]
fn the_newcomer_answers_for_the_snapshot_once_it_is_stored() -> Result<()> {
    let (mut nodes, snapshot) = snapshot_on_its_way()?;
    nodes.deliver(snapshot)?;
    let mut post = Looking {
        storage: nodes.node(2).storage().clone(),
        acceptances: 0,
    };
    while nodes.node(2).turn(&mut post)?.is_some() {}
    assert_eq!(post.acceptances, 1);
    Ok(())
}

/// The leader does not wait with the entries for the snapshot's answer, so a node can be
/// given both before it turns its loop. In memory a snapshot empties the log: had it come
/// last, it would have taken the entries with it.
#[test]
fn a_snapshot_and_the_entries_after_it_can_come_in_one_ready() -> Result<()> {
    let (mut nodes, snapshot) = snapshot_on_its_way()?;
    let entries = entries_after_a_heartbeat(&mut nodes)?;

    nodes.deliver(snapshot)?;
    nodes.deliver(entries)?;
    let mut answers = Answers::default();
    let turn = nodes.node(2).turn(&mut answers)?.expect("much to do");
    assert!(turn.has_snapshot && !turn.entries.is_empty(), "{turn:?}");
    assert_eq!(log_of(&mut nodes, 2)?, (SNAPSHOT + 1, SNAPSHOT + 3));

    for answer in answers.0 {
        nodes.deliver(answer)?;
    }
    settle_at_list(&mut nodes, &ALL)?;
    Ok(())
}

/// Keeps what is sent.
#[derive(Default)]
struct Answers(Vec<Message>);

impl Post for Answers {
    fn send(&mut self, message: Message) -> std::result::Result<(), Undelivered> {
        self.0.push(message);
        Ok(())
    }
}

/// A snapshot that this node has no use for any more.
fn changes_nothing(nodes: &mut Nodes, snapshot: &Message) -> Result<()> {
    let before = nodes.node(2).to_string();
    nodes.deliver(snapshot.clone())?;
    settle(nodes)?;
    assert_eq!(nodes.node(2).to_string(), before);
    Ok(())
}

#[test]
fn a_snapshot_that_comes_twice_changes_nothing_the_second_time() -> Result<()> {
    let (mut nodes, snapshot) = snapshot_on_its_way()?;
    nodes.deliver(snapshot.clone())?;
    nodes.deliver(snapshot.clone())?;
    settle(&mut nodes)?;
    assert_eq!(nodes.node(2).machine().commands(), ALL);
    changes_nothing(&mut nodes, &snapshot)
}

#[test]
fn a_snapshot_that_comes_late_takes_nothing_back() -> Result<()> {
    let (mut nodes, snapshot) = snapshot_on_its_way()?;
    nodes.deliver(snapshot.clone())?;
    drop(propose(&mut nodes, 1, 13)?);
    settle(&mut nodes)?;
    // Older than what node 2 has applied, and then older than its own snapshot too.
    changes_nothing(&mut nodes, &snapshot)?;
    nodes.node(2).compact()?;
    changes_nothing(&mut nodes, &snapshot)
}

/// With two voters, both must store an entry. So what is proposed now is not lost and not
/// refused; it is committed when the newcomer has caught up.
#[test]
fn what_is_proposed_while_the_snapshot_is_on_its_way_is_committed_after_it() -> Result<()> {
    let (mut nodes, snapshot) = snapshot_on_its_way()?;
    let tickets = (13..=15)
        .map(|command| propose(&mut nodes, 1, command))
        .collect::<Result<Vec<_>>>()?;
    settle(&mut nodes)?;
    assert!(tickets.iter().all(|ticket| ticket.outcome().is_none()));

    nodes.deliver(snapshot)?;
    settle(&mut nodes)?;
    let outcomes: Vec<_> = tickets.iter().map(Ticket::outcome).collect();
    let applied = |index| Some(Outcome::Applied { index });
    assert_eq!(outcomes, [applied(16), applied(17), applied(18)]);
    let both = [ALL.as_slice(), &[13, 14, 15]].concat();
    settle_at_list(&mut nodes, &both)?;
    Ok(())
}

/// A learner has no vote, so nobody waits for it.
#[test]
fn nobody_waits_for_a_snapshot_that_is_on_its_way_to_a_learner() -> Result<()> {
    let mut nodes = compacted()?;
    nodes.add(newcomer()?);
    drop(change(&mut nodes, Change::AddLearner(2))?);
    let snapshot = settle_up_to(&mut nodes, is_snapshot)?;
    let ticket = propose(&mut nodes, 1, 13)?;
    settle(&mut nodes)?;
    assert_eq!(ticket.outcome(), Some(Outcome::Applied { index: 16 }));

    nodes.deliver(snapshot)?;
    settle(&mut nodes)?;
    assert_eq!(nodes.node(2).machine().commands().last(), Some(&13));
    Ok(())
}

#[test]
fn the_newcomer_drops_proposals_and_names_the_leader() -> Result<()> {
    let mut nodes = joining()?;
    let to_nobody = propose(&mut nodes, 2, 99)?;
    settle(&mut nodes)?;
    let to_a_follower = propose(&mut nodes, 2, 99)?;
    let dropped = |reason, leader| Some(Outcome::Dropped { reason, leader });
    assert_eq!(to_nobody.outcome(), dropped(DropReason::NoLeader, None));
    assert_eq!(
        to_a_follower.outcome(),
        dropped(DropReason::NotForwarding, Some(1))
    );
    assert_eq!(nodes.node(1).machine().commands(), ALL);
    Ok(())
}

/// An answer of node 2 that gets lost is not asked for again: the entries that follow
/// show what it would have said.
#[test]
fn a_lost_answer_costs_no_second_snapshot() -> Result<()> {
    let (mut nodes, snapshot) = snapshot_on_its_way()?;
    nodes.deliver(snapshot)?;
    drop(settle_up_to(&mut nodes, is_acceptance)?);
    let messages = settle_at_list(&mut nodes, &ALL)?;
    assert_eq!(count(&messages, is_snapshot), 0);
    Ok(())
}
