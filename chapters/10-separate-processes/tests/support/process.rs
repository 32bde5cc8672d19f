//! Nodes in processes of their own, driven through their prompts. Chapter 11 drives its own
//! program with the same.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde_json::Value;

/// No test waits longer than this for anything. Far more than is needed, so that a busy
/// machine is no failure.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

/// How often a condition is looked at.
const LOOK: Duration = Duration::from_millis(5);

/// How the line begins that a node prints when it has joined.
const JOINED: &str = "joined cluster ";

/// Killed when it is dropped.
pub(crate) struct Node {
    pub(crate) child: Child,
    pub(crate) input: Option<ChildStdin>,
    pub(crate) lines: Receiver<String>,
    /// All that it has said so far, for when a test fails.
    said: String,
    /// What it has logged so far.
    log: Arc<Mutex<String>>,
    /// Reads the log, until there is no more.
    logger: Option<JoinHandle<()>>,
}

impl Node {
    /// Starts a program that runs a node.
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command
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
        let logger = thread::spawn(move || {
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
            logger: Some(logger),
        }
    }

    pub(crate) fn type_line(&mut self, line: &str) {
        let input = self.input.as_mut().expect("the input is open");
        writeln!(input, "{line}").expect("it reads its input");
    }

    pub(crate) fn end_input(&mut self) {
        self.input = None;
    }

    /// The next line of its output; nothing once it has ended.
    pub(crate) fn next_line(&mut self) -> Option<String> {
        match self.lines.recv_timeout(DEADLINE) {
            Ok(line) => {
                let _ = writeln!(self.said, "{line}");
                Some(line)
            }
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => self.fail("no further line"),
        }
    }

    /// The next line of its output.
    pub(crate) fn line(&mut self) -> String {
        self.next_line()
            .unwrap_or_else(|| self.fail("it has ended"))
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

    /// Waits until it says that it has joined.
    pub(crate) fn joined(&mut self) {
        self.rest_of_line(JOINED);
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

    /// The answer to `p NUMBER`.
    pub(crate) fn propose(&mut self, number: u64) -> String {
        self.type_line(&format!("p {number}"));
        self.rest_of_line(&format!("propose {number}: "))
    }

    /// Proposes a number, which is applied.
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

    /// Waits until it has logged this.
    pub(crate) fn until_logged(&mut self, what: &str) {
        let deadline = Instant::now() + DEADLINE;
        while !self.log().contains(what) {
            if Instant::now() > deadline {
                self.fail(&format!("not logged: {what}"));
            }
            thread::sleep(LOOK);
        }
    }

    /// Waits until it has ended by itself, and says how, and how long that took. What it has
    /// said and not been asked for is in [`said`](Node::said) then, and its log is complete.
    pub(crate) fn ended(&mut self) -> (ExitStatus, Duration) {
        let began = Instant::now();
        // Its output ends when the process does, and so these two waits are short.
        while self.next_line().is_some() {
            if began.elapsed() > DEADLINE {
                self.fail("it goes on talking");
            }
        }
        let status = self.child.wait().expect("it is our child");
        let took = began.elapsed();
        self.end_log();
        (status, took)
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
        self.end_log();
    }

    #[cfg(unix)]
    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args([name, &id]).status();
        assert!(sent.expect("there is a kill").success());
    }

    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("it is our child").is_none()
    }

    /// What it has written to standard output so far, as far as it was read.
    pub(crate) fn said(&self) -> &str {
        &self.said
    }

    /// What it has written to standard error so far.
    pub(crate) fn log(&self) -> String {
        self.log.lock().expect("no panic").clone()
    }

    fn end_log(&mut self) {
        if let Some(logger) = self.logger.take() {
            logger.join().expect("no panic");
        }
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

/// Runs a program to its end: its exit code, its output, its errors.
pub(crate) fn run(command: Command, input: &str) -> (Option<i32>, String, String) {
    let mut node = Node::start(command);
    if let Some(mut typed) = node.input.take() {
        // A program that ends at once reads nothing.
        let _ = typed.write_all(input.as_bytes());
    }
    let (status, _) = node.ended();
    (status.code(), node.said().to_owned(), node.log())
}

/// What a second is on a machine that is busy now. How busy it is is measured: to end takes
/// fewer wake-ups than to start a process that prints its help.
pub(crate) fn a_second(help: Command) -> Duration {
    let began = Instant::now();
    run(help, "");
    Duration::from_secs(1) + 10 * began.elapsed()
}
