//! The last words of a node that stops.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ch10_separate_processes::identity::Incarnation;
use ch10_separate_processes::machine::Peer;
use ch10_separate_processes::wire::frame::{Frame, HelloAnswer, Proposal};
use ch10_separate_processes::wire::stream::{FrameReader, FrameWriter};
use support::{Cluster, DEADLINE, assert_applied};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep, timeout};

/// After this time a node that stops waits for its peers no longer.
const NO_LONGER: Duration = Duration::from_millis(250);

/// Reads all that comes, closes the connection some time after it has read the last of it, and
/// says so. Gives back how many messages there were.
async fn read_slowly(stream: TcpStream, has_read: Arc<AtomicBool>) -> usize {
    let (read, write) = stream.into_split();
    let mut reader = FrameReader::new(read);
    reader.hello().await.expect("a hello");
    let mut writer = FrameWriter::new(write);
    let welcome = writer.send(&HelloAnswer::Welcome).await;
    welcome.expect("it is read");
    let mut messages = 0;
    while let Ok(frame) = reader.next().await {
        messages += usize::from(matches!(frame, Frame::Raft(_)));
    }
    sleep(NO_LONGER / 10).await;
    has_read.store(true, Ordering::Relaxed);
    messages
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_stops_waits_until_its_peers_have_read_what_it_had_to_say() {
    let mut cluster = Cluster::of_one().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("bound").to_string();
    let peer = Peer {
        address: address.parse().expect("an address"),
        incarnation: Incarnation(2),
    };
    let added = cluster.offer(1, Proposal::Change(peer.added(2))).await;
    assert_applied(&added, &cluster.states().await);
    let (stream, _) = timeout(DEADLINE, listener.accept())
        .await
        .expect("node 1 connects")
        .expect("it can be accepted");
    let has_read = Arc::new(AtomicBool::new(false));
    let reading = tokio::spawn(read_slowly(stream, Arc::clone(&has_read)));

    let node = cluster.nodes.remove(&1).expect("it is there");
    let began = Instant::now();
    node.stop().await;
    let took = began.elapsed();
    assert!(
        has_read.load(Ordering::Relaxed) || took >= NO_LONGER,
        "it ended after {took:?}, and the other was still reading"
    );
    assert!(reading.await.expect("no panic") > 0);
}
