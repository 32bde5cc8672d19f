//! Every case of chapter 3, through a file: what is written is what is read back. And what is
//! in the file when [`Disk::write`] returns.

use bytes::Bytes;
use ch03_detour_memory_storage::{State, cases};
use ch10_separate_processes::address::Address;
use ch10_separate_processes::disk::Disk;
use ch10_separate_processes::identity::Incarnation;
use ch11_persistence_shutdown::directory::Directory;
use ch11_persistence_shutdown::file_disk::{FileDisk, Recovered};
use ch11_persistence_shutdown::node_file::About;
use raft_kernel::{
    ConfState, Config, HardState, MemoryStorage, Message, MessageBody, RawNode, Snapshot, Storage,
};
use std::collections::BTreeMap;
use std::path::Path;

/// What is stored beside the log; here it is the same in every case.
const PROMISES: HardState = HardState {
    term: 9,
    vote: Some(2),
    commit: 0,
};

fn about() -> About {
    About {
        id: 3,
        incarnation: Incarnation(7),
        cluster: None,
        listen: Address::any_port(),
        advertise: None,
        seeds: BTreeMap::new(),
        left: false,
    }
}

/// Writes all of it, lets go of it, and reads it back.
fn through_a_file(path: &Path, storage: MemoryStorage) -> FileDisk {
    storage.set_hard_state(PROMISES);
    let directory = Directory::open(path).expect("nobody has it");
    drop(FileDisk::create(directory, about(), storage).expect("it can be written"));
    recover(path)
}

fn recover(path: &Path) -> FileDisk {
    let directory = Directory::open(path).expect("nobody has it");
    match FileDisk::recover(directory).expect("it can be read") {
        Recovered::Disk(disk) => disk,
        Recovered::Nothing(_) => panic!("it was written"),
    }
}

fn read(storage: &MemoryStorage) -> State {
    State::read(storage).expect("it answers")
}

#[test]
fn every_storage_case_comes_out_the_same_on_a_storage_that_was_read_back() {
    let site = tempfile::tempdir().expect("a temporary directory");
    for case in cases() {
        let path = site.path().join(case.name);
        let before = (case.storage)();
        let snapshot = before.snapshot();
        let disk = through_a_file(&path, before);
        let mirror = disk.mirror();
        assert_eq!(read(&mirror), case.before, "{}: before", case.name);
        assert_eq!(mirror.snapshot(), snapshot, "{}: snapshot", case.name);
        assert_eq!(mirror.hard_state(), PROMISES, "{}: promises", case.name);

        assert_eq!(case.operation.run(&mirror), case.outcome, "{}", case.name);
        assert_eq!(read(&mirror), case.after, "{}: after", case.name);
        let snapshot = mirror.snapshot();
        disk.save().expect("it can be written");
        drop(disk);

        let again = recover(&path);
        assert_eq!(read(&again.mirror()), case.after, "{}: again", case.name);
        assert_eq!(again.mirror().snapshot(), snapshot, "{}: again", case.name);
        assert_eq!(again.about(), about());
        assert_eq!(read(&again.mirror()).broken_invariant(), None);
    }
}

#[test]
fn a_vote_is_in_the_file_when_the_write_returns() {
    let site = tempfile::tempdir().expect("a temporary directory");
    let directory = Directory::open(site.path()).expect("nobody has it");
    let disk = FileDisk::create(directory, about(), MemoryStorage::new());
    let mut disk = disk.expect("it can be written");
    let config = Config {
        pre_vote: false,
        ..Config::new(3)
    };
    let mut node = RawNode::new(&config, disk.storage()).expect("an empty storage");
    node.bootstrap([(1, ""), (2, ""), (3, "")])
        .expect("nothing is there");
    while node.has_ready() {
        let ready = node.ready().expect("there is one");
        disk.write(&ready.append).expect("it can be written");
        for change in ready.apply.entries.iter().filter_map(|it| it.conf_change()) {
            node.apply_conf_change(change).expect("a new voter");
        }
        node.advance(ready).expect("its own");
    }
    // It votes for itself, and is killed before it has asked anybody else.
    node.campaign().expect("it may");
    let ready = node.ready().expect("there is one");
    assert!(ready.append.entries.is_empty(), "a vote and nothing else");
    disk.write(&ready.append).expect("it can be written");
    drop((node, disk));

    let promises = recover(site.path()).mirror().hard_state();
    assert_eq!((promises.term, promises.vote), (2, Some(3)));
}

#[test]
fn a_snapshot_from_the_leader_is_in_the_file_when_the_write_returns() {
    let site = tempfile::tempdir().expect("a temporary directory");
    let directory = Directory::open(site.path()).expect("nobody has it");
    let disk = FileDisk::create(directory, about(), MemoryStorage::new());
    let mut disk = disk.expect("it can be written");
    let mut node = RawNode::new(&Config::new(3), disk.storage()).expect("an empty storage");
    let snapshot = Snapshot {
        index: 7,
        term: 2,
        conf_state: ConfState::of_voters([1, 2, 3]),
        data: Bytes::from_static(b"the sum and the members"),
    };
    let message = Message {
        from: 1,
        to: 3,
        term: 2,
        body: MessageBody::InstallSnapshot {
            snapshot: Box::new(snapshot.clone()),
        },
    };
    node.step(message).expect("its leader's");
    let ready = node.ready().expect("there is one");
    assert!(ready.append.messages().count() > 0, "it acknowledges");
    disk.write(&ready.append).expect("it can be written");
    drop((node, disk));

    assert_eq!(recover(site.path()).mirror().snapshot(), Ok(snapshot));
}
