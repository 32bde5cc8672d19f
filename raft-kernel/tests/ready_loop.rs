//! The contract of `Ready`: what a caller is told, in which order, and what it owes.
//!
//! Figure 2 of the paper ("updated on stable storage before responding to RPCs") and
//! section 10.2.1 of the dissertation, which lets a leader send before its own write.

mod network;

use network::words::{accepted, append, command, heartbeat, message, vote, vote_request};
use network::{Network, asynchronous, founded, plain};
use raft_kernel::{
    AppendAck, Change, ConfChange, ConfState, Config, Error, MemoryStorage, Message, MessageBody,
    NodeId, RawNode, Ready, Role, Snapshot, Storage,
};

type Node = RawNode<MemoryStorage>;

fn node_of(voters: &[NodeId], config: fn(NodeId) -> Config) -> (Node, MemoryStorage) {
    let storage = founded(ConfState::of_voters(voters.iter().copied()));
    let node = RawNode::new(&config(1), storage.clone()).unwrap();
    (node, storage)
}

fn write(storage: &MemoryStorage, ready: &Ready) {
    storage.append(&ready.append.entries).unwrap();
    if let Some(hard_state) = ready.append.hard_state {
        storage.set_hard_state(hard_state);
    }
}

fn kinds<'a>(messages: impl IntoIterator<Item = &'a Message>) -> Vec<&'static str> {
    messages
        .into_iter()
        .map(|message| message.body.name())
        .collect()
}

#[test]
fn a_node_that_has_just_started_has_nothing_to_do() {
    let (mut node, _) = node_of(&[1, 2, 3], plain);
    assert!(!node.has_ready());
    let ready = node.ready().unwrap();
    assert!(ready.append.is_empty() && ready.apply.is_empty());
    assert!(ready.messages.is_empty() && ready.soft_state.is_none() && !ready.append.must_sync);
    node.advance(ready).unwrap();
}

#[test]
fn what_was_told_once_is_not_told_again() {
    let (mut node, storage) = node_of(&[1, 2, 3], plain);
    node.campaign().unwrap();
    let ready = node.ready().unwrap();
    assert_eq!(
        ready.soft_state.map(|soft| soft.role),
        Some(Role::Candidate)
    );
    assert_eq!(ready.append.hard_state.map(|hard| hard.term), Some(2));
    write(&storage, &ready);
    node.advance(ready).unwrap();
    assert!(!node.has_ready());
}

/// A synchronous node is to be told that a `Ready` is done before it gives the next.
#[test]
fn a_ready_must_be_advanced_before_the_next_is_taken() {
    let (mut node, storage) = node_of(&[1], plain);
    node.campaign().unwrap();
    let ready = node.ready().unwrap();
    assert!(!node.has_ready());
    assert!(matches!(node.ready(), Err(Error::NotAdvanced)));
    write(&storage, &ready);
    node.advance(ready).unwrap();
    assert!(node.has_ready(), "it leads now, with an entry to write");
    let ready = node.ready().unwrap();
    assert_eq!(ready.append.entries.len(), 1);
    node.advance(ready).unwrap();
}

#[test]
fn an_asynchronous_node_gives_one_ready_after_the_other() {
    let (mut node, _) = node_of(&[1, 2, 3], asynchronous);
    node.campaign().unwrap();
    let first = node.ready().unwrap();
    let second = node.ready().unwrap();
    assert!(!first.append.is_empty() && second.append.is_empty());
}

#[test]
fn only_a_promise_needs_a_sync() {
    let (mut node, storage) = node_of(&[1, 2, 3], plain);
    let mut syncs = Vec::new();
    for body in [
        append((1, 1), 1, &[command(2, 1, "a")]),
        heartbeat(2),
        vote_request((0, 0)),
    ] {
        let term = if body.name() == "RequestVote" { 2 } else { 1 };
        node.step(message(2, 1, term, body)).unwrap();
        let ready = node.ready().unwrap();
        assert!(ready.append.hard_state.is_some() || !ready.append.entries.is_empty());
        syncs.push(ready.append.must_sync);
        write(&storage, &ready);
        node.advance(ready).unwrap();
    }
    assert_eq!(
        syncs,
        [true, false, true],
        "an entry, a commit index, a term"
    );
}

/// trap 5: the guard is the choice of a queue in `Raft::send_at_term`.
#[test]
fn promises_are_among_the_messages_that_wait_for_the_write() {
    let (mut node, _) = node_of(&[1, 2, 3], asynchronous);
    node.step(message(2, 1, 1, append((1, 1), 1, &[command(2, 1, "a")])))
        .unwrap();
    node.step(message(2, 1, 1, heartbeat(1))).unwrap();
    node.step(message(2, 1, 1, append((9, 1), 1, &[]))).unwrap();
    node.step(message(3, 1, 2, vote_request((2, 1)))).unwrap();
    let ready = node.ready().unwrap();
    assert_eq!(kinds(&ready.messages), ["HeartbeatResponse"]);
    let waiting = [
        "AppendEntriesResponse",
        "AppendEntriesResponse",
        "RequestVoteResponse",
    ];
    assert_eq!(kinds(ready.append.messages()), waiting);
}

#[test]
fn a_synchronous_caller_gets_all_messages_at_once_and_its_own_never() {
    let (mut node, _) = node_of(&[1, 2, 3], plain);
    node.step(message(2, 1, 1, heartbeat(1))).unwrap();
    node.step(message(2, 1, 1, append((1, 1), 1, &[]))).unwrap();
    node.campaign().unwrap();
    let mut ready = node.ready().unwrap();
    assert_eq!(
        kinds(ready.append.responses()).len(),
        2,
        "one is the vote for itself"
    );
    let messages: Vec<_> = ready.take_messages().collect();
    assert_eq!(
        kinds(&messages),
        [
            "HeartbeatResponse",
            "RequestVote",
            "RequestVote",
            "AppendEntriesResponse"
        ]
    );
    assert!(messages.iter().all(|message| message.to != 1));
    node.advance(ready).unwrap();
}

#[test]
fn a_leader_sends_before_it_has_written_and_counts_itself_after() {
    let (mut node, storage) = node_of(&[1, 2, 3], asynchronous);
    node.campaign().unwrap();
    let ready = node.ready().unwrap();
    write(&storage, &ready);
    node.appended(ready.append.done()).unwrap();
    node.step(message(2, 1, 2, vote(true))).unwrap();
    let ready = node.ready().unwrap();
    assert_eq!(kinds(&ready.messages), ["AppendEntries", "AppendEntries"]);
    node.step(message(2, 1, 2, accepted(2))).unwrap();
    assert_eq!(
        node.status().hard_state.commit,
        1,
        "its own write is not done"
    );
    write(&storage, &ready);
    node.appended(ready.append.done()).unwrap();
    assert_eq!(node.status().hard_state.commit, 2);
}

#[test]
fn an_acknowledgement_can_be_given_in_pieces() {
    let (mut node, storage) = node_of(&[1], asynchronous);
    node.campaign().unwrap();
    let ready = node.ready().unwrap();
    write(&storage, &ready);
    let parts: Vec<AppendAck> = ready.append.done().into_parts();
    assert_eq!(parts.len(), 1, "the vote for itself");
    for part in parts {
        node.appended(part).unwrap();
    }
    let ready = node.ready().unwrap();
    write(&storage, &ready);
    let parts = ready.append.done().into_parts();
    assert_eq!(
        parts
            .iter()
            .map(|part| part.to_self().len())
            .collect::<Vec<_>>(),
        [1, 0]
    );
    assert_eq!(parts[1].last_entry(), Some((2, 2)));
    for part in parts {
        node.appended(part).unwrap();
    }
    let ready = node.ready().unwrap();
    assert_eq!(ready.apply.entries.len(), 1);
}

#[test]
fn an_acknowledgement_of_another_node_is_refused() {
    let (mut node, _) = node_of(&[1, 2], asynchronous);
    let storage = founded(ConfState::of_voters([1, 2]));
    let mut other = RawNode::new(&asynchronous(2), storage).unwrap();
    other.campaign().unwrap();
    let ready = other.ready().unwrap();
    let error = node.appended(ready.append.done()).unwrap_err();
    assert!(matches!(error, Error::ForeignAcknowledgement(_)), "{error}");
    let error = node.applied(ready.apply.done()).unwrap_err();
    assert!(matches!(error, Error::ForeignAcknowledgement(_)), "{error}");
}

#[test]
fn another_nodes_ready_is_refused_and_changes_nothing() {
    let (mut node, _) = node_of(&[1, 2], plain);
    node.campaign().unwrap();
    let own = node.ready().unwrap();
    let storage = founded(ConfState::of_voters([1, 2]));
    let mut stranger = RawNode::new(&plain(2), storage).unwrap();
    stranger.campaign().unwrap();
    let foreign = stranger.ready().unwrap();
    assert!(matches!(
        node.advance(foreign),
        Err(Error::ForeignAcknowledgement(2))
    ));
    assert!(matches!(node.ready(), Err(Error::NotAdvanced)));
    node.advance(own).unwrap();
}

/// The guard is `Due::heartbeats`.
#[test]
fn reads_before_a_ready_share_a_round_of_heartbeats() {
    let mut network = Network::of(3);
    network.elect(1);
    for read in 0..1000_u32 {
        network
            .node(1)
            .read_index(read.to_be_bytes().to_vec())
            .unwrap();
    }
    let ready = network.node(1).ready().unwrap();
    assert_eq!(kinds(&ready.messages), ["Heartbeat", "Heartbeat"]);
}

/// The guard is the comparison with `conf_index` in `Raft::restart`.
#[test]
fn a_state_machine_older_than_the_stored_configuration_is_refused() {
    let storage = MemoryStorage::from_snapshot(Snapshot {
        index: 9,
        term: 2,
        conf_state: ConfState::of_voters([1, 2, 3]),
        ..Snapshot::default()
    });
    let started_at = |applied| {
        let config = Config {
            applied,
            ..plain(1)
        };
        RawNode::new(&config, storage.clone())
    };
    let refused = started_at(8).unwrap_err().to_string();
    assert!(refused.contains("at entry 8"), "{refused}");
    assert!(refused.contains("that of entry 9"), "{refused}");
    assert_eq!(started_at(0).unwrap().status().applied, 9);
    assert_eq!(started_at(9).unwrap().status().applied, 9);
}

#[cfg(feature = "serde")]
#[test]
fn a_status_can_be_serialized() {
    fn is_serializable(_: &impl serde::Serialize) {}
    let (node, _) = node_of(&[1], plain);
    is_serializable(&node.status());
}

/// trap 9: what was handed out is the caller's, whatever the node does next.
#[test]
fn nothing_in_a_ready_changes_after_it_was_handed_out() {
    let (mut node, _) = node_of(&[1, 2, 3], asynchronous);
    let entries = [command(2, 1, "a"), command(3, 1, "b")];
    node.step(message(2, 1, 1, append((1, 1), 1, &entries)))
        .unwrap();
    let ready = node.ready().unwrap();
    node.step(message(3, 1, 2, append((1, 1), 1, &[command(2, 2, "x")])))
        .unwrap();
    assert_eq!(*ready.append.entries, entries);
    assert_eq!(ready.append.hard_state, None);
    assert_eq!(*node.ready().unwrap().append.entries, [command(2, 2, "x")]);
}

/// Several nodes found a cluster; each begins with the same entries.
#[test]
fn founders_agree_whatever_order_they_were_given() {
    let found = |id, founders: [NodeId; 3]| {
        let mut node = RawNode::new(&plain(id), MemoryStorage::new()).unwrap();
        node.bootstrap(founders.map(|id| (id, format!("host{id}"))))
            .unwrap();
        let ready = node.ready().unwrap();
        assert!(matches!(node.campaign(), Ok(())));
        assert_eq!(
            node.role(),
            Role::Follower,
            "its configuration is not applied yet"
        );
        ready.append.entries.clone()
    };
    assert_eq!(found(1, [1, 2, 3]), found(2, [3, 1, 2]));
}

#[test]
fn only_a_node_without_state_founds_a_cluster() {
    let (mut node, _) = node_of(&[1], plain);
    assert!(matches!(
        node.bootstrap([(1, "")]),
        Err(Error::AlreadyBootstrapped)
    ));
    let mut empty = RawNode::new(&plain(1), MemoryStorage::new()).unwrap();
    for founders in [vec![], vec![(1, ""), (1, "")], vec![(0, "")]] {
        assert!(matches!(
            empty.bootstrap(founders),
            Err(Error::InvalidConfig(_))
        ));
    }
    empty.bootstrap([(1, "")]).unwrap();
    assert!(matches!(
        empty.bootstrap([(1, "")]),
        Err(Error::AlreadyBootstrapped)
    ));
}

#[test]
fn founders_elect_a_leader_and_a_newcomer_joins_them() {
    let mut network = Network::founded_as(&ConfState::default(), (1..=3).map(plain));
    network.observer.founded_up_to = 2;
    for id in 1..=2 {
        network.node(id).bootstrap([(1, ""), (2, "")]).unwrap();
    }
    network.settle();
    network.elect(1);
    network.change(1, ConfChange::single(Change::AddVoter(3)));
    network.propose(1, "a");
    network.tick_all(2);
    for id in 1..=3 {
        assert_eq!(network.commands(id), ["a"], "n{id}");
    }
}

#[test]
fn a_node_starts_again_with_what_its_storage_holds_and_nothing_else() {
    for config in [plain, asynchronous] {
        let mut network = Network::with(1, config);
        network.elect(1);
        network.propose(1, "a");
        network.server(1).holds_appends = true;
        network.node(1).propose("b").unwrap();
        let is_async = network.server(1).is_async();
        if is_async {
            network.work(1);
        }
        network.crash(1);
        network.restart(1);
        network.server(1).holds_appends = false;
        network.elect(1);
        assert_eq!(network.commands(1), ["a"], "'b' was never written");
        assert_eq!(network.server(1).storage.last_index().unwrap(), 4);
    }
}

/// trap 32: the guard is that the only chance is `ElectionTimeout`, which the seed decides.
#[test]
fn the_same_seeds_and_inputs_give_the_same_run() {
    let run = |seed| {
        let mut network = Network::with(5, |id| Config {
            seed,
            ..Config::new(id)
        });
        let mut trace = String::new();
        for round in 0..60 {
            network.tick_all(1);
            if let Some(leader) = network.leader() {
                let _ = network.node(leader).propose("x");
                if round % 20 == 19 {
                    network.crash(leader);
                    network.restart(leader);
                }
            }
            trace += &network.report();
        }
        trace
    };
    assert_eq!(run(7), run(7));
    assert_ne!(run(7), run(8));
}

#[test]
fn a_read_only_look_at_a_node_changes_nothing() {
    let (mut node, _) = node_of(&[1, 2, 3], plain);
    node.step(message(2, 1, 1, MessageBody::TimeoutNow))
        .unwrap();
    let before = format!("{:?} {:?}", node.status(), node);
    assert!(node.has_ready() && node.id() == 1 && node.leader().is_none());
    assert_eq!(format!("{:?} {:?}", node.status(), node), before);
}
