use bytes::Bytes;
use proptest::prelude::*;
use raft_kernel::{Change, ConfChange, Entry, Message, MessageBody, Payload, Snapshot};

use super::*;
use crate::wire::frame::{Frame, Hello, JoinAnswer, Proposal, SnapshotFrame};

/// What decoding may allocate at once: some times the size of a frame, since a value in memory
/// takes more room than its bytes.
const ALLOCATION_LIMIT: u64 = 16 << 20;

fn frames() -> Vec<Frame> {
    let message = |body| Message {
        from: 1,
        to: 2,
        term: 3,
        body,
    };
    let change = ConfChange::single(Change::AddVoter(7)).with_context("context");
    let payloads = [
        Payload::Empty,
        Payload::Command(Bytes::from_static(b"command")),
        Payload::from(change.clone()),
    ];
    let entries: Vec<Entry> = payloads
        .into_iter()
        .zip(5..)
        .map(|(payload, index)| Entry {
            term: 3,
            index,
            payload,
        })
        .collect();
    vec![
        Frame::Raft(message(MessageBody::AppendEntries {
            prev_index: 4,
            prev_term: 3,
            commit: 4,
            entries: entries.into(),
        })),
        Frame::Snapshot(SnapshotFrame::Begin {
            transfer: 1,
            message: message(MessageBody::InstallSnapshot {
                snapshot: Box::new(Snapshot::default()),
            }),
            length: 9,
        }),
        Frame::Propose {
            request: 8,
            proposals: vec![
                Proposal::Command(Bytes::from_static(b"command")),
                Proposal::Change(change),
            ],
        },
        Frame::JoinAnswer(JoinAnswer::Later("later".to_owned())),
        Frame::Ping,
    ]
}

/// Decodes, and says how much memory that took at most.
fn allocated_to_decode(bytes: &[u8]) -> u64 {
    let measured = allocation_counter::measure(|| {
        let _ = decode::<Frame>(bytes);
        let _ = decode::<Hello>(bytes);
    });
    measured.bytes_max
}

#[test]
fn what_was_encoded_is_decoded() {
    for frame in frames() {
        let bytes = encode(&frame).expect("it is small");
        assert_eq!(decode(&bytes), Ok(frame));
    }
}

#[test]
fn bytes_left_over_or_missing_are_malformed() {
    for frame in frames() {
        let bytes = encode(&frame).expect("it is small");
        for end in 0..bytes.len() {
            assert_eq!(decode::<Frame>(&bytes[..end]), Err(Malformed), "{frame:?}");
        }
        assert_eq!(
            decode::<Frame>(&[&bytes[..], &[0]].concat()),
            Err(Malformed)
        );
    }
}

#[test]
fn what_is_too_large_is_not_encoded() {
    let large = Proposal::Command(vec![0; MAX_BYTES].into());
    let mut buffer = b"before".to_vec();
    assert_eq!(encode_into(&large, &mut buffer), Err(TooLarge));
    assert_eq!(buffer, b"before");
}

/// The format is part of the protocol: another library must be able to read it.
#[test]
fn the_format_is_fixed_width_and_little_endian() {
    let bytes = encode(&Proposal::Command(Bytes::from_static(b"ab"))).expect("it is small");
    // The variant as u32, the length as u64, the bytes.
    assert_eq!(bytes, [0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, b'a', b'b']);
}

/// Wherever a length may stand, an enormous one does.
#[test]
fn hostile_lengths_are_refused_without_allocating_for_them() {
    for frame in frames() {
        let bytes = encode(&frame).expect("it is small");
        for at in 0..bytes.len().saturating_sub(8) {
            for length in [u64::MAX, 1 << 60, 1 << 40, 1 << 31, (1 << 20) - 1, 1 << 20] {
                let mut bytes = bytes.clone();
                bytes[at..at + 8].copy_from_slice(&length.to_le_bytes());
                // So that shorter lengths are not refused for want of bytes.
                bytes.resize(8 << 10, 0);
                let allocated = allocated_to_decode(&bytes);
                assert!(
                    allocated < ALLOCATION_LIMIT,
                    "{allocated} bytes for {frame:?}"
                );
            }
        }
    }
}

/// As many values as fit into a frame of the largest size, each as small as can be.
#[test]
fn the_densest_frame_stays_within_the_limit_too() {
    let payloads = vec![Payload::Empty; (MAX_BYTES - 64) / 4];
    let body = MessageBody::Propose { payloads };
    let frame = Frame::Raft(Message {
        from: 1,
        to: 2,
        term: 0,
        body,
    });
    let bytes = encode(&frame).expect("it just fits");
    let allocated = allocated_to_decode(&bytes);
    assert!(allocated < 2 * ALLOCATION_LIMIT, "{allocated} bytes");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_bytes_give_a_value_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(allocated_to_decode(&bytes) < ALLOCATION_LIMIT);
    }

    #[test]
    fn real_frames_that_were_changed_give_a_value_or_an_error(
        which in 0_usize..5,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let mut bytes = encode(&frames()[which]).expect("it is small");
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        prop_assert!(allocated_to_decode(&bytes) < ALLOCATION_LIMIT);
    }
}
