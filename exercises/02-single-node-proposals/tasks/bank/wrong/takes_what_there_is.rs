//! A state machine that is a bank: it looks first and changes then.

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
        match *command {
            [account, amount] => {
                *self.account(account) += u64::from(amount);
                Ok(())
            }
            [from, to, amount] => {
                let amount = u64::from(amount);
                let moved = amount.min(self.balance(from));
                *self.account(from) -= moved;
                *self.account(to) += moved;
                Ok(())
            }
            _ => Err(Refused::NotACommand),
        }
    }

    /// How much is in an account.
    pub fn balance(&self, account: u8) -> u64 {
        self.balances.get(&account).copied().unwrap_or(0)
    }

    fn account(&mut self, account: u8) -> &mut u64 {
        self.balances.entry(account).or_default()
    }
}
