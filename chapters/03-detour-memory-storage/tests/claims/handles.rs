use raft_kernel::{
    Bytes, ConfState, Entry, HardState, MemoryStorage, Payload, Snapshot, Storage, StorageError,
};

fn snapshot(index: u64) -> Snapshot {
    Snapshot {
        index,
        term: 2,
        conf_state: ConfState::of_voters([1, 2, 3]),
        data: Bytes::from_static(b"balances"),
    }
}

#[test]
fn a_clone_is_another_handle_to_the_same_storage() {
    let storage = MemoryStorage::new();
    let handle = storage.clone();
    let entry = Entry {
        term: 1,
        index: 1,
        payload: Payload::Empty,
    };
    handle.append(&[entry]).unwrap();
    assert_eq!(storage.last_index(), Ok(1));
    assert_eq!(storage.len(), 1);
}

#[test]
fn a_storage_can_begin_with_a_snapshot() {
    let storage = MemoryStorage::from_snapshot(snapshot(9));
    assert_eq!(storage.first_index(), Ok(10));
    assert_eq!(storage.last_index(), Ok(9));
    assert_eq!(storage.term(9), Ok(2));
    assert_eq!(storage.snapshot(), Ok(snapshot(9)));
    assert!(storage.is_empty());
}

#[test]
fn the_configuration_to_start_from_is_the_snapshots() {
    let state = MemoryStorage::from_snapshot(snapshot(9))
        .initial_state()
        .unwrap();
    assert_eq!(state.conf_state, ConfState::of_voters([1, 2, 3]));
    assert_eq!(state.conf_index, 9);
}

#[test]
fn promises_are_kept_apart_from_the_log() {
    let storage = MemoryStorage::new();
    let promises = HardState {
        term: 4,
        vote: Some(2),
        commit: 0,
    };
    storage.set_hard_state(promises);
    storage.apply_snapshot(snapshot(9)).unwrap();
    assert_eq!(storage.hard_state(), promises);
    assert_eq!(storage.initial_state().unwrap().hard_state, promises);
}

#[test]
fn a_snapshot_that_the_node_made_holds_its_state_and_configuration() {
    let storage = MemoryStorage::from_snapshot(snapshot(9));
    let next = Entry {
        term: 3,
        index: 10,
        payload: Payload::Empty,
    };
    storage.append(&[next]).unwrap();
    let made = storage
        .create_snapshot(10, ConfState::of_voters([1]), "new balances")
        .unwrap();
    assert_eq!(made.term, 3);
    assert_eq!(made.conf_state, ConfState::of_voters([1]));
    assert_eq!(made.data, "new balances");
    assert_eq!(storage.snapshot(), Ok(made));
}

#[test]
fn a_snapshot_of_nothing_is_never_newer() {
    let storage = MemoryStorage::new();
    assert_eq!(
        storage.apply_snapshot(snapshot(0)),
        Err(StorageError::SnapshotOutOfDate)
    );
}

#[test]
fn no_index_is_too_great_to_be_asked_for() {
    let storage = MemoryStorage::from_snapshot(snapshot(u64::MAX - 1));
    let last = Entry {
        term: 2,
        index: u64::MAX,
        payload: Payload::Empty,
    };
    storage.append(std::slice::from_ref(&last)).unwrap();
    assert_eq!(storage.last_index(), Ok(u64::MAX));
    storage
        .create_snapshot(u64::MAX, ConfState::default(), "")
        .unwrap();
    storage.compact(u64::MAX).unwrap();
    assert_eq!(storage.term(u64::MAX), Ok(2));
    assert!(storage.append(&[last]).is_ok());
    assert!(storage.entries(0..u64::MAX, 0).is_err());
}
