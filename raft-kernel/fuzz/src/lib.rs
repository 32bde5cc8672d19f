//! What the fuzz targets do with their bytes.
//!
//! The attacks are those of `raft-kernel/tests/hostile`, so that a fuzzer and the
//! engine's own tests try the same things and look at the same things afterwards.

#[path = "../../tests/hostile/mod.rs"]
#[allow(dead_code)] // What only the engine's tests use.
mod hostile;

use hostile::attack::Attack;
use hostile::caller::store_and_apply;
use hostile::choices::Choices;
use hostile::values::View;
use raft_kernel::{
    ConfState, Config, HardState, MemoryStorage, Message, MessageBody, RawNode, Role, Snapshot,
    StorageWrites,
};

/// The most that one message may take, encoded or not.
const MESSAGE_LIMIT: usize = 1 << 16;

/// Plays the attack that the bytes describe.
///
/// # Panics
/// When the engine does what it never may.
pub fn attack(tape: &[u8]) {
    Attack::new(Choices::taped(tape), "the fuzzer's bytes".to_owned()).run();
}

/// Decodes one message after the other, and gives each to a node. The first byte says
/// what the node does at the time.
///
/// # Panics
/// When the engine does what it never may.
pub fn decode_and_step(data: &[u8]) {
    let Some((role, mut bytes)) = data.split_first() else {
        return;
    };
    let mut node = node_in(*role);
    while let Some((message, used)) = decode(bytes) {
        bytes = bytes.get(used.max(1)..).unwrap_or_default();
        step(&mut node, message);
    }
}

/// A message and the number of bytes that it took, if the bytes begin with one.
///
/// # Panics
/// When the message is larger than bytes of that number can make it.
pub fn decode(bytes: &[u8]) -> Option<(Message, usize)> {
    let settings = bincode::config::standard().with_limit::<MESSAGE_LIMIT>();
    let (message, used) = bincode::serde::decode_from_slice(bytes, settings).ok()?;
    let again = encode(&message).len();
    assert!(again <= used, "{used} bytes became a message of {again}");
    Some((message, used))
}

/// A message as bytes.
///
/// # Panics
/// Never: every message can be encoded.
pub fn encode(message: &Message) -> Vec<u8> {
    let settings = bincode::config::standard();
    bincode::serde::encode_to_vec(message, settings).expect("every message can be encoded")
}

/// Encodings of messages of every kind, a few bytes of each changed: what decoding is to
/// be tried with. Gives the bytes of one attack.
pub fn spoiled_encodings(seed: u64, count: usize) -> Vec<u8> {
    let mut choices = Choices::seeded(seed);
    let view = View {
        id: 1,
        term: 2,
        committed: 5,
        last: 7,
        extremes: 5,
    };
    let mut bytes = vec![u8::try_from(choices.below(256)).unwrap_or(0)];
    for _ in 0..count {
        let message = hostile::messages::arbitrary(&mut choices, &view);
        let mut encoded = encode(&message);
        for _ in 0..choices.below(4) {
            let place = choices.place(encoded.len());
            match choices.below(4) {
                0 => encoded.truncate(place + 1),
                1 => encoded[place] ^= 1 << choices.below(8),
                // The marks of numbers of two, four and eight bytes.
                2 => encoded[place] = choices.pick(&[251, 252, 253, 255]),
                _ => encoded[place] = u8::try_from(choices.below(256)).unwrap_or(0),
            }
        }
        bytes.extend(encoded);
    }
    bytes
}

/// Node 1 of three, with a log of seven entries of which five are committed.
fn node_in(role: u8) -> RawNode<MemoryStorage> {
    let storage = MemoryStorage::from_snapshot(Snapshot {
        index: 5,
        term: 1,
        conf_state: ConfState::of_voters(1..=3),
        ..Snapshot::default()
    });
    storage.set_hard_state(HardState {
        term: 1,
        vote: None,
        commit: 5,
    });
    let mut config = Config::new(1);
    config.pre_vote = role & 4 != 0;
    config.check_quorum = role & 8 != 0;
    if role & 16 != 0 {
        config.storage_writes = StorageWrites::Asynchronous;
    }
    let mut node = RawNode::new(&config, storage).expect("its storage is right");
    let wanted = match role & 3 {
        0 => return node,
        1 => Role::Candidate,
        _ => Role::Leader,
    };
    node.campaign().expect("it may stand");
    serve(&mut node);
    for granted_by in [2, 3] {
        if node.role() == wanted || node.role() == Role::Leader {
            break;
        }
        let term = node.status().hard_state.term;
        let pre_vote = node.role() == Role::PreCandidate;
        let granted = true;
        let (term, body) = if pre_vote {
            (term + 1, MessageBody::RequestPreVoteResponse { granted })
        } else {
            (term, MessageBody::RequestVoteResponse { granted })
        };
        let message = Message {
            from: granted_by,
            to: 1,
            term,
            body,
        };
        step(&mut node, message);
    }
    node
}

fn step(node: &mut RawNode<MemoryStorage>, message: Message) {
    if let Err(error) = node.step(message) {
        assert!(!error.is_fatal(), "a message stopped the node: {error}");
    }
    serve(node);
}

/// Does all that the node wants done.
fn serve(node: &mut RawNode<MemoryStorage>) {
    for _ in 0..100_000 {
        if !node.has_ready() {
            return;
        }
        let ready = node.ready().expect("it was announced");
        store_and_apply(node, &ready);
        node.appended(ready.append.done()).expect("it is written");
        node.applied(ready.apply.done()).expect("it is applied");
    }
    panic!("there is always something to do");
}
