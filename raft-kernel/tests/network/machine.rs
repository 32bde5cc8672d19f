//! The state machine of the tests: it remembers every command, so that two of them can
//! be compared and a snapshot holds all there is to know.

use std::fmt::Write;

use raft_kernel::{ConfState, Entry, Index, Snapshot};

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Machine {
    pub(crate) applied: Index,
    pub(crate) commands: Vec<(Index, String)>,
    pub(crate) conf_state: ConfState,
}

impl Machine {
    pub(crate) fn restored(snapshot: &Snapshot) -> Self {
        let text = std::str::from_utf8(&snapshot.data).expect("a snapshot of this machine");
        let command = |line: &str| {
            let (index, command) = line.split_once(' ').expect("an index and a command");
            (index.parse().expect("an index"), command.to_owned())
        };
        Machine {
            applied: snapshot.index,
            commands: text.lines().map(command).collect(),
            conf_state: snapshot.conf_state.clone(),
        }
    }

    pub(crate) fn apply(&mut self, entry: &Entry) {
        assert_eq!(
            entry.index,
            self.applied + 1,
            "entries are applied one after the other"
        );
        self.applied = entry.index;
        if let Some(command) = entry.command() {
            let text = std::str::from_utf8(command).expect("the tests propose text");
            self.commands.push((entry.index, text.to_owned()));
        }
    }

    pub(crate) fn snapshot_data(&self) -> String {
        let mut text = String::new();
        for (index, command) in &self.commands {
            let _ = writeln!(text, "{index} {command}");
        }
        text
    }
}
