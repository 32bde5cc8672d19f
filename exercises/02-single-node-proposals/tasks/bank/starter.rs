//! Write: a state machine that is a bank.
//!
//! Every node of a cluster runs this code on the same commands in the same order, and all
//! must come to the same balances. A command is three bytes or two:
//!
//! - `[account, amount]` puts money into an account;
//! - `[from, to, amount]` moves money from one account to another.
//!
//! Anything else is refused, and so is a transfer of more than `from` has. What is refused
//! changes nothing. An account that nobody has put money into has the balance 0.

use std::collections::BTreeMap;

/// The accounts that have, or had, money.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bank {
    balances: BTreeMap<u8, u64>,
}

/// Why a command was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// It is no command of this state machine.
    NotACommand,
    /// The account has less than what was to be moved.
    NotEnough,
}

impl Bank {
    /// Takes the next committed command.
    pub fn apply(&mut self, command: &[u8]) -> Result<(), Refused> {
        todo!("apply: a deposit, a transfer, or a refusal")
    }

    /// How much is in an account.
    pub fn balance(&self, account: u8) -> u64 {
        todo!("balance: 0 for an account that nobody has put money into")
    }
}
