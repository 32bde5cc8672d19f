//! Which cluster a seed makes, and how badly it is treated.

use raft_kernel::{ConfState, Config, InflightLimit, NodeId, StorageWrites};

use crate::network::Network;
use crate::network::random::Random;

/// How likely mishaps are for a while, in percent.
#[derive(Clone, Copy)]
pub(crate) struct Mood {
    pub(crate) steps: u32,
    pub(crate) losses: u64,
    pub(crate) duplicates: u64,
    pub(crate) reorders: u64,
    pub(crate) crashes: u64,
    pub(crate) changes: u64,
    pub(crate) transfers: u64,
    pub(crate) cuts: u64,
}

impl Mood {
    pub(crate) fn drawn(random: &mut Random) -> Self {
        Mood {
            steps: random.pick(&[200, 700, 2000]),
            losses: random.pick(&[0, 2, 10, 30]),
            duplicates: random.pick(&[0, 5, 30]),
            reorders: random.pick(&[0, 5, 50]),
            crashes: random.pick(&[0, 10, 50, 100]),
            changes: random.pick(&[0, 50, 100]),
            transfers: random.pick(&[0, 20, 100]),
            cuts: random.pick(&[0, 0, 5, 20]),
        }
    }
}

/// A founded cluster of one to five servers, some of which may have to join it.
pub(crate) fn cluster(random: &mut Random) -> Network {
    let count = 1 + random.below(5);
    let voters = 1 + random.below(count);
    let features = Features::drawn(random);
    let configs: Vec<Config> = (1..=count).map(|id| config(random, features, id)).collect();
    Network::founded_as(&ConfState::of_voters(1..=voters), configs)
}

/// What all nodes of a cluster should agree on.
#[derive(Clone, Copy)]
#[allow(clippy::struct_excessive_bools)] // Each is one switch of `Config`.
struct Features {
    check_quorum: bool,
    pre_vote: bool,
    step_down_on_removal: bool,
    all_asynchronous: bool,
    /// One who waits less than the others would disturb every election that it cannot win.
    election_ticks: u32,
}

impl Features {
    fn drawn(random: &mut Random) -> Self {
        Features {
            check_quorum: random.coin(),
            pre_vote: random.coin(),
            step_down_on_removal: random.percent(80),
            all_asynchronous: random.coin(),
            election_ticks: random.pick(&[3, 5, 10]),
        }
    }
}

fn config(random: &mut Random, features: Features, id: NodeId) -> Config {
    let is_asynchronous = features.all_asynchronous || random.coin();
    let max_message_bytes = random.pick(&[0, 60, 200, 1 << 20]);
    let bytes = if random.coin() {
        0
    } else {
        max_message_bytes.max(random.pick(&[1, 100]))
    };
    Config {
        seed: random.below(1 << 40),
        election_ticks: features.election_ticks,
        heartbeat_ticks: random.pick(&[1, 2]),
        storage_writes: if is_asynchronous {
            StorageWrites::Asynchronous
        } else {
            StorageWrites::Synchronous
        },
        max_message_bytes,
        max_applying_bytes: random.pick(&[0, 60, 1 << 20]),
        max_uncommitted_bytes: random.pick(&[0, 100, 1 << 20]),
        inflight: InflightLimit {
            messages: random.pick(&[1, 2, 4, 256]),
            bytes,
        },
        check_quorum: features.check_quorum,
        pre_vote: features.pre_vote,
        step_down_on_removal: features.step_down_on_removal,
        ..Config::new(id)
    }
}
