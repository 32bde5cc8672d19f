//! A node that cannot trust its storage stops.
//!
//! Figure 2 of the paper has a server answer only after its state is safe. One whose disk
//! fails cannot know what it has promised, so it must neither vote nor acknowledge anything
//! again. Here a storage fails at its n-th call, for every n, in every operation. The node
//! says why, and from then on says so to everyone; nothing more comes out of it.

mod network;

use network::fragile::Fragile;
use network::words::{accepted, append, command, heartbeat, install, message, rejected};
use network::words::{vote, vote_request};
use network::{asynchronous, plain, with_log};
use raft_kernel::{
    AppendWork, Change, ConfChange, ConfState, Config, Error, MemoryStorage, Message, MessageBody,
    RawNode, ReadId, Ready, Role, Snapshot,
};

type Node = RawNode<Fragile>;

const REASON: &str = "storage: sector 7 cannot be read";

/// Three nodes' founding snapshot, then a log of six commands and, in it, a later snapshot.
fn storage() -> Fragile {
    let memory = with_log(ConfState::of_voters(1..=3), &[1, 1, 2, 2, 2, 2]);
    let create = memory.create_snapshot(4, ConfState::of_voters(1..=3), "");
    create.expect("the log reaches there");
    memory.compact(3).expect("the snapshot holds it");
    Fragile::new(memory)
}

fn settings(config: fn(u64) -> Config) -> Config {
    Config {
        // So little that the log is read in pieces.
        max_message_bytes: 1,
        max_applying_bytes: 50,
        ..config(1)
    }
}

fn write(storage: &MemoryStorage, work: &AppendWork) {
    if let Some(snapshot) = work.snapshot.as_deref() {
        storage
            .apply_snapshot(snapshot.clone())
            .expect("it is news");
    }
    storage.append(&work.entries).expect("they follow the log");
    if let Some(hard_state) = work.hard_state {
        storage.set_hard_state(hard_state);
    }
}

/// Does what a `Ready` asks for; gives what it sent.
fn turn(node: &mut Node, storage: &Fragile) -> Result<Vec<Message>, Error> {
    let mut ready: Ready = node.ready()?;
    write(&storage.memory, &ready.append);
    let messages = ready.take_messages().collect();
    for change in ready.apply.entries.iter().filter_map(|e| e.conf_change()) {
        node.apply_conf_change(change)?;
    }
    node.advance(ready)?;
    Ok(messages)
}

fn run(node: &mut Node, storage: &Fragile) -> Result<(), Error> {
    while node.has_ready() {
        turn(node, storage)?;
    }
    Ok(())
}

fn follower(config: fn(u64) -> Config) -> (Node, Fragile) {
    let storage = storage();
    let node = RawNode::new(&settings(config), storage.clone()).expect("it works still");
    (node, storage)
}

fn leader(config: fn(u64) -> Config) -> (Node, Fragile) {
    let (mut node, storage) = follower(config);
    node.campaign().unwrap();
    run(&mut node, &storage).unwrap();
    let pre_vote = MessageBody::RequestPreVoteResponse { granted: true };
    for body in [pre_vote, vote(true)] {
        node.step(message(2, 1, 3, body)).unwrap();
        run(&mut node, &storage).unwrap();
    }
    assert_eq!(node.role(), Role::Leader);
    (node, storage)
}

type Operation = fn(&mut Node) -> Result<(), Error>;

/// Everything that a node can be asked.
fn operations() -> Vec<(&'static str, Operation)> {
    vec![
        ("tick", |node| (0..30).try_for_each(|_| node.tick())),
        ("campaign", |node| node.campaign()),
        ("propose", |node| node.propose("x").map(drop)),
        ("propose a change", |node| {
            let change = ConfChange::single(Change::AddVoter(4));
            node.propose_conf_change(change).map(drop)
        }),
        ("apply a change", |node| {
            let change = ConfChange::single(Change::Remove(3));
            node.apply_conf_change(&change).map(drop)
        }),
        ("read", |node| node.read_index("x")),
        ("transfer", |node| node.transfer_leader(2)),
        ("a vote", |node| {
            node.step(message(2, 1, 3, vote_request((9, 2))))
        }),
        ("a later vote", |node| {
            node.step(message(2, 1, 9, vote_request((9, 8))))
        }),
        ("a vote given", |node| {
            node.step(message(3, 1, 3, vote(true)))
        }),
        ("an append", |node| {
            let entries = [command(8, 3, "x"), command(9, 3, "y")];
            node.step(message(2, 1, 4, append((7, 2), 9, &entries)))
        }),
        ("an append to refuse", |node| {
            node.step(message(2, 1, 4, append((6, 3), 1, &[])))
        }),
        ("a heartbeat", |node| {
            node.step(message(2, 1, 4, heartbeat(7)))
        }),
        ("an acknowledgement", |node| {
            node.step(message(2, 1, 3, accepted(8)))
        }),
        ("two acknowledgements", |node| {
            node.step(message(2, 1, 3, accepted(5)))?;
            node.step(message(3, 1, 3, accepted(8)))
        }),
        ("a rejection", |node| {
            node.step(message(2, 1, 3, rejected(7, (6, 2))))
        }),
        ("a rejection of all", |node| {
            node.step(message(2, 1, 3, rejected(7, (1, 1))))
        }),
        ("a sign of life", |node| {
            let body = MessageBody::HeartbeatResponse { read: None };
            node.step(message(2, 1, 3, body))
        }),
        ("a snapshot", |node| {
            let snapshot = Snapshot {
                index: 20,
                term: 3,
                conf_state: ConfState::of_voters(1..=3),
                ..Snapshot::default()
            };
            node.step(message(2, 1, 4, install(snapshot)))
        }),
        ("time to stand", |node| {
            node.step(message(2, 1, 4, MessageBody::TimeoutNow))
        }),
        ("a question", |node| {
            node.step(message(2, 1, 0, MessageBody::ReadIndex { read: ReadId(1) }))
        }),
    ]
}

/// That the node has stopped for good, whatever is asked of it.
fn assert_stopped(node: &mut Node, what: &str) {
    assert!(!node.has_ready(), "{what}: nothing more is sent");
    for (name, operation) in operations() {
        let answer = operation(node).expect_err("it has stopped");
        let expected = format!("the node has stopped: {REASON}");
        assert!(
            matches!(answer, Error::Stopped(_)),
            "{what}, then {name}: {answer}"
        );
        assert!(
            answer.is_fatal() && answer.to_string() == expected,
            "{answer}"
        );
    }
    assert!(
        matches!(node.bootstrap([(1, "")]), Err(Error::Stopped(_))),
        "{what}"
    );
    assert!(
        matches!(node.forget_leader(), Err(Error::Stopped(_))),
        "{what}"
    );
    node.report_unreachable(2);
    node.report_snapshot(2, raft_kernel::SnapshotOutcome::Failed);
    assert!(!node.has_ready(), "{what}");
    assert!(matches!(node.ready(), Err(Error::Stopped(_))), "{what}");
    assert!(
        format!("{node:?}").contains(REASON),
        "it says so when it is printed"
    );
}

/// Fails the n-th call for every n, until all calls of the operation succeed. Says how many
/// failures there were.
fn fail_everywhere(
    what: &str,
    begin: impl Fn() -> (Node, Fragile),
    operate: impl Fn(&mut Node, &Fragile) -> Result<(), Error>,
) -> usize {
    for calls in 0..1000 {
        let (mut node, storage) = begin();
        storage.fail_after(calls);
        let outcome = operate(&mut node, &storage);
        if !storage.is_used_up() {
            let refused = outcome.is_err_and(|error| error.is_fatal());
            assert!(!refused, "{what}: nothing failed");
            return calls;
        }
        match outcome {
            Err(error @ Error::Storage(_)) => {
                assert_eq!(error.to_string(), REASON);
                assert!(
                    std::error::Error::source(&error).is_some(),
                    "the cause is kept"
                );
                storage.fail_after(usize::MAX);
                assert_stopped(&mut node, what);
            }
            // The last of the calls that succeed was the operation's last.
            Ok(()) => {}
            Err(error) => assert!(!error.is_fatal(), "{what}, call {calls}: {error}"),
        }
    }
    panic!("{what}: the storage is asked without end");
}

#[test]
fn a_node_does_not_start_from_a_storage_that_fails() {
    for calls in 0.. {
        let storage = storage();
        storage.fail_after(calls);
        match RawNode::new(&settings(plain), storage) {
            Err(error) => assert_eq!(error.to_string(), REASON),
            Ok(_) => {
                assert!(calls > 4, "it must have asked for its promises and its log");
                return;
            }
        }
    }
}

#[test]
fn whatever_a_node_is_asked_when_its_storage_fails_it_stops_and_says_why() {
    let mut failures = 0;
    for (name, operation) in operations() {
        for config in [plain, asynchronous, Config::new] {
            for begin in [follower, leader] {
                failures += fail_everywhere(
                    name,
                    || begin(config),
                    |node, storage| {
                        match operation(node) {
                            Err(error) if error.is_fatal() => return Err(error),
                            Ok(()) | Err(_) => {}
                        }
                        if node.has_ready() {
                            turn(node, storage)?;
                        }
                        Ok(())
                    },
                );
            }
        }
    }
    assert!(failures > 100, "{failures} calls are too few to prove much");
}

/// The loop itself: committed entries are read from the log, piece by piece.
#[test]
fn a_loop_whose_storage_fails_stops_there() {
    let failures = fail_everywhere(
        "the loop",
        || {
            let (mut node, storage) = follower(plain);
            node.step(message(2, 1, 2, heartbeat(7))).unwrap();
            (node, storage)
        },
        run,
    );
    assert!(failures >= 3, "{failures}");
}

/// The answer to an append is refused its write. What depended on it never comes.
#[test]
fn nothing_is_acknowledged_after_the_storage_has_failed() {
    let (mut node, storage) = follower(plain);
    node.step(message(2, 1, 3, append((7, 2), 1, &[command(8, 3, "x")])))
        .unwrap();
    node.step(message(3, 1, 4, vote_request((9, 3)))).unwrap();
    assert!(node.has_ready(), "an acknowledgement and a vote wait");
    storage.fail_after(0);
    let failed = node.step(message(2, 1, 4, append((5, 1), 1, &[])));
    assert!(matches!(failed, Err(Error::Storage(_))), "{failed:?}");
    storage.fail_after(usize::MAX);
    assert_stopped(&mut node, "an append");
}

/// A `Ready` that was handed out before is still to be written, but not acknowledged.
#[test]
fn a_node_that_stopped_takes_no_acknowledgement() {
    let (mut node, storage) = follower(asynchronous);
    node.step(message(2, 1, 3, append((7, 2), 1, &[command(8, 3, "x")])))
        .unwrap();
    let ready = node.ready().unwrap();
    write(&storage.memory, &ready.append);
    storage.fail_after(0);
    let failed = node.step(message(2, 1, 4, append((5, 1), 1, &[])));
    assert!(matches!(failed, Err(Error::Storage(_))), "{failed:?}");
    assert!(matches!(
        node.appended(ready.append.done()),
        Err(Error::Stopped(_))
    ));
    assert!(matches!(
        node.applied(ready.apply.done()),
        Err(Error::Stopped(_))
    ));
    assert!(!node.has_ready());
}

/// It is not the error of the moment that counts: a node that stopped is made anew.
#[test]
fn a_node_that_is_made_anew_goes_on() {
    let (mut node, storage) = follower(plain);
    storage.fail_after(0);
    assert!(node.campaign().is_err());
    storage.fail_after(usize::MAX);
    let mut anew = RawNode::new(&settings(plain), storage.clone()).unwrap();
    anew.campaign().unwrap();
    run(&mut anew, &storage).unwrap();
    assert_eq!(anew.role(), Role::Candidate);
}

/// That there is a `Ready` to advance is no news any more.
#[test]
fn a_node_that_stopped_says_so_also_while_a_ready_is_under_way() {
    let (mut node, storage) = follower(plain);
    node.step(message(2, 1, 3, heartbeat(1))).unwrap();
    let ready = node.ready().unwrap();
    storage.fail_after(0);
    assert!(matches!(node.campaign(), Err(Error::Storage(_))));
    assert!(matches!(node.ready(), Err(Error::Stopped(_))));
    assert!(matches!(node.advance(ready), Err(Error::Stopped(_))));
    assert_stopped(&mut node, "standing for election");
}
