//! What a node is told when it is made.

use crate::error::Error;
use crate::progress::InflightLimit;
use crate::{Index, NodeId};

/// The longest election timeout that can be asked for, in ticks: twice as much can
/// still be counted.
const MAX_ELECTION_TICKS: u32 = 1_000_000;

/// A node's settings. Start from [`Config::new`] and change what differs.
///
/// Times are counted in ticks, whose length the caller chooses: the engine has no
/// clock. All limits in bytes count payloads with a small overhead an entry
/// ([`Entry::size`](crate::Entry::size)) unless they say otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools)] // Each switches one feature, named where it is set.
pub struct Config {
    /// This node's id; not 0, and never used by another node of the cluster, not
    /// even after this one was removed.
    pub id: NodeId,
    /// Seeds the randomness of the election timeout, the only randomness there is.
    /// The same seed and the same inputs give the same outputs. Nodes of a cluster
    /// may share it: the id is mixed in. Reads are numbered from it too, so a node that
    /// serves reads should start with another seed each time: an answer that was on its way
    /// when the node stopped is then never taken for the answer to a later read.
    pub seed: u64,
    /// A follower that hears nothing for this many ticks, or up to twice as many,
    /// stands for election (paper, section 5.2). Must exceed `heartbeat_ticks`; ten
    /// times as much is usual.
    pub election_ticks: u32,
    /// A leader sends a heartbeat every so many ticks.
    pub heartbeat_ticks: u32,
    /// The last index that the state machine has applied, when a node starts again
    /// with a state machine that survived. Entries up to here are not handed out again.
    /// 0 for a state machine that begins with the storage's snapshot: then the entries
    /// after that are handed out. Nothing else below the index of the storage's
    /// configuration ([`InitialState::conf_index`](crate::InitialState::conf_index)).
    pub applied: Index,
    /// How the caller writes to storage.
    pub storage_writes: StorageWrites,
    /// When a leader's appends go out.
    pub append_messages: AppendMessages,
    /// The most bytes of entries in one message, but always at least one entry.
    pub max_message_bytes: u64,
    /// The most bytes of entries handed out to apply and not yet acknowledged as
    /// applied, but always at least one entry.
    pub max_applying_bytes: u64,
    /// The most bytes of payloads that a leader takes before they are committed;
    /// further proposals are dropped with a reason. An empty log takes one proposal of
    /// any size.
    pub max_uncommitted_bytes: u64,
    /// How much may be on its way to one follower.
    pub inflight: InflightLimit,
    /// Whether a leader steps down when it has not heard from a majority for an
    /// election timeout, and whether voters ignore candidates while they hear from a
    /// leader (dissertation, section 6.2 and 4.2.3).
    pub check_quorum: bool,
    /// Whether a node asks if it could win before it begins a term (dissertation,
    /// section 9.6).
    pub pre_vote: bool,
    /// How reads are made safe.
    pub reads: ReadMode,
    /// The most reads that may wait for a leader at once; more are dropped with a reason.
    pub max_pending_reads: usize,
    /// Whether a follower forwards proposals to its leader or drops them.
    pub forward_proposals: bool,
    /// Whether a leader replaces a configuration change that it knows to be impossible
    /// by an empty entry. Switched off, the caller must know what it does: whoever
    /// applies an impossible change gets an error.
    pub validate_conf_changes: bool,
    /// Whether a leader that its own configuration change removed, or made a learner,
    /// becomes a follower at once.
    pub step_down_on_removal: bool,
}

/// How the caller writes to storage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StorageWrites {
    /// Each [`Ready`](crate::Ready) is written and applied, in this order, before
    /// [`advance`](crate::RawNode::advance) asks for the next. Committed entries may be
    /// handed out for applying beside the write of the same entries.
    #[default]
    Synchronous,
    /// Writing and applying go on by themselves while further `Ready`s are taken.
    /// Committed entries are handed out only after their write was acknowledged.
    Asynchronous,
}

/// When a leader's appends go out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AppendMessages {
    /// All that was proposed and committed before a [`Ready`](crate::Ready) goes in one
    /// message to each follower, and one round of heartbeats serves all reads.
    #[default]
    PerReady,
    /// Each proposal, each step of the commit index and each read goes in a message of its
    /// own, as in etcd's engine.
    PerProposal,
}

/// How a leader makes sure, before a read, that it still leads (dissertation, section 6.4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReadMode {
    /// By a round of heartbeats: right whatever the clocks do.
    #[default]
    Safe,
    /// By its lease, where it holds one: no message, but right only while the nodes' ticks
    /// pass at the same speed. A lease begins with a round of heartbeats that a majority
    /// answered and lasts one tick less than `election_ticks`. Without one, as after an
    /// election or a transfer, a read waits for a round. Needs `check_quorum`. A voter that
    /// restarts has forgotten its leader and may vote at once, so let it begin to take
    /// messages an election timeout after its start.
    Lease,
}

impl Config {
    /// The usual settings for the node `id`.
    pub fn new(id: NodeId) -> Self {
        Config {
            id,
            seed: 0,
            election_ticks: 10,
            heartbeat_ticks: 1,
            applied: 0,
            storage_writes: StorageWrites::Synchronous,
            append_messages: AppendMessages::PerReady,
            max_message_bytes: 1 << 20,
            max_applying_bytes: 4 << 20,
            max_uncommitted_bytes: 64 << 20,
            inflight: InflightLimit {
                messages: 256,
                bytes: 0,
            },
            check_quorum: true,
            pre_vote: true,
            reads: ReadMode::Safe,
            max_pending_reads: 4096,
            forward_proposals: true,
            validate_conf_changes: true,
            step_down_on_removal: true,
        }
    }

    /// Says what is wrong with these settings, if anything is.
    pub fn validate(&self) -> Result<(), Error> {
        let wrong = |what: &str| Err(Error::InvalidConfig(what.to_owned()));
        if self.id == 0 {
            return wrong("id 0 stands for nobody; count node ids from 1");
        }
        if self.heartbeat_ticks == 0 {
            return wrong("heartbeat_ticks must be at least 1");
        }
        if self.election_ticks <= self.heartbeat_ticks {
            return wrong("election_ticks must be greater than heartbeat_ticks");
        }
        if self.election_ticks > MAX_ELECTION_TICKS {
            return wrong("election_ticks must be at most 1000000");
        }
        if self.inflight.messages == 0 {
            return wrong("inflight.messages must be at least 1");
        }
        if self.inflight.bytes != 0 && self.inflight.bytes < self.max_message_bytes {
            return wrong("inflight.bytes must be 0 or at least max_message_bytes");
        }
        if self.reads == ReadMode::Lease && !self.check_quorum {
            return wrong("lease reads need check_quorum: without it a leader keeps no lease");
        }
        Ok(())
    }
}
