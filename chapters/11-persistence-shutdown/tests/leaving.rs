//! Leaving over a network that loses the news.

mod support;

use std::time::Duration;

use ch11_persistence_shutdown::leaving::{Left, NotLeft, leave};
use support::cluster::Cluster;
use support::process::DEADLINE;

/// The length of a tick. No follower misses its leader while these tests go on: it takes ten
/// ticks at least.
const SLOW: Duration = Duration::from_secs(1);

/// How long a node tries that cannot leave.
const SHORT: Duration = Duration::from_secs(2);

/// The others agree, and node 3 never hears of it: neither where its proposal is in the log, nor
/// that the log is committed.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_does_not_hear_that_it_was_removed_finds_out() {
    let (cluster, network) = Cluster::behind_proxies_with(SLOW).await;
    let leader = cluster.leader(&[1, 2, 3]).await;
    let follower = if leader == 3 { 2 } else { 3 };
    network.deafen(&[follower]).await;

    let left = leave(&cluster.nodes[&follower], DEADLINE).await;
    assert_eq!(left, Ok(Left::Removed), "{:#?}", cluster.states().await);
    let states = cluster.states().await;
    assert!(
        !states[&leader].peers.contains_key(&follower),
        "{states:#?}"
    );
    // By itself it does not know.
    assert!(
        states[&follower].peers.contains_key(&follower),
        "{states:#?}"
    );
    cluster.add(leader, 1).await;
}

/// Nobody has agreed, and nobody can say that nobody ever will.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_hears_nothing_and_is_told_nothing_does_not_say_that_it_has_left() {
    let (cluster, network) = Cluster::behind_proxies_with(SLOW).await;
    let leader = cluster.leader(&[1, 2, 3]).await;
    let follower = if leader == 3 { 2 } else { 3 };
    network.cut(&[follower], true).await;

    let left = leave(&cluster.nodes[&follower], SHORT).await;
    let states = cluster.states().await;
    let Err(NotLeft::Unknown(_)) = &left else {
        panic!("{left:?}, while {states:#?}");
    };
    let why = left.expect_err("as seen").to_string();
    assert!(
        why.contains("Try `quit` again when another member is up"),
        "{why}"
    );
    network.heal();
    cluster.leader(&[1, 2, 3]).await;
}

/// Node 2 has missed that node 4 was let in. So it knows of no node 4, and that means nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_member_that_is_behind_cannot_say_that_a_node_was_removed() {
    let (mut cluster, mut network) = Cluster::behind_proxies_with(SLOW).await;
    let leader = cluster.leader(&[1, 2, 3]).await;
    let behind = if leader == 3 { 2 } else { 3 };
    network.deafen(&[behind]).await;
    cluster.start_behind(&mut network, 4, SLOW).await;
    network.cut(&[behind, 4], true).await;
    let states = cluster.states().await;
    assert!(!states[&behind].peers.contains_key(&4), "{states:#?}");

    let left = leave(&cluster.nodes[&4], SHORT).await;
    let states = cluster.states().await;
    assert!(
        matches!(left, Err(NotLeft::Unknown(_) | NotLeft::NotCommitted(_))),
        "{left:?}, while {states:#?}"
    );
}
