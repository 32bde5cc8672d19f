//! `--demo`: three nodes as processes of their own, and what their prompts say.

use std::ffi::OsStr;
use std::io::{self, BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use raft_kernel::NodeId;

/// A node in a process of its own, driven through its prompt. Killed when it is dropped.
pub struct NodeProcess {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl NodeProcess {
    /// Starts this program with these arguments.
    pub fn start<A: AsRef<OsStr>>(arguments: &[A]) -> io::Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let gone = || io::Error::other("a node has no input or output");
        let input = child.stdin.take().ok_or_else(gone)?;
        let output = BufReader::new(child.stdout.take().ok_or_else(gone)?);
        Ok(NodeProcess {
            child,
            input,
            output,
        })
    }

    /// Types a line at its prompt.
    pub fn type_line(&mut self, line: &str) -> io::Result<()> {
        writeln!(self.input, "{line}")
    }

    /// The next line that it prints.
    pub fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        match self.output.read_line(&mut line)? {
            0 => Err(io::Error::other("a node ended too early")),
            _ => Ok(line.trim_end().to_owned()),
        }
    }

    /// The rest of the next line that begins so.
    pub fn rest_of_line(&mut self, beginning: &str) -> io::Result<String> {
        loop {
            if let Some(rest) = self.line()?.strip_prefix(beginning) {
                return Ok(rest.to_owned());
            }
        }
    }
}

impl Drop for NodeProcess {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What is typed at which node, once all three have joined, and how many lines it answers with.
const TYPED: [(usize, &str, usize); 4] = [
    (2, "propose 5", 1),
    (1, "peers", 3),
    (0, "leader", 1),
    (0, "status --json", 1),
];

/// Starts a node with these arguments beside `--id`. It ends with this process.
pub(crate) fn start(id: NodeId, arguments: &[&str]) -> io::Result<NodeProcess> {
    let id = id.to_string();
    NodeProcess::start(&[&["--quit-at-end", "--id", &id], arguments].concat())
}

/// Starts three nodes, types some commands, and tells what the nodes print.
///
/// # Errors
/// A node cannot be started, or ends, or `out` cannot be written to.
// ANCHOR: tell
pub fn tell(out: &mut impl Write) -> io::Result<()> {
    let (mut nodes, mut member) = (Vec::new(), String::new());
    for id in [1, 2, 3] {
        let arguments = match id {
            1 => vec!["--bootstrap"],
            _ => vec!["--join", member.as_str()],
        };
        writeln!(
            out,
            "node {id} is started with --id {id} {}",
            arguments.join(" ")
        )?;
        let mut node = start(id, &arguments)?;
        let address = node.rest_of_line("listening on ")?;
        writeln!(out, "  listening on {address}\n  {}", node.line()?)?;
        member = format!("{id}={address}");
        nodes.push(node);
    }
    for (place, command, lines) in TYPED {
        writeln!(out, "node {} is asked: {command}", place + 1)?;
        nodes[place].type_line(command)?;
        for _ in 0..lines {
            writeln!(out, "  {}", nodes[place].line()?)?;
        }
    }
    Ok(())
}
// ANCHOR_END: tell
