//! A network that is cut, and healed.

mod support;

use ch10_separate_processes::machine::command;
use ch10_separate_processes::outcome::Outcome;
use raft_kernel::{NodeId, Role};
use support::Cluster;

fn others(leader: NodeId) -> Vec<NodeId> {
    [1, 2, 3].into_iter().filter(|id| *id != leader).collect()
}

async fn a_cut_off_leader_is_replaced(silent: bool) {
    let (cluster, network) = Cluster::behind_proxies().await;
    let old = cluster.leader(&[1, 2, 3]).await;
    network.cut(&[old], silent).await;

    // What the old leader takes now it cannot commit.
    let handle = cluster.nodes[&old].handle().clone();
    let lost = tokio::spawn(async move { handle.propose(command(1000)).await });

    let new = cluster.leader(&others(old)).await;
    assert_ne!(new, old);
    cluster.add(new, 5).await;
    cluster
        .until(
            "the old leader knows that it has lost its majority",
            |states| states[&old].role != Role::Leader,
        )
        .await;

    network.heal();
    cluster.leader(&[1, 2, 3]).await;
    cluster.add(old, 6).await;
    // Not committed, or the node could not tell; but never applied.
    let lost = lost.await.expect("no panic");
    assert!(!matches!(lost, Outcome::Applied { .. }), "{lost}");
    cluster.all_reach(14 + 5 + 6).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_behind_broken_connections_is_replaced_and_comes_back() {
    a_cut_off_leader_is_replaced(false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_behind_silent_connections_is_replaced_and_comes_back() {
    a_cut_off_leader_is_replaced(true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_follower_catches_up_after_the_cut() {
    let (cluster, network) = Cluster::behind_proxies().await;
    let leader = cluster.leader(&[1, 2, 3]).await;
    let away = others(leader)[0];
    network.cut(&[away], false).await;
    for _ in 0..20 {
        cluster.add(leader, 1).await;
    }
    let sum = cluster.states().await[&away].sum;
    assert_eq!(sum, 14);
    network.heal();
    cluster.all_reach(34).await;
    // It heard from nobody and asked for votes in vain, so it has disturbed nobody.
    cluster.leader(&[1, 2, 3]).await;
}
