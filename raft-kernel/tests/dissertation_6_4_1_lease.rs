//! Section 6.4.1 of the dissertation: reads by a lease.
//!
//! "Once the leader's heartbeats were acknowledged by a majority of the cluster, the leader
//! would extend its lease to start + election timeout / clock drift bound, since the
//! followers shouldn't time out before then." While it holds the lease it answers reads
//! without a message. So the lease must be over before anybody else can be elected. In these
//! tests all ticks pass at the same speed: the drift is none.

mod network;

use network::{Network, plain};
use raft_kernel::{CampaignRefusal, Config, DropReason, Error, Event, NodeId, ReadMode, Role};

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

/// The guard is `start = Some(*sent)` in `answer_confirmed_reads`. Node 2 answers at once and
/// then waits, but its answer takes as long as another election.
#[test]
fn the_lease_counts_from_the_sending_of_a_round_and_not_from_its_answer() {
    let mut network = led();
    network.tick(1);
    let sent = network.answers(1);
    let beat = sent.into_iter().find(|message| message.to == 2);
    let late = network.hear(beat.expect("a heartbeat goes to everybody"));
    network.isolate(1);
    network.node(2).set_election_timeout(10);
    network.node(3).set_election_timeout(19);
    network.tick_all(10);
    assert_eq!(network.role(1), Role::Leader, "nobody has told it");
    for answer in late {
        network.deliver(answer);
    }
    assert_no_stale_read(&mut network);
}

/// The guard is `Raft::stand`. Only node 2 hears from the leader, whose lease rests on it.
/// Node 3 waits for nobody any more, so the vote that node 2 gave itself would elect it.
#[test]
fn nobody_who_hears_from_the_leader_stands_because_it_is_told_to() {
    let mut network = led();
    network.cut(1, 3);
    network.node(3).set_election_timeout(19);
    network.tick_all(10);
    network.isolate(1);
    network.take_events(2);
    network.campaign(2);
    assert_eq!(network.role(2), Role::Follower, "node 2 waits");
    let refusal = Event::CampaignRefused(CampaignRefusal::HearsFromLeader);
    assert_eq!(network.take_events(2), [refusal]);
    network.node(1).read_index("x").unwrap();
    network.settle();
    let reads = network.take_reads(1);
    assert_eq!(reads.len(), 1, "the leader counts on it: {reads:?}");
}
