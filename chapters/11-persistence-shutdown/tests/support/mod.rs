//! Nodes in processes of their own, each with a data directory, driven through their prompts.
#![allow(dead_code)] // No test file needs all of it.

// What chapter 10's tests have for the same.
#[path = "../../../10-separate-processes/tests/support/cluster.rs"]
pub(crate) mod cluster;
#[path = "../../../10-separate-processes/tests/support/network.rs"]
pub(crate) mod network;
#[path = "../../../10-separate-processes/tests/support/process.rs"]
pub(crate) mod process;

pub(crate) mod clients;

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use process::Node;
use tempfile::TempDir;

/// A faster clock than the usual one.
const TICK_MS: u32 = 20;

/// This chapter's program.
pub(crate) fn program(directory: Option<&Path>, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ch11-persistence-shutdown"));
    if let Some(directory) = directory {
        command.arg("--data-dir").arg(directory);
    }
    command.args(arguments).env_remove("RUST_LOG");
    command
}

/// A place for the directories of a cluster's nodes.
pub(crate) struct Site {
    root: TempDir,
    tick_ms: u32,
}

impl Site {
    pub(crate) fn new() -> Self {
        Site::with_tick(TICK_MS)
    }

    /// Where all nodes have a clock with ticks of this length.
    pub(crate) fn with_tick(tick_ms: u32) -> Self {
        Site {
            root: tempfile::tempdir().expect("a temporary directory"),
            tick_ms,
        }
    }

    pub(crate) fn directory(&self, id: u64) -> PathBuf {
        self.root.path().join(format!("node-{id}"))
    }

    pub(crate) fn file(&self, id: u64) -> PathBuf {
        self.directory(id).join("node.raft")
    }

    /// The program, to run a node in its directory.
    pub(crate) fn command(&self, id: u64, arguments: &[&str]) -> Command {
        let mut command = program(Some(&self.directory(id)), arguments);
        command.args(["--tick-ms", &self.tick_ms.to_string()]);
        command.env("RUST_LOG", "info");
        command
    }

    /// Starts a node in its directory.
    pub(crate) fn start(&self, id: u64, arguments: &[&str]) -> Node {
        Node::start(self.command(id, arguments))
    }

    /// Starts a node again, from what it has stored alone.
    pub(crate) fn again(&self, id: u64) -> Node {
        self.start(id, &[])
    }

    /// Node 1, which founds a cluster, and its address.
    pub(crate) fn founder(&self, more: &[&str]) -> (Node, String) {
        for _ in 0..100 {
            let listen = free_address();
            let arguments = [&["--bootstrap", "--listen", &listen], more].concat();
            let mut node = self.start(1, &arguments);
            if is_listening(&mut node) {
                node.joined();
                return (node, listen);
            }
        }
        panic!("no address can be listened on");
    }

    /// A node that joins through `member`.
    pub(crate) fn joiner(&self, id: u64, member: &str, more: &[&str]) -> Node {
        let (id_text, member) = (id.to_string(), format!("1={member}"));
        for _ in 0..100 {
            let listen = free_address();
            let arguments = ["--id", &id_text, "--join", &member, "--listen", &listen];
            let arguments = [arguments.as_slice(), more].concat();
            let mut node = self.start(id, &arguments);
            if is_listening(&mut node) {
                node.joined();
                return node;
            }
        }
        panic!("no address can be listened on");
    }

    /// Three nodes that have joined, and proposed their numbers.
    pub(crate) fn three(&self, more: &[&str]) -> [Node; 3] {
        let (first, address) = self.founder(more);
        let second = self.joiner(2, &address, more);
        let third = self.joiner(3, &address, more);
        let mut nodes = [first, second, third];
        for node in &mut nodes {
            node.until_sum(14);
        }
        nodes
    }
}

/// Whether it listens; if not, somebody else has the address, and the node has ended.
fn is_listening(node: &mut Node) -> bool {
    while let Some(line) = node.next_line() {
        if line.starts_with("listening on ") {
            return true;
        }
    }
    let (status, _) = node.ended();
    if !node.log().contains("cannot listen on") {
        node.fail(&format!("it ended with {status}"));
    }
    false
}

/// An address that nobody listens on, with a port that the system gives to nobody who did not
/// ask for it: so a node that is started again there finds it free.
pub(crate) fn free_address() -> String {
    loop {
        let port: u16 = rand::random_range(10_000..32_000);
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return format!("127.0.0.1:{port}");
        }
    }
}
