//! The claims about a bank: balances, refusals, and that every node comes to the same ones.

use ch01_single_node_cluster::story::stored_entries;
use ch01_single_node_cluster::{config, start, turn};
use ex02_single_node_proposals::bank::{Bank, Refused};
use raft_kernel::Role;

/// A bank in which account 1 has 100, and account 2 has 50.
fn bank() -> Bank {
    let mut bank = Bank::default();
    for deposit in [[1, 100], [2, 50]] {
        let outcome = bank.apply(&deposit);
        assert!(
            outcome == Ok(()),
            "The command {deposit:?} puts money into an account, and apply() says {outcome:?}."
        );
    }
    bank
}

/// All the money that there is.
fn total(bank: &Bank) -> u64 {
    (0..=255).map(|account| bank.balance(account)).sum()
}

#[test]
fn a_deposit_is_added_to_the_balance() {
    let mut bank = bank();
    bank.apply(&[1, 5]).expect("a deposit");
    let balances = [bank.balance(1), bank.balance(2), bank.balance(3)];
    assert!(
        balances == [105, 50, 0],
        "100 and 5 were put into account 1, 50 into account 2, nothing into account 3. The \
         balances should be 105, 50 and 0, and they are {balances:?}."
    );
}

#[test]
fn a_transfer_takes_here_and_adds_there() {
    let mut bank = bank();
    let outcome = bank.apply(&[1, 2, 30]);
    let balances = [bank.balance(1), bank.balance(2)];
    assert!(
        outcome == Ok(()) && balances == [70, 80],
        "Account 1 had 100 and account 2 had 50. After a transfer of 30 from 1 to 2 they should \
         have 70 and 80. They have {balances:?}, and apply() says {outcome:?}."
    );
}

#[test]
fn a_transfer_to_oneself_makes_no_money() {
    let mut bank = bank();
    bank.apply(&[1, 1, 30]).expect("account 1 has enough");
    let balance = bank.balance(1);
    assert!(
        balance == 100,
        "Account 1 had 100 and moved 30 to itself. Now it has {balance}. If you read both \
         balances first and write both then, the second write does not know of the first."
    );
}

#[test]
fn more_than_there_is_is_refused_and_changes_nothing() {
    for transfer in [[1, 2, 101], [3, 1, 1], [2, 4, 51]] {
        let mut bank = bank();
        let outcome = bank.apply(&transfer);
        assert!(
            outcome == Err(Refused::NotEnough),
            "The transfer {transfer:?} moves more than the account has. A client that was told \
             Ok believes that all of it was moved. It should be refused with NotEnough, and \
             apply() says {outcome:?}."
        );
        assert!(
            bank == self::bank(),
            "The transfer {transfer:?} was refused, and yet something changed: there is {} in \
             all now, and there was 150. Look at everything that can be refused before you \
             change anything: half of a command is worse than none of it.",
            total(&bank)
        );
    }
}

#[test]
fn what_is_no_command_is_refused_and_changes_nothing() {
    let unknown: [&[u8]; 4] = [&[], &[1], &[1, 2, 3, 4], &[1, 2, 3, 4, 5]];
    for command in unknown {
        let mut bank = bank();
        let outcome = bank.apply(command);
        assert!(
            outcome == Err(Refused::NotACommand) && bank == self::bank(),
            "{command:?} is no command: it has neither two bytes nor three. Whoever sent it \
             meant something that this state machine does not know, so it must not guess. It \
             should be refused with NotACommand, and apply() says {outcome:?}."
        );
    }
}

#[test]
fn every_node_comes_to_the_same_balances_from_the_same_log() {
    let (mut raft, storage) = start(1).expect("a new node");
    let mut elsewhere = Bank::default();
    let mut refused = 0;
    for tick in 0..2 * config(1).election_ticks {
        raft.tick().expect("a tick");
        while raft.has_ready() {
            turn(&mut raft, &storage).expect("a turn of the loop");
        }
        let number = u8::try_from(tick).expect("few ticks");
        if raft.role() == Role::Leader {
            for command in [vec![number % 3, 40], vec![number % 3, (number + 1) % 3, 60]] {
                raft.propose(command).expect("the leader takes it");
            }
        }
    }
    let mut here = Bank::default();
    for bank in [&mut here, &mut elsewhere] {
        for entry in stored_entries(&storage).expect("the log") {
            if let Some(command) = entry.command() {
                refused += u32::from(bank.apply(command).is_err());
            }
        }
    }
    assert!(
        here == elsewhere && refused > 0,
        "Two nodes applied the same log and differ: {here:?} and {elsewhere:?}; {refused} \
         commands were refused. A state machine decides by the command and its state alone."
    );
}
