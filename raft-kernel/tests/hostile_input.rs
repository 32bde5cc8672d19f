//! Whatever a node is sent or told, it goes on or says why not. It never panics.
//!
//! Seeds choose three nodes with any settings and an attack on them: see `hostile`. The
//! peers' messages are changed, repeated, delayed, and mixed with messages that nobody
//! sent; storage and caller lie in some runs. `hostile::witness` checks the node after
//! every input: no message stops it, nothing promised, committed or handed out is taken
//! back, and what it holds is bounded by what went in.
//!
//! `HOSTILE_SEEDS=a..b cargo test -p raft-kernel --test hostile_input` runs other seeds, and
//! `HOSTILE_TRACE=1` prints every input.

mod hostile;

use hostile::attack::{Attack, Tally};
use hostile::caller::store_and_apply;
use hostile::choices::Choices;
use hostile::settings;
use proptest::prelude::*;
use raft_kernel::{
    Change, ConfChange, ConfChangeError, ConfState, Config, Error, MAX_INDEX, MemoryStorage,
    Message, MessageBody, RawNode, ReadId, Role, Snapshot,
};

fn seeds() -> std::ops::Range<u64> {
    const USUAL: std::ops::Range<u64> = 0..800;
    let Ok(range) = std::env::var("HOSTILE_SEEDS") else {
        return USUAL;
    };
    let bounds = range.split_once("..").map(|(a, b)| (a.parse(), b.parse()));
    match bounds {
        Some((Ok(from), Ok(to))) => from..to,
        _ => panic!("HOSTILE_SEEDS must be two numbers, as in 0..800, but is {range}"),
    }
}

fn name(seed: u64) -> String {
    let next = seed.saturating_add(1);
    format!(
        "HOSTILE_SEEDS={seed}..{next} HOSTILE_TRACE=1 cargo test -p raft-kernel --test \
         hostile_input no_message -- --nocapture"
    )
}

#[test]
fn no_message_makes_a_node_panic_stop_or_take_back_what_it_said() {
    let mut tally = Tally::default();
    let seeds = seeds();
    for seed in seeds.clone() {
        tally.add(Attack::new(Choices::seeded(seed), name(seed)).run());
    }
    println!(
        "seeds {seeds:?}: {} hostile messages ({} changed, {} invented), {} faithful, {} refused, \
         {} other inputs",
        tally.hostile(),
        tally.mutated,
        tally.invented,
        tally.faithful,
        tally.refused,
        tally.others
    );
    assert!(tally.hostile() > 0, "the seeds {seeds:?} try nothing");
}

#[test]
fn settings_of_any_kind_make_a_node_or_an_error() {
    let mut choices = Choices::seeded(1);
    let mut refused = 0;
    for _ in 0..10_000 {
        let config = settings::arbitrary(&mut choices);
        match RawNode::new(&config, MemoryStorage::new()) {
            Ok(mut node) => {
                let id = node.id();
                node.bootstrap([(id, "")]).expect("its storage is empty");
                for _ in 0..4 {
                    node.tick().expect("time passes");
                }
                assert!(node.has_ready());
            }
            Err(error) => {
                assert!(!error.to_string().is_empty());
                refused += 1;
            }
        }
    }
    assert!((1000..9000).contains(&refused), "{refused} were refused");
}

/// Does all that a node wants done, a hundred times at most.
fn serve(node: &mut RawNode<MemoryStorage>) {
    for _ in 0..100 {
        if !node.has_ready() {
            return;
        }
        let ready = node.ready().expect("it was announced");
        store_and_apply(node, &ready);
        node.advance(ready).expect("all of it was done");
    }
    panic!("after a hundred turns there is still something to do");
}

/// Node 1 of three, which stands for election without asking first.
fn one_of_three(max_pending_reads: usize) -> RawNode<MemoryStorage> {
    let storage = MemoryStorage::from_snapshot(Snapshot {
        index: 1,
        term: 1,
        conf_state: ConfState::of_voters(1..=3),
        ..Snapshot::default()
    });
    let config = Config {
        pre_vote: false,
        max_pending_reads,
        ..Config::new(1)
    };
    RawNode::new(&config, storage).expect("its storage is right")
}

/// Node 1 of three, and the answer to a snapshot that it is sent.
fn sent(snapshot: Snapshot) -> (RawNode<MemoryStorage>, Result<(), Error>) {
    let mut node = one_of_three(Config::new(1).max_pending_reads);
    let answer = node.step(Message {
        from: 2,
        to: 1,
        term: 2,
        body: MessageBody::InstallSnapshot {
            snapshot: Box::new(snapshot),
        },
    });
    (node, answer)
}

/// The new leader's first entry would be one too far, and no node starts from a log that
/// holds it.
#[test]
fn nobody_leads_from_a_log_that_cannot_grow() {
    let (mut node, answer) = sent(Snapshot {
        index: MAX_INDEX,
        term: 1,
        conf_state: ConfState::of_voters([1]),
        ..Snapshot::default()
    });
    answer.expect("the index is possible");
    serve(&mut node);
    node.campaign().expect("it may be asked to");
    serve(&mut node);
    assert_eq!(node.role(), Role::Follower);
    let storage = node.storage().clone();
    RawNode::new(&Config::new(1), storage).expect("it starts from what it wrote");
}

/// The leader would propose to leave it for ever, and fill its log with that.
#[test]
fn a_joint_configuration_that_cannot_be_left_is_refused() {
    let (mut node, answer) = sent(Snapshot {
        index: 5,
        term: 1,
        conf_state: ConfState {
            voters: vec![1],
            voters_outgoing: vec![1],
            learners_next: vec![1],
            auto_leave: true,
            ..ConfState::default()
        },
        ..Snapshot::default()
    });
    assert!(
        matches!(
            answer,
            Err(Error::ConfChange(ConfChangeError::Contradiction))
        ),
        "{answer:?}"
    );
    serve(&mut node);
    let learner = ConfChange::single(Change::AddLearner(4));
    node.apply_conf_change(&learner).expect("it goes on");
}

/// A leader keeps no more reads for others than it was told to.
#[test]
fn reads_that_others_ask_for_do_not_pile_up() {
    let mut node = one_of_three(4);
    node.campaign().expect("it may");
    serve(&mut node);
    let from_2 = |term, body| Message {
        from: 2,
        to: 1,
        term,
        body,
    };
    let vote = MessageBody::RequestVoteResponse { granted: true };
    node.step(from_2(1, vote)).expect("it asked for the vote");
    assert_eq!(node.role(), Role::Leader);
    let taken = (0..100)
        .filter(|read| {
            let read = ReadId(*read);
            node.step(from_2(0, MessageBody::ReadIndex { read }))
                .is_ok()
        })
        .count();
    assert_eq!(taken, 4);
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 100,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// The same attacks, drawn from bytes, so that a failure is shrunk to the few that
    /// matter.
    #[test]
    fn an_attack_drawn_from_bytes_finds_nothing_either(
        tape in prop::collection::vec(any::<u8>(), 0..3000),
    ) {
        Attack::new(Choices::taped(&tape), "the bytes that proptest prints".to_owned()).run();
    }
}
