//! How a node begins: from its file if there is one, and from the command line if not.
//!
//! The rules it keeps: what is stored wins, and what contradicts it is refused. A node that
//! draws a number for its life stores it before it tells anybody, so that it never asks twice
//! under one id as if it were two.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use ch10_separate_processes::address::Address;
use ch10_separate_processes::disk::DiskError;
use ch10_separate_processes::identity::{Identity, Incarnation};
use ch10_separate_processes::server::{Settings, Startup};
use raft_kernel::{MemoryStorage, NodeId, Storage};

use crate::directory::{Directory, DirectoryError};
use crate::file_disk::{FileDisk, Recovered};
use crate::node_file::About;

/// The id of a founder that was given none.
const FOUNDER: NodeId = 1;

/// What the command line says about the node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wishes {
    /// Its number.
    pub id: Option<NodeId>,
    /// Where to listen.
    pub listen: Option<Address>,
    /// Where others reach it.
    pub advertise: Option<Address>,
    /// Whether to found a cluster.
    pub bootstrap: bool,
    /// Members to ask for a place.
    pub join: BTreeMap<NodeId, Address>,
}

/// Why a node does not begin.
#[derive(Debug)]
pub enum StartError {
    /// The command line does not say enough, or contradicts what is stored.
    Usage(String),
    /// The directory or its file cannot be used.
    Directory(DirectoryError),
    /// The file cannot be written.
    Disk(DiskError),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StartError::Usage(why) => f.write_str(why),
            StartError::Directory(error) => error.fmt(f),
            StartError::Disk(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for StartError {}

/// A node that can begin.
pub struct Beginning {
    /// Its disk.
    pub disk: FileDisk,
    /// What the server is to be told.
    pub settings: Settings,
    /// What was found and what will be done, a line each, for whoever started it.
    pub story: Vec<String>,
}

/// Opens the directory and decides how the node begins.
// ANCHOR: begin
pub fn begin(path: &Path, wishes: Wishes) -> Result<Beginning, StartError> {
    if !path.exists() {
        // Nothing is made for a node that cannot begin.
        first_id(path, &wishes)?;
    }
    let directory = Directory::open(path).map_err(StartError::Directory)?;
    match FileDisk::recover(directory).map_err(StartError::Directory)? {
        Recovered::Nothing(directory) => anew(directory, wishes),
        Recovered::Disk(disk) => again(disk, wishes),
    }
}
// ANCHOR_END: begin

/// The number of a node that begins for the first time.
fn first_id(path: &Path, wishes: &Wishes) -> Result<NodeId, StartError> {
    let found = path.display();
    let why = match (wishes.id, wishes.bootstrap, wishes.join.is_empty()) {
        (_, false, true) => format!(
            "{found} holds no node yet. Give --bootstrap to found a new cluster, or --join \
             ID=HOST:PORT to join one"
        ),
        (Some(id), ..) => return Ok(id),
        (None, true, _) => return Ok(FOUNDER),
        (None, false, _) => format!(
            "{found} holds no node yet, so --id N is missing: a number that no node of the \
             cluster has ever had"
        ),
    };
    Err(StartError::Usage(why))
}

/// The first run of a node.
fn anew(directory: Directory, wishes: Wishes) -> Result<Beginning, StartError> {
    let id = first_id(directory.path(), &wishes)?;
    let found = directory.path().display();
    let about = About {
        id,
        incarnation: Incarnation::random(),
        cluster: None,
        listen: wishes.listen.unwrap_or_else(Address::any_port),
        advertise: wishes.advertise,
        seeds: wishes.join,
        left: false,
    };
    let story = vec![format!("{found} holds no node yet: this is node {id}")];
    let settings = settings(&about, &MemoryStorage::new(), BTreeMap::new());
    let disk = FileDisk::create(directory, about, MemoryStorage::new());
    Ok(Beginning {
        disk: disk.map_err(StartError::Disk)?,
        settings,
        story,
    })
}

/// A later run.
// ANCHOR: again
fn again(disk: FileDisk, wishes: Wishes) -> Result<Beginning, StartError> {
    let about = disk.about();
    if let Some(id) = wishes.id
        && id != about.id
    {
        return Err(StartError::Usage(format!(
            "--id {id} contradicts what is stored: this directory holds node {}. Leave --id \
             out, or give each node a directory of its own",
            about.id
        )));
    }
    let mut story = vec![tell(&disk, &about)];
    if wishes.bootstrap && (about.cluster.is_some() || !about.seeds.is_empty()) {
        story.push("--bootstrap founds nothing: this node has a cluster already".to_owned());
    }
    let moved = |about: &mut About| {
        // The two belong together: what was told to others about the old place is not true of
        // a new one.
        let stays = wishes.listen.is_none();
        about.listen = wishes.listen.unwrap_or(about.listen.clone());
        about.advertise = wishes
            .advertise
            .or(about.advertise.take().filter(|_| stays));
        if about.cluster.is_none() && !about.seeds.is_empty() {
            about.seeds.extend(wishes.join.clone());
        }
    };
    disk.note(moved).map_err(StartError::Disk)?;
    let settings = settings(&disk.about(), &disk.mirror(), wishes.join);
    Ok(Beginning {
        disk,
        settings,
        story,
    })
}
// ANCHOR_END: again

/// What a file says, in a line.
fn tell(disk: &FileDisk, about: &About) -> String {
    let mirror = disk.mirror();
    let hard_state = mirror.hard_state();
    let first = mirror.first_index().unwrap_or_default();
    let last = mirror.last_index().unwrap_or_default();
    let snapshot = mirror.snapshot().map_or(0, |snapshot| snapshot.index);
    let cluster = match about.cluster {
        Some(cluster) if about.left => format!("which has left cluster {cluster} and rejoins it"),
        Some(cluster) => format!("of cluster {cluster}"),
        None => "which has no cluster yet".to_owned(),
    };
    format!(
        "recovered node {}, {cluster}: term {}, commit {}, snapshot up to {snapshot}, log \
         {first}..{last}",
        about.id, hard_state.term, hard_state.commit
    )
}

/// How the server is to begin with what is stored.
// ANCHOR: settings
fn settings(about: &About, log: &MemoryStorage, contacts: BTreeMap<NodeId, Address>) -> Settings {
    let has_log = log.last_index().is_ok_and(|last| last > 0);
    let startup = match about.cluster {
        Some(cluster) if has_log => Startup::Restart(Identity {
            id: about.id,
            cluster,
            incarnation: about.incarnation,
        }),
        // An earlier run was ended before it had a place in any cluster.
        _ if about.seeds.is_empty() => Startup::Bootstrap,
        _ => Startup::Join(about.seeds.clone()),
    };
    Settings {
        advertise: about.advertise.clone(),
        incarnation: about.incarnation,
        contacts,
        ..Settings::new(about.id, about.listen.clone(), startup)
    }
}
// ANCHOR_END: settings
