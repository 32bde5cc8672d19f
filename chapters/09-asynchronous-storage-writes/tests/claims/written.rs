//! What waits for a write, and what does not (dissertation, section 10.2.1).

use ch05_two_node_cluster::{Outcome, Proposal, Replica};
use ch07_detour_change_state_machine::Sum;
use ch09_asynchronous_storage_writes::held::Held;
use ch09_asynchronous_storage_writes::{AppendJob, append};
use raft_kernel::{AppendOutcome, DropReason, Entry, Message, MessageBody, Payload, Storage};

use crate::disks::VOTERS;

fn led_by_1() -> Held<Sum> {
    Held::led_by_1(&VOTERS, 1, u64::MAX).expect("a cluster")
}

fn kinds(messages: &[Message]) -> Vec<&'static str> {
    messages.iter().map(|message| message.body.name()).collect()
}

// ANCHOR: leader
#[test]
fn a_leader_sends_an_entry_before_it_has_written_it() {
    let mut held = led_by_1();
    let last = held.hands(1).disk.storage.last_index().expect("a log");
    held.propose(1, Proposal::Command(5)).expect("a proposal");
    let sent = held.sent().expect("messages");
    assert_eq!(kinds(&sent), ["AppendEntries", "AppendEntries"]);
    let stored = held.hands(1).disk.storage.last_index().expect("a log");
    assert_eq!(stored, last, "nothing was written yet");
}
// ANCHOR_END: leader

// ANCHOR: follower
#[test]
fn a_follower_acknowledges_an_entry_after_its_disk_has_it() {
    let mut held = led_by_1();
    held.propose(1, Proposal::Command(5)).expect("a proposal");
    for message in held.sent().expect("messages") {
        held.deliver(message).expect("it is taken");
    }
    assert!(held.sent().expect("messages").is_empty(), "no promise yet");
    let sent = held.write(2).expect("a write");
    assert_eq!(kinds(&sent), ["AppendEntriesResponse"]);
}
// ANCHOR_END: follower

#[test]
fn a_vote_is_given_after_it_is_written() {
    let mut held = led_by_1();
    held.isolate(Some(1));
    // The others forget their leader, and 2 asks whether it could win.
    let request = MessageBody::RequestVote {
        last_index: 100,
        last_term: 2,
        transfer: true,
    };
    let message = Message {
        from: 3,
        to: 2,
        term: 3,
        body: request,
    };
    held.deliver(message).expect("it is taken");
    assert!(held.sent().expect("messages").is_empty(), "no vote yet");
    let before = held.hands(2).disk.storage.hard_state();
    assert_eq!((before.term, before.vote), (2, Some(1)));
    let sent = held.write(2).expect("a write");
    assert_eq!(kinds(&sent), ["RequestVoteResponse"]);
    let after = held.hands(2).disk.storage.hard_state();
    assert_eq!((after.term, after.vote), (3, Some(3)));
}

#[test]
fn what_a_majority_holds_is_committed_and_applied_after_the_own_write() {
    let mut held = led_by_1();
    let ticket = held.propose(1, Proposal::Command(5)).expect("a proposal");
    let before = held.node(1).status();
    for message in held.sent().expect("messages") {
        held.deliver(message).expect("it is taken");
    }
    for id in [2, 3] {
        for answer in held.write(id).expect("a write") {
            held.deliver(answer).expect("it is taken");
        }
    }
    held.apply(1).expect("nothing to apply");
    let status = held.node(1).status();
    assert_eq!(status.hard_state.commit, before.hard_state.commit + 1);
    assert_eq!(
        status.applied, before.applied,
        "its own disk has not got it"
    );
    assert_eq!(ticket.outcome(), None);
    held.write(1).expect("a write");
    held.apply(1).expect("an entry");
    let index = before.applied + 1;
    assert_eq!(ticket.outcome(), Some(Outcome::Applied { index }));
}

#[test]
fn a_dropped_proposal_is_reported_with_the_leader_and_can_be_made_again() {
    let mut held = led_by_1();
    let dropped = held.propose(2, Proposal::Command(5)).expect("an answer");
    let reason = DropReason::NotForwarding;
    let leader = Some(1);
    assert_eq!(dropped.outcome(), Some(Outcome::Dropped { reason, leader }));
    let again = held.propose(1, Proposal::Command(5)).expect("a proposal");
    held.settle().expect("no trouble");
    assert!(matches!(again.outcome(), Some(Outcome::Applied { .. })));
    for id in VOTERS {
        assert_eq!(held.hands(id).machine.state().total(), 5, "node {id}");
    }
}

/// The write of an entry ends after another leader's entry has taken its place.
#[test]
fn a_late_acknowledgement_does_not_vouch_for_another_entry_in_the_same_place() {
    let mut held = led_by_1();
    let last = held.hands(2).disk.storage.last_index().expect("a log");
    let append_of = |from, term| Message {
        from,
        to: 2,
        term,
        body: MessageBody::AppendEntries {
            prev_index: last,
            prev_term: 2,
            commit: last,
            entries: [Entry {
                term,
                index: last + 1,
                payload: Payload::Empty,
            }]
            .into_iter()
            .collect(),
        },
    };
    held.deliver(append_of(1, 2)).expect("it is taken");
    held.deliver(append_of(3, 3)).expect("it is taken");
    let mut jobs: Vec<AppendJob> = held.node(2).append_jobs().collect();
    let later = jobs.split_off(1);

    let mut sent = Collected::default();
    let disk = &mut held.hands(2).disk;
    let written = append(disk, jobs, &mut sent).expect("a write");
    for written in written {
        held.node(2).written(written).expect("it is late");
    }
    assert_eq!(sent.accepted(3), None, "the leader of term 3 hears nothing");

    let disk = &mut held.hands(2).disk;
    let written = append(disk, later, &mut sent).expect("a write");
    for written in written {
        held.node(2).written(written).expect("it counts");
    }
    assert_eq!(sent.accepted(3), Some(last + 1));
    assert_eq!(held.hands(2).disk.storage.term(last + 1), Ok(3));
}

#[derive(Default)]
struct Collected(Vec<Message>);

impl ch05_two_node_cluster::Post for Collected {
    fn send(&mut self, message: Message) -> Result<(), ch05_two_node_cluster::Undelivered> {
        self.0.push(message);
        Ok(())
    }
}

impl Collected {
    /// What the node `to` was told is stored.
    fn accepted(&self, to: u64) -> Option<u64> {
        let told = self.0.iter().filter(|message| message.to == to);
        let accepted = told.filter_map(|message| match message.body {
            MessageBody::AppendEntriesResponse(AppendOutcome::Accepted { match_index }) => {
                Some(match_index)
            }
            _ => None,
        });
        accepted.last()
    }
}
