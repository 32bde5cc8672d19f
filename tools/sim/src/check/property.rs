//! The properties, by name.

use std::fmt;
use std::str::FromStr;

/// Something that must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Property {
    // The five of figure 3 of the paper.
    /// At most one leader is elected in a term.
    ElectionSafety,
    /// A leader only appends to its log.
    LeaderAppendOnly,
    /// Two entries with the same index and term are the same, and so are those before.
    LogMatching,
    /// A leader has every entry that was committed before its term.
    LeaderCompleteness,
    /// No two nodes commit or apply different entries at the same index.
    StateMachineSafety,

    // What these rest on.
    /// A node votes for one candidate a term, whether it crashed in between or not.
    OneVote,
    /// What a message promises is on the disk when the message is sent.
    PersistBeforeSend,
    /// What a node applies is on its disk.
    PersistBeforeApply,
    /// What is committed is on the disks of a majority, of both in a joint configuration.
    DurableQuorum,
    /// A node's term, commit index and applied index never fall.
    NeverBack,
    /// Each entry is handed out once, in order.
    OnceInOrder,
    /// Nodes that have applied the same have the same configuration.
    Configuration,

    // What a client sees.
    /// A read is no older than anything that was acknowledged before it began.
    FreshReads,
    /// What clients saw is what one register would have shown them, one request at a time.
    Linearizability,

    // What is demanded of a run as a whole.
    /// A node refuses nothing that a node following the protocol sends.
    Protocol,
    /// No node stops or panics by itself.
    KeepsRunning,
    /// Once all goes well, the cluster gets well in bounded time.
    Liveness,
}

impl Property {
    /// All of them.
    pub const ALL: [Property; 17] = [
        Property::ElectionSafety,
        Property::LeaderAppendOnly,
        Property::LogMatching,
        Property::LeaderCompleteness,
        Property::StateMachineSafety,
        Property::OneVote,
        Property::PersistBeforeSend,
        Property::PersistBeforeApply,
        Property::DurableQuorum,
        Property::NeverBack,
        Property::OnceInOrder,
        Property::Configuration,
        Property::FreshReads,
        Property::Linearizability,
        Property::Protocol,
        Property::KeepsRunning,
        Property::Liveness,
    ];

    /// Its name on a command line.
    pub fn name(self) -> &'static str {
        match self {
            Property::ElectionSafety => "election-safety",
            Property::LeaderAppendOnly => "leader-append-only",
            Property::LogMatching => "log-matching",
            Property::LeaderCompleteness => "leader-completeness",
            Property::StateMachineSafety => "state-machine-safety",
            Property::OneVote => "one-vote",
            Property::PersistBeforeSend => "persist-before-send",
            Property::PersistBeforeApply => "persist-before-apply",
            Property::DurableQuorum => "durable-quorum",
            Property::NeverBack => "never-back",
            Property::OnceInOrder => "once-in-order",
            Property::Configuration => "configuration",
            Property::FreshReads => "fresh-reads",
            Property::Linearizability => "linearizability",
            Property::Protocol => "protocol",
            Property::KeepsRunning => "keeps-running",
            Property::Liveness => "liveness",
        }
    }
}

impl fmt::Display for Property {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Property {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Property::ALL.into_iter().find(|known| known.name() == text);
        found.ok_or_else(|| {
            let names = Property::ALL.map(Property::name).join(", ");
            format!("there is no property {text}; there are {names}")
        })
    }
}

/// A property does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which.
    pub property: Property,
    /// What was seen: the nodes, the terms and the indexes.
    pub what: String,
}

impl Violation {
    pub(crate) fn new(property: Property, what: impl Into<String>) -> Self {
        let what = what.into();
        Violation { property, what }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.property, self.what)
    }
}

impl std::error::Error for Violation {}

/// Turns a condition into a verdict; the words are made only when it fails.
pub(crate) fn demand(
    holds: bool,
    property: Property,
    what: impl FnOnce() -> String,
) -> Result<(), Violation> {
    if holds {
        Ok(())
    } else {
        Err(Violation::new(property, what()))
    }
}
