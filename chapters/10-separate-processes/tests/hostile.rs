//! Peers that send what no node sends. Each loses its connection, and nothing else happens.

mod support;

use bytes::Bytes;
use ch10_separate_processes::identity::{ClusterId, Incarnation};
use ch10_separate_processes::machine::Peer;
use ch10_separate_processes::server::Server;
use ch10_separate_processes::transport::MAX_SNAPSHOT_BYTES;
use ch10_separate_processes::wire::codec;
use ch10_separate_processes::wire::frame::{
    Frame, Hello, HelloAnswer, JoinAnswer, JoinRequest, MAGIC, Place, SnapshotFrame, VERSION,
};
use ch10_separate_processes::wire::stream::{FrameReader, FrameWriter};
use raft_kernel::{AppendOutcome, Message, MessageBody, NodeId, Snapshot};
use support::{Cluster, DEADLINE};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

async fn connect(node: &Server) -> TcpStream {
    let address = node.bound().to_string();
    TcpStream::connect(address).await.expect("it listens")
}

fn member_hello(node: &Server) -> Hello {
    Hello {
        cluster: node.cluster(),
        from: 2,
        to: 1,
    }
}

/// Says hello, and gives back the answer and the connection.
async fn greet(node: &Server, hello: Hello) -> (HelloAnswer, TcpStream) {
    let mut stream = connect(node).await;
    let mut writer = FrameWriter::new(&mut stream);
    writer.add_hello(&hello).expect("it is small");
    writer.flush().await.expect("it is read");
    let answer = FrameReader::new(&mut stream)
        .next()
        .await
        .expect("an answer");
    (answer, stream)
}

async fn as_member(node: &Server) -> TcpStream {
    let (answer, stream) = greet(node, member_hello(node)).await;
    assert_eq!(answer, HelloAnswer::Welcome);
    stream
}

/// Asks for a place in the cluster, and gives back the answer.
async fn ask_to_join(stream: &mut TcpStream, id: NodeId, address: &str) -> JoinAnswer {
    let request = JoinRequest {
        id,
        address: address.parse().expect("an address"),
        incarnation: Incarnation(id),
        forwarded: false,
    };
    let mut writer = FrameWriter::new(&mut *stream);
    writer.send(&Frame::Join(request)).await.expect("sent");
    match FrameReader::new(stream).next().await.expect("an answer") {
        Frame::JoinAnswer(answer) => answer,
        other => panic!("{other:?}"),
    }
}

/// The node closes the connection, whatever it says before.
async fn is_closed(mut stream: TcpStream, what: &str) {
    let mut rest = Vec::new();
    let read = timeout(DEADLINE, stream.read_to_end(&mut rest)).await;
    assert!(read.is_ok(), "{what}: still open after {DEADLINE:?}");
}

/// The node does what it did before.
async fn still_works(cluster: &Cluster) {
    let before = cluster.states().await[&1].sum;
    cluster.add(1, 1).await;
    assert_eq!(cluster.states().await[&1].sum, before + 1);
}

fn framed(bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).expect("short");
    [length.to_le_bytes().as_slice(), bytes].concat()
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_instead_of_a_hello_closes_the_connection() {
    let cluster = Cluster::of_one().await;
    let node = &cluster.nodes[&1];
    let mut other_version = MAGIC.to_vec();
    other_version.extend_from_slice(&(VERSION + 1).to_le_bytes());
    let mut magic_alone = MAGIC.to_vec();
    magic_alone.extend_from_slice(&VERSION.to_le_bytes());
    for garbage in [
        b"GET / HTTP/1.1\r\nHost: node1\r\n\r\n".to_vec(),
        vec![0; 100],
        vec![0xff; 100],
        framed(b""),
        framed(b"nonsense of some length"),
        framed(&other_version),
        framed(&magic_alone),
        framed(&[MAGIC.as_slice(), &VERSION.to_le_bytes(), &[0xff; 40]].concat()),
    ] {
        let mut stream = connect(node).await;
        stream.write_all(&garbage).await.expect("sent");
        is_closed(stream, &format!("{garbage:?}")).await;
    }
    still_works(&cluster).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_of_another_cluster_or_means_another_node_is_told_so() {
    let cluster = Cluster::of_one().await;
    let node = &cluster.nodes[&1];
    let own = member_hello(node);
    let cluster_id = own.cluster.expect("it has one");
    let stranger = Some(ClusterId(cluster_id.0 ^ 1));
    for (hello, part) in [
        (
            Hello {
                cluster: stranger,
                ..own
            },
            "belongs to cluster",
        ),
        (Hello { to: 3, ..own }, "this is node 1, not node 3"),
        (Hello { from: 1, ..own }, "node 1 is this node"),
        (Hello { from: 0, ..own }, "0 is no node's id"),
        (Hello { from: 63, ..own }, "63 is no node's id"),
    ] {
        let (answer, stream) = greet(node, hello).await;
        let HelloAnswer::Refused(why) = answer else {
            panic!("{hello:?} was welcomed");
        };
        assert!(why.contains(part), "{why}");
        is_closed(stream, part).await;
    }
    still_works(&cluster).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_giant_frame_is_refused_before_a_byte_of_it_is_read() {
    let cluster = Cluster::of_one().await;
    let node = &cluster.nodes[&1];
    let one_too_many = u32::try_from(codec::MAX_BYTES + 1).expect("it fits");
    for length in [one_too_many, u32::MAX] {
        let mut stream = as_member(node).await;
        stream.write_all(&length.to_le_bytes()).await.expect("sent");
        is_closed(stream, "a giant frame").await;
    }
    still_works(&cluster).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn half_a_frame_changes_nothing() {
    let cluster = Cluster::of_one().await;
    let node = &cluster.nodes[&1];
    let whole = framed(&codec::encode(&Frame::Ping).expect("it is small"));
    for end in 1..whole.len() {
        let mut stream = as_member(node).await;
        stream.write_all(&whole[..end]).await.expect("sent");
        stream.shutdown().await.expect("shut down");
        is_closed(stream, "half a frame").await;
    }
    still_works(&cluster).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn frames_that_cannot_be_read_or_do_not_belong_here_close_the_connection() {
    let cluster = Cluster::of_one().await;
    let node = &cluster.nodes[&1];
    let foreign = Message {
        from: 3,
        to: 1,
        term: 1,
        body: MessageBody::TimeoutNow,
    };
    let encoded = |frame: &Frame| codec::encode(frame).expect("it is small");
    for bytes in [
        Vec::new(),
        vec![0xff; 64],
        [encoded(&Frame::Ping), vec![0]].concat(),
        encoded(&Frame::Pong),
        encoded(&Frame::JoinAnswer(JoinAnswer::Later(String::new()))),
        encoded(&Frame::Raft(foreign)),
    ] {
        let mut stream = as_member(node).await;
        stream.write_all(&framed(&bytes)).await.expect("sent");
        is_closed(stream, &format!("{bytes:?}")).await;
    }
    // Whoever has not joined may ask to, and nothing else.
    let newcomer = Hello {
        cluster: None,
        ..member_hello(node)
    };
    let (answer, mut stream) = greet(node, newcomer).await;
    assert_eq!(answer, HelloAnswer::Welcome);
    let ping = framed(&encoded(&Frame::Ping));
    stream.write_all(&ping).await.expect("sent");
    is_closed(stream, "a ping of a newcomer").await;
    still_works(&cluster).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn well_formed_frames_with_impossible_contents_are_ignored() {
    let cluster = Cluster::of_one().await;
    let node = &cluster.nodes[&1];
    let mut stream = as_member(node).await;
    let (read, write) = stream.split();
    let (mut reader, mut writer) = (FrameReader::new(read), FrameWriter::new(write));
    let term = cluster.states().await[&1].term;
    let message = |to, body| Message {
        from: 2,
        to,
        term,
        body,
    };
    let snapshot = |data: &'static [u8]| MessageBody::InstallSnapshot {
        snapshot: Box::new(Snapshot {
            index: 1000,
            term,
            data: Bytes::from_static(data),
            ..Snapshot::default()
        }),
    };
    let accepted = AppendOutcome::Accepted { match_index: 999 };
    // A leader of a later term would be obeyed, if its snapshot could be read.
    let of_a_later_leader = Message {
        term: term + 1,
        ..message(1, snapshot(b"nor this"))
    };
    for frame in [
        Frame::Raft(of_a_later_leader),
        Frame::Raft(message(1, MessageBody::AppendEntriesResponse(accepted))),
        Frame::Raft(message(1, snapshot(b"no state machine can read this"))),
        Frame::Relay(message(3, MessageBody::TimeoutNow)),
        Frame::Here(Peer {
            address: "127.0.0.1:0".parse().expect("an address"),
            incarnation: Incarnation(9),
        }),
        Frame::Relay(message(
            1,
            MessageBody::Propose {
                payloads: Vec::new(),
            },
        )),
        Frame::Proposed {
            request: 0,
            places: vec![Ok(Place { term, index: 1 })],
        },
        Frame::Propose {
            request: 1,
            proposals: Vec::new(),
        },
        Frame::Snapshot(SnapshotFrame::Begin {
            transfer: 1,
            message: message(1, MessageBody::TimeoutNow),
            length: 1,
        }),
        Frame::Snapshot(SnapshotFrame::Begin {
            transfer: 2,
            message: message(1, snapshot(b"")),
            length: MAX_SNAPSHOT_BYTES as u64 + 1,
        }),
        Frame::Snapshot(SnapshotFrame::Piece {
            transfer: 9,
            data: Bytes::from_static(b"of nothing"),
        }),
        Frame::Ping,
    ] {
        writer.send(&frame).await.expect("sent");
    }
    // It has read all of them, and is still there.
    let pong = async {
        loop {
            if let Frame::Pong = reader.next().await.expect("still open") {
                return;
            }
        }
    };
    timeout(DEADLINE, pong).await.expect("a pong");
    still_works(&cluster).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_and_ids_that_cannot_be_are_not_let_in() {
    let cluster = Cluster::of_one().await;
    let node = &cluster.nodes[&1];
    for (id, address) in [
        (0, "127.0.0.1:1"),
        (63, "127.0.0.1:1"),
        (5, "127.0.0.1:0"),
        (5, "0.0.0.0:1"),
    ] {
        let mut stream = as_member(node).await;
        let answer = ask_to_join(&mut stream, id, address).await;
        assert!(matches!(answer, JoinAnswer::Refused(_)), "{answer:?}");
    }
    assert_eq!(cluster.states().await[&1].peers.len(), 1);
}

/// A member that answers the hello and then reads nothing. The other two go on without it,
/// with far more than its queue and its socket hold.
#[tokio::test(flavor = "multi_thread")]
async fn a_member_that_reads_nothing_holds_nobody_up() {
    let cluster = Cluster::of_three().await;
    let node = &cluster.nodes[&1];
    let deaf = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let address = deaf.local_addr().expect("bound").to_string();
    let mut held = JoinSet::new();
    held.spawn(async move {
        let mut open = Vec::new();
        while let Ok((mut stream, _)) = deaf.accept().await {
            if FrameReader::new(&mut stream).hello().await.is_ok() {
                let _ = FrameWriter::new(&mut stream)
                    .send(&HelloAnswer::Welcome)
                    .await;
            }
            open.push(stream);
        }
    });
    let hello = Hello {
        cluster: None,
        from: 4,
        to: 1,
    };
    let (_, mut stream) = greet(node, hello).await;
    let answer = ask_to_join(&mut stream, 4, &address).await;
    assert!(matches!(answer, JoinAnswer::Welcome(_)), "{answer:?}");

    // 40 MiB, which nobody can read; what counts is that they are agreed on.
    let large = Bytes::from(vec![0; 40 << 10]);
    let mut clients = JoinSet::new();
    for _ in 0..32 {
        let (handle, large) = (node.handle().clone(), large.clone());
        clients.spawn(async move {
            for _ in 0..32 {
                handle.propose(large.clone()).await;
            }
        });
    }
    let all = async { while clients.join_next().await.is_some() {} };
    timeout(DEADLINE, all).await.expect("nobody is held up");
    still_works(&cluster).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crowd_of_silent_connections_does_not_keep_the_members_out() {
    let cluster = Cluster::of_three().await;
    let node = &cluster.nodes[&1];
    let mut crowd = Vec::new();
    for _ in 0..400 {
        crowd.push(connect(node).await);
    }
    still_works(&cluster).await;
    // Whoever says nothing is shown out, and then there is room again.
    for silent in crowd {
        is_closed(silent, "a silent connection").await;
    }
    as_member(node).await;
}
