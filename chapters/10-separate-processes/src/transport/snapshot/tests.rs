use raft_kernel::Snapshot;

use super::*;

fn message(data: Vec<u8>) -> Message {
    Message {
        from: 1,
        to: 2,
        term: 3,
        body: MessageBody::InstallSnapshot {
            snapshot: Box::new(Snapshot {
                index: 9,
                term: 3,
                data: data.into(),
                ..Snapshot::default()
            }),
        },
    }
}

fn assembly() -> Assembly {
    Assembly::new(Arc::new(Semaphore::new(1)))
}

fn begin(length: u64) -> SnapshotFrame {
    SnapshotFrame::Begin {
        transfer: 1,
        message: message(Vec::new()),
        length,
    }
}

fn piece(data: &'static [u8]) -> SnapshotFrame {
    let data = Bytes::from_static(data);
    SnapshotFrame::Piece { transfer: 1, data }
}

fn is_refusal(received: &Received) -> bool {
    matches!(received, Received::Answer(SnapshotFrame::Refused { .. }))
}

#[test]
fn a_snapshot_many_times_larger_than_a_frame_arrives_whole() {
    for size in [0, 1, PIECE, PIECE + 1, 20 * PIECE, 100 * PIECE + 7] {
        let data: Vec<u8> = (0..size)
            .map(|at| u8::try_from(at % 251).expect("small"))
            .collect();
        let sent = message(data);
        let mut sending = Sending::new(1, sent.clone()).expect("not too large");
        let mut assembly = assembly();
        let arrived = loop {
            let frame = sending.next().expect("the window opens again");
            match assembly.take(frame) {
                Received::Answer(answer) => {
                    assert!(matches!(sending.hear(&answer), Heard::Progress));
                }
                Received::Complete(message, _, answer) => {
                    assert!(matches!(sending.hear(&answer), Heard::AllArrived));
                    break message;
                }
                Received::Nothing => panic!("a piece was ignored"),
            }
        };
        assert_eq!(arrived, sent, "{size} bytes");
    }
}

#[test]
fn the_sender_waits_for_the_receiver() {
    let mut sending = Sending::new(1, message(vec![0; 20 * PIECE])).expect("not too large");
    let mut frames = 0;
    while sending.next().is_some() {
        frames += 1;
    }
    assert_eq!(frames, 1 + WINDOW / PIECE);
    let arrived = SnapshotFrame::Arrived {
        transfer: 1,
        length: PIECE as u64,
    };
    assert!(matches!(sending.hear(&arrived), Heard::Progress));
    assert!(sending.next().is_some());
    assert!(sending.next().is_none());
}

#[test]
fn an_announced_length_costs_nothing_and_has_a_limit() {
    let mut assembly = assembly();
    assert!(is_refusal(&assembly.take(begin(u64::MAX))));
    assert!(is_refusal(
        &assembly.take(begin(MAX_SNAPSHOT_BYTES as u64 + 1))
    ));
    let received = assembly.take(begin(MAX_SNAPSHOT_BYTES as u64));
    assert!(matches!(
        received,
        Received::Answer(SnapshotFrame::Arrived { length: 0, .. })
    ));
    let current = assembly.current.as_ref().expect("it has begun");
    assert_eq!(current.data.capacity(), 0);
}

#[test]
fn pieces_that_do_not_fit_end_the_transfer() {
    for bad in [piece(b""), piece(b"four")] {
        let mut assembly = assembly();
        assembly.take(begin(3));
        assert!(is_refusal(&assembly.take(bad)));
        assert!(matches!(assembly.take(piece(b"abc")), Received::Nothing));
    }
}

#[test]
fn only_so_many_snapshots_arrive_at_once() {
    let permits = Arc::new(Semaphore::new(1));
    let mut first = Assembly::new(Arc::clone(&permits));
    let mut second = Assembly::new(permits);
    first.take(begin(3));
    assert!(is_refusal(&second.take(begin(3))));
    drop(first);
    assert!(!is_refusal(&second.take(begin(3))));
}

#[test]
fn a_snapshot_that_is_too_large_is_not_sent() {
    assert!(Sending::new(1, message(vec![0; MAX_SNAPSHOT_BYTES + 1])).is_none());
}

#[test]
fn an_answer_from_before_is_not_believed() {
    let mut sending = Sending::new(7, message(vec![0; 10])).expect("not too large");
    let old = SnapshotFrame::Arrived {
        transfer: 6,
        length: 10,
    };
    assert!(matches!(sending.hear(&old), Heard::Progress));
    let unsent = SnapshotFrame::Arrived {
        transfer: 7,
        length: 10,
    };
    assert!(matches!(sending.hear(&unsent), Heard::Failed(_)));
}
