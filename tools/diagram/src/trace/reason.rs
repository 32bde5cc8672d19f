//! Why a text is no trace.

use std::fmt;

use super::{MAX_LINE, MAX_LINES, MAX_NODE, MAX_NODES, NodeId, Role, Time};

/// What is wrong with a text that should be a trace, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong with it.
    pub reason: Reason,
}

/// What is wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The first line is not `# trace 1`.
    NoFormat,
    /// The first line names another version.
    OtherVersion(String),
    /// There is no event.
    NoEvents,
    /// There are more lines than [`MAX_LINES`].
    TooManyLines,
    /// A line has more characters than [`MAX_LINE`].
    LineTooLong,
    /// There are more nodes than [`MAX_NODES`].
    TooManyNodes,
    /// The line is empty.
    EmptyLine,
    /// The line holds a character that nothing can show.
    Unprintable(char),
    /// A line of the heading is not `# name: value`.
    NotAHeading,
    /// A line of the heading comes after the first event.
    LateHeading,
    /// The heading says this twice.
    SaidTwice(String),
    /// `# nodes:` does not list different nodes.
    NotAListOfNodes,
    /// The line does not begin with a time.
    NotATime(String),
    /// The event is earlier than the one before it.
    TimeGoesBack(Time),
    /// A message was sent after it arrived.
    SentLater(Time),
    /// What follows the time is no event.
    NotAnEvent,
    /// This should be a node.
    NotANode(String),
    /// The heading does not list this node.
    UnlistedNode(NodeId),
    /// A node sends a message to itself.
    ToItself(NodeId),
    /// A message that arrives does not say when it was sent.
    NoSendingTime,
    /// A message that is lost does not end with `(lost)`.
    NotSaidToBeLost,
    /// The event says nothing.
    NoWords,
    /// After `became` or `is`.
    NotARole(String),
    /// After `starts in term` or `at term`.
    NotATerm(String),
    /// After `log`.
    NotALog,
    /// There is a line after the one that begins with `!:`.
    AfterTheEnd,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.reason)
    }
}

impl std::error::Error for ParseError {}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::NoFormat => f.write_str("a trace begins with the line `# trace 1`"),
            Reason::OtherVersion(version) => {
                write!(f, "version `{version}` of the format; this reads version 1")
            }
            Reason::NoEvents => f.write_str("the trace tells no event"),
            Reason::TooManyLines => write!(f, "more than {MAX_LINES} lines"),
            Reason::LineTooLong => write!(f, "more than {MAX_LINE} characters"),
            Reason::TooManyNodes => write!(f, "more than {MAX_NODES} nodes"),
            Reason::EmptyLine => f.write_str("an empty line; a trace has none"),
            Reason::Unprintable(character) => {
                write!(f, "a character that nothing can show: {character:?}")
            }
            Reason::NotAHeading => {
                f.write_str("a line of the heading is `# name: value`, with a lowercase name")
            }
            Reason::LateHeading => f.write_str("the heading ends where the events begin"),
            Reason::SaidTwice(name) => write!(f, "the heading says `{name}` twice"),
            Reason::NotAListOfNodes => {
                f.write_str("`# nodes:` lists different numbers, with spaces between them")
            }
            Reason::NotATime(text) => write!(
                f,
                "`{text}` is no time; write a number with no decimals or with two"
            ),
            Reason::TimeGoesBack(before) => {
                write!(f, "the time goes back; the event before is at {before}")
            }
            Reason::SentLater(sent) => {
                write!(f, "sent at {sent}, which is after it arrived")
            }
            Reason::NotAnEvent => f.write_str(
                "after the time comes `nA → nB …`, `nA ↛ nB …`, `nA: …`, `*: …` or `!: …`",
            ),
            Reason::NotANode(text) => {
                write!(f, "`{text}` is no node; write n1 to n{MAX_NODE}")
            }
            Reason::UnlistedNode(node) => {
                write!(f, "n{node} is not among the nodes that the heading lists")
            }
            Reason::ToItself(node) => {
                write!(f, "n{node} sends to itself; tell it as `n{node}: …`")
            }
            Reason::NoSendingTime => {
                f.write_str("a message that arrives ends with `(sent TIME)`, then perhaps `(why)`")
            }
            Reason::NotSaidToBeLost => f.write_str("a message that is lost ends with `(lost)`"),
            Reason::NoWords => f.write_str("the event has no words"),
            Reason::NotARole(text) => {
                let names = Role::ALL.map(Role::name).join(", ");
                write!(
                    f,
                    "`{text}` is no role; write `became ROLE at term T`: {names}"
                )
            }
            Reason::NotATerm(text) => write!(f, "`{text}` is no term"),
            Reason::NotALog => {
                f.write_str("write `log FIRST..LAST, commit INDEX` or `log empty, commit INDEX`")
            }
            Reason::AfterTheEnd => f.write_str("a line after the one that says what broke"),
        }
    }
}
