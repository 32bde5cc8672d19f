//! Programs that this one starts.
//!
//! The rule: they never outlive it. Each has a process group of its own, so that what it
//! started in turn (cargo's compilers, a student's threads gone wild) ends with it. Ctrl-C
//! reaches this program alone; it ends the group, then itself.

use std::io::{self, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use crate::failure::Failure;

/// How often a program that runs is asked whether it has ended.
const POLL: Duration = Duration::from_millis(5);
/// What is kept of what a program prints. More means that it has run wild.
const MOST_BYTES: u64 = 32 << 20;
/// How long a program that has ended may leave its output open in other hands.
const LAST_WORDS: Duration = Duration::from_secs(1);

static STOPPED: AtomicBool = AtomicBool::new(false);

/// From now on Ctrl-C, and the signals that ask a program to end, end what runs.
pub(crate) fn stop_on_interrupt() -> Result<(), Failure> {
    let set = ctrlc::set_handler(|| STOPPED.store(true, Ordering::Relaxed));
    set.map_err(|error| Failure::Failed(format!("cannot watch for Ctrl-C: {error}")))
}

/// Waits for `time`, unless somebody presses Ctrl-C meanwhile.
pub(crate) fn pause(time: Duration) -> Result<(), Failure> {
    let until = Instant::now() + time;
    while Instant::now() < until {
        stopped()?;
        thread::sleep(POLL.min(time));
    }
    stopped()
}

fn stopped() -> Result<(), Failure> {
    if STOPPED.load(Ordering::Relaxed) {
        return Err(Failure::Stopped);
    }
    Ok(())
}

/// How a program ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// Nothing, if its time was over.
    pub(crate) status: Option<ExitStatus>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// For how long a program may run, and what is said if that takes a while.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Patience {
    pub(crate) limit: Option<Duration>,
    pub(crate) remark: Option<(Duration, &'static str)>,
}

/// Runs a program to its end, or until its time is over.
pub(crate) fn run(command: &mut Command, patience: Patience) -> Result<Ended, Failure> {
    let name = command.get_program().to_string_lossy().into_owned();
    let failed = |error: &io::Error| Failure::Failed(format!("cannot run {name}: {error}"));
    command.stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut running = Running::start(command).map_err(|error| failed(&error))?;
    let stdout = reader(running.child.stdout.take());
    let stderr = reader(running.child.stderr.take());
    let began = Instant::now();
    let mut remark = patience.remark;
    let status = loop {
        if let Some(status) = running.child.try_wait().map_err(|error| failed(&error))? {
            running.has_ended = true;
            break Some(status);
        }
        stopped()?;
        let so_far = began.elapsed();
        if patience.limit.is_some_and(|limit| so_far >= limit) {
            running.end();
            break None;
        }
        if let Some((_, words)) = remark.take_if(|(after, _)| so_far >= *after) {
            eprintln!("{words}");
        }
        thread::sleep(POLL);
    };
    Ok(Ended {
        status,
        stdout: last_words(&stdout, &mut running),
        stderr: last_words(&stderr, &mut running),
    })
}

fn reader(from: Option<impl Read + Send + 'static>) -> Receiver<Vec<u8>> {
    let (send, received) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut from) = from {
            // A pipe that breaks has said what it had to say.
            let _ = from.by_ref().take(MOST_BYTES).read_to_end(&mut bytes);
            // What nobody keeps must be read all the same, or the program would wait for ever.
            let _ = io::copy(&mut from, &mut io::sink());
        }
        let _ = send.send(bytes);
    });
    received
}

/// What was printed. What the program started may still hold the pipe open: it ends now.
fn last_words(from: &Receiver<Vec<u8>>, running: &mut Running) -> String {
    let bytes = from.recv_timeout(LAST_WORDS).or_else(|_| {
        kill_group(running.child.id());
        from.recv_timeout(LAST_WORDS)
    });
    String::from_utf8_lossy(&bytes.unwrap_or_default()).into_owned()
}

/// A program that is ended when nobody waits for it any more.
struct Running {
    child: Child,
    has_ended: bool,
}

impl Running {
    fn start(command: &mut Command) -> io::Result<Self> {
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(command, 0);
        let child = command.spawn()?;
        Ok(Running {
            child,
            has_ended: false,
        })
    }

    fn end(&mut self) {
        if !self.has_ended {
            kill_group(self.child.id());
            // Where there are no groups. It may have ended by itself meanwhile.
            let _ = self.child.kill();
            let _ = self.child.wait();
            self.has_ended = true;
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end();
    }
}

#[cfg(unix)]
fn kill_group(leader: u32) {
    use rustix::process::{Pid, Signal, kill_process_group};
    if let Some(group) = i32::try_from(leader).ok().and_then(Pid::from_raw) {
        // The group may be gone already.
        let _ = kill_process_group(group, Signal::KILL);
    }
}

#[cfg(not(unix))]
fn kill_group(_leader: u32) {}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn shell(script: &str, limit: Duration) -> (Ended, Duration) {
        let began = Instant::now();
        let patience = Patience {
            limit: Some(limit),
            remark: None,
        };
        let ended = run(Command::new("sh").args(["-c", script]), patience).unwrap();
        (ended, began.elapsed())
    }

    #[test]
    fn what_a_program_prints_is_kept() {
        let (ended, _) = shell("echo hello; echo trouble >&2", Duration::from_secs(60));
        assert!(ended.status.unwrap().success());
        assert_eq!(
            (ended.stdout, ended.stderr),
            ("hello\n".into(), "trouble\n".into())
        );
    }

    #[test]
    fn a_program_that_takes_too_long_is_ended_with_all_that_it_started() {
        // The shell's child holds the pipe for as long as it lives.
        let (ended, took) = shell("sleep 600 & sleep 600", Duration::from_millis(50));
        assert!(ended.status.is_none());
        assert!(took < Duration::from_secs(60));
    }

    #[test]
    fn what_a_program_leaves_behind_does_not_keep_us_waiting() {
        let (ended, took) = shell("echo hello; sleep 600 &", Duration::from_secs(60));
        assert!(ended.status.unwrap().success());
        assert_eq!(ended.stdout, "hello\n");
        assert!(took < Duration::from_secs(60));
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let error = run(&mut Command::new("no-such-program"), Patience::default()).unwrap_err();
        assert!(error.to_string().contains("no-such-program"), "{error}");
    }
}
