//! What goes on while the disk or the state machine is busy.

use std::fmt;
use std::sync::{Condvar, Mutex};

use ch05_two_node_cluster::{PATIENCE, Replica};
use ch06_two_node_snapshot::StateMachine;
use ch07_detour_change_state_machine::{NotANumber, Sum};
use raft_kernel::MessageBody;

use crate::disks::{FOUNDED, PlayedLeader};

// ANCHOR: heartbeats
#[test]
fn a_node_answers_heartbeats_while_its_disk_writes() {
    let mut leader = PlayedLeader::<Sum>::new();
    let closed = leader.gate.close();
    leader.append(FOUNDED, FOUNDED, &[5]);
    leader.gate.wait_for_write();
    for _ in 0..10 {
        leader.heartbeat();
        let answer = leader.receive(|_| true);
        assert!(matches!(answer, MessageBody::HeartbeatResponse { .. }));
    }
    assert!(leader.is_silent(), "the entry is not on the disk");
    drop(closed);
    assert_eq!(leader.acknowledgement(), FOUNDED + 1);
}
// ANCHOR_END: heartbeats

#[test]
fn a_node_applies_while_its_disk_writes() {
    let mut leader = PlayedLeader::<Sum>::new();
    leader.append(FOUNDED, FOUNDED, &[5, 6]);
    assert_eq!(leader.acknowledgement(), FOUNDED + 2);

    let closed = leader.gate.close();
    leader.append(FOUNDED + 2, FOUNDED + 2, &[7]);
    leader.gate.wait_for_write();
    let follower = &leader.follower;
    let all = |node: &ch09_asynchronous_storage_writes::Asynchronous<Sum>| {
        node.status().applied == FOUNDED + 2
    };
    follower.wait_until("5 and 6 are applied", all).unwrap();
    let sum = follower.ask(|node| node.look(|sum| sum.total())).unwrap();
    assert_eq!(sum.recv_timeout(PATIENCE), Ok(11));
    drop(closed);
    assert_eq!(leader.acknowledgement(), FOUNDED + 3);
}

/// Whether [`Slow`] may go on.
static MAY_APPLY: (Mutex<bool>, Condvar) = (Mutex::new(false), Condvar::new());

/// A sum whose state machine waits until the test lets it apply.
#[derive(Default)]
struct Slow(Sum);

impl fmt::Display for Slow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl StateMachine for Slow {
    type Command = u64;
    type Error = NotANumber;

    fn encode(number: &u64) -> Vec<u8> {
        Sum::encode(number)
    }

    fn apply(&mut self, command: &[u8]) -> Result<(), NotANumber> {
        let may = MAY_APPLY.0.lock().expect("no panic");
        drop(MAY_APPLY.1.wait_while(may, |may| !*may));
        self.0.apply(command)
    }

    fn snapshot(&self) -> Vec<u8> {
        self.0.snapshot()
    }

    fn restore(snapshot: &[u8]) -> Result<Self, NotANumber> {
        Sum::restore(snapshot).map(Slow)
    }
}

#[test]
fn a_node_writes_and_acknowledges_while_its_state_machine_is_busy() {
    let mut leader = PlayedLeader::<Slow>::new();
    leader.append(FOUNDED, FOUNDED, &[5]);
    assert_eq!(leader.acknowledgement(), FOUNDED + 1);
    // 5 is committed, and its application does not end.
    for (prev, number) in (FOUNDED + 1..).zip([6, 7, 8]) {
        leader.append(prev, prev, &[number]);
        assert_eq!(leader.acknowledgement(), prev + 1);
    }
    let applied = leader.follower.ask(|node| node.status().applied).unwrap();
    assert!(applied <= FOUNDED, "5 is not applied, but up to {applied}");
    *MAY_APPLY.0.lock().expect("no panic") = true;
    MAY_APPLY.1.notify_all();
    let done = |node: &ch09_asynchronous_storage_writes::Asynchronous<Slow>| {
        node.status().applied == FOUNDED + 3
    };
    leader.follower.wait_until("all is applied", done).unwrap();
}
