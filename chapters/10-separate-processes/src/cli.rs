//! The command line, and the program behind it.
//!
//! The rules it keeps: standard output is for whoever uses the node, standard error for
//! whoever looks after it. Exit codes: 0 when the node ended because it was told to, 1 when it
//! could not go on, 2 when the command line is wrong.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;
use std::str::FromStr;
use std::thread;
use std::time::Duration;

use clap::error::ErrorKind;
use clap::{Args, CommandFactory, Parser};
use raft_kernel::{MemoryStorage, NodeId};
use tokio::sync::{mpsc, watch};
use tracing_subscriber::EnvFilter;

use crate::address::Address;
use crate::disk::Disk;
use crate::identity::{MAX_ID, MIN_ID};
use crate::machine::{StateMachine, Sum};
use crate::prompt::{Ending, HELP, Prompt};
use crate::request::Handle;
use crate::server::{Server, ServerError, Settings, Startup};
use crate::{bench, demo};

/// What is logged when `RUST_LOG` says nothing.
const DEFAULT_LOG: &str = "warn";

/// Told to end, the node has so long to do it in good order. Then it ends anyway.
const GRACE: Duration = Duration::from_millis(700);

/// One node of a cluster that keeps a sum.
///
/// The first node founds the cluster, the others join it:
///
///   ch10-separate-processes --id 1 --listen 127.0.0.1:4001 --bootstrap
///   ch10-separate-processes --id 2 --listen 127.0.0.1:4002 --join 1=127.0.0.1:4001
///
/// Each node proposes 1 << ID when it has joined. Type `help` at its prompt for what it can
/// do. Commands may come from a pipe, too: they are answered in their order, and the node goes
/// on after the last one, until `quit`, Ctrl-C or SIGTERM ends it. So it runs as a service
/// with `< /dev/null`. At a terminal, Ctrl-D is `quit`; in a pipe, give --quit-at-end for that.
///
/// Everything is in memory: a node that has ended has forgotten all, and cannot come back
/// under its old id.
///
/// `RUST_LOG` chooses what is logged to standard error: error, warn (unless told otherwise),
/// info, debug, or one of these for each part, as in `info,raft=debug`.
#[derive(Debug, Parser)]
#[command(name = "ch10-separate-processes", verbatim_doc_comment)]
struct Cli {
    #[command(flatten)]
    node: NodeOptions,

    /// End when the input ends, as if `quit` stood there
    #[arg(long)]
    quit_at_end: bool,

    /// Start three nodes on this machine, type some commands at their prompts, and end
    #[arg(long, exclusive = true)]
    demo: bool,

    /// Start three nodes on this machine, measure N proposals with 1, 16 and 256 in flight on
    /// the leader and on a follower, and end
    #[arg(long, value_name = "N", exclusive = true,
          value_parser = clap::value_parser!(u64).range(1..=bench::MOST_PROPOSALS))]
    bench: Option<u64>,
}

/// What every node of this program wants to know. To be flattened into the options of a
/// program that knows more.
// ANCHOR: options
#[derive(Args, Clone, Debug)]
pub struct NodeOptions {
    /// This node's number, from 1 to 62, never used by another node of the cluster
    #[arg(long, value_name = "N", required_unless_present_any = ["bench", "demo"],
          value_parser = clap::value_parser!(u64).range(MIN_ID..=MAX_ID))]
    pub id: Option<NodeId>,

    /// Where to listen for the other nodes; port 0 takes any free one
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:0")]
    pub listen: Address,

    /// Where the other nodes reach this one, if that is not where it listens
    #[arg(long, value_name = "HOST:PORT")]
    pub advertise: Option<Address>,

    /// Found a new cluster, with this node as its only member
    #[arg(long, conflicts_with = "join")]
    pub bootstrap: bool,

    /// Join a cluster by asking this member; give several, and the next is asked when one
    /// does not answer
    #[arg(long, value_name = "ID=HOST:PORT")]
    pub join: Vec<Member>,
}
// ANCHOR_END: options

/// A member of the cluster, as it is given to `--join`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its number.
    pub id: NodeId,
    /// Where it listens.
    pub address: Address,
}

impl FromStr for Member {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (id, address) = text
            .split_once('=')
            .ok_or("a member is ID=HOST:PORT, for example 1=127.0.0.1:4001")?;
        let id = id
            .parse()
            .ok()
            .filter(|id| (MIN_ID..=MAX_ID).contains(id))
            .ok_or_else(|| format!("`{id}` is no id from {MIN_ID} to {MAX_ID}"))?;
        let address: Address = address.parse().map_err(|error| format!("{error}"))?;
        if address.port() == 0 {
            return Err("nobody can be reached at port 0".to_owned());
        }
        Ok(Member { id, address })
    }
}

/// What is wrong with options that are each right by themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageError {
    kind: ErrorKind,
    why: String,
}

impl UsageError {
    /// A mistake of this kind.
    pub fn new(kind: ErrorKind, why: impl Into<String>) -> Self {
        let why = why.into();
        UsageError { kind, why }
    }

    /// Prints it as clap prints its own, with the usage of `C`.
    pub fn exit_code<C: CommandFactory>(self) -> ExitCode {
        report(&C::command().error(self.kind, self.why))
    }
}

impl NodeOptions {
    /// How the node is to begin, if it begins anew.
    pub fn startup(&self) -> Result<Startup, UsageError> {
        if self.bootstrap {
            return Ok(Startup::Bootstrap);
        }
        if self.join.is_empty() {
            return Err(UsageError::new(
                ErrorKind::MissingRequiredArgument,
                "how is this node to find its cluster? Give --bootstrap to found a new one, or \
                 --join ID=HOST:PORT to join one",
            ));
        }
        let mut seeds = BTreeMap::new();
        for member in &self.join {
            if Some(member.id) == self.id {
                let why = format!(
                    "--join {}={} names this node itself; name a member of the cluster",
                    member.id, member.address
                );
                return Err(UsageError::new(ErrorKind::ArgumentConflict, why));
            }
            let before = seeds.insert(member.id, member.address.clone());
            if before.is_some_and(|before| before != member.address) {
                let why = format!("--join gives two addresses for node {}", member.id);
                return Err(UsageError::new(ErrorKind::ArgumentConflict, why));
            }
        }
        Ok(Startup::Join(seeds))
    }

    /// Whether others can reach the node.
    pub fn check_addresses(&self) -> Result<(), UsageError> {
        let wrong = |why| Err(UsageError::new(ErrorKind::InvalidValue, why));
        match &self.advertise {
            Some(address) if address.port() == 0 || address.is_every_interface() => {
                wrong(format!("nobody can reach --advertise {address}"))
            }
            None if self.listen.is_every_interface() => {
                wrong(ServerError::Unreachable(self.listen.clone()).to_string())
            }
            _ => Ok(()),
        }
    }

    /// The settings of a node that begins so.
    pub fn settings(&self, startup: Startup) -> Result<Settings, UsageError> {
        let Some(id) = self.id else {
            return Err(UsageError::new(
                ErrorKind::InvalidValue,
                "--id N is missing",
            ));
        };
        self.check_addresses()?;
        Ok(Settings {
            advertise: self.advertise.clone(),
            ..Settings::new(id, self.listen.clone(), startup)
        })
    }
}

/// The whole of the program.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => return report(&error),
    };
    if cli.demo {
        return end(demo::tell(&mut io::stdout()).map_err(|error| error.to_string()));
    }
    if let Some(count) = cli.bench {
        return end(bench::run(count, &mut io::stdout()).map_err(|error| error.to_string()));
    }
    let input_end = if cli.quit_at_end || io::stdin().is_terminal() {
        InputEnd::Quits
    } else {
        InputEnd::MeansNothing
    };
    let startup = cli.node.startup();
    match startup.and_then(|startup| cli.node.settings(startup)) {
        Err(wrong) => wrong.exit_code::<Cli>(),
        Ok(settings) => {
            let habits = Habits {
                help: HELP,
                input_end,
                started: |_: &Server| Ok(()),
                // What is in memory only ends with the process: there is nothing to do before.
                before_quitting: async |_: &Server| Ok(()),
            };
            run_node::<_, Sum>(settings, MemoryStorage::new(), habits)
        }
    }
}

/// Prints what clap has to say.
pub fn report(error: &clap::Error) -> ExitCode {
    // Help goes to standard output with exit code 0, mistakes to standard error with 2.
    let _ = error.print();
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
}

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
    let start_prompt = || {
        let (handle, ready) = (handle.clone(), is_ready.clone());
        start_prompt(handle, ready, habits.input_end, habits.help)
    };
    let mut endings = start_prompt();
    let mut told_meanwhile = told_to_end.clone();
    let result = loop {
        tokio::select! {
            _ = told_to_end.wait_for(|told| *told) => break Ok(()),
            error = server.failed() => break Err(error.to_string()),
            Ok(_) = greeted.wait_for(|greeted| *greeted), if !*ready.borrow() => {
                if let Some(cluster) = server.cluster() {
                    say(&format!("joined cluster {cluster}"));
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
    result
}

/// Tells whoever uses the node. One that went away has no more questions; the node goes on.
fn say(line: &str) {
    let mut output = io::stdout().lock();
    let _ = writeln!(output, "{line}").and_then(|()| output.flush());
}

/// Runs the prompt in a thread of its own: reading a terminal blocks, and so does writing into
/// a pipe that nobody reads.
fn start_prompt(
    handle: Handle,
    ready: watch::Receiver<bool>,
    input_end: InputEnd,
    help: &'static str,
) -> mpsc::Receiver<Ending> {
    let (told, endings) = mpsc::channel(1);
    let prompt = Prompt {
        handle,
        ready,
        runtime: tokio::runtime::Handle::current(),
        shows_prompt: io::stdin().is_terminal(),
        help,
    };
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
