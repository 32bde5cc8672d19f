//! Nodes in processes of their own, each with a data directory, driven through their prompts.
#![allow(dead_code)] // No test file needs all of it.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// No test waits longer than this for anything. Far more than is needed, so that a busy
/// machine is no failure.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

/// How often a condition is looked at.
const LOOK: Duration = Duration::from_millis(5);

/// A faster clock than the usual one.
const TICK_MS: &str = "20";

/// Killed when it is dropped.
pub(crate) struct Node {
    pub(crate) child: Child,
    pub(crate) input: Option<ChildStdin>,
    pub(crate) lines: Receiver<String>,
    /// All that it has said so far, for when a test fails.
    said: String,
    log: PathBuf,
}

impl Node {
    /// Starts a node in `directory`; what it logs goes into a file beside that.
    pub(crate) fn start(directory: &Path, arguments: &[&str]) -> Self {
        let log = directory.with_extension("log");
        let errors = OpenOptions::new().append(true).create(true).open(&log);
        let mut child = Command::new(env!("CARGO_BIN_EXE_ch11-persistence-shutdown"))
            .args([OsStr::new("--data-dir"), directory.as_os_str()])
            .args(["--tick-ms", TICK_MS])
            .args(arguments)
            .env("RUST_LOG", "info")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(errors.expect("the log can be written"))
            .spawn()
            .expect("it starts");
        let output = BufReader::new(child.stdout.take().expect("a pipe"));
        let (sender, lines) = channel();
        thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Node {
            input: child.stdin.take(),
            child,
            lines,
            said: String::new(),
            log,
        }
    }

    pub(crate) fn type_line(&mut self, line: &str) {
        let input = self.input.as_mut().expect("the input is open");
        writeln!(input, "{line}").expect("it reads its input");
    }

    /// The next line of its output.
    pub(crate) fn line(&mut self) -> String {
        match self.lines.recv_timeout(DEADLINE) {
            Ok(line) => {
                let _ = writeln!(self.said, "{line}");
                line
            }
            Err(_) => self.fail("no further line"),
        }
    }

    /// The rest of the next line that begins so; lines before it are skipped.
    pub(crate) fn rest_of_line(&mut self, beginning: &str) -> String {
        loop {
            if let Some(rest) = self.line().strip_prefix(beginning) {
                return rest.to_owned();
            }
        }
    }

    /// Waits until it listens, and says where.
    pub(crate) fn address(&mut self) -> String {
        self.rest_of_line("listening on ")
    }

    /// Waits until it is a member.
    pub(crate) fn joined(&mut self) {
        self.rest_of_line("joined cluster ");
    }

    /// The answer to `p NUMBER`.
    pub(crate) fn propose(&mut self, number: u64) -> String {
        self.type_line(&format!("p {number}"));
        self.rest_of_line(&format!("propose {number}: "))
    }

    pub(crate) fn add(&mut self, number: u64) {
        let answer = self.propose(number);
        if !answer.starts_with("applied at index ") {
            self.fail(&answer);
        }
    }

    pub(crate) fn status(&mut self) -> Value {
        self.type_line("status --json");
        let line = format!("{{{}", self.rest_of_line("{"));
        serde_json::from_str(&line).unwrap_or_else(|error| self.fail(&error.to_string()))
    }

    /// Asks until the status is as it should be.
    pub(crate) fn until(&mut self, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + DEADLINE;
        loop {
            let status = self.status();
            if holds(&status) {
                return status;
            }
            if Instant::now() > deadline {
                self.fail(&format!("{what}: not so, but {status}"));
            }
            thread::sleep(LOOK);
        }
    }

    pub(crate) fn until_sum(&mut self, sum: u64) -> Value {
        self.until(&format!("the sum is {sum}"), |status| status["sum"] == sum)
    }

    /// Waits until it has ended by itself, and says how, and how long that took.
    pub(crate) fn ended(&mut self) -> (ExitStatus, Duration) {
        let began = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("it is our child") {
                return (status, began.elapsed());
            }
            if began.elapsed() > DEADLINE {
                self.fail("it does not end");
            }
            thread::sleep(LOOK);
        }
    }

    /// Types something that ends it, and waits until it has, with exit code 0.
    pub(crate) fn end_with(&mut self, command: &str) {
        self.type_line(command);
        let (status, _) = self.ended();
        if !status.success() {
            self.fail(&format!("it ended with {status}"));
        }
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self) {
        if let Some(status) = self.child.try_wait().expect("it is our child") {
            self.fail(&format!("it has ended by itself, with {status}"));
        }
        self.child.kill().expect("it runs");
        self.child.wait().expect("it ends");
    }

    #[cfg(unix)]
    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args([name, &id]).status();
        assert!(sent.expect("there is a kill").success());
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    pub(crate) fn fail(&mut self, why: &str) -> ! {
        while let Ok(line) = self.lines.try_recv() {
            let _ = writeln!(self.said, "{line}");
        }
        let log = self.log();
        panic!("{why}\n\nit has said:\n{}\nand logged:\n{log}", self.said)
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A place for the directories of a cluster's nodes.
pub(crate) struct Site {
    root: TempDir,
}

impl Site {
    pub(crate) fn new() -> Self {
        Site {
            root: tempfile::tempdir().expect("a temporary directory"),
        }
    }

    pub(crate) fn directory(&self, id: u64) -> PathBuf {
        self.root.path().join(format!("node-{id}"))
    }

    pub(crate) fn file(&self, id: u64) -> PathBuf {
        self.directory(id).join("node.raft")
    }

    /// Starts a node again, from what it has stored alone.
    pub(crate) fn again(&self, id: u64) -> Node {
        Node::start(&self.directory(id), &[])
    }

    /// Node 1, which founds a cluster, and its address.
    pub(crate) fn founder(&self, more: &[&str]) -> (Node, String) {
        for _ in 0..100 {
            let listen = free_address();
            let arguments = [&["--bootstrap", "--listen", &listen], more].concat();
            let mut node = Node::start(&self.directory(1), &arguments);
            if node.is_listening() {
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
            let mut node = Node::start(&self.directory(id), &arguments);
            if node.is_listening() {
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

impl Node {
    /// Whether it listens; if not, somebody else has the address, and the node ends.
    fn is_listening(&mut self) -> bool {
        loop {
            match self.lines.recv_timeout(DEADLINE) {
                Ok(line) if line.starts_with("listening on ") => return true,
                Ok(_) => {}
                Err(_) => {
                    let (status, _) = self.ended();
                    if self.log().contains("cannot listen on") {
                        return false;
                    }
                    self.fail(&format!("it ended with {status}"));
                }
            }
        }
    }
}

/// An address that nobody listens on, with a port that the system gives to nobody who did not
/// ask for it: so a node that is started again there finds it free.
fn free_address() -> String {
    loop {
        let port: u16 = rand::random_range(10_000..32_000);
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return format!("127.0.0.1:{port}");
        }
    }
}
