//! What a state machine must be able to do, now that there are snapshots.

use std::error::Error;
use std::fmt;

use ch02_single_node_proposals::{CommandList, NotACommand};

/// A state machine: what it becomes depends on its commands alone.
// ANCHOR: state_machine
pub trait StateMachine: Default + fmt::Display + Send + 'static {
    /// What can be asked of it.
    type Command: Send + 'static;
    /// Why bytes are no command or no snapshot of it.
    type Error: Error + Send + Sync + 'static;

    /// A command as bytes, as it travels in the log.
    fn encode(command: &Self::Command) -> Vec<u8>;
    /// Takes the next committed command.
    fn apply(&mut self, command: &[u8]) -> Result<(), Self::Error>;
    /// Everything that it has come to, as bytes.
    fn snapshot(&self) -> Vec<u8>;
    /// The state machine that made this snapshot.
    fn restore(snapshot: &[u8]) -> Result<Self, Self::Error>;
}
// ANCHOR_END: state_machine

// ANCHOR: command_list
impl StateMachine for CommandList {
    type Command = u8;
    type Error = NotACommand;

    fn encode(command: &u8) -> Vec<u8> {
        vec![*command]
    }

    fn apply(&mut self, command: &[u8]) -> Result<(), NotACommand> {
        CommandList::apply(self, command)
    }

    fn snapshot(&self) -> Vec<u8> {
        self.commands().to_vec()
    }

    fn restore(snapshot: &[u8]) -> Result<Self, NotACommand> {
        let mut machine = CommandList::default();
        for command in snapshot.chunks(1) {
            machine.apply(command)?;
        }
        Ok(machine)
    }
}
// ANCHOR_END: command_list
