//! A file that is not what was written: found out, named, and left as it is.

mod support;

use std::collections::BTreeMap;
use std::fs;

use bytes::Bytes;
use ch10_separate_processes::address::Address;
use ch10_separate_processes::identity::{ClusterId, Incarnation};
use ch10_separate_processes::machine::{Peer, command};
use ch11_persistence_shutdown::node_file::{
    About, Contents, Damage, Place, VERSION, decode, encode,
};
use raft_kernel::{ConfState, Entry, HardState, Payload, Snapshot};
use support::{process, program};

/// A file with something of everything in it.
fn contents() -> Contents {
    let peer = Peer {
        address: "127.0.0.1:4003".parse().expect("an address"),
        incarnation: Incarnation(9),
    };
    let payloads = [
        Payload::Empty,
        Payload::Command(command(5)),
        Payload::from(peer.added(3)),
    ];
    Contents {
        about: About {
            id: 2,
            incarnation: Incarnation(0x0123_4567_89ab_cdef),
            cluster: Some(ClusterId(42)),
            listen: "127.0.0.1:4002".parse().expect("an address"),
            advertise: Some("node2.example:4002".parse().expect("an address")),
            seeds: BTreeMap::from([(1, Address::any_port().with_port(4001))]),
            left: false,
        },
        hard_state: HardState {
            term: 4,
            vote: Some(1),
            commit: 9,
        },
        snapshot: Snapshot {
            index: 8,
            term: 3,
            conf_state: ConfState::of_voters([1, 2]),
            data: Bytes::from_static(b"the sum and the members"),
        },
        compacted: Place { index: 7, term: 2 },
        entries: (8..)
            .zip(payloads)
            .map(|(index, payload)| Entry {
                term: 3,
                index,
                payload,
            })
            .collect(),
    }
}

fn file() -> Vec<u8> {
    encode(&contents()).expect("it is small")
}

#[test]
fn what_is_written_is_what_is_read() {
    assert_eq!(decode(&file()), Ok(contents()));
    let long = Contents {
        snapshot: Snapshot {
            data: vec![7; 3 << 20].into(),
            ..contents().snapshot
        },
        ..contents()
    };
    assert_eq!(decode(&encode(&long).expect("in pieces")), Ok(long));
}

#[test]
fn a_file_cut_at_any_byte_is_truncated() {
    let file = file();
    for length in 0..file.len() {
        let damage = decode(&file[..length]);
        let is_so = matches!(&damage, Err(Damage::Truncated { length: it, .. }) if *it == length);
        assert!(is_so, "cut after {length} bytes: {damage:?}");
    }
    let mut longer = file.clone();
    longer.push(0);
    let end = file.len() as u64;
    assert_eq!(decode(&longer), Err(Damage::Trailing { end }));
}

#[test]
fn a_file_with_any_byte_changed_is_found_out_with_the_place() {
    let file = file();
    for at in 0..file.len() {
        for flip in (0..8).map(|bit| 1 << bit).chain([0xff]) {
            let mut changed = file.clone();
            changed[at] ^= flip;
            match decode(&changed) {
                Err(Damage::Foreign) => assert!(at < 8, "byte {at}"),
                Err(Damage::OtherVersion(_)) => assert!((8..12).contains(&at), "byte {at}"),
                Err(Damage::Checksum { at: 0 }) => assert!((12..24).contains(&at), "byte {at}"),
                Err(Damage::Checksum { at: begins }) => assert!((24..=at).contains(&begins)),
                other => panic!("byte {at} changed by {flip:#x}: {other:?}"),
            }
        }
    }
}

#[test]
fn bytes_that_were_never_a_file_are_refused_without_a_panic() {
    let file = file();
    for seed in 0..20_000_u32 {
        // Some of the file, and then something else.
        let mut bytes = file[..(seed as usize * 7) % file.len()].to_vec();
        let noise = (0..64).map(|i| crc32fast::hash(&(seed + i).to_le_bytes()).to_le_bytes());
        bytes.extend(noise.flatten());
        assert!(decode(&bytes).is_err(), "seed {seed}");
    }
}

#[test]
fn a_file_that_contradicts_itself_is_refused() {
    let wrong = |change: fn(&mut Contents)| {
        let mut contents = contents();
        change(&mut contents);
        let damage = decode(&encode(&contents).expect("it is small"));
        assert!(
            matches!(damage, Err(Damage::Contradiction(_))),
            "{damage:?}"
        );
    };
    wrong(|it| it.entries[1].index = 12);
    wrong(|it| it.entries[1].term = 2);
    wrong(|it| it.snapshot.index = 6);
    wrong(|it| it.snapshot.index = 11);
    wrong(|it| it.snapshot.term = 2);
    wrong(|it| it.hard_state.commit = 11);
    wrong(|it| it.hard_state.commit = 7);
    wrong(|it| it.hard_state.term = 2);
    wrong(|it| it.compacted.index = u64::MAX);
}

/// Starts a node in a directory with this file: its exit code and its errors.
fn start_with(bytes: &[u8]) -> (Option<i32>, String) {
    let site = tempfile::tempdir().expect("a temporary directory");
    let file = site.path().join("node.raft");
    fs::write(&file, bytes).expect("it can be written");
    let (code, _, errors) = process::run(program(Some(site.path()), &[]), "");
    assert_eq!(
        fs::read(&file).expect("it is there"),
        bytes,
        "left as it was"
    );
    assert!(errors.contains(&file.display().to_string()), "{errors}");
    (code, errors)
}

#[test]
fn the_program_names_the_file_and_the_reason_and_leaves_it_as_it_was() {
    let good = file();
    let mut newer = good.clone();
    newer[8..12].copy_from_slice(&(VERSION + 1).to_le_bytes());
    let mut changed = good.clone();
    changed[100] ^= 1;
    for (bytes, reason) in [
        (b"".to_vec(), "it is truncated: it ends after 0 bytes"),
        (
            good[..99].to_vec(),
            "it is truncated: it ends after 99 bytes",
        ),
        (b"#!/bin/sh\nexit 0\n".to_vec(), "it is no node's file"),
        (newer, "it has version 2, and this program reads version 1"),
        (changed, "the checksum of what begins at byte 24 is wrong"),
    ] {
        let (code, errors) = start_with(&bytes);
        assert_eq!(code, Some(1), "{errors}");
        assert!(errors.starts_with("error: cannot use "), "{errors}");
        assert!(errors.contains(reason), "{errors}");
        assert_eq!(errors.lines().count(), 1, "{errors}");
    }
}
