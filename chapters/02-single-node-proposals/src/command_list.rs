//! A state machine that does nothing but remember.
//!
//! It is of little use, and that is its use here: whatever goes wrong with the log, a
//! command that is lost, doubled or out of order, can be seen in the list.

use std::fmt;

/// Every committed command, in the order of the log.
// ANCHOR: command_list
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CommandList {
    commands: Vec<u8>,
}

impl CommandList {
    /// Takes the next committed command.
    ///
    /// # Errors
    /// [`NotACommand`] unless it is one byte. Every node comes to the same result,
    /// since it depends on the command alone.
    pub fn apply(&mut self, command: &[u8]) -> Result<(), NotACommand> {
        match command {
            [byte] => {
                self.commands.push(*byte);
                Ok(())
            }
            other => Err(NotACommand {
                length: other.len(),
            }),
        }
    }
    // ANCHOR_END: command_list

    /// The commands so far.
    pub fn commands(&self) -> &[u8] {
        &self.commands
    }
}

impl fmt::Display for CommandList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "commands {:?}", self.commands)
    }
}

/// Something was committed that is no command of this state machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotACommand {
    length: usize,
}

impl fmt::Display for NotACommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a command is one byte, and this one has {}", self.length)
    }
}

impl std::error::Error for NotACommand {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_kept_in_order() {
        let mut machine = CommandList::default();
        for command in [3, 1, 2] {
            machine.apply(&[command]).expect("one byte");
        }
        assert_eq!(machine.commands(), [3, 1, 2]);
    }

    #[test]
    fn what_is_no_command_is_refused_and_changes_nothing() {
        let mut machine = CommandList::default();
        assert_eq!(machine.apply(&[]), Err(NotACommand { length: 0 }));
        assert_eq!(machine.apply(&[1, 2]), Err(NotACommand { length: 2 }));
        assert_eq!(machine, CommandList::default());
    }
}
