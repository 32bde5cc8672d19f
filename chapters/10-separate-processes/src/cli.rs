//! The command line: what it says, and what is wrong with it.
//!
//! The rule it keeps: whatever is wrong is told before anything is started, with what to write
//! in its place, and the exit code is 2.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{self, IsTerminal};
use std::process::ExitCode;
use std::str::FromStr;

use clap::error::ErrorKind;
use clap::{Args, CommandFactory, Parser};
use raft_kernel::{MemoryStorage, NodeId};

use crate::address::Address;
use crate::identity::{MAX_ID, MIN_ID};
use crate::machine::Sum;
use crate::prompt::HELP;
use crate::running::{Habits, InputEnd, end, run_node};
use crate::server::{Server, ServerError, Settings, Startup};
use crate::{bench, demo};

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
