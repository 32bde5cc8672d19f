//! Disks that do what a test wants, and a leader that is played by the test.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ch01_single_node_cluster::Result;
use ch05_two_node_cluster::{Clock, Member, Network, PATIENCE, Post, Replica};
use ch06_two_node_snapshot::StateMachine;
use ch07_detour_change_state_machine::Sum;
use ch09_asynchronous_storage_writes::{Asynchronous, Disk, Hands, SlowDisk, Write, threads};
use crossbeam_channel::Receiver;
use raft_kernel::{
    Entries, Entry, Index, MemoryStorage, Message, MessageBody, NodeId, Payload, Term,
};

/// A clock that ticks too seldom to matter.
pub(crate) fn standing_clock() -> Clock {
    Clock::start(Duration::from_secs(3600))
}

pub(crate) fn quick_disk() -> SlowDisk {
    SlowDisk {
        storage: MemoryStorage::new(),
        delay: Duration::ZERO,
    }
}

/// Stops a disk, or lets it go on.
#[derive(Clone, Default)]
pub(crate) struct Gate(Arc<(Mutex<State>, Condvar)>);

#[derive(Default)]
struct State {
    closed: bool,
    /// Whether the disk waits for the gate.
    waiting: bool,
    /// How many works each durable write held.
    writes: Vec<usize>,
}

impl Gate {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets no write through until what is returned is dropped. Hold it in a variable
    /// that was made after the node's: then a test that fails leaves no node waiting.
    #[must_use]
    pub(crate) fn close(&self) -> Closed {
        self.state().closed = true;
        Closed(self.clone())
    }

    /// How many works each durable write held so far.
    pub(crate) fn writes(&self) -> Vec<usize> {
        self.state().writes.clone()
    }

    /// Waits until the disk stands before the gate.
    pub(crate) fn wait_for_write(&self) {
        let waited = self
            .0
            .1
            .wait_timeout_while(self.state(), PATIENCE, |state| !state.waiting);
        let (_state, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
        assert!(!timeout.timed_out(), "the disk was to be given a write");
    }

    fn pass(&self, works: usize) {
        let mut state = self.state();
        state.writes.push(works);
        state.waiting = true;
        self.0.1.notify_all();
        let passed = self.0.1.wait_while(state, |state| state.closed);
        passed.unwrap_or_else(PoisonError::into_inner).waiting = false;
    }
}

/// Keeps a gate closed.
pub(crate) struct Closed(Gate);

impl Drop for Closed {
    fn drop(&mut self) {
        self.0.state().closed = false;
        self.0.0.1.notify_all();
    }
}

/// A disk whose durable writes wait for a gate.
pub(crate) struct GatedDisk {
    pub(crate) disk: SlowDisk,
    pub(crate) gate: Gate,
}

impl Disk for GatedDisk {
    fn write(&mut self, writes: &[Write<'_>]) -> Result<()> {
        if writes.iter().any(Write::must_sync) {
            self.gate.pass(writes.len());
        }
        self.disk.write(writes)
    }

    fn storage(&self) -> &MemoryStorage {
        self.disk.storage()
    }
}

/// A disk that works for so many writes, and then never again.
pub(crate) struct DyingDisk {
    pub(crate) disk: SlowDisk,
    pub(crate) writes_left: usize,
    pub(crate) died: Arc<AtomicBool>,
}

impl Disk for DyingDisk {
    fn write(&mut self, writes: &[Write<'_>]) -> Result<()> {
        if self.writes_left == 0 {
            self.died.store(true, Ordering::SeqCst);
            return Err("no space left on the device".into());
        }
        self.writes_left -= 1;
        self.disk.write(writes)
    }

    fn storage(&self) -> &MemoryStorage {
        self.disk.storage()
    }
}

/// Starts a node on a network that loses nothing.
pub(crate) fn start<M: StateMachine, D: Disk>(
    node: Asynchronous<M>,
    hands: Hands<M, D>,
    network: &Network,
    clock: &Clock,
) -> Member<Asynchronous<M>> {
    let (post, answers) = (network.clone(), network.clone());
    Member::start_with(node, network, clock, move |node, lines| {
        threads::run(node, &lines, hands, post, answers)
    })
}

/// Lets time pass for a node that is alone until it leads.
pub(crate) fn lead<M: StateMachine>(node: &Member<Asynchronous<M>>) {
    let applied = |index| move |node: &Asynchronous<M>| node.status().applied == index;
    node.wait_until("it knows itself", applied(1))
        .expect("in time");
    let pass = |node: &mut Asynchronous<M>| (0..20).try_for_each(|_| node.tick());
    node.ask(pass).expect("an answer").expect("ticks");
    node.wait_until("it leads", applied(2)).expect("in time");
}

/// Node 2 of a cluster of two, in threads, with a gate before its disk. Node 1, its
/// leader, is the test.
pub(crate) struct PlayedLeader<M: StateMachine> {
    pub(crate) follower: Member<Asynchronous<M>>,
    pub(crate) gate: Gate,
    pub(crate) storage: MemoryStorage,
    pub(crate) network: Network,
    inbox: Receiver<Message>,
    _clock: Clock,
}

/// The last founder's entry.
pub(crate) const FOUNDED: Index = 2;
const TERM: Term = 2;

impl<M: StateMachine> PlayedLeader<M> {
    /// The follower knows the founders' entries and the term of its leader.
    pub(crate) fn new() -> Self {
        PlayedLeader::with_clock(standing_clock())
    }

    pub(crate) fn with_clock(clock: Clock) -> Self {
        let (network, gate) = (Network::default(), Gate::default());
        let disk = GatedDisk {
            disk: quick_disk(),
            gate: gate.clone(),
        };
        let hands = Hands::new(disk, u64::MAX).expect("a new disk");
        let storage = hands.disk.storage().clone();
        let node = Asynchronous::found(2, &[1, 2], 1, storage.clone()).expect("a founder");
        let mut leader = PlayedLeader {
            storage,
            inbox: network.open(1),
            follower: start(node, hands, &network, &clock),
            gate,
            network,
            _clock: clock,
        };
        leader.heartbeat();
        leader.receive(|body| matches!(body, MessageBody::HeartbeatResponse { .. }));
        // Its term is written with the next entry at the latest.
        leader.append(FOUNDED, 0, &[]);
        assert_eq!(leader.acknowledgement(), FOUNDED);
        leader
    }

    pub(crate) fn send(&mut self, body: MessageBody) {
        let message = Message {
            from: 1,
            to: 2,
            term: TERM,
            body,
        };
        self.network.send(message).expect("node 2 has room");
    }

    /// Says the same, and whether there was room for it.
    pub(crate) fn try_send(&mut self, body: MessageBody) -> bool {
        let message = Message {
            from: 1,
            to: 2,
            term: TERM,
            body,
        };
        self.network.send(message).is_ok()
    }

    pub(crate) fn heartbeat(&mut self) {
        self.send(MessageBody::Heartbeat {
            commit: 0,
            read: None,
        });
    }

    /// Sends these numbers as the entries after `prev`.
    pub(crate) fn append(&mut self, prev: Index, commit: Index, numbers: &[u64]) {
        self.send(append_entries(prev, commit, numbers));
    }

    /// The next message that is as wanted; others are passed over.
    pub(crate) fn receive(&self, wanted: impl Fn(&MessageBody) -> bool) -> MessageBody {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let message = self
                .inbox
                .recv_deadline(deadline)
                .expect("a message of node 2");
            if wanted(&message.body) {
                return message.body;
            }
        }
    }

    /// What node 2 says it holds, next time that it says so.
    pub(crate) fn acknowledgement(&self) -> Index {
        let is_response =
            |body: &MessageBody| matches!(body, MessageBody::AppendEntriesResponse(_));
        match self.receive(is_response) {
            MessageBody::AppendEntriesResponse(raft_kernel::AppendOutcome::Accepted {
                match_index,
            }) => match_index,
            other => panic!("the entries fit, but: {other:?}"),
        }
    }

    /// Whether node 2 has said nothing so far.
    pub(crate) fn is_silent(&self) -> bool {
        self.inbox.is_empty()
    }
}

pub(crate) fn append_entries(prev: Index, commit: Index, numbers: &[u64]) -> MessageBody {
    let entries = (prev + 1..).zip(numbers).map(|(index, number)| Entry {
        term: TERM,
        index,
        payload: Payload::Command(Sum::encode(number).into()),
    });
    MessageBody::AppendEntries {
        prev_index: prev,
        prev_term: if prev <= FOUNDED { 1 } else { TERM },
        commit,
        entries: entries.collect::<Entries>(),
    }
}

/// The seeds of the tests that try many.
pub(crate) fn seeds(usual: u64) -> std::ops::Range<u64> {
    let asked = std::env::var("CH09_SEEDS").ok();
    0..asked
        .and_then(|number| number.parse().ok())
        .unwrap_or(usual)
}

/// Voters, as ids.
pub(crate) const VOTERS: [NodeId; 3] = [1, 2, 3];
