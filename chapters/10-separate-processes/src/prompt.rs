//! The prompt: lines in, answers out.
//!
//! The rules it keeps: commands are answered in the order in which they came, each before the
//! next is read, and every answer is one line, or several that a `.` does not interrupt: what
//! works for a person at a keyboard works for a script behind a pipe. No input ends the node,
//! except `quit` and `stop`.

use std::io::{self, BufRead, Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use raft_kernel::NodeId;
use tokio::runtime;
use tokio::sync::watch;
use tokio::time::timeout;

use crate::machine::command;
use crate::outcome::{Outcome, Refusal};
use crate::request::{Handle, NodeStatus, PATIENCE};
use crate::wire::frame::Proposal;

/// No command is longer than this, in bytes; the rest of a longer line is skipped.
const MAX_LINE: u64 = 1024;

/// What `p` alone proposes.
const DEFAULT_NUMBER: u64 = 3;

/// What a person sees when a command may be typed.
pub const PROMPT: &str = "> ";

/// What `help` prints.
pub const HELP: &str = "\
status [--json]   s    how this node stands; --json in one line for a script
propose [N]       p    propose to add N, or 3; answers when that is decided
peers                  the members of the cluster and their addresses
leader                 who leads
bench N K              propose N numbers, K at a time, and measure
help                   this list
quit, stop        q    end this node
";

/// Something that was typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// `status`.
    Status {
        /// In one line of JSON.
        json: bool,
    },
    /// `propose N`.
    Propose(u64),
    /// `peers`.
    Peers,
    /// `leader`.
    Leader,
    /// `bench N K`.
    Bench {
        /// How many proposals.
        count: u64,
        /// How many at a time.
        in_flight: usize,
    },
    /// `help`.
    Help,
    /// `quit`.
    Quit,
    /// `stop`.
    Stop,
    /// A line with nothing on it.
    Nothing,
}

impl Command {
    /// Reads a line.
    ///
    /// # Errors
    /// What is wrong with it, for whoever typed it.
    // ANCHOR: parse
    pub fn parse(line: &str) -> Result<Command, String> {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            [] => Ok(Command::Nothing),
            ["status" | "s"] => Ok(Command::Status { json: false }),
            ["status" | "s", "--json"] => Ok(Command::Status { json: true }),
            ["propose" | "p"] => Ok(Command::Propose(DEFAULT_NUMBER)),
            ["propose" | "p", number] => parse_number(number).map(Command::Propose),
            ["peers"] => Ok(Command::Peers),
            ["leader"] => Ok(Command::Leader),
            ["bench", count, in_flight] => Ok(Command::Bench {
                count: parse_number(count)?,
                in_flight: parse_in_flight(in_flight)?,
            }),
            ["help" | "h" | "?"] => Ok(Command::Help),
            ["quit" | "q"] => Ok(Command::Quit),
            ["stop"] => Ok(Command::Stop),
            [
                known @ ("status" | "s" | "propose" | "p" | "peers" | "leader" | "bench" | "help"
                | "quit" | "q" | "stop"),
                ..,
            ] => Err(format!("that is not how to use `{known}`; try `help`")),
            [unknown, ..] => Err(format!("unknown command `{}`; try `help`", short(unknown))),
        }
    }
    // ANCHOR_END: parse
}

fn parse_number(word: &str) -> Result<u64, String> {
    word.parse().map_err(|_| {
        let word = short(word);
        format!("`{word}` is no number from 0 to {}", u64::MAX)
    })
}

fn parse_in_flight(word: &str) -> Result<usize, String> {
    let most = crate::bench::MOST_IN_FLIGHT;
    match word.parse() {
        Ok(number) if (1..=most).contains(&number) => Ok(number),
        _ => Err(format!("`{}` is no number from 1 to {most}", short(word))),
    }
}

/// What is repeated to whoever typed it: some of it, and nothing that moves a cursor.
fn short(word: &str) -> String {
    let cleaned = word.chars().map(|c| if c.is_control() { '?' } else { c });
    cleaned.take(40).collect()
}

/// How the prompt came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Somebody typed `quit`.
    Quit,
    /// Somebody typed `stop`.
    Stop,
    /// There is no more input, or nobody reads the answers any more.
    NoMoreInput,
    /// The node has stopped.
    NodeStopped,
}

/// What the prompt talks to.
pub struct Prompt {
    /// The node.
    pub handle: Handle,
    /// True once the node has joined, and its first proposal has come to an end.
    pub ready: watch::Receiver<bool>,
    /// Where to wait for answers.
    pub runtime: runtime::Handle,
    /// Whether to show [`PROMPT`] before each command: for people only.
    pub shows_prompt: bool,
    /// Whether the last thing on the screen is the prompt.
    pub is_waiting: Arc<AtomicBool>,
    /// What `help` prints.
    pub help: &'static str,
}

impl Prompt {
    /// Answers commands until there are no more. Blocks; for a thread of its own.
    ///
    /// # Errors
    /// The input or the output failed.
    // ANCHOR: run
    pub fn run(&self, mut input: impl BufRead, mut output: impl Write) -> io::Result<Ending> {
        loop {
            if self.shows_prompt {
                write!(output, "{PROMPT}")?;
                output.flush()?;
                self.is_waiting.store(true, Ordering::Relaxed);
            }
            let line = read_line(&mut input);
            self.is_waiting.store(false, Ordering::Relaxed);
            let command = match line? {
                Line::Text(line) => Command::parse(&line),
                Line::TooLong => Err(format!("a command has at most {MAX_LINE} bytes")),
                Line::End => {
                    if self.shows_prompt {
                        writeln!(output)?;
                    }
                    return Ok(Ending::NoMoreInput);
                }
            };
            let answer = match command {
                Ok(Command::Quit) => return Ok(Ending::Quit),
                Ok(Command::Stop) => return Ok(Ending::Stop),
                Ok(command) => self.runtime.block_on(self.answer(command)),
                Err(why) => Some(format!("error: {why}\n")),
            };
            let Some(answer) = answer else {
                return Ok(Ending::NodeStopped);
            };
            output.write_all(answer.as_bytes())?;
            output.flush()?;
        }
    }
    // ANCHOR_END: run

    /// The answer, with its line ends; nothing once the node has stopped.
    async fn answer(&self, command: Command) -> Option<String> {
        let answer = match command {
            Command::Nothing | Command::Quit | Command::Stop => String::new(),
            Command::Help => self.help.to_owned(),
            Command::Propose(number) => {
                let outcome = self.propose(number).await;
                format!("propose {number}: {outcome}\n")
            }
            Command::Bench { count, in_flight } => {
                self.ready.clone().wait_for(|ready| *ready).await.ok()?;
                let measured = crate::bench::measure(&self.handle, count, in_flight).await;
                format!("{measured}\n")
            }
            Command::Status { json } => {
                let status = self.handle.status().await?;
                if json {
                    format!("{}\n", serde_json::to_string(&status).ok()?)
                } else {
                    describe(&status)
                }
            }
            Command::Peers => list_peers(&self.handle.status().await?),
            Command::Leader => name_leader(&self.handle.status().await?),
        };
        Some(answer)
    }

    /// Waits until the node has joined, and then until the proposal is decided.
    async fn propose(&self, number: u64) -> Outcome {
        let mut ready = self.ready.clone();
        let joined = timeout(PATIENCE, ready.wait_for(|ready| *ready)).await;
        if !matches!(joined, Ok(Ok(_))) {
            return Outcome::NotCommitted(Refusal::NotJoined);
        }
        let proposal = Proposal::Command(command(number));
        self.handle.propose_patiently(proposal, PATIENCE).await
    }
}

/// A line of input.
#[derive(Debug, PartialEq, Eq)]
enum Line {
    Text(String),
    TooLong,
    End,
}

/// The next line. Memory is used for what a command may have at most.
// ANCHOR: read_line
fn read_line(input: &mut impl BufRead) -> io::Result<Line> {
    let mut bytes = Vec::new();
    let read = input
        .by_ref()
        .take(MAX_LINE)
        .read_until(b'\n', &mut bytes)?;
    if read == 0 {
        return Ok(Line::End);
    }
    if read as u64 == MAX_LINE && bytes.last() != Some(&b'\n') {
        input.skip_until(b'\n')?;
        return Ok(Line::TooLong);
    }
    Ok(Line::Text(String::from_utf8_lossy(&bytes).into_owned()))
}
// ANCHOR_END: read_line

fn describe(status: &NodeStatus) -> String {
    let NodeStatus { id, role, term, .. } = status;
    let leader = match status.leader {
        None => "no leader".to_owned(),
        Some(leader) => format!("leader {leader}"),
    };
    let members: Vec<String> = status.peers.keys().map(NodeId::to_string).collect();
    format!(
        "node {id}: {role}, term {term}, {leader}, commit {}, applied {}, log {}..{}, sum {}, \
         members {}\n",
        status.commit,
        status.applied,
        status.first,
        status.last,
        status.sum,
        if members.is_empty() {
            "none".to_owned()
        } else {
            members.join(" ")
        }
    )
}

fn list_peers(status: &NodeStatus) -> String {
    if status.peers.is_empty() {
        return "no peers: this node has not joined yet\n".to_owned();
    }
    let line = |(id, address): (&NodeId, _)| {
        let mut notes = String::new();
        if *id == status.id {
            notes.push_str(" (this node)");
        }
        if Some(*id) == status.leader {
            notes.push_str(" (leader)");
        }
        format!("{id}={address}{notes}\n")
    };
    status.peers.iter().map(line).collect()
}

fn name_leader(status: &NodeStatus) -> String {
    match status.leader {
        None => "no leader is known\n".to_owned(),
        Some(leader) if leader == status.id => {
            format!("node {leader} leads term {} (this node)\n", status.term)
        }
        Some(leader) => format!("node {leader} leads term {}\n", status.term),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_and_short_names_mean_the_same() {
        for (long, short) in [("status", "s"), ("propose 5", "p 5"), ("quit", "q")] {
            assert_eq!(Command::parse(long), Command::parse(short));
        }
        assert_eq!(Command::parse(" p \n"), Ok(Command::Propose(3)));
        assert_eq!(
            Command::parse("s --json"),
            Ok(Command::Status { json: true })
        );
        assert_eq!(Command::parse(" \t\n"), Ok(Command::Nothing));
    }

    #[test]
    fn what_cannot_be_understood_is_explained() {
        let why = |line| Command::parse(line).expect_err(line);
        assert_eq!(why("stauts"), "unknown command `stauts`; try `help`");
        assert_eq!(why("quit now"), "that is not how to use `quit`; try `help`");
        assert_eq!(
            why("p -1"),
            "`-1` is no number from 0 to 18446744073709551615"
        );
        assert_eq!(why("bench 10 0"), "`0` is no number from 1 to 4096");
        assert!(!why("\u{1b}[2J").contains('\u{1b}'));
    }

    #[test]
    fn a_line_that_is_too_long_is_skipped_and_the_next_one_read() {
        let long = "p ".repeat(5000);
        let text = format!("{long}\ns\nlast without an end");
        let mut input = text.as_bytes();
        let mut next = || read_line(&mut input).expect("memory");
        assert_eq!(next(), Line::TooLong);
        assert_eq!(next(), Line::Text("s\n".to_owned()));
        assert_eq!(next(), Line::Text("last without an end".to_owned()));
        assert_eq!(next(), Line::End);
    }
}
