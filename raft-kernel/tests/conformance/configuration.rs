//! The configuration of a node that a script adds.

use raft_kernel::{AppendMessages, Config, InflightLimit, ReadMode, StorageWrites};

use super::script::Case;

/// etcd's defaults, and what the case says otherwise. The id is given later.
pub(crate) fn configuration(case: &Case) -> Result<Config, String> {
    let flag = |key: &str| case.parsed::<bool>(key).map(|it| it.unwrap_or(false));
    let bytes = |key: &str| case.parsed::<u64>(key);
    let inflight = InflightLimit {
        messages: case.parsed("inflight")?.unwrap_or(usize::MAX),
        bytes: bytes("inflight-bytes")?.unwrap_or(0),
    };
    Ok(Config {
        election_ticks: 3,
        heartbeat_ticks: 1,
        storage_writes: if flag("async-storage-writes")? {
            StorageWrites::Asynchronous
        } else {
            StorageWrites::Synchronous
        },
        max_message_bytes: bytes("max-message-bytes")?.unwrap_or(match inflight.bytes {
            0 => u64::MAX,
            // No message may be larger than the window.
            window => window,
        }),
        max_applying_bytes: bytes("max-committed-size-per-ready")?.unwrap_or(u64::MAX),
        max_uncommitted_bytes: u64::MAX,
        inflight,
        check_quorum: flag("checkquorum")?,
        pre_vote: flag("prevote")?,
        reads: match case.value("read-only") {
            None | Some("safe") => ReadMode::Safe,
            Some("lease-based") => ReadMode::Lease,
            Some(other) => return Err(format!("invalid read-only option \"{other}\"")),
        },
        validate_conf_changes: !flag("disable-conf-change-validation")?,
        step_down_on_removal: flag("step-down-on-removal")?,
        // etcd's scripts expect a message for each proposal.
        append_messages: AppendMessages::PerProposal,
        ..Config::new(1)
    })
}
