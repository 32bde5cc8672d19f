//! What must hold, by name.

use std::fmt;

/// Something that must hold at all times.
// ANCHOR: figure_3
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Property {
    // The five of figure 3 of the paper.
    /// At most one leader is elected in a term.
    ElectionSafety,
    /// A leader only appends to its log. It overwrites nothing.
    LeaderAppendOnly,
    /// Two entries with the same index and term are the same, and so are the ones before.
    LogMatching,
    /// A leader has every entry that was committed before its term.
    LeaderCompleteness,
    /// No two nodes apply different entries at the same index.
    StateMachineSafety,
    // ANCHOR_END: figure_3

    // ANCHOR: others
    // What these rest on.
    /// A node votes for one candidate a term, even if it stopped in between.
    OneVote,
    /// What a message promises is stored when it is sent.
    PersistBeforeSend,
    /// What a Ready says is to be written is in the storage after the turn.
    Written,
    /// The term and the commit index of a node never fall, even if it stopped in between.
    NeverBack,
    /// An entry that is applied is stored by a majority.
    Majority,
    /// A leader commits an entry of its own term, and with it those before.
    OwnTerm,

    // What a client sees.
    /// Each node applies each entry once, in the order of the log.
    OnceInOrder,
    /// A state is what the entries up to it lead to.
    State,
    /// What was acknowledged is in the log, where it was said to be.
    NothingLost,
    /// No number is in the log twice.
    NothingTwice,
    /// No number is in the log that nobody proposed.
    NothingInvented,

    // What is demanded of a run as a whole.
    /// No node stops by itself.
    KeepsRunning,
    /// Once the weather is calm, all is done in bounded time.
    Liveness,
}
// ANCHOR_END: others

impl fmt::Display for Property {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Property::ElectionSafety => "Election Safety",
            Property::LeaderAppendOnly => "Leader Append-Only",
            Property::LogMatching => "Log Matching",
            Property::LeaderCompleteness => "Leader Completeness",
            Property::StateMachineSafety => "State Machine Safety",
            Property::OneVote => "one vote a term",
            Property::PersistBeforeSend => "persist before send",
            Property::Written => "written when the turn is over",
            Property::NeverBack => "never back",
            Property::Majority => "stored by a majority",
            Property::OwnTerm => "committed in the leader's own term",
            Property::OnceInOrder => "once and in order",
            Property::State => "the state is what the log leads to",
            Property::NothingLost => "nothing acknowledged is lost",
            Property::NothingTwice => "nothing is there twice",
            Property::NothingInvented => "nothing is invented",
            Property::KeepsRunning => "no node stops by itself",
            Property::Liveness => "all is done once the weather is calm",
        })
    }
}

/// A property that does not hold, and how that was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// What does not hold.
    pub property: Property,
    /// How that was seen.
    pub seen: String,
}

impl Violation {
    /// This property does not hold, as can be seen.
    pub fn of(property: Property, seen: impl Into<String>) -> Self {
        Violation {
            property,
            seen: seen.into(),
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "broken: {}: {}", self.property, self.seen)
    }
}
