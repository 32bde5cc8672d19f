//! The command line, and the program behind it.
//!
//! The rules it keeps are those of chapter 10: standard output is for whoever uses the node,
//! standard error for whoever looks after it. Exit codes: 0 when the node ended because it was
//! told to, 1 when it could not go on, 2 when the command line is wrong.

use std::ffi::OsString;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use ch10_separate_processes::address::Address;
use ch10_separate_processes::bench::MOST_PROPOSALS;
use ch10_separate_processes::cli::{Member, NodeOptions, UsageError, report};
use ch10_separate_processes::identity::{MAX_ID, MIN_ID};
use ch10_separate_processes::machine::Sum;
use ch10_separate_processes::node::LogLimits;
use ch10_separate_processes::running::{Habits, InputEnd, end, run_node};
use ch10_separate_processes::server::{Server, Settings, Startup};
use clap::Parser;
use clap::error::ErrorKind;
use raft_kernel::NodeId;

use crate::file_disk::FileDisk;
use crate::leaving::{LEAVE_TIME, Left, leave};
use crate::measuring;
use crate::starting::{Beginning, StartError, Wishes, begin};

/// What `help` prints.
const HELP: &str = "\
status [--json]   s    how this node stands; --json in one line for a script
propose [N]       p    propose to add N, or 3; answers when that is decided
peers                  the members of the cluster and their addresses
leader                 who leads
bench N K              propose N numbers, K at a time, and measure
help                   this list
quit              q    leave the cluster, then end this node; its file stays
stop                   end this node; it stays a member that is down
";

/// One node of a cluster that keeps a sum, and keeps it in a file.
///
/// The first node founds the cluster, the others join it, each with a directory of its own:
///
///   ch11-persistence-shutdown --bootstrap --listen 127.0.0.1:8866 --data-dir data/one
///   ch11-persistence-shutdown --id 2 --join 1=127.0.0.1:8866 --data-dir data/two
///
/// Started again, a node needs its --data-dir only. What it has acknowledged is still there,
/// whatever has ended it. With --listen it moves to another address and tells the others.
///
/// Type `help` at its prompt for what it can do. `quit` leaves the cluster, and then the node
/// ends; `stop`, Ctrl-C, SIGTERM and, at a terminal, Ctrl-D end it without leaving. Commands may
/// come from a pipe; the node goes on after the last one, unless --stop-at-end is given.
///
/// `RUST_LOG` chooses what is logged to standard error: error, warn (unless told otherwise),
/// info, debug, or one of these for each part, as in `info,raft=debug`.
#[derive(Debug, Parser)]
#[command(name = "ch11-persistence-shutdown", verbatim_doc_comment)]
struct Cli {
    /// Where this node keeps its file; made if it is not there
    #[arg(long, value_name = "DIR", required_unless_present_any = ["bench", "bench_file"])]
    data_dir: Option<PathBuf>,

    /// This node's number, from 1 to 62, never used by another node of the cluster; 1 for the
    /// node that founds it, and not needed once it is stored
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(MIN_ID..=MAX_ID))]
    id: Option<NodeId>,

    /// Where to listen for the other nodes; without it, where this node listened last, or at
    /// 127.0.0.1 with any free port
    #[arg(long, value_name = "HOST:PORT")]
    listen: Option<Address>,

    /// Where the other nodes reach this one, if that is not where it listens. It is stored, too;
    /// a new --listen needs it again
    #[arg(long, value_name = "HOST:PORT")]
    advertise: Option<Address>,

    /// Found a new cluster, with this node as its only member
    #[arg(long, conflicts_with = "join")]
    bootstrap: bool,

    /// Join a cluster by asking this member; give several, and the next is asked when one does
    /// not answer. A node that comes back asks these, too: so it finds members that have moved
    #[arg(long, value_name = "ID=HOST:PORT")]
    join: Vec<Member>,

    /// The length of a tick: a leader sends a heartbeat each tick, an election begins after
    /// ten to twenty without one. The same for all nodes
    #[arg(long, value_name = "MS", default_value_t = 100,
          value_parser = clap::value_parser!(u64).range(1..=10_000))]
    tick_ms: u64,

    /// Make a snapshot and shorten the log whenever so many entries were applied
    #[arg(long, value_name = "N", default_value_t = 2000,
          value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    snapshot_every: u64,

    /// Do as if `stop` stood at the end of the input
    #[arg(long)]
    stop_at_end: bool,

    /// Start three nodes on this machine with files in a temporary directory, measure N
    /// proposals with 1, 16 and 256 in flight on the leader and on a follower, and end
    #[arg(long, value_name = "N", exclusive = true,
          value_parser = clap::value_parser!(u64).range(1..=MOST_PROPOSALS))]
    bench: Option<u64>,

    /// Measure how long writing the file takes with logs of several lengths, N times each, and
    /// end
    #[arg(long, value_name = "N", exclusive = true,
          value_parser = clap::value_parser!(u32).range(1..=1000))]
    bench_file: Option<u32>,
}

/// The whole of the program.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => return report(&error),
    };
    if let Some(count) = cli.bench {
        let measured = measuring::proposals(count, &mut io::stdout());
        return end(measured.map_err(|error| error.to_string()));
    }
    if let Some(count) = cli.bench_file {
        let measured = measuring::writes(count, &mut io::stdout());
        return end(measured.map_err(|error| error.to_string()));
    }
    let Some(path) = cli.data_dir.clone() else {
        return usage("--data-dir DIR is missing");
    };
    match check(&cli).and_then(|wishes| start(&cli, &path, wishes)) {
        Ok(beginning) => run(beginning, cli.stop_at_end, &path),
        Err(Problem::Usage(wrong)) => wrong.exit_code::<Cli>(),
        Err(Problem::Failed(why)) => end(Err(why)),
    }
}

enum Problem {
    Usage(UsageError),
    Failed(String),
}

fn usage(why: &str) -> ExitCode {
    UsageError::new(ErrorKind::ValueValidation, why).exit_code::<Cli>()
}

/// What the command line says, where it does not contradict itself.
fn check(cli: &Cli) -> Result<Wishes, Problem> {
    let options = NodeOptions {
        id: cli.id.or(cli.bootstrap.then_some(MIN_ID)),
        // Whatever stands here is not looked at.
        listen: cli.listen.clone().unwrap_or_else(Address::any_port),
        advertise: cli.advertise.clone(),
        bootstrap: cli.bootstrap,
        join: cli.join.clone(),
    };
    let mut wishes = Wishes {
        id: cli.id,
        listen: cli.listen.clone(),
        advertise: cli.advertise.clone(),
        bootstrap: cli.bootstrap,
        ..Wishes::default()
    };
    if !cli.join.is_empty()
        && let Startup::Join(seeds) = options.startup().map_err(Problem::Usage)?
    {
        wishes.join = seeds;
    }
    options.check_addresses().map_err(Problem::Usage)?;
    Ok(wishes)
}

fn start(cli: &Cli, path: &Path, wishes: Wishes) -> Result<Beginning, Problem> {
    let mut beginning = begin(path, wishes).map_err(|error| match error {
        StartError::Usage(why) => Problem::Usage(UsageError::new(ErrorKind::ValueValidation, why)),
        error => Problem::Failed(error.to_string()),
    })?;
    beginning.settings = Settings {
        tick: Duration::from_millis(cli.tick_ms),
        log: LogLimits {
            snapshot_every: cli.snapshot_every,
            keep: cli.snapshot_every / 4,
        },
        ..beginning.settings
    };
    Ok(beginning)
}

// ANCHOR: run
fn run(beginning: Beginning, stop_at_end: bool, path: &Path) -> ExitCode {
    for line in &beginning.story {
        say(line);
    }
    let (disk, settings) = (beginning.disk, beginning.settings);
    let habits = Habits {
        help: HELP,
        input_end: if stop_at_end || io::stdin().is_terminal() {
            InputEnd::Stops
        } else {
            InputEnd::MeansNothing
        },
        started: |server: &Server| remember_start(server, &disk),
        before_quitting: async |server: &Server| quit(server, &disk, path).await,
    };
    let code = run_node::<_, Sum>(settings, disk.clone(), habits);
    // What may be forgotten need not be, if there is time for it.
    match disk.flush() {
        Ok(()) => code,
        Err(_) if code != ExitCode::SUCCESS => code,
        Err(error) => end(Err(error.to_string())),
    }
}
// ANCHOR_END: run

/// Keeps the address, with the port that the system has chosen, for the next run. And keeps
/// that the node is a member, once it is.
fn remember_start(server: &Server, disk: &FileDisk) -> Result<(), String> {
    let bound = server.bound().clone();
    disk.note(|about| about.listen = bound)
        .map_err(|error| error.to_string())?;
    let (mut greeted, disk) = (server.greeted(), disk.clone());
    tokio::spawn(async move {
        if greeted.wait_for(|greeted| *greeted).await.is_ok()
            && let Err(error) = disk.note(|about| about.left = false)
        {
            // The loop's next write says so, too, and ends the node.
            tracing::error!("{error}");
        }
    });
    Ok(())
}

// ANCHOR: quit
async fn quit(server: &Server, disk: &FileDisk, path: &Path) -> Result<(), String> {
    let left = leave(server, LEAVE_TIME).await;
    let left = left.map_err(|error| error.to_string())?;
    let file = path.display();
    say(&match left {
        Left::Removed => {
            let noted = disk.note(|about| about.left = true);
            noted.map_err(|error| error.to_string())?;
            format!("left the cluster; started again from {file}, this node rejoins it")
        }
        Left::WasLast => format!("the last member stops; the cluster is in {file}"),
        Left::WasNoMember => "this node was no member".to_owned(),
    });
    Ok(())
}
// ANCHOR_END: quit

/// Tells whoever uses the node. One that went away has no more questions; the node goes on.
fn say(line: &str) {
    let mut output = io::stdout().lock();
    let _ = writeln!(output, "{line}").and_then(|()| output.flush());
}
