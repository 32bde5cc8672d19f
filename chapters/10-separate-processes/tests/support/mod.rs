//! What the tests share: nodes, in this process and in their own, and a network that can be cut.
#![allow(dead_code, unused_imports)] // No test file needs all of it.

pub(crate) mod cluster;
pub(crate) mod network;
pub(crate) mod process;

use std::process::Command;

pub(crate) use cluster::{Cluster, assert_applied, join, settings};
pub(crate) use process::{DEADLINE, Node};

/// This chapter's program.
pub(crate) fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ch10-separate-processes"));
    command.args(arguments).env_remove("RUST_LOG");
    command
}

/// A node of this chapter's program that listens, and its address.
pub(crate) fn listening(arguments: &[&str]) -> (Node, String) {
    let mut command = program(arguments);
    command.env("RUST_LOG", "info");
    let mut node = Node::start(command);
    let address = node.address();
    (node, address)
}
