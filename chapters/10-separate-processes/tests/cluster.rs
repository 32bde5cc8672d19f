//! Three nodes in one test, over real sockets.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::Bytes;
use ch10_separate_processes::machine::{Meaningless, Peer, StateMachine, Sum, command};
use ch10_separate_processes::node::{LogLimits, MAX_PROPOSAL_BYTES};
use ch10_separate_processes::outcome::{Outcome, Refusal};
use ch10_separate_processes::server::{Server, Settings, Startup};
use ch10_separate_processes::wire::frame::Proposal;
use raft_kernel::{Change, ConfChange, ConfState, MemoryStorage, NodeId};
use support::{Cluster, DEADLINE, assert_applied, join, settings};
use tokio::time::timeout;

#[tokio::test(flavor = "multi_thread")]
async fn three_nodes_over_sockets_reach_the_sum_14() {
    let cluster = Cluster::of_three().await;
    let addresses: BTreeMap<_, _> = cluster
        .nodes
        .iter()
        .map(|(id, node)| (*id, node.address().clone()))
        .collect();
    cluster
        .until("all know all addresses", |states| {
            states.values().all(|state| state.peers == addresses)
        })
        .await;
    for id in [1, 2, 3] {
        cluster.add(id, 10).await;
    }
    cluster.all_reach(14 + 30).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_proposes_has_applied_it_when_the_answer_comes() {
    let cluster = Cluster::of_three().await;
    for id in [1, 2, 3] {
        let Outcome::Applied { index, sum, .. } = cluster.add(id, 100).await else {
            unreachable!("add says so");
        };
        let own = cluster.nodes[&id].handle().status().await.expect("it runs");
        assert!(own.applied >= index && own.sum >= sum, "{own:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_proposals_at_once_are_each_applied_once() {
    let cluster = Cluster::of_three().await;
    let mut clients = tokio::task::JoinSet::new();
    for id in [1, 2, 3] {
        for _ in 0..300 {
            let handle = cluster.nodes[&id].handle().clone();
            clients.spawn(async move { handle.propose(command(1)).await });
        }
    }
    let (mut places, mut unknown) = (BTreeSet::new(), 0);
    while let Some(outcome) = clients.join_next().await {
        match outcome.expect("no panic") {
            Outcome::Applied { index, .. } => assert!(places.insert(index), "two at {index}"),
            // On a busy machine an election may come in between.
            Outcome::NotCommitted(_) => {}
            Outcome::Unknown(_) => unknown += 1,
            Outcome::WithoutEffect { why, .. } => panic!("{why}"),
        }
    }
    let least = 14 + places.len() as u128;
    let states = cluster
        .until("all have the same sum", |states| {
            let sums: BTreeSet<_> = states.values().map(|state| state.sum).collect();
            sums.len() == 1 && sums.first() >= Some(&least)
        })
        .await;
    assert!(
        states[&1].sum <= least + unknown,
        "{unknown} unknown, {states:#?}"
    );
}

/// Node 3 knows one member only, which does not lead. What it says to the leader must go
/// through that member until the log has told it the leader's address: without an answer, the
/// leader would never send it the log.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_joins_through_a_follower_reaches_the_leader_through_it() {
    let mut cluster = Cluster::of_one().await;
    let startup = join(&cluster.nodes[&1], 1);
    cluster.start(settings(2, startup)).await;
    let leader = cluster.leader(&[1, 2]).await;
    let follower = 3 - leader;
    let startup = join(&cluster.nodes[&follower], follower);
    cluster.start(settings(3, startup)).await;
    cluster.all_reach(14).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_follower_that_is_cut_off_answers_that_there_is_no_leader_or_that_nobody_knows() {
    let mut cluster = Cluster::of_one().await;
    for id in [2, 3] {
        let startup = join(&cluster.nodes[&1], 1);
        let short = Duration::from_secs(1);
        let settings = Settings {
            proposal_time: short,
            ..settings(id, startup)
        };
        cluster.start(settings).await;
    }
    let leader = cluster.leader(&[1, 2, 3]).await;
    let survivor = if leader == 3 { 2 } else { 3 };
    let sum = cluster.states().await[&survivor].sum;
    cluster.nodes.retain(|id, _| *id == survivor);

    let handle = cluster.nodes[&survivor].handle().clone();
    let outcome = timeout(DEADLINE, handle.propose(command(5))).await;
    let outcome = outcome.expect("an answer comes");
    assert!(
        matches!(outcome, Outcome::NotCommitted(_) | Outcome::Unknown(_)),
        "{outcome}"
    );
    cluster
        .until("it has lost its leader", |states| {
            states[&survivor].leader.is_none()
        })
        .await;
    assert_eq!(
        handle.propose(command(5)).await,
        Outcome::NotCommitted(Refusal::NoLeader)
    );
    assert_eq!(cluster.states().await[&survivor].sum, sum);
}

/// What chapter 11 needs: a disk that survives, here one in the test's memory.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_kept_its_memory_comes_back_and_tells_its_new_address() {
    let mut cluster = Cluster::of_one().await;
    let kept = MemoryStorage::new();
    let startup = join(&cluster.nodes[&1], 1);
    let node = Server::start::<_, Sum>(settings(2, startup), kept.clone()).await;
    cluster.nodes.insert(2, node.expect("it starts"));
    cluster.joined(2).await;
    let startup = join(&cluster.nodes[&1], 1);
    cluster.start(settings(3, startup)).await;
    cluster.all_reach(14).await;

    let node = cluster.nodes.remove(&2).expect("it is there");
    let identity = node.identity().expect("it has joined");
    let old = node.address().clone();
    node.stop().await;
    cluster.add(1, 100).await;

    let node = Server::start::<_, Sum>(settings(2, Startup::Restart(identity)), kept).await;
    let node = node.expect("it starts");
    let new = node.address().clone();
    assert_ne!(old, new);
    cluster.nodes.insert(2, node);
    cluster
        .until("all know the new address", |states| {
            states
                .values()
                .all(|state| state.peers.get(&2) == Some(&new))
        })
        .await;
    cluster.add(2, 1).await;
    cluster.all_reach(115).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_that_is_taken_is_refused_with_the_reason() {
    let cluster = Cluster::of_three().await;
    for member in [1, 2, 3] {
        let startup = join(&cluster.nodes[&member], member);
        let mut impostor = Server::start::<_, Sum>(
            settings(if member == 2 { 3 } else { 2 }, startup),
            MemoryStorage::new(),
        )
        .await
        .expect("it starts");
        let failed = timeout(DEADLINE, impostor.failed()).await;
        let why = failed.expect("it is told").to_string();
        assert!(why.contains("belongs to a member at 127.0.0.1:"), "{why}");
    }
    cluster.add(1, 1).await;
    cluster.all_reach(15).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_is_impossible_is_answered_and_harms_nobody() {
    let cluster = Cluster::of_three().await;
    // There is no joint configuration to leave.
    let change = Proposal::Change(ConfChange::leave_joint());
    let nonsense = Proposal::Command(Bytes::from_static(b"seven b"));
    for proposal in [change, nonsense] {
        let outcome = cluster.offer(1, proposal).await;
        assert!(
            matches!(outcome, Outcome::WithoutEffect { .. }),
            "{outcome}"
        );
    }
    let large = Proposal::Command(Bytes::from(vec![0; MAX_PROPOSAL_BYTES + 1]));
    assert_eq!(
        cluster.offer(1, large).await,
        Outcome::NotCommitted(Refusal::TooLarge)
    );
    // The largest command that is allowed fits into the frames that carry it.
    let largest = Proposal::Command(Bytes::from(vec![0; MAX_PROPOSAL_BYTES]));
    for id in [1, 2, 3] {
        let outcome = cluster.offer(id, largest.clone()).await;
        assert!(
            matches!(outcome, Outcome::WithoutEffect { .. }),
            "{outcome}"
        );
    }
    cluster.add(3, 1).await;
    cluster.all_reach(15).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_that_is_removed_is_told_by_its_log_and_forgotten_by_the_others() {
    let cluster = Cluster::of_three().await;
    let leader = cluster.leader(&[1, 2, 3]).await;
    let removed = if leader == 3 { 2 } else { 3 };
    let change = ConfChange::single(Change::Remove(removed));
    let outcome = cluster.offer(leader, Proposal::Change(change)).await;
    assert_applied(&outcome, &cluster.states().await);
    cluster
        .until("the others have forgotten it", |states| {
            let mut others = states.values().filter(|state| state.id != removed);
            others.all(|state| !state.peers.contains_key(&removed))
        })
        .await;
    cluster.add(leader, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_stays_short_and_a_newcomer_gets_the_snapshot() {
    let short_log = |mut settings: Settings| {
        settings.log = LogLimits {
            snapshot_every: 50,
            keep: 10,
        };
        settings
    };
    let mut cluster = Cluster::default();
    let bootstrap = Startup::Bootstrap;
    cluster.start(short_log(settings(1, bootstrap))).await;
    for _ in 0..200 {
        cluster.add(1, 1).await;
    }
    let state = cluster.states().await[&1].clone();
    assert!(state.last - state.first < 60, "{state:?}");
    let startup = join(&cluster.nodes[&1], 1);
    cluster.start(short_log(settings(2, startup))).await;
    cluster.all_reach(2 + 200 + 4).await;
    assert!(cluster.states().await[&2].first > 1);
}

/// A sum whose snapshot is padded to twelve times the size of a frame.
#[derive(Default)]
struct Heavy(Sum);

const WEIGHT: usize = 12 << 20;

impl StateMachine for Heavy {
    fn apply(&mut self, command: &[u8]) -> Result<(), Meaningless> {
        self.0.apply(command)
    }

    fn apply_change(&mut self, change: &ConfChange, conf_state: &ConfState) {
        self.0.apply_change(change, conf_state);
    }

    fn snapshot(&self) -> Bytes {
        let mut bytes = vec![0xab; WEIGHT];
        bytes.extend_from_slice(&self.0.snapshot());
        bytes.into()
    }

    fn restore(snapshot: &[u8]) -> Result<Self, Meaningless> {
        let (padding, rest) = snapshot.split_at_checked(WEIGHT).ok_or(Meaningless)?;
        if padding.iter().all(|byte| *byte == 0xab) {
            Sum::restore(rest).map(Heavy)
        } else {
            Err(Meaningless)
        }
    }

    fn peers(&self) -> &BTreeMap<NodeId, Peer> {
        self.0.peers()
    }

    fn sum(&self) -> u128 {
        self.0.sum()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_far_larger_than_a_frame_arrives_and_heartbeats_go_on() {
    let mut cluster = Cluster::default();
    let heavy = |id, startup| Settings {
        log: LogLimits {
            snapshot_every: 20,
            keep: 0,
        },
        ..settings(id, startup)
    };
    let bootstrap = Startup::Bootstrap;
    cluster.start_with::<Heavy>(heavy(1, bootstrap)).await;
    for _ in 0..30 {
        cluster.add(1, 1).await;
    }
    for id in [2, 3] {
        let startup = join(&cluster.nodes[&1], 1);
        cluster.start_with::<Heavy>(heavy(id, startup)).await;
    }
    cluster.all_reach(30 + 14).await;
    for id in [2, 3] {
        assert!(cluster.states().await[&id].first > 20);
    }
}
