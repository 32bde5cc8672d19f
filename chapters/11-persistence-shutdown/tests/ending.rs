//! Ctrl-C and SIGTERM, whatever the node is doing.
#![cfg(unix)]

mod support;

use std::fs::File;
use std::process::Command;
use std::sync::mpsc::channel;
use std::thread;

use serde_json::json;
use support::process::{DEADLINE, Node, a_second};
use support::{Site, program};

/// Tells it to end, and waits until it has.
fn end_with_signal(node: &mut Node, signal: &str, code: i32) {
    node.signal(signal);
    let (status, took) = node.ended();
    assert_eq!(status.code(), Some(code), "{signal}: {}", node.log());
    let limit = a_second(program(None, &["--help"]));
    assert!(took < limit, "{signal}: {took:?} of {limit:?}");
}

#[test]
fn ctrl_c_and_sigterm_end_a_node_within_a_second_with_its_state_stored() {
    for signal in ["-INT", "-TERM"] {
        let site = Site::new();
        let (mut first, address) = site.founder(&[]);
        let mut second = site.joiner(2, &address, &[]);
        second.add(100);
        first.kill();
        // Half of two is no majority: this proposal waits, and so does this wish to leave.
        second.type_line("p 1");
        second.type_line("quit");
        end_with_signal(&mut second, signal, 0);
        let (mut first, mut second) = (site.again(1), site.again(2));
        first.joined();
        second.joined();
        second.until("it has what was acknowledged", |status| {
            status["sum"] == json!(106) || status["sum"] == json!(107)
        });
    }
}

#[test]
fn a_node_that_waits_for_a_member_that_is_not_there_ends_within_a_second() {
    for signal in ["-INT", "-TERM"] {
        let site = Site::new();
        let mut node = site.start(2, &["--id", "2", "--join", "1=127.0.0.1:1"]);
        node.address();
        node.type_line("p 1");
        end_with_signal(&mut node, signal, 0);
        assert!(site.file(2).exists());
    }
}

/// In the place of the file that it writes there is a pipe that nobody empties: so the write
/// does not come to its end.
#[test]
fn a_node_whose_disk_hangs_ends_within_a_second_and_keeps_what_it_has_acknowledged() {
    for signal in ["-INT", "-TERM"] {
        let site = Site::new();
        let (mut node, _) = site.founder(&[]);
        // More than fits into a pipe.
        node.type_line("bench 1900 100");
        node.rest_of_line("bench: 100 in flight, 1900 applied, ");
        let pipe = site.directory(1).join("node.raft.tmp");
        let made = Command::new("mkfifo").arg(&pipe).status();
        assert!(made.expect("there is a mkfifo").success());
        node.type_line("p 1000");
        // Whoever opens it waits until the other end is opened, too: the write has begun then.
        let (opened, is_open) = channel();
        let opening = thread::spawn(move || opened.send(File::open(pipe)));
        let held = is_open.recv_timeout(DEADLINE).expect("the node writes");
        end_with_signal(&mut node, signal, 1);
        assert!(!node.said().contains("propose 1000"), "{}", node.said());
        drop(held);
        assert!(opening.join().is_ok());

        let mut node = site.again(1);
        node.joined();
        assert_eq!(node.status()["sum"], json!(1902));
    }
}
