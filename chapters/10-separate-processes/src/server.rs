//! A running node: its tasks, and how they begin and end.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use raft_kernel::NodeId;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::task::{AbortHandle, JoinHandle};
use tokio::time::timeout;

use crate::address::Address;
use crate::disk::{Disk, DiskError};
use crate::event_loop::{Clock, EventLoop};
use crate::forwarding::Forwarding;
use crate::identity::{ClusterId, Identity, Incarnation};
use crate::joining::{self, JoinError};
use crate::machine::{Peer, StateMachine, command};
use crate::node::{LogLimits, Node};
use crate::outcome::Outcome;
use crate::request::{Handle, News, PATIENCE};
use crate::transport::{Inbox, Local, Transport, Wiring, accept, inbox};
use crate::wire::frame::{Members, Proposal};

/// How many requests of clients may wait for the loop; more wait outside.
const REQUESTS: usize = 4096;

/// A tenth of a second: a leader's heartbeat. An election begins after ten to twenty of them
/// without one, which leaves room for a busy machine.
pub const TICK: Duration = Duration::from_millis(100);

/// Ten seconds: several elections fit into it, and a person still waits for the answer.
const PROPOSAL_TIME: Duration = Duration::from_secs(10);

/// Told to stop, a node does what it has begun in this time; then it is ended.
const STOP_TIME: Duration = Duration::from_millis(300);

/// How a node comes to be part of a cluster.
// ANCHOR: startup
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Startup {
    /// It founds one.
    Bootstrap,
    /// It asks these members to let it in.
    Join(BTreeMap<NodeId, Address>),
    /// It was part of one before, and its disk knows the rest.
    Restart(Identity),
}
// ANCHOR_END: startup

/// What a node is started with.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Its number.
    pub id: NodeId,
    /// Where to listen; port 0 for any free one.
    pub listen: Address,
    /// Where others reach it, if that is somewhere else.
    pub advertise: Option<Address>,
    /// How it begins.
    pub startup: Startup,
    /// Which life of it this is, unless it comes back with its memory.
    pub incarnation: Incarnation,
    /// When it comes back: members to ask beside those that its log names, or where they are
    /// now if they have moved.
    pub contacts: BTreeMap<NodeId, Address>,
    /// The length of a tick.
    pub tick: Duration,
    /// How long a proposal waits for its end before the answer is "unknown".
    pub proposal_time: Duration,
    /// When the log is shortened.
    pub log: LogLimits,
}

impl Settings {
    /// The usual ones.
    pub fn new(id: NodeId, listen: Address, startup: Startup) -> Self {
        Settings {
            id,
            listen,
            advertise: None,
            startup,
            incarnation: Incarnation::random(),
            contacts: BTreeMap::new(),
            tick: TICK,
            proposal_time: PROPOSAL_TIME,
            log: LogLimits::default(),
        }
    }
}

/// Why a node did not start, or did not go on.
#[derive(Debug)]
pub enum ServerError {
    /// The address cannot be listened on.
    Listen(Address, std::io::Error),
    /// It would be told an address at which nobody can reach it.
    Unreachable(Address),
    /// The node could not keep what it must keep.
    Node(DiskError),
    /// The cluster does not take it.
    Join(JoinError),
}

impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ServerError::Listen(address, error) => write!(
                f,
                "cannot listen on {address}: {error}; --listen takes an address of this machine, \
                 and port 0 for any free port"
            ),
            ServerError::Unreachable(address) => write!(
                f,
                "{address} means every interface, which tells the other nodes nothing; say with \
                 --advertise HOST:PORT where they reach this node"
            ),
            ServerError::Node(error) => write!(f, "the node has stopped: {error}"),
            ServerError::Join(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ServerError {}

/// A running node. Dropped, it ends at once.
pub struct Server {
    handle: Handle,
    bound: Address,
    local: Arc<Local>,
    greeted: watch::Receiver<bool>,
    stop: watch::Sender<bool>,
    /// Ends when all that was queued for the peers is sent, once the loop has ended.
    all_sent: mpsc::Receiver<()>,
    failures: mpsc::Receiver<ServerError>,
    tasks: Vec<AbortHandle>,
}

impl Server {
    /// Listens, and starts the tasks. The node is part of a cluster some time later:
    /// [`Handle::joined`] waits for it, and [`Server::failed`] tells when it will not be.
    // ANCHOR: start
    pub async fn start<D, M>(settings: Settings, disk: D) -> Result<Server, ServerError>
    where
        D: Disk,
        M: StateMachine,
    {
        let (listener, bound) = listen(&settings).await?;
        let local = Arc::new(Local {
            id: settings.id,
            address: settings.advertise.clone().unwrap_or(bound.clone()),
            incarnation: match settings.startup {
                Startup::Restart(identity) => identity.incarnation,
                Startup::Bootstrap | Startup::Join(_) => settings.incarnation,
            },
            cluster: OnceLock::new(),
        });
        let node = Node::<D, M>::start(settings.id, disk, settings.log);
        let node = node.and_then(|node| found(node, &local, &settings.startup));
        let node = node.map_err(ServerError::Node)?;

        let (to_loop, inbox) = inbox();
        let (request_sender, requests) = mpsc::channel(REQUESTS);
        let (news_sender, news) = watch::channel(News::default());
        let (stop, stopped) = watch::channel(false);
        let (open, all_sent) = mpsc::channel(1);
        let wiring = Wiring {
            local: Arc::clone(&local),
            inbox: to_loop.clone(),
            open,
        };
        let event_loop = EventLoop {
            node,
            transport: Transport::new(wiring, settings.known_addresses()),
            local: Arc::clone(&local),
            inbox,
            requests,
            news: news_sender,
            stop: stopped,
            tick: settings.tick,
            forwarding: Forwarding::default(),
            clock: Clock::new(settings.tick, settings.proposal_time),
        };
        let handle = Handle {
            requests: request_sender,
            news,
        };
        let (greeted_sender, greeted) = watch::channel(false);
        let beginning = Beginning {
            startup: settings.startup,
            contacts: settings.contacts,
            local: Arc::clone(&local),
            inbox: to_loop.clone(),
            handle: handle.clone(),
            greeted: greeted_sender,
        };
        let running = tokio::spawn(event_loop.run());
        let (report, failures) = mpsc::channel(2);
        Ok(Server {
            tasks: vec![
                running.abort_handle(),
                tokio::spawn(accept(listener, Arc::clone(&local), to_loop)).abort_handle(),
                tokio::spawn(beginning.run(report.clone())).abort_handle(),
                tokio::spawn(watch_over(running, report)).abort_handle(),
            ],
            handle,
            bound,
            local,
            greeted,
            stop,
            all_sent,
            failures,
        })
    }
    // ANCHOR_END: start

    /// What to ask the node with.
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Where the node listens, the real port in it.
    pub fn bound(&self) -> &Address {
        &self.bound
    }

    /// Where others reach the node.
    pub fn address(&self) -> &Address {
        &self.local.address
    }

    /// Its cluster, once it has one.
    pub fn cluster(&self) -> Option<ClusterId> {
        self.local.cluster.get().copied()
    }

    /// Who it is, once it has a cluster: what a disk keeps for [`Startup::Restart`].
    pub fn identity(&self) -> Option<Identity> {
        let (id, incarnation) = (self.local.id, self.local.incarnation);
        let of = |cluster| Identity {
            id,
            cluster,
            incarnation,
        };
        self.cluster().map(of)
    }

    /// Becomes true when the node has joined, and its first proposal, `1 << id`, has come to
    /// an end.
    pub fn greeted(&self) -> watch::Receiver<bool> {
        self.greeted.clone()
    }

    /// Waits until the node fails; for ever, if it does not.
    pub async fn failed(&mut self) -> ServerError {
        match self.failures.recv().await {
            Some(error) => error,
            None => std::future::pending().await,
        }
    }

    /// Asks a member who the members are, as it sees it.
    ///
    /// # Errors
    /// It does not answer; this is why.
    pub async fn ask_members(&self, member: NodeId, at: &Address) -> Result<Members, String> {
        joining::ask_members(&self.local, member, at).await
    }

    /// Ends the node in good order: what the loop has begun is done, what it had to say to its
    /// peers is sent, and it takes no more.
    // ANCHOR: stop
    pub async fn stop(mut self) {
        let _ = self.stop.send(true);
        let all_done = async {
            self.handle.requests.closed().await;
            self.all_sent.recv().await
        };
        let _ = timeout(STOP_TIME, all_done).await;
    }
    // ANCHOR_END: stop
}

impl Drop for Server {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

impl Settings {
    /// Addresses of members that the log may not have, or not yet.
    fn known_addresses(&self) -> BTreeMap<NodeId, Address> {
        match &self.startup {
            Startup::Join(seeds) => seeds.clone(),
            Startup::Bootstrap | Startup::Restart(_) => self.contacts.clone(),
        }
    }
}

async fn listen(settings: &Settings) -> Result<(TcpListener, Address), ServerError> {
    let wanted = &settings.listen;
    if settings.advertise.is_none() && wanted.is_every_interface() {
        return Err(ServerError::Unreachable(wanted.clone()));
    }
    let cannot = |error| ServerError::Listen(wanted.clone(), error);
    let listener = TcpListener::bind(wanted.to_string())
        .await
        .map_err(cannot)?;
    let port = listener.local_addr().map_err(cannot)?.port();
    Ok((listener, wanted.with_port(port)))
}

/// Gives the node its cluster, where it need not ask for one.
fn found<D: Disk, M: StateMachine>(
    mut node: Node<D, M>,
    local: &Local,
    startup: &Startup,
) -> Result<Node<D, M>, DiskError> {
    let identity = match startup {
        Startup::Join(_) => return Ok(node),
        Startup::Restart(identity) => *identity,
        Startup::Bootstrap => {
            let identity = Identity {
                id: local.id,
                cluster: ClusterId::random(),
                incarnation: local.incarnation,
            };
            node.remember(identity)?;
            let (address, incarnation) = (local.address.clone(), local.incarnation);
            node.bootstrap(&Peer {
                address,
                incarnation,
            })?;
            identity
        }
    };
    local.cluster.get_or_init(|| identity.cluster);
    Ok(node)
}

/// Tells of a loop that ended otherwise than it was told to.
async fn watch_over(running: JoinHandle<Result<(), DiskError>>, report: mpsc::Sender<ServerError>) {
    let error = match running.await {
        Ok(Ok(())) => return,
        Ok(Err(error)) => error,
        Err(error) if error.is_cancelled() => return,
        Err(_) => "its loop panicked, which is a bug".into(),
    };
    let _ = report.send(ServerError::Node(error)).await;
}

/// What a node does first.
struct Beginning {
    startup: Startup,
    contacts: BTreeMap<NodeId, Address>,
    local: Arc<Local>,
    inbox: Inbox,
    handle: Handle,
    greeted: watch::Sender<bool>,
}

impl Beginning {
    // ANCHOR: begin
    async fn run(self, report: mpsc::Sender<ServerError>) {
        let (local, handle) = (&self.local, &self.handle);
        let joined = match &self.startup {
            Startup::Bootstrap => Ok(()),
            Startup::Join(seeds) => joining::join(local, seeds, &self.inbox, handle).await,
            // A node that comes back has proposed its number in its earlier run.
            Startup::Restart(_) => {
                let back = joining::come_back(local, &self.contacts, handle, &self.greeted).await;
                return self.tell(back, &report).await;
            }
        };
        if joined.is_ok() && handle.joined().await {
            self.greet().await;
            let _ = self.greeted.send(true);
        }
        self.tell(joined, &report).await;
    }

    async fn tell(&self, joined: Result<(), JoinError>, report: &mpsc::Sender<ServerError>) {
        // A node that has stopped has told why, or was told to.
        if let Err(error @ JoinError::Refused { .. }) = joined {
            let _ = report.send(ServerError::Join(error)).await;
        }
    }

    /// Proposes `1 << id`, for as long as it is certain that nobody took it.
    async fn greet(&self) {
        let number = Proposal::Command(command(1 << self.local.id));
        loop {
            let outcome = self
                .handle
                .propose_patiently(number.clone(), PATIENCE)
                .await;
            match outcome {
                Outcome::Applied { .. } => return,
                Outcome::NotCommitted(why) if why.will_pass() => {}
                outcome => {
                    tracing::warn!("this node's first proposal: {outcome}");
                    return;
                }
            }
        }
    }
    // ANCHOR_END: begin
}
