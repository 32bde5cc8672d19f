//! Running a command and keeping what it prints.
//!
//! The program runs in the root of the workspace without a terminal and without
//! colours, so that it prints the same everywhere. Nothing else is taken from its
//! output than colours and the white space at the ends of lines.

use std::collections::HashMap;
use std::fmt;
use std::io::{self, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{LazyLock, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use regex::Regex;

use super::command::CargoCommand;
use crate::finding::Problem;
use crate::workspace::{self, Workspace};

/// Nobody reads more than this on a page; a program that prints more has run wild.
const MAX_BYTES: u64 = 1 << 20;
/// How often a child that has closed its output is asked whether it has ended.
const POLL: Duration = Duration::from_millis(10);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    Exit(i32),
    /// By a signal.
    Killed,
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exit(code) => write!(f, "ended with exit code {code}"),
            Self::Killed => write!(f, "was killed by a signal"),
        }
    }
}

/// What a command printed and how it ended.
#[derive(Debug, Clone)]
pub(crate) struct Printed {
    pub(crate) lines: Vec<String>,
    pub(crate) ending: Ending,
    /// What went to standard error, if it is not among the lines.
    pub(crate) log: String,
}

/// Runs each distinct command once.
pub(crate) struct Runner<'a> {
    workspace: &'a Workspace,
    time_limit: Duration,
    done: HashMap<(CargoCommand, bool), Result<Printed, Problem>>,
}

impl<'a> Runner<'a> {
    pub(crate) fn new(workspace: &'a Workspace, time_limit: Duration) -> Self {
        Self {
            workspace,
            time_limit,
            done: HashMap::new(),
        }
    }

    pub(crate) fn run(&mut self, command: &CargoCommand, stderr: bool) -> Result<Printed, Problem> {
        let key = (command.clone(), stderr);
        if let Some(result) = self.done.get(&key) {
            return result.clone();
        }
        let result = self.build_and_run(command, stderr);
        self.done.insert(key, result.clone());
        result
    }

    fn build_and_run(&self, command: &CargoCommand, stderr: bool) -> Result<Printed, Problem> {
        let arguments = command.run_arguments();
        eprintln!(
            "running cargo {}",
            shlex::try_join(arguments.iter().map(String::as_str)).unwrap_or_default()
        );
        let build = self.cargo(&command.build_arguments()).output();
        let build = build.map_err(cannot_run)?;
        if !build.status.success() {
            let log = String::from_utf8_lossy(&build.stderr);
            return Err(Problem::new(
                format!("the program does not compile{}", last_lines(&log)),
                "mend the program",
            ));
        }
        self.run_to_end(self.cargo(&arguments), stderr)
    }

    fn cargo(&self, arguments: &[String]) -> Command {
        let mut command = workspace::cargo();
        command
            .args(arguments)
            .current_dir(&self.workspace.root)
            .stdin(Stdio::null())
            .env("TERM", "dumb")
            .env("NO_COLOR", "1")
            .env("CARGO_TERM_COLOR", "never")
            .env("RUST_BACKTRACE", "0")
            // Tests print in the order of their names, not in the order they end.
            .env("RUST_TEST_THREADS", "1");
        for (name, _) in std::env::vars_os() {
            if describes_this_tool(&name.to_string_lossy()) {
                command.env_remove(name);
            }
        }
        command
    }

    fn run_to_end(&self, mut command: Command, merge: bool) -> Result<Printed, Problem> {
        let (reader, writer) = io::pipe().map_err(cannot_run)?;
        let log_reader = if merge {
            command.stderr(writer.try_clone().map_err(cannot_run)?);
            None
        } else {
            let (log_reader, log_writer) = io::pipe().map_err(cannot_run)?;
            command.stderr(log_writer);
            Some(log_reader)
        };
        command.stdout(writer);
        let deadline = Instant::now() + self.time_limit;
        let mut child = RunningChild::start(&mut command).map_err(cannot_run)?;
        // The command keeps the pipes' writing ends, and the readers wait for them.
        drop(command);
        let output = read_in_background(reader);
        let log = log_reader.map(read_in_background);

        let output = self.receive(&output, deadline, &mut child)?;
        let log = match log {
            Some(log) => self.receive(&log, deadline, &mut child)?,
            None => String::new(),
        };
        let status = self.wait(deadline, &mut child)?;
        Ok(Printed {
            lines: clean(&output),
            ending: status.code().map_or(Ending::Killed, Ending::Exit),
            log,
        })
    }

    fn receive(
        &self,
        from: &mpsc::Receiver<io::Result<Vec<u8>>>,
        deadline: Instant,
        child: &mut RunningChild,
    ) -> Result<String, Problem> {
        let left = deadline.saturating_duration_since(Instant::now());
        let bytes = match from.recv_timeout(left) {
            Ok(read) => read.map_err(cannot_run)?,
            Err(RecvTimeoutError::Timeout) => return Err(self.too_slow(child)),
            Err(RecvTimeoutError::Disconnected) => {
                return Err(cannot_run(io::Error::other("its output was lost")));
            }
        };
        if bytes.len() as u64 >= MAX_BYTES {
            child.kill();
            return Err(Problem::new(
                format!("the program prints more than {MAX_BYTES} bytes"),
                "show a run that prints less",
            ));
        }
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    fn wait(&self, deadline: Instant, child: &mut RunningChild) -> Result<ExitStatus, Problem> {
        loop {
            if let Some(status) = child.child.try_wait().map_err(cannot_run)? {
                return Ok(status);
            }
            if Instant::now() >= deadline {
                return Err(self.too_slow(child));
            }
            thread::sleep(POLL);
        }
    }

    fn too_slow(&self, child: &mut RunningChild) -> Problem {
        child.kill();
        Problem::new(
            format!(
                "the program did not end within {} seconds",
                self.time_limit.as_secs()
            ),
            "show a run that ends by itself",
        )
    }
}

/// The process group of the program that runs now.
static RUNNING: Mutex<Option<u32>> = Mutex::new(None);

/// A program in a process group of its own. `cargo test` starts further programs;
/// only with a group can all of them be ended.
struct RunningChild {
    child: Child,
}

impl RunningChild {
    fn start(command: &mut Command) -> io::Result<Self> {
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(command, 0);
        let child = command.spawn()?;
        *RUNNING.lock().unwrap_or_else(PoisonError::into_inner) = Some(child.id());
        Ok(Self { child })
    }

    fn kill(&mut self) {
        kill_group(self.child.id());
        // It may have ended by itself meanwhile; then there is nothing to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for RunningChild {
    fn drop(&mut self) {
        *RUNNING.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

#[cfg(unix)]
fn kill_group(leader: u32) {
    use rustix::process::{Pid, Signal, kill_process_group};
    if let Some(pid) = i32::try_from(leader).ok().and_then(Pid::from_raw) {
        // The group may be gone already.
        let _ = kill_process_group(pid, Signal::KILL);
    }
}

#[cfg(not(unix))]
fn kill_group(_leader: u32) {}

/// Ends the running program together with this tool on Ctrl-C, which the terminal
/// sends to our process group only.
pub(crate) fn stop_on_interrupt() -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()?;
    thread::spawn(move || {
        if runtime.block_on(tokio::signal::ctrl_c()).is_ok() {
            let running = *RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(leader) = running {
                kill_group(leader);
            }
            std::process::exit(130);
        }
    });
    Ok(())
}

fn read_in_background(reader: impl Read + Send + 'static) -> mpsc::Receiver<io::Result<Vec<u8>>> {
    let (send, receive) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let read = reader.take(MAX_BYTES).read_to_end(&mut bytes);
        // Nobody listens any more when the time was up.
        let _ = send.send(read.map(|_| bytes));
    });
    receive
}

/// Variables that cargo sets for the program it runs. They tell of this tool and
/// would mislead the next one.
fn describes_this_tool(name: &str) -> bool {
    [
        "CARGO_PKG_",
        "CARGO_MANIFEST_",
        "CARGO_BIN_",
        "CARGO_CRATE_",
    ]
    .iter()
    .any(|prefix| name.starts_with(prefix))
}

fn clean(output: &str) -> Vec<String> {
    static COLOUR: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"\x1b\[[0-9;?]*[A-Za-z]").expect("a constant pattern"));
    let plain = COLOUR.replace_all(output, "");
    plain
        .trim_end()
        .lines()
        .map(|line| line.trim_end().to_string())
        .collect()
}

/// The end of a log, as further lines of a message.
pub(crate) fn last_lines(log: &str) -> String {
    const SHOWN: usize = 12;
    let lines = clean(log);
    let from = lines.len().saturating_sub(SHOWN);
    lines[from..].iter().fold(String::new(), |mut text, line| {
        text.push('\n');
        text.push_str(line);
        text
    })
}

#[allow(clippy::needless_pass_by_value)] // the shape that `map_err` asks for
fn cannot_run(error: io::Error) -> Problem {
    Problem::new(
        format!("the command cannot be run: {error}"),
        "see that cargo is installed",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_and_trailing_spaces_go_and_all_else_stays() {
        assert_eq!(
            clean("\n  \x1b[1;32mok\x1b[0m  \n\nend\t\n\n"),
            ["", "  ok", "", "end"]
        );
    }
}
