//! The claims about a loop: what it stores, when, and that it comes to an end.

use std::sync::{Arc, Mutex, PoisonError};

use ch01_single_node_cluster::{NODE, config, start};
use ex01_single_node_cluster::ready_loop::{lead, turn};
use raft_kernel::{
    Change, ConfChange, Event, HardState, MemoryStorage, RawNode, Role, Storage as _,
};

/// Longer than any election timeout.
const PATIENCE: u32 = 50;

/// A node that the student's loop has brought to lead.
fn leader() -> (RawNode<MemoryStorage>, MemoryStorage, u32) {
    let (mut raft, storage) = start(1).expect("a new node");
    match lead(&mut raft, &storage, PATIENCE) {
        Ok(ticks) => (raft, storage, ticks),
        Err(error) => panic!(
            "lead() gave up, or an error came up in turn(): {error}. A node alone leads after \
             at most 19 ticks."
        ),
    }
}

#[test]
fn a_node_alone_leads_when_its_timeout_is_over() {
    let (raft, _, ticks) = leader();
    assert!(
        raft.role() == Role::Leader,
        "lead() returned, and the node is a {}. Return when raft.role() is Role::Leader.",
        raft.role()
    );
    let (mut reference, storage) = start(1).expect("a new node");
    let mut expected = 0;
    loop {
        while reference.has_ready() {
            ch01_single_node_cluster::turn(&mut reference, &storage).expect("a turn");
        }
        if reference.role() == Role::Leader {
            break;
        }
        reference.tick().expect("a tick");
        expected += 1;
    }
    assert!(
        ticks == expected,
        "lead() says that it took {ticks} ticks, and the chapter's loop takes {expected}. A \
         tick is one call of raft.tick(). Turn the loop until has_ready() is false before the \
         next tick: work that is left lying makes an election longer."
    );
}

#[test]
fn when_it_returns_nothing_is_left_to_do() {
    let (raft, storage, _) = leader();
    assert!(
        !raft.has_ready(),
        "lead() returned, and the engine still wants something done. Turn the loop until \
         has_ready() is false: one turn often leads to the next."
    );
    let last = storage.last_index().expect("an index");
    assert!(
        last == 2,
        "The stored log should end at entry 2: the founder's, and the leader's empty one. It \
         ends at {last}. Are ready.append.entries appended in every turn?"
    );
}

#[test]
fn the_promises_are_stored() {
    let (_, storage, _) = leader();
    let stored = storage.hard_state();
    let expected = HardState {
        term: 2,
        vote: Some(NODE),
        commit: 2,
    };
    assert!(
        stored == expected,
        "A node that leads term 2 has promised: {expected:?}. The storage has: {stored:?}. \
         Entries are not all that must be kept. Without its hard state the node would vote \
         again in a term in which it has voted, after a crash."
    );
}

#[test]
fn a_vote_is_stored_before_it_counts() {
    let storage = MemoryStorage::new();
    let seen = Arc::new(Mutex::new(None));
    let (watched, note) = (storage.clone(), Arc::clone(&seen));
    let on_event = move |event: Event| {
        if let Event::BecameRole {
            role: Role::Leader, ..
        } = event
        {
            *note.lock().unwrap_or_else(PoisonError::into_inner) = Some(watched.hard_state());
        }
    };
    let mut raft = RawNode::with_events(&config(1), storage.clone(), on_event).expect("a new node");
    raft.bootstrap([(NODE, "")]).expect("a founder");
    let outcome = lead(&mut raft, &storage, PATIENCE);
    let seen = *seen.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(stored) = seen else {
        panic!("The node never became the leader: {outcome:?}.");
    };
    assert!(
        stored.vote == Some(NODE) && stored.term == 2,
        "At the moment at which the node became the leader, the storage had {stored:?}: the \
         vote that made it the leader was not stored. advance() does nothing for you. It tells \
         the engine that you have done everything, and the engine believes it. So it comes last."
    );
}

#[test]
fn a_change_of_the_configuration_reaches_the_engine() {
    let (mut raft, storage, _) = leader();
    let change = ConfChange::single(Change::AddLearner(2));
    raft.propose_conf_change(change)
        .expect("the leader takes it");
    // There is a message for the new learner in every turn; nobody is there to take it.
    for _ in 0..10 {
        if raft.has_ready() {
            turn(&mut raft, &storage).expect("a turn of the loop");
        }
    }
    let learners = raft.status().config.learners;
    assert!(
        learners.iter().any(|id| id == 2),
        "A change was committed that makes node 2 a learner, and the engine does not know of \
         any learner. It does not read committed changes by itself: the loop hands them to \
         apply_conf_change. Only the founder's own was known without, because bootstrap makes \
         it take effect at once."
    );
}

#[test]
fn a_node_that_will_never_lead_is_given_up() {
    // It founded nothing and joined nothing, so it has no vote.
    let storage = MemoryStorage::new();
    let raft = RawNode::new(&config(1), storage.clone());
    let outcome = lead(&mut raft.expect("a new node"), &storage, PATIENCE);
    assert!(
        outcome.is_err(),
        "This node is in no configuration and can never lead, and lead() says {outcome:?}. It \
         is to return an error after {PATIENCE} ticks."
    );
}
