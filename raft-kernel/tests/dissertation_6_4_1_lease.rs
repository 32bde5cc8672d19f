//! Section 6.4.1 of the dissertation: reads by a lease.
//!
//! "Once the leader's heartbeats were acknowledged by a majority of the cluster, the leader
//! would extend its lease to start + election timeout / clock drift bound, since the
//! followers shouldn't time out before then." While it holds the lease it answers reads
//! without a message. So the lease must be over before anybody else can be elected. In these
//! tests all ticks pass at the same speed: the drift is none.

mod network;

use network::{Network, plain};
use raft_kernel::{Config, DropReason, Error, NodeId, ReadMode};

fn under_a_lease(id: NodeId) -> Config {
    Config {
        check_quorum: true,
        reads: ReadMode::Lease,
        ..plain(id)
    }
}

fn led() -> Network {
    let mut network = Network::with(3, under_a_lease);
    network.elect(1);
    network.tick_all(10);
    network
}

/// That node 1 answers no read although another leads and has committed 'new'.
fn assert_no_stale_read(network: &mut Network) {
    assert!(matches!(network.leader(), Some(2 | 3)), "another leads");
    let leader = network.leader().expect("as was said");
    network.propose(leader, "new");
    let asked = network.node(1).read_index("x");
    network.settle();
    let reads = network.take_reads(1);
    assert_eq!(reads, [], "asked with {asked:?}, it must not answer");
}

#[test]
fn a_leader_without_a_lease_answers_nothing() {
    let mut network = led();
    network.isolate(1);
    for _ in 0..20 {
        network.tick(1);
        network.settle();
    }
    let refused = network.node(1).read_index("x");
    let reason = DropReason::NoLeader;
    assert!(matches!(refused, Err(Error::RequestDropped(why)) if why == reason));
}

/// The guard is `Lease::holds`. The leader looks at its quorum once in an election timeout,
/// and counts what it heard in all of that time. So it may lead on for nearly two timeouts
/// after it was last heard of, and its followers wait for one: leadership is no lease.
#[test]
fn the_lease_is_over_before_another_can_be_elected() {
    let mut network = led();
    network.isolate(1);
    for _ in 0..30 {
        if matches!(network.leader(), Some(2 | 3)) {
            break;
        }
        network.tick_all(1);
    }
    assert_no_stale_read(&mut network);
}

/// The guard is `Reads::give_lease_up`. Who was told to stand by the leader is elected without a timeout (section 3.10).
#[test]
fn a_leader_that_hands_over_gives_its_lease_up() {
    let mut network = led();
    network.node(1).transfer_leader(2).unwrap();
    // Only the word to stand gets out, and nothing comes back.
    network.drop_when(|message| message.to == 1);
    network.settle();
    network.isolate(1);
    assert_no_stale_read(&mut network);
}

/// The guard is `Raft::stand`. A node that is told to stand would vote for itself, though the
/// leader counts on it to wait: it stands only when it no longer hears from the leader.
#[test]
fn nobody_who_hears_from_the_leader_stands_because_it_is_told_to() {
    let mut network = led();
    network.isolate(1);
    network.campaign(2);
    assert_eq!(network.leader(), Some(1), "node 2 waits");
    for _ in 0..30 {
        if matches!(network.leader(), Some(2 | 3)) {
            break;
        }
        network.tick_all(1);
    }
    assert_no_stale_read(&mut network);
}
