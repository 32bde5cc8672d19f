//! A program that runs one node: its log, its prompt, and how it ends.
//!
//! The rules it keeps: standard output is for whoever uses the node, standard error for
//! whoever looks after it. Exit codes: 0 when the node ended because it was told to, 1 when it
//! could not go on. Whatever hangs, Ctrl-C and SIGTERM end it within a second.

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tracing_subscriber::EnvFilter;

use crate::disk::Disk;
use crate::machine::StateMachine;
use crate::prompt::{Ending, PROMPT, Prompt};
use crate::server::{Server, Settings};

/// What is logged when `RUST_LOG` says nothing.
const DEFAULT_LOG: &str = "warn";

/// Told to end, the node has so long to do it in good order. Then it ends anyway.
const GRACE: Duration = Duration::from_millis(700);

/// The exit code of a program that ends so; an error is told.
pub fn end(result: Result<(), String>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            let _ = writeln!(io::stderr(), "error: {why}");
            ExitCode::FAILURE
        }
    }
}

/// What the end of the input means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputEnd {
    /// The same as `quit`: at a terminal somebody pressed Ctrl-D.
    Quits,
    /// The same as `stop`.
    Stops,
    /// Nothing: a service has no input from the start.
    MeansNothing,
}

/// In what programs that run a node differ.
pub struct Habits<S, Q> {
    /// What `help` prints.
    pub help: &'static str,
    /// What the end of the input means.
    pub input_end: InputEnd,
    /// What is done once the node listens, before it says where.
    pub started: S,
    /// What `quit` does with the node before it ends. An error is told, and the node goes on.
    /// Ctrl-C and SIGTERM wait for none of it.
    pub before_quitting: Q,
}

/// Runs one node with its prompt, until it is told to end or fails.
pub fn run_node<D, M>(
    settings: Settings,
    disk: D,
    habits: Habits<
        impl Fn(&Server) -> Result<(), String>,
        impl AsyncFn(&Server) -> Result<(), String>,
    >,
) -> ExitCode
where
    D: Disk,
    M: StateMachine,
{
    if let Err(why) = log_to_stderr() {
        let _ = writeln!(io::stderr(), "error: {why}");
        return ExitCode::from(2);
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return end(Err(format!("cannot start the runtime: {error}"))),
    };
    let told_to_end = match listen_for_signals() {
        Ok(signals) => signals,
        Err(error) => return end(Err(format!("cannot listen for signals: {error}"))),
    };
    let result = runtime.block_on(serve::<D, M>(settings, disk, habits, told_to_end));
    // The process ends now. The prompt's thread may still wait for an answer on this runtime,
    // and must not find it gone.
    std::mem::forget(runtime);
    end(result)
}

/// # Errors
/// `RUST_LOG` cannot be understood.
fn log_to_stderr() -> Result<(), String> {
    let filter = match std::env::var("RUST_LOG") {
        Ok(wanted) => EnvFilter::try_new(&wanted)
            .map_err(|error| format!("RUST_LOG={wanted} cannot be understood: {error}"))?,
        Err(_) => EnvFilter::new(DEFAULT_LOG),
    };
    // Fails if a log is set up already, as it is in tests; that one will do.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(false)
        .try_init();
    Ok(())
}

/// Ctrl-C and SIGTERM, heard by a thread that does nothing else: whatever hangs, they end the
/// process in time. From the moment this returns they are heard.
// ANCHOR: signals
fn listen_for_signals() -> io::Result<watch::Receiver<bool>> {
    let (told, told_to_end) = watch::channel(false);
    let (listening, is_listening) = std::sync::mpsc::channel();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()?;
    let listen = async move {
        let mut signals = match Signals::listen() {
            Ok(signals) => signals,
            Err(error) => return listening.send(Err(error)).is_ok(),
        };
        let _ = listening.send(Ok(()));
        signals.next().await;
        told.send_replace(true);
        true
    };
    let run = move || {
        runtime.block_on(listen);
        thread::sleep(GRACE);
        std::process::exit(1);
    };
    thread::Builder::new()
        .name("signals".to_owned())
        .spawn(run)?;
    let heard = is_listening.recv();
    heard.unwrap_or_else(|_| Err(io::Error::other("the thread for signals ended")))?;
    Ok(told_to_end)
}
// ANCHOR_END: signals

#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Signals {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// Elsewhere there is only Ctrl-C.
#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    #[allow(clippy::unnecessary_wraps)] // The same shape everywhere.
    fn listen() -> io::Result<Self> {
        Ok(Signals)
    }

    async fn next(&mut self) {
        if let Err(error) = tokio::signal::ctrl_c().await {
            tracing::error!("Ctrl-C cannot be heard: {error}");
            std::future::pending::<()>().await;
        }
    }
}

async fn serve<D, M>(
    settings: Settings,
    disk: D,
    habits: Habits<
        impl Fn(&Server) -> Result<(), String>,
        impl AsyncFn(&Server) -> Result<(), String>,
    >,
    mut told_to_end: watch::Receiver<bool>,
) -> Result<(), String>
where
    D: Disk,
    M: StateMachine,
{
    let mut server = Server::start::<D, M>(settings, disk)
        .await
        .map_err(|error| error.to_string())?;
    (habits.started)(&server)?;
    say(&format!("listening on {}", server.bound()));
    let mut greeted = server.greeted();
    let (ready, is_ready) = watch::channel(false);
    let handle = server.handle().clone();
    let is_waiting = Arc::new(AtomicBool::new(false));
    let start_prompt = || {
        let prompt = Prompt {
            handle: handle.clone(),
            ready: is_ready.clone(),
            runtime: tokio::runtime::Handle::current(),
            shows_prompt: io::stdin().is_terminal(),
            is_waiting: Arc::clone(&is_waiting),
            help: habits.help,
        };
        start_prompt(prompt, habits.input_end)
    };
    let mut endings = start_prompt();
    let mut told_meanwhile = told_to_end.clone();
    let result = loop {
        tokio::select! {
            _ = told_to_end.wait_for(|told| *told) => break Ok(()),
            error = server.failed() => break Err(error.to_string()),
            Ok(_) = greeted.wait_for(|greeted| *greeted), if !*ready.borrow() => {
                if let Some(cluster) = server.cluster() {
                    let line = format!("joined cluster {cluster}");
                    if is_waiting.load(Ordering::Relaxed) {
                        // In the place of the prompt, and then the prompt again.
                        say_and_stay(&format!("\r{line}\n{PROMPT}"));
                    } else {
                        say(&line);
                    }
                }
                // Only now are proposals answered, so this line always comes before theirs.
                ready.send_replace(true);
            }
            Some(ending) = endings.recv() => match ending {
                Ending::NoMoreInput | Ending::NodeStopped => {}
                Ending::Stop => break Ok(()),
                Ending::Quit => {
                    let quitting = tokio::select! {
                        quitting = (habits.before_quitting)(&server) => quitting,
                        _ = told_meanwhile.wait_for(|told| *told) => break Ok(()),
                    };
                    match quitting {
                        Ok(()) => break Ok(()),
                        // The node goes on, and so does its prompt.
                        Err(why) => say(&format!("error: {why}")),
                    }
                    endings = start_prompt();
                }
            },
        }
    };
    server.stop().await;
    if is_waiting.load(Ordering::Relaxed) {
        // Nobody has ended the line on which the prompt stands.
        say("");
    }
    result
}

/// Tells whoever uses the node. One that went away has no more questions; the node goes on.
fn say(line: &str) {
    say_and_stay(&format!("{line}\n"));
}

/// The same, and what comes next stands on the same line.
fn say_and_stay(text: &str) {
    let mut output = io::stdout().lock();
    let _ = write!(output, "{text}").and_then(|()| output.flush());
}

/// Runs the prompt in a thread of its own: reading a terminal blocks, and so does writing into
/// a pipe that nobody reads.
fn start_prompt(prompt: Prompt, input_end: InputEnd) -> mpsc::Receiver<Ending> {
    let (told, endings) = mpsc::channel(1);
    let run = move || {
        let ending = prompt.run(io::stdin().lock(), io::stdout());
        let ending = match ending.unwrap_or(Ending::NoMoreInput) {
            Ending::NoMoreInput => match input_end {
                InputEnd::Quits => Ending::Quit,
                InputEnd::Stops => Ending::Stop,
                InputEnd::MeansNothing => Ending::NoMoreInput,
            },
            ending => ending,
        };
        let _ = told.blocking_send(ending);
    };
    // Without a thread there is no prompt; the node does its work all the same.
    if let Err(error) = thread::Builder::new().name("prompt".to_owned()).spawn(run) {
        tracing::error!("no prompt: {error}");
    }
    endings
}
