//! A network between nodes that a test can cut and heal.
//!
//! Each node is told to others by the address of a proxy in front of it. A proxy reads who
//! connects, and passes bytes on only while those two may speak.

use std::collections::BTreeSet;
use std::sync::Arc;

use ch10_separate_processes::address::Address;
use ch10_separate_processes::wire::stream::{FrameReader, FrameWriter};
use raft_kernel::NodeId;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::process::DEADLINE;

/// Who may not speak to whom, and how that shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cut {
    /// The nodes on the other side of the cut.
    pub(crate) away: BTreeSet<NodeId>,
    /// The nodes that are deaf: what is said to them is lost, and what they say is heard.
    pub(crate) deaf: BTreeSet<NodeId>,
    /// Whether connections over the cut stay open and carry nothing, instead of breaking.
    pub(crate) silent: bool,
}

impl Cut {
    fn stops(&self, from: NodeId, to: NodeId) -> bool {
        self.deaf.contains(&to) || self.away.contains(&from) != self.away.contains(&to)
    }
}

/// Who is connected with whom at this moment.
type Passing = Arc<watch::Sender<Vec<(NodeId, NodeId)>>>;

pub(crate) struct Network {
    cut: Arc<watch::Sender<Cut>>,
    passing: Passing,
    proxies: JoinSet<()>,
}

/// A place in front of a node that is not started yet.
pub(crate) struct Front {
    listener: TcpListener,
    pub(crate) address: Address,
}

impl Network {
    pub(crate) fn new() -> Self {
        Network {
            cut: Arc::new(watch::Sender::new(Cut::default())),
            passing: Arc::new(watch::Sender::new(Vec::new())),
            proxies: JoinSet::new(),
        }
    }

    pub(crate) async fn front(&self) -> Front {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("bound").to_string();
        Front {
            address: address.parse().expect("an address"),
            listener,
        }
    }

    /// From here on, `front` leads to node `id` at `address`.
    pub(crate) fn lead(&mut self, front: Front, id: NodeId, address: Address) {
        let cut = Arc::clone(&self.cut);
        let passing = Arc::clone(&self.passing);
        self.proxies.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = front.listener.accept().await {
                let cut = cut.subscribe();
                let passing = Arc::clone(&passing);
                connections.spawn(pass_on(stream, id, address.clone(), cut, passing));
            }
        });
    }

    /// Cuts some nodes off.
    pub(crate) async fn cut(&self, away: &[NodeId], silent: bool) {
        let away = away.iter().copied().collect();
        self.become_cut(Cut {
            away,
            silent,
            ..Cut::default()
        })
        .await;
    }

    /// Lets nothing come to some nodes. What they say over their own connections is heard, and
    /// what they are answered there they hear.
    pub(crate) async fn deafen(&self, deaf: &[NodeId]) {
        let deaf = deaf.iter().copied().collect();
        self.become_cut(Cut {
            deaf,
            silent: true,
            ..Cut::default()
        })
        .await;
    }

    /// Cuts, and waits until nothing passes any more.
    async fn become_cut(&self, cut: Cut) {
        self.cut.send_replace(cut.clone());
        let mut passing = self.passing.subscribe();
        let none = |pairs: &Vec<(NodeId, NodeId)>| {
            let mut pairs = pairs.iter();
            !pairs.any(|(from, to)| cut.stops(*from, *to))
        };
        let stopped = tokio::time::timeout(DEADLINE, passing.wait_for(none)).await;
        assert!(matches!(stopped, Ok(Ok(_))), "something still passes");
    }

    pub(crate) fn heal(&self) {
        self.cut.send_replace(Cut::default());
    }
}

async fn pass_on(
    mut near: TcpStream,
    to: NodeId,
    address: Address,
    mut cut: watch::Receiver<Cut>,
    all_passing: Passing,
) {
    // Nothing follows a hello before it is answered, so nothing more is read here.
    let Ok(hello) = FrameReader::new(&mut near).hello().await else {
        return;
    };
    let separated = |cut: &Cut| cut.stops(hello.from, to);
    let pair = (hello.from, to);
    all_passing.send_modify(|pairs| pairs.push(pair));
    let passing = async {
        let mut far = TcpStream::connect(address.to_string()).await?;
        let mut writer = FrameWriter::new(&mut far);
        if writer.add_hello(&hello).is_ok() && writer.flush().await.is_ok() {
            copy_bidirectional(&mut near, &mut far).await?;
        }
        Ok::<_, std::io::Error>(())
    };
    let is_silent = tokio::select! {
        biased;
        Ok(now) = cut.wait_for(|cut| separated(cut)) => now.silent,
        _ = passing => false,
    };
    all_passing.send_modify(|pairs| {
        if let Some(place) = pairs.iter().position(|other| *other == pair) {
            pairs.swap_remove(place);
        }
    });
    if is_silent {
        // The connection stays open, and carries nothing.
        let _ = cut.wait_for(|cut| !separated(cut)).await;
    }
}
