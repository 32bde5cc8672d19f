//! Nodes in processes of their own, driven through their prompts.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::DEADLINE;

/// How often a process is asked whether it has ended, and a condition whether it holds.
const LOOK: Duration = Duration::from_millis(5);

/// How the line begins that a node prints when it has joined.
const JOINED: &str = "joined cluster ";

/// Killed when it is dropped.
pub(crate) struct Node {
    pub(crate) child: Child,
    input: Option<ChildStdin>,
    lines: Receiver<String>,
    /// All that it has said so far, for when a test fails.
    said: String,
    log: Arc<Mutex<String>>,
}

impl Node {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_ch10-separate-processes"))
            .args(arguments)
            .env("RUST_LOG", "info")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
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
        let log = Arc::new(Mutex::new(String::new()));
        let mut errors = BufReader::new(child.stderr.take().expect("a pipe"));
        let written = Arc::clone(&log);
        thread::spawn(move || {
            let mut line = String::new();
            while errors.read_line(&mut line).is_ok_and(|read| read > 0) {
                written.lock().expect("no panic").push_str(&line);
                line.clear();
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

    /// Starts a node, and gives its address too.
    pub(crate) fn listening(arguments: &[&str]) -> (Self, String) {
        let mut node = Node::start(arguments);
        let line = node.line();
        let address = line.strip_prefix("listening on ");
        let address = address.unwrap_or_else(|| node.fail(&line)).to_owned();
        (node, address)
    }

    pub(crate) fn type_line(&mut self, line: &str) {
        let input = self.input.as_mut().expect("the input is open");
        writeln!(input, "{line}").expect("it reads its input");
    }

    pub(crate) fn end_input(&mut self) {
        self.input = None;
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

    /// The answer to a command, for commands that answer with one line.
    pub(crate) fn ask(&mut self, command: &str) -> String {
        self.type_line(command);
        loop {
            let line = self.line();
            // This one comes by itself, whenever it is so.
            if !line.starts_with(JOINED) {
                return line;
            }
        }
    }

    /// Waits until it says that it has joined.
    pub(crate) fn joined(&mut self) {
        while !self.line().starts_with(JOINED) {}
    }

    pub(crate) fn status(&mut self) -> Value {
        let line = self.ask("status --json");
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

    /// Waits until it has ended by itself, and says how, and how long it took.
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

    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("it is our child").is_none()
    }

    /// What it has written to standard error so far.
    pub(crate) fn log(&self) -> String {
        self.log.lock().expect("no panic").clone()
    }

    #[cfg(unix)]
    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args([name, &id]).status();
        assert!(sent.expect("there is a kill").success());
    }

    pub(crate) fn fail(&self, why: &str) -> ! {
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

/// Runs the program to its end: its exit code, its output, its errors.
pub(crate) fn run(arguments: &[&str], input: &str) -> (Option<i32>, String, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_ch10-separate-processes"))
        .args(arguments)
        .env_remove("RUST_LOG")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    // A program that ends at once reads nothing.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    let (mut output, mut errors) = (String::new(), String::new());
    let mut pipes = (child.stdout.take(), child.stderr.take());
    if let (Some(stdout), Some(stderr)) = (&mut pipes.0, &mut pipes.1) {
        stdout.read_to_string(&mut output).expect("text");
        stderr.read_to_string(&mut errors).expect("text");
    }
    let code = child.wait().expect("it ends").code();
    (code, output, errors)
}
