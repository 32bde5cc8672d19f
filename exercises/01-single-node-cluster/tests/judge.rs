//! Five loops before the judge: the chapter's, and four that are broken.

use ch01_single_node_cluster::Result;
use ex01_single_node_cluster::judge::{Turn, judge};
use raft_kernel::{MemoryStorage, RawNode, Ready};

type Raft = RawNode<MemoryStorage>;

/// The chapter's loop in pieces, to leave one out.
fn persist_entries(ready: &Ready, storage: &MemoryStorage) -> Result<()> {
    Ok(storage.append(&ready.append.entries)?)
}

fn persist_promises(ready: &Ready, storage: &MemoryStorage) {
    if let Some(hard_state) = ready.append.hard_state {
        storage.set_hard_state(hard_state);
    }
}

fn apply(ready: &Ready, raft: &mut Raft) -> Result<()> {
    for entry in &ready.apply.entries {
        if let Some(change) = entry.conf_change() {
            raft.apply_conf_change(change)?;
        }
    }
    Ok(())
}

fn right(raft: &mut Raft, storage: &MemoryStorage) -> Result<()> {
    ch01_single_node_cluster::turn(raft, storage).map(drop)
}

fn without_entries(raft: &mut Raft, storage: &MemoryStorage) -> Result<()> {
    let ready = raft.ready()?;
    persist_promises(&ready, storage);
    apply(&ready, raft)?;
    Ok(raft.advance(ready)?)
}

fn without_promises(raft: &mut Raft, storage: &MemoryStorage) -> Result<()> {
    let ready = raft.ready()?;
    persist_entries(&ready, storage)?;
    apply(&ready, raft)?;
    Ok(raft.advance(ready)?)
}

fn without_changes(raft: &mut Raft, storage: &MemoryStorage) -> Result<()> {
    let ready = raft.ready()?;
    persist_entries(&ready, storage)?;
    persist_promises(&ready, storage);
    Ok(raft.advance(ready)?)
}

fn with_one_entry_a_turn(raft: &mut Raft, storage: &MemoryStorage) -> Result<()> {
    let ready = raft.ready()?;
    if let Some(first) = ready.append.entries.first() {
        storage.append(std::slice::from_ref(first))?;
    }
    persist_promises(&ready, storage);
    apply(&ready, raft)?;
    Ok(raft.advance(ready)?)
}

/// The judge must find something wrong with this loop.
fn is_found_out(turn: Turn, what_it_does: &str, advice: &str) {
    assert!(
        judge(turn).is_err(),
        "This loop {what_it_does}, and your judge finds nothing wrong with it. {advice}"
    );
}

#[test]
fn the_chapter_s_loop_is_innocent() {
    if let Err(charge) = judge(right) {
        panic!(
            "The chapter's own loop is right, and your judge says: {charge}. What it asks of a \
             loop must be true of every good one. One trap: the election timeout is drawn at \
             random, from election_ticks up to nearly twice as much."
        );
    }
}

#[test]
fn a_loop_that_stores_no_entries_is_found_out() {
    is_found_out(
        without_entries,
        "never stores an entry",
        "stored_entries(&storage) shows what is stored.",
    );
}

#[test]
fn a_loop_that_stores_no_promises_is_found_out() {
    is_found_out(
        without_promises,
        "never stores the hard state",
        "It gets a leader all the same: the engine believes what advance() tells it. So that a \
         leader is elected proves little. What should storage.hard_state() be by then?",
    );
}

#[test]
fn a_loop_that_ignores_changes_is_found_out() {
    is_found_out(
        without_changes,
        "never calls apply_conf_change",
        "No election shows that: the founder's change takes effect in bootstrap() already. \
         Which change does not? Propose one, and look at raft.status().config.",
    );
}

#[test]
fn a_loop_that_stores_one_entry_a_turn_is_found_out() {
    is_found_out(
        with_one_entry_a_turn,
        "stores the first entry of each Ready and drops the others",
        "As long as each Ready has one entry, nobody can tell. How do you get a Ready with two?",
    );
}
