//! What callers are told, on the chapter's node and on logs in which leaders changed.

use ch01_single_node_cluster::{config, start};
use ch02_single_node_proposals::{CommandList, propose, turn};
use ex02_single_node_proposals::waiting::{Fate, Ticket, Waiting};
use raft_kernel::{Entry, Payload, Proposed, Role};

fn entry(term: u64, index: u64, payload: Payload) -> Entry {
    Entry {
        term,
        index,
        payload,
    }
}

fn command(term: u64, index: u64) -> Entry {
    entry(term, index, Payload::Command(vec![1].into()))
}

#[test]
fn the_caller_of_an_applied_command_is_told() {
    let mut waiting = Waiting::default();
    let ticket = waiting.appended(2, 3);
    let early = waiting.applied(&entry(2, 2, Payload::Empty));
    assert!(
        early.is_empty(),
        "The command is entry 3, and entry 2 was applied, of the same term. That says nothing \
         about entry 3, and you tell {early:?}."
    );
    let told = waiting.applied(&command(2, 3));
    assert!(
        told == [(ticket, Fate::Applied)],
        "The command is entry 3 of term 2, and that very entry was applied. Its caller, {ticket:?}, \
         should be told Applied. You tell {told:?}."
    );
}

#[test]
fn every_caller_of_a_real_node_is_told_once() {
    let (mut raft, storage) = start(1).expect("a new node");
    let mut machine = CommandList::default();
    let mut waiting = Waiting::default();
    let (mut tickets, mut told) = (Vec::new(), Vec::new());
    for tick in 0..3 * config(1).election_ticks {
        raft.tick().expect("a tick");
        if raft.role() == Role::Leader && tick % 2 == 0 {
            for number in [1, 2] {
                match propose(&mut raft, number) {
                    Ok(Proposed::Appended { term, index }) => {
                        tickets.push(waiting.appended(term, index));
                    }
                    other => panic!("the leader appends it itself: {other:?}"),
                }
            }
        }
        while raft.has_ready() {
            let seen = turn(&mut raft, &storage, &mut machine).expect("a turn of the loop");
            for entry in &seen.committed {
                told.extend(waiting.applied(entry));
            }
        }
    }
    let mut different = tickets.clone();
    different.sort();
    different.dedup();
    assert!(
        different.len() == tickets.len(),
        "Two callers got the same ticket, so nobody can tell them apart: {tickets:?}."
    );
    let expected: Vec<(Ticket, Fate)> = tickets
        .iter()
        .map(|ticket| (*ticket, Fate::Applied))
        .collect();
    assert!(
        told.len() == expected.len(),
        "{} callers waited, and {} answers were given. Each is told once: who has been told \
         does not wait any more.",
        expected.len(),
        told.len()
    );
    assert!(
        told == expected,
        "All commands were applied, in the order of their proposals. The callers should be \
         told: {expected:?}. You tell {told:?}."
    );
}

#[test]
fn an_entry_of_another_term_is_not_the_caller_s() {
    let mut waiting = Waiting::default();
    let ticket = waiting.appended(2, 3);
    let told = waiting.applied(&command(3, 3));
    assert!(
        told == [(ticket, Fate::Lost)],
        "The command was entry 3 of term 2. Applied was entry 3 of term 3: another leader's \
         command, at the same index. You tell {told:?}, and {ticket:?} should be told Lost. An \
         index alone does not name an entry."
    );
}

#[test]
fn an_empty_entry_takes_the_place_of_a_command_too() {
    let mut waiting = Waiting::default();
    let ticket = waiting.appended(2, 3);
    let told = waiting.applied(&entry(3, 3, Payload::Empty));
    assert!(
        told == [(ticket, Fate::Lost)],
        "The command was entry 3 of term 2. A new leader put its empty entry there, of term 3, \
         and that was applied. You tell {told:?}, and {ticket:?} should be told Lost. It is no \
         command that was applied, and yet it says what became of one."
    );
}

#[test]
fn nobody_waits_for_an_index_that_is_still_to_come_in_vain() {
    let mut waiting = Waiting::default();
    let here = waiting.appended(2, 5);
    let beyond = waiting.appended(2, 7);
    let told = waiting.applied(&entry(3, 5, Payload::Empty));
    assert!(
        told.len() == 2
            && told.contains(&(here, Fate::Lost))
            && told.contains(&(beyond, Fate::Lost)),
        "Two commands were entries 5 and 7 of term 2. Entry 5 of term 3 was applied. You tell \
         {told:?}. Both {here:?} and {beyond:?} are lost: terms never get smaller along the \
         log, so whatever will be entry 7, its term is at least 3. If no more commands come, \
         nobody ever applies an entry 7, and its caller waits for ever."
    );
}

#[test]
fn the_new_leader_s_own_callers_go_on_waiting() {
    let mut waiting = Waiting::default();
    let (old, new) = (waiting.appended(2, 5), waiting.appended(3, 6));
    let told = waiting.applied(&entry(3, 5, Payload::Empty));
    assert!(
        told == [(old, Fate::Lost)],
        "The commands were entry 5 of term 2 and entry 6 of term 3. Entry 5 of term 3 was \
         applied. Only {old:?} is lost; {new:?} is next. You tell {told:?}."
    );
    let told = waiting.applied(&command(3, 6));
    assert!(
        told == [(new, Fate::Applied)],
        "Then entry 6 of term 3 was applied, which is {new:?}'s. You tell {told:?}."
    );
}
