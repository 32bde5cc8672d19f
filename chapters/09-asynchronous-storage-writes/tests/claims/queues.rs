//! The channels between the loop and its threads.

use std::thread;
use std::time::Duration;

use ch05_two_node_cluster::{Clock, INBOX, Network, Outcome, PATIENCE, Post, Proposal};
use ch07_detour_change_state_machine::Sum;
use ch09_asynchronous_storage_writes::threads::QUEUE;
use ch09_asynchronous_storage_writes::{Asynchronous, Disk, Hands};

use crossbeam_channel::bounded;
use raft_kernel::{Message, Storage};

use crate::disks::{
    FOUNDED, Gate, GatedDisk, PlayedLeader, append_entries, lead, quick_disk, standing_clock, start,
};

// ANCHOR: group
#[test]
fn works_that_wait_for_the_disk_share_one_write() {
    let (network, clock, gate) = (Network::default(), standing_clock(), Gate::default());
    let disk = GatedDisk {
        disk: quick_disk(),
        gate: gate.clone(),
    };
    let hands = Hands::new(disk, u64::MAX).unwrap();
    let storage = hands.disk.storage().clone();
    let node = Asynchronous::<Sum>::found(1, &[1], 1, storage).unwrap();
    let node = start(node, hands, &network, &clock);
    lead(&node);

    let closed = gate.close();
    let before = gate.writes().len();
    let mut tickets = vec![node.propose(Proposal::Command(1))];
    gate.wait_for_write();
    for number in 2..=5 {
        tickets.push(node.propose(Proposal::Command(number)));
        // Each has a Ready of its own.
        node.wait_until("it had a turn", |_| true).unwrap();
    }
    assert!(tickets.iter().all(|ticket| ticket.outcome().is_none()));
    drop(closed);
    for ticket in tickets {
        let outcome = ticket.wait(PATIENCE);
        assert!(matches!(outcome, Some(Outcome::Applied { .. })));
    }
    let writes = gate.writes()[before..].to_vec();
    assert!(
        writes.len() == 2 && writes[1] >= 4,
        "one write for the first work and one for the rest: {writes:?}"
    );
}
// ANCHOR_END: group

#[test]
fn what_came_in_together_shares_a_ready_and_a_write() {
    let leader = PlayedLeader::<Sum>::new();
    let before = leader.gate.writes().len();
    let (release, wait) = bounded::<()>(0);
    let (tell_busy, busy) = bounded::<()>(0);
    thread::scope(|scope| {
        let follower = &leader.follower;
        let asked = scope.spawn(move || {
            follower.ask(move |_| {
                drop(tell_busy);
                // Until the other end is dropped.
                let _ = wait.recv();
            })
        });
        let _ = busy.recv();
        for place in 0..10 {
            let entries = append_entries(FOUNDED + place, FOUNDED, &[place]);
            let message = Message {
                from: 1,
                to: 2,
                term: 2,
                body: entries,
            };
            leader.network.clone().send(message).expect("room");
        }
        drop(release);
        asked.join().expect("no panic").expect("an answer");
    });
    for _ in 0..10 {
        leader.acknowledgement();
    }
    let works: usize = leader.gate.writes()[before..].iter().sum();
    // One, and perhaps one of before that only moved the commit index.
    assert!(works <= 2, "{works} works for ten messages");
}

#[test]
fn acknowledgements_come_in_the_order_of_the_works_also_of_those_that_share_a_write() {
    let mut leader = PlayedLeader::<Sum>::new();
    let closed = leader.gate.close();
    for place in 0..20 {
        leader.append(FOUNDED + place, FOUNDED, &[place]);
        // Each is a work of its own.
        let turn = leader.follower.wait_until("it had a turn", |_| true);
        turn.expect("in time");
        leader.gate.wait_for_write();
    }
    drop(closed);
    let acknowledged: Vec<_> = (0..20).map(|_| leader.acknowledgement()).collect();
    let in_order: Vec<_> = (FOUNDED + 1..=FOUNDED + 20).collect();
    assert_eq!(acknowledged, in_order);
}

/// What is sent to a node whose disk stands still fills its queue, then its inbox, and
/// then is dropped. Nobody else notices.
#[test]
fn a_disk_that_stands_still_fills_no_memory_and_stops_no_clock() {
    let clock = Clock::start(Duration::from_micros(100));
    let another = clock.attach();
    let pass = |ticks| {
        for _ in 0..ticks {
            another.recv_timeout(PATIENCE).expect("time passes");
        }
    };
    let mut leader = PlayedLeader::<Sum>::with_clock(clock);
    let closed = leader.gate.close();
    let mut last = FOUNDED;
    // By the second tick the node has taken the first, and with it the message before, so
    // each message is a work of its own. Only until the clock knows of the node, which
    // takes it some ticks, may several share one.
    for _ in 0..QUEUE + 100 {
        leader.append(last, FOUNDED, &[1]);
        last += 1;
        pass(2);
    }
    let in_queue = last;
    while leader.try_send(append_entries(last, FOUNDED, &[1])) {
        last += 1;
    }
    assert!(last - in_queue <= INBOX as u64, "{last} after {in_queue}");
    pass(100);
    let has_room = leader.try_send(append_entries(last, FOUNDED, &[1]));
    assert!(!has_room, "it takes messages that it has no room for");

    drop(closed);
    drop(another);
    let storage = leader.storage.clone();
    let all = move |_: &Asynchronous<Sum>| storage.last_index() == Ok(last);
    let written = leader.follower.wait_until("all is written", all);
    written.expect("it goes on");
}
