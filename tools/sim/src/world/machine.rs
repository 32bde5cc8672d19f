//! The state machine: a few registers, and who wrote last.
//!
//! A client numbers its requests, and the machine takes each number once and no smaller one
//! after it (dissertation, section 6.3): a message that passes a request on may arrive twice.

use raft_kernel::{Bytes, ConfState, Entry, Index, Snapshot};

use crate::check::{Chain, FOUNDED};
use crate::plan::{CLIENTS, KEYS};

/// What a client asks for, as it stands in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Command {
    pub(super) client: u8,
    /// The client's number for it.
    pub(super) number: u32,
    pub(super) key: u8,
    /// Written by nobody else.
    pub(super) value: u64,
}

impl Command {
    const LEN: usize = 14;

    pub(super) fn to_bytes(self, filling: u16) -> Bytes {
        let mut bytes = Vec::with_capacity(Self::LEN + usize::from(filling));
        bytes.extend(self.value.to_le_bytes());
        bytes.extend(self.number.to_le_bytes());
        bytes.extend([self.client, self.key]);
        bytes.resize(Self::LEN + usize::from(filling), b'.');
        bytes.into()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (value, rest) = bytes.split_first_chunk()?;
        let (number, rest) = rest.split_first_chunk()?;
        let [client, key] = *rest.first_chunk()?;
        Some(Command {
            client,
            number: u32::from_le_bytes(*number),
            key,
            value: u64::from_le_bytes(*value),
        })
    }
}

#[derive(Clone, Debug, Default)]
pub(super) struct Machine {
    pub(super) applied: Index,
    /// All that it ever applied, as one number.
    pub(super) chain: Chain,
    pub(super) registers: [u64; KEYS as usize],
    /// The last request of each client.
    sessions: [u32; CLIENTS as usize],
    pub(super) conf_state: ConfState,
}

impl Machine {
    /// Begins with a snapshot.
    pub(super) fn restored(snapshot: &Snapshot) -> Self {
        let mut machine = Machine {
            applied: snapshot.index,
            conf_state: snapshot.conf_state.clone(),
            ..Machine::default()
        };
        let mut words = snapshot.data.chunks_exact(8).map(|word| {
            let mut bytes = [0; 8];
            bytes.copy_from_slice(word);
            u64::from_le_bytes(bytes)
        });
        let mut next = || words.next().unwrap_or_default();
        machine.chain = Chain(next());
        machine.registers.fill_with(&mut next);
        let mut session = || u32::try_from(next()).unwrap_or(0);
        machine.sessions.fill_with(&mut session);
        machine
    }

    pub(super) fn snapshot_data(&self) -> Bytes {
        let sessions = self.sessions.iter().map(|number| u64::from(*number));
        let words = [self.chain.0]
            .into_iter()
            .chain(self.registers)
            .chain(sessions);
        words.flat_map(u64::to_le_bytes).collect()
    }

    /// The snapshot that a cluster was founded with.
    pub(super) fn founding_snapshot(chain: Chain, conf_state: ConfState) -> Snapshot {
        let machine = Machine {
            applied: FOUNDED,
            chain,
            ..Machine::default()
        };
        Snapshot {
            index: FOUNDED,
            term: FOUNDED,
            data: machine.snapshot_data(),
            conf_state,
        }
    }

    /// Applies an entry: the request in it, if it has one, with the value that it replaced.
    pub(super) fn apply(&mut self, entry: &Entry) -> Option<(Command, u64)> {
        self.applied = entry.index;
        self.chain = self.chain.then(entry);
        let command = Command::from_bytes(entry.command()?)?;
        let session = self.sessions.get_mut(usize::from(command.client))?;
        if command.number <= *session {
            return None;
        }
        *session = command.number;
        let register = self.registers.get_mut(usize::from(command.key))?;
        Some((command, std::mem::replace(register, command.value)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use raft_kernel::Payload;

    fn entry(index: Index, command: Command) -> Entry {
        Entry {
            term: 1,
            index,
            payload: Payload::Command(command.to_bytes(3)),
        }
    }

    #[test]
    fn a_request_counts_once_and_a_snapshot_knows_that_too() {
        let command = Command {
            client: 1,
            number: 1,
            key: 2,
            value: 42,
        };
        let mut machine = Machine::default();
        assert_eq!(machine.apply(&entry(1, command)), Some((command, 0)));
        let mut restored = Machine::restored(&Snapshot {
            index: 1,
            data: machine.snapshot_data(),
            ..Snapshot::default()
        });
        assert_eq!(restored.apply(&entry(2, command)), None);
        assert_eq!(restored.registers, [0, 0, 42]);
        assert_eq!(machine.apply(&entry(2, command)), None);
        assert_eq!(restored.chain, machine.chain);
    }
}
