//! `watch` answers each save, and Ctrl-C ends it.

use std::io::Read;
use std::process::{Child, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::tiny::{FILE, RIGHT, Tiny, WRONG};

/// Far longer than anything takes here.
const PATIENCE: Duration = Duration::from_secs(120);

/// A `watch` that is ended when the test ends.
struct Watch {
    child: Child,
    pieces: Receiver<String>,
    said: String,
}

impl Watch {
    fn start(tiny: &Tiny) -> Self {
        let mut command = tiny.command("watch 01.1");
        let mut child = command.stdout(Stdio::piped()).spawn().expect("it runs");
        let mut stdout = child.stdout.take().expect("a pipe");
        let (send, pieces) = mpsc::channel();
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(read @ 1..) = stdout.read(&mut buffer) {
                let piece = String::from_utf8_lossy(&buffer[..read]).into_owned();
                if send.send(piece).is_err() {
                    break;
                }
            }
        });
        Watch {
            child,
            pieces,
            said: String::new(),
        }
    }

    /// Waits until it says this, and forgets what it said up to there.
    fn wait_for(&mut self, words: &str) {
        let deadline = Instant::now() + PATIENCE;
        while !self.said.contains(words) {
            match self
                .pieces
                .recv_timeout(deadline.saturating_duration_since(Instant::now()))
            {
                Ok(piece) => self.said += &piece,
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    panic!("it does not say {words:?}:\n{}", self.said)
                }
            }
        }
        let end = self.said.find(words).expect("it was said") + words.len();
        self.said.drain(..end);
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        // It has ended, if all went well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn each_save_is_checked_until_ctrl_c() {
    let tiny = Tiny::new();
    let mut watch = Watch::start(&tiny);
    watch.wait_for("You have not begun");
    watch.wait_for("Watching");
    tiny.write(FILE, WRONG);
    watch.wait_for("to multiply is not to add");
    watch.wait_for("Watching");
    tiny.write(FILE, RIGHT);
    watch.wait_for("Done: 01.1");
    watch.wait_for("Watching");
    let pid = i32::try_from(watch.child.id()).expect("a process id");
    let pid = Pid::from_raw(pid).expect("a process id");
    kill_process(pid, Signal::INT).expect("it runs");
    let status = watch.child.wait().expect("it ends");
    assert_eq!(status.code(), Some(0));
}
