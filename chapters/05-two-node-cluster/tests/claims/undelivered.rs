//! Messages that reach nobody, and messages that make no sense.

use ch05_two_node_cluster::{INBOX, Network, Node, Post, Replica, Undelivered};
use crossbeam_channel::Receiver;
use raft_kernel::{
    AppendOutcome, Change, Message, MessageBody, NodeId, Payload, ProgressState, ReadId, Snapshot,
};

use crate::{
    applied, change, command, commands, progress, propose, settle, stored, tick, two_nodes,
};

/// A network without anybody in it. Counts the messages that it could not deliver.
#[derive(Default)]
pub(crate) struct Nobody {
    pub(crate) messages: usize,
}

impl Post for Nobody {
    fn send(&mut self, message: Message) -> Result<(), Undelivered> {
        self.messages += 1;
        Err(Undelivered::NobodyThere(message.to))
    }
}

fn turn(node: &mut Node, post: &mut dyn Post) {
    while node.turn(post).expect("the node goes on").is_some() {}
}

/// Takes the promise of a proposal whose outcome nobody asks for.
fn propose_to(node: &mut Node, byte: u8) {
    let (promise, _) = ch05_two_node_cluster::Ticket::new();
    let proposed = node.propose(command(byte), promise);
    proposed.expect("the node goes on");
}

#[test]
fn the_leader_probes_a_node_that_it_cannot_reach() {
    let mut cluster = two_nodes();
    let state = |cluster: &mut _| progress(crate::ByHand::node(cluster, 1), 2).state;
    assert_eq!(state(&mut cluster), ProgressState::Replicate);
    let absent = cluster.remove(2).expect("node 2");
    propose(&mut cluster, 1, command(40));
    settle(&mut cluster);
    assert_eq!(state(&mut cluster), ProgressState::Probe);

    cluster.add(absent);
    tick(&mut cluster, &[1]);
    assert_eq!(state(&mut cluster), ProgressState::Replicate);
    assert_eq!(stored(&mut cluster, 2), stored(&mut cluster, 1));
}

#[test]
fn nothing_piles_up_for_a_node_that_cannot_be_reached() {
    let mut cluster = two_nodes();
    let mut one = cluster.remove(1).expect("node 1");
    let mut nobody = Nobody::default();
    for _ in 0..100 {
        propose_to(&mut one, 40);
        turn(&mut one, &mut nobody);
    }
    // The first shows that node 2 is not there, the second asks where its log ends.
    assert_eq!(nobody.messages, 2);
    assert_eq!(progress(&one, 2).inflight(), 0);
    one.tick().expect("a tick");
    turn(&mut one, &mut nobody);
    assert_eq!(nobody.messages, 3, "a heartbeat each tick, no more");
}

#[test]
fn a_member_that_nobody_can_reach_holds_up_no_majority() {
    let mut cluster = two_nodes();
    let added = propose(&mut cluster, 1, change(Change::AddLearner(9)));
    settle(&mut cluster);
    applied(&added);
    for byte in 40..60 {
        let ticket = propose(&mut cluster, 1, command(byte));
        settle(&mut cluster);
        applied(&ticket);
        tick(&mut cluster, &[1, 2]);
    }
    let absent = progress(cluster.node(1), 9);
    assert_eq!(absent.state, ProgressState::Probe);
    assert_eq!(absent.match_index, 0);
    assert_eq!(commands(&mut cluster, 2).len(), 23);
}

/// Two nodes whose messages go through inboxes, with nobody but the test to serve them.
struct Connected {
    network: Network,
    nodes: [(Node, Receiver<Message>); 2],
}

impl Connected {
    fn new() -> Self {
        let (mut cluster, network) = (two_nodes(), Network::default());
        let nodes = [1, 2].map(|id| (cluster.remove(id).expect("it is there"), network.open(id)));
        Connected { network, nodes }
    }

    /// Turns the node's loop, and leaves its inbox alone.
    fn turn(&mut self, id: NodeId) -> &mut Node {
        let (node, _) = &mut self.nodes[usize::from(id == 2)];
        turn(node, &mut self.network);
        node
    }

    /// Serves both inboxes until they are empty.
    fn settle(&mut self) {
        loop {
            let mut is_done = true;
            for (node, inbox) in &mut self.nodes {
                while let Ok(message) = inbox.try_recv() {
                    is_done = false;
                    node.step(message).expect("the node goes on");
                }
                turn(node, &mut self.network);
            }
            if is_done {
                return;
            }
        }
    }
}

#[test]
fn a_full_inbox_costs_messages_and_nothing_else() {
    let mut cluster = Connected::new();
    let junk = Message {
        from: 9,
        to: 2,
        term: 2,
        body: MessageBody::TimeoutNow,
    };
    for _ in 0..INBOX {
        cluster.network.send(junk.clone()).expect("there is room");
    }
    let full = Err(Undelivered::InboxFull(2));
    assert_eq!(cluster.network.send(junk), full);

    propose_to(&mut cluster.nodes[0].0, 40);
    let one = cluster.turn(1);
    assert_eq!(progress(one, 2).state, ProgressState::Probe);

    // Node 2 comes to its inbox at last. All that was junk, and 40 was dropped.
    let (_, inbox) = &cluster.nodes[1];
    assert_eq!(inbox.try_iter().count(), INBOX);
    cluster.settle();
    assert_eq!(cluster.nodes[1].0.machine().commands(), [10, 20, 30]);

    cluster.nodes[0].0.tick().expect("a tick");
    cluster.turn(1);
    cluster.settle();
    for (node, _) in &cluster.nodes {
        assert_eq!(node.machine().commands(), [10, 20, 30, 40], "{node}");
    }
}

/// What no node says that follows the protocol, or none to this one.
fn nonsense() -> Vec<Message> {
    let accepted =
        |match_index| MessageBody::AppendEntriesResponse(AppendOutcome::Accepted { match_index });
    let append = |prev_index, prev_term| MessageBody::AppendEntries {
        prev_index,
        prev_term,
        commit: u64::MAX,
        entries: Vec::new().into(),
    };
    let read = Some(ReadId(u64::MAX));
    let payloads = vec![Payload::Empty];
    let snapshot = Box::new(Snapshot::default());
    [
        (0, 2, MessageBody::TimeoutNow),
        (9, 2, accepted(1)),
        (9, 3, MessageBody::RequestVoteResponse { granted: true }),
        (2, 0, accepted(1)),
        (2, 2, accepted(u64::MAX)),
        (2, 2, append(u64::MAX, 2)),
        (2, 2, append(3, 0)),
        (2, 2, MessageBody::HeartbeatResponse { read }),
        (2, 2, MessageBody::InstallSnapshot { snapshot }),
        (2, 2, MessageBody::Propose { payloads }),
        (2, u64::MAX, MessageBody::TimeoutNow),
    ]
    .map(|(from, term, body)| Message {
        from,
        to: 1,
        term,
        body,
    })
    .to_vec()
}

#[test]
fn a_message_that_makes_no_sense_changes_nothing() {
    let mut cluster = two_nodes();
    let before = cluster.node(1).to_string();
    for message in nonsense() {
        for to in [1, 2, 7] {
            let message = Message {
                to,
                ..message.clone()
            };
            let node = cluster.node(1);
            let stepped = node.step(message.clone());
            stepped.unwrap_or_else(|error| panic!("{message:?} stops the node: {error}"));
            turn(node, &mut Nobody::default());
            assert_eq!(node.to_string(), before, "{message:?}");
        }
    }
    let ticket = propose(&mut cluster, 1, command(40));
    settle(&mut cluster);
    applied(&ticket);
}

#[test]
fn a_node_that_nobody_knows_can_ask_for_votes_and_gets_none() {
    let mut cluster = two_nodes();
    let (last_index, last_term) = (u64::from(u32::MAX), 3);
    for body in [
        MessageBody::RequestPreVote {
            last_index,
            last_term,
        },
        MessageBody::RequestVote {
            last_index,
            last_term,
            transfer: false,
        },
    ] {
        let before = cluster.node(1).status().hard_state;
        let message = Message {
            from: 9,
            to: 1,
            term: 3,
            body,
        };
        cluster.node(1).step(message).expect("the node goes on");
        settle(&mut cluster);
        assert_eq!(cluster.node(1).status().hard_state, before);
    }
}
