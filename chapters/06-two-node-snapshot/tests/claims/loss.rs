//! A snapshot that gets lost, and who learns of it.

use std::collections::VecDeque;

use ch01_single_node_cluster::Result;
use ch05_two_node_cluster::by_hand::ByHand;
use ch05_two_node_cluster::{Post, Proposal, Replica, Ticket, Undelivered};
use raft_kernel::{
    AppendOutcome, Change, ConfChange, MemoryStorage, Message, MessageBody, ProgressState, Role,
    Storage,
};

use crate::bare::{Bare, Reports};
use crate::nodes::{
    ENOUGH, Nodes, SNAPSHOT, compacted, count, entries_after_a_heartbeat, is_snapshot, joined,
    joining, propose, settle, settle_at_list, snapshot_on_its_way,
};

const ALL: [u8; 12] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];

/// What becomes of a snapshot on its way.
#[derive(Clone, Copy, Debug)]
enum Fate {
    /// The network took it, and then it was gone.
    Vanishes,
    /// The network would not take it.
    Refused,
    /// It arrives.
    Arrives,
}

/// A network in which the first snapshots fare as was decided before, and all else arrives.
#[derive(Default)]
struct Wire {
    fates: VecDeque<Fate>,
    on_the_way: VecDeque<Message>,
    snapshots: usize,
    rejections: usize,
}

impl Wire {
    fn with(fates: impl IntoIterator<Item = Fate>) -> Self {
        Wire {
            fates: fates.into_iter().collect(),
            ..Wire::default()
        }
    }
}

impl Post for Wire {
    fn send(&mut self, message: Message) -> std::result::Result<(), Undelivered> {
        self.rejections += usize::from(is_rejection(&message));
        if is_snapshot(&message) {
            self.snapshots += 1;
            match self.fates.pop_front().unwrap_or(Fate::Arrives) {
                Fate::Vanishes => return Ok(()),
                Fate::Refused => return Err(Undelivered::InboxFull(message.to)),
                Fate::Arrives => {}
            }
        }
        self.on_the_way.push_back(message);
        Ok(())
    }
}

fn is_rejection(message: &Message) -> bool {
    let MessageBody::AppendEntriesResponse(outcome) = &message.body else {
        return false;
    };
    matches!(outcome, AppendOutcome::Rejected { .. })
}

/// Delivers everything, and does so again after each of `ticks` ticks of node 1.
fn run<N: Replica>(one: &mut N, two: &mut N, wire: &mut Wire, ticks: usize) -> Result<()> {
    for tick in 0..=ticks {
        if tick > 0 {
            one.tick()?;
        }
        let mut delivered = 0;
        loop {
            while one.turn(wire)?.is_some() {}
            while two.turn(wire)?.is_some() {}
            match wire.on_the_way.pop_front() {
                Some(message) if message.to == 1 => one.step(message)?,
                Some(message) => two.step(message)?,
                None => break,
            }
            delivered += 1;
            if delivered > ENOUGH {
                return Err(format!("the nodes find no end:\n{one}\n{two}").into());
            }
        }
    }
    Ok(())
}

/// Node 1, whose log begins after a snapshot, and node 2, which it is to let in.
fn pair(reports: Reports) -> Result<(Bare, Bare)> {
    let storage = compacted()?.node(1).storage().clone();
    let mut one = Bare::start(1, storage, reports)?;
    let mut nobody = Wire::default();
    for _ in 0..ENOUGH {
        if one.status().soft_state.role == Role::Leader {
            break;
        }
        one.tick()?;
        while one.turn(&mut nobody)?.is_some() {}
    }
    let (promise, _ticket) = Ticket::new();
    let change = ConfChange::single(Change::AddVoter(2));
    one.propose(Proposal::Change(change), promise)?;
    let two = Bare::start(2, MemoryStorage::new(), reports)?;
    Ok((one, two))
}

fn have_the_same(one: &Bare, two: &Bare) -> Result<bool> {
    Ok(one.storage().last_index()? == two.storage().last_index()?
        && two.storage().snapshot()? == one.storage().snapshot()?)
}

// ANCHOR: retried
#[test]
fn a_lost_snapshot_is_sent_again_however_often_it_is_lost() -> Result<()> {
    for fate in [Fate::Vanishes, Fate::Refused] {
        for losses in 0..=5 {
            let (mut one, mut two) = pair(Reports::Yes)?;
            let mut wire = Wire::with(vec![fate; losses]);
            // A tick for each loss: the next try waits for a sign of life.
            run(&mut one, &mut two, &mut wire, losses)?;
            assert_eq!(wire.snapshots, losses + 1, "{fate:?}");
            assert!(have_the_same(&one, &two)?, "{fate:?}\n{one}\n{two}");
        }
    }
    Ok(())
}
// ANCHOR_END: retried

/// The guard is the report. The same loss, the same nodes, and a thousand ticks.
// ANCHOR: unreported
#[test]
fn a_lost_snapshot_that_nobody_reports_is_never_sent_again() -> Result<()> {
    for (reports, snapshots) in [(Reports::Yes, 2), (Reports::No, 1)] {
        let (mut one, mut two) = pair(reports)?;
        let mut wire = Wire::with([Fate::Vanishes]);
        run(&mut one, &mut two, &mut wire, 1000)?;
        assert_eq!(wire.snapshots, snapshots, "{reports:?}");
        assert_eq!(have_the_same(&one, &two)?, reports == Reports::Yes);
    }
    Ok(())
}
// ANCHOR_END: unreported

/// What the report says is a hint about how to go on. What the leader believes is the
/// newcomer's own word.
#[test]
fn the_newcomers_answer_counts_even_if_nobody_reports() -> Result<()> {
    let (mut one, mut two) = pair(Reports::No)?;
    let mut wire = Wire::default();
    run(&mut one, &mut two, &mut wire, 0)?;
    assert_eq!(wire.snapshots, 1);
    assert!(have_the_same(&one, &two)?, "{one}\n{two}");
    Ok(())
}

/// A reported arrival moves nothing but the place where the leader goes on: as long as the
/// newcomer is silent, nothing counts as stored there.
#[test]
fn a_reported_arrival_is_no_acknowledgement() -> Result<()> {
    let (mut one, mut two) = pair(Reports::Yes)?;
    let mut wire = Wire::with([Fate::Vanishes]);
    run(&mut one, &mut two, &mut wire, 0)?;
    let seen = &one.status().progress[&2];
    assert_eq!((seen.match_index, seen.next), (0, SNAPSHOT + 1));
    Ok(())
}

/// A loss that is reported saves a round: nothing is refused before the next try. One that
/// nobody noticed shows when the newcomer refuses what comes after the snapshot.
#[test]
fn a_reported_loss_is_made_good_without_a_refusal() -> Result<()> {
    for (fate, rejections) in [(Fate::Refused, 1), (Fate::Vanishes, 2)] {
        let (mut one, mut two) = pair(Reports::Yes)?;
        let mut wire = Wire::with([fate]);
        run(&mut one, &mut two, &mut wire, 1)?;
        assert!(have_the_same(&one, &two)?);
        // The first refusal is the one that showed that node 2 needs a snapshot.
        assert_eq!(wire.rejections, rejections, "{fate:?}");
    }
    Ok(())
}

#[test]
fn a_snapshot_that_is_only_slow_is_not_sent_twice() -> Result<()> {
    let (mut nodes, snapshot) = snapshot_on_its_way()?;
    let entries = entries_after_a_heartbeat(&mut nodes)?;
    assert!(!is_snapshot(&entries), "{entries:?}");
    nodes.deliver(snapshot)?;
    nodes.deliver(entries)?;
    let messages = settle(&mut nodes)?;
    assert_eq!(count(&messages, is_snapshot), 0);
    assert_eq!(nodes.node(2).machine().commands(), ALL);
    Ok(())
}

/// Takes nothing.
struct Closed;

impl Post for Closed {
    fn send(&mut self, message: Message) -> std::result::Result<(), Undelivered> {
        Err(Undelivered::NobodyThere(message.to))
    }
}

/// The guard is the other report of `send`, which chapter 5 made for every message.
#[test]
fn after_a_refused_message_the_leader_asks_again_where_the_followers_log_ends() -> Result<()> {
    let mut nodes = joined()?;
    let state_of_2 = |nodes: &mut Nodes| nodes.node(1).status().progress[&2].state;
    assert_eq!(state_of_2(&mut nodes), ProgressState::Replicate);
    drop(propose(&mut nodes, 1, 13)?);
    while nodes.node(1).turn(&mut Closed)?.is_some() {}
    assert_eq!(state_of_2(&mut nodes), ProgressState::Probe);
    Ok(())
}

/// Ten messages, each lost or not: 1024 ways.
#[test]
fn whichever_messages_are_lost_the_newcomer_comes_to_the_same_list() -> Result<()> {
    for lost in 0..1_u32 << 10 {
        let mut nodes = joining()?;
        let mut left = lost;
        while left != 0 {
            let message = match nodes.next_message()? {
                Some(message) => message,
                None => after_a_tick(&mut nodes)?,
            };
            if left & 1 == 0 {
                nodes.deliver(message)?;
            }
            left >>= 1;
        }
        settle_at_list(&mut nodes, &ALL).map_err(|error| format!("lost {lost:#b}: {error}"))?;
    }
    Ok(())
}

/// Lets time pass until somebody says something.
fn after_a_tick<N: Replica>(nodes: &mut ByHand<N>) -> Result<Message> {
    for _ in 0..ENOUGH {
        for id in [1, 2] {
            nodes.tick(id)?;
        }
        if let Some(message) = nodes.next_message()? {
            return Ok(message);
        }
    }
    Err("time passed, and nobody said anything".into())
}
