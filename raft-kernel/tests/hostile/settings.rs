//! Which settings an attack meets: every switch of `Config` both ways, every limit small
//! enough to be reached.

use raft_kernel::{Config, InflightLimit, NodeId, ReadMode, StorageWrites};

use super::choices::Choices;

/// Settings that a node can be made with.
pub(crate) fn possible(choices: &mut Choices, id: NodeId) -> Config {
    let check_quorum = choices.coin();
    let max_message_bytes = choices.pick(&[0, 60, 200, 1 << 20]);
    let inflight_bytes: u64 = choices.pick(&[0, 1, 100]);
    Config {
        seed: choices.below(0x1_0000),
        election_ticks: choices.pick(&[2, 5, 10, 20]),
        storage_writes: if choices.coin() {
            StorageWrites::Asynchronous
        } else {
            StorageWrites::Synchronous
        },
        max_message_bytes,
        max_applying_bytes: choices.pick(&[0, 60, 1 << 20]),
        max_uncommitted_bytes: choices.pick(&[0, 100, 1 << 20]),
        inflight: InflightLimit {
            messages: choices.pick(&[1, 2, 4, 256]),
            bytes: match inflight_bytes {
                0 => 0,
                some => some.max(max_message_bytes),
            },
        },
        check_quorum,
        pre_vote: choices.coin(),
        reads: if check_quorum && choices.coin() {
            ReadMode::Lease
        } else {
            ReadMode::Safe
        },
        max_pending_reads: choices.pick(&[0, 1, 4]),
        forward_proposals: choices.percent(80),
        validate_conf_changes: choices.coin(),
        step_down_on_removal: choices.coin(),
        ..Config::new(id)
    }
}

/// Settings that may contradict themselves, or ask for what cannot be.
pub(crate) fn arbitrary(choices: &mut Choices) -> Config {
    let possible = possible(choices, 1);
    let wide = |choices: &mut Choices| {
        let any = choices.number();
        choices.pick(&[0, 1, 2, u64::MAX, u64::MAX - 1, any])
    };
    let narrow = |choices: &mut Choices| {
        let any = choices.pick(&[7, 1_000_000, 1_000_001]);
        choices.pick(&[0, 1, 2, u32::MAX, u32::MAX - 1, any])
    };
    let mut config = possible;
    for _ in 0..choices.below(4) {
        match choices.below(12) {
            0 => config.id = wide(choices),
            1 => config.seed = wide(choices),
            2 => config.election_ticks = narrow(choices),
            3 => config.heartbeat_ticks = narrow(choices),
            4 => config.applied = wide(choices),
            5 => config.max_message_bytes = wide(choices),
            6 => config.max_applying_bytes = wide(choices),
            7 => config.max_uncommitted_bytes = wide(choices),
            8 => config.inflight.messages = choices.pick(&[0, usize::MAX]),
            9 => config.inflight.bytes = wide(choices),
            10 => config.reads = ReadMode::Lease,
            _ => config.max_pending_reads = choices.pick(&[0, usize::MAX]),
        }
    }
    config
}
