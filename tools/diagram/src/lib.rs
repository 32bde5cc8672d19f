//! Sequence diagrams of a replicated system, drawn from a trace of what it did.
//!
//! A program writes a trace: text, a line for each thing that happened. This crate reads it
//! ([`Trace::parse`]) and draws it twice: [`svg`] for a page of the book or a file of its
//! own, [`text`] for a terminal. The rule it keeps: **a picture says what the trace says**.
//! Nothing is drawn that no line tells, no line is left out in silence (what was folded is
//! counted), and the same trace gives the same bytes.
//!
//! # The format, `trace 1`
//!
//! A trace is UTF-8 text without empty lines. It begins with a heading, whose first line
//! names the format and its version:
//!
//! ```text
//! # trace 1
//! # title: Three nodes elect a leader
//! # nodes: 1 2 3
//! ```
//!
//! The lines that follow it are `# name: value`, each name once. Any lowercase name may be
//! used; some have a meaning here:
//!
//! | Name | Meaning |
//! |---|---|
//! | `title` | what the diagram shows, in one line |
//! | `command` | the command that writes the trace again |
//! | `unit` | what the times count; ticks, if it is not said |
//! | `nodes` | every node, in the order of the lanes; else those that occur, by number |
//! | `property`, `seen` | the property that broke, and how it was seen: a title for want of one |
//!
//! Every other line is an event. It begins with its time, a number with no decimals or with
//! two, and a space; spaces before it do not count, so that times can stand in a column. No
//! event is earlier than the one before it. What follows is one of:
//!
//! ```text
//!    12.40 n1 → n2 RequestVote term 2, log ends at 4 of term 1 (sent 12.30)
//!    12.40 n1 → n3 RequestVote term 2, log ends at 4 of term 1 (sent 12.30) (n3 is down)
//!    12.30 n1 ↛ n2 RequestVote term 2, log ends at 4 of term 1 (lost)
//!    12.50 n2: gave its vote for term 2 to 1
//!    13.00 *: the network is cut between n1 and n2
//!    14.00 !: two leaders in term 2
//! ```
//!
//! - `nA → nB`: a message arrives. Its first word is its kind. It is told once, at the moment
//!   of its arrival; the bracket at the end says when it was sent. A second bracket says why
//!   nobody took it.
//! - `nA ↛ nB`: a message is lost, told at the moment at which it was sent.
//! - `nA:` something that A does or that is done to it.
//! - `*:` something that happens to the whole cluster.
//! - `!:` what broke. It is the last line.
//!
//! Most of what a node does is a note, in any words: `proposes x=1`, `has written 2 of
//! term 2`, `applies 2`. Five kinds of words change how its lane is drawn, so they must be
//! written as follows. What may come after them is in brackets here:
//!
//! ```text
//!     0.00 n1: starts in term 1[, …]
//!     0.00 n2: is leader at term 1
//!     6.67 n1: became candidate at term 2
//!     6.87 n1: log 1..5, commit 3
//!     9.00 n1: crashes[; …]
//! ```
//!
//! - `starts in term T`: the node is up, as a follower.
//! - `became ROLE at term T`, with `follower`, `pre-candidate`, `candidate` or `leader`.
//! - `is ROLE at term T`: what a node was already when the trace began.
//! - `log F..L, commit C` or `log empty, commit C`: the first and the last index that its log
//!   holds, and the highest that it knows to be committed. Written when one of them changes.
//! - `crashes` or `stops`: the node is down.
//!
//! A message leaves after everything that its sender does at that moment. So a program that
//! counts steps gives each step a time of its own.
//!
//! # Limits
//!
//! At most [`MAX_NODES`] nodes with numbers from 1 to [`MAX_NODE`], [`MAX_LINES`] lines, and
//! [`MAX_LINE`] characters in one of them.

pub mod frame;
mod lanes;
mod steps;
mod svg;
mod text;
mod trace;
mod words;

pub use steps::KeepAlive;
pub use svg::{Look, Place, STYLE, svg};
pub use text::{MIN_COLUMNS, text};
pub use trace::{
    Change, Event, Fate, Log, MAX_LINE, MAX_LINES, MAX_NODE, MAX_NODES, NodeId, ParseError, Reason,
    Role, Time, Trace, What,
};
