//! A disk that does not do what it should: the node says so and stops, and has promised nothing
//! that it cannot keep.
#![cfg(unix)]

mod support;

use std::fs;
use std::process::Command;

use serde_json::json;
use support::Site;
use support::process::Node;

/// The node was asked for something that it cannot store. It has not said that it did, has
/// ended with exit code 1, and has said why.
fn has_stopped(mut node: Node, why: &str) {
    let (status, _) = node.ended();
    assert_eq!(status.code(), Some(1), "{}", node.log());
    assert!(
        !node.said().contains("propose 1000: applied"),
        "{}",
        node.said()
    );
    let log = node.log();
    let told = format!("error: the node has stopped: {why}");
    assert!(log.contains(&told), "{log}");
    assert!(!log.contains("panicked"), "{log}");
}

#[test]
fn a_directory_that_goes_away_stops_the_node() {
    let site = Site::new();
    let (mut node, _) = site.founder(&[]);
    node.add(1);
    fs::remove_dir_all(site.directory(1)).expect("it can be removed");
    node.type_line("p 1");
    let (status, _) = node.ended();
    assert_eq!(status.code(), Some(1));
    let log = node.log();
    let says = "error: the node has stopped: cannot create ";
    assert!(log.contains(says) && log.contains("node.raft.tmp"), "{log}");
    assert!(!log.contains("panicked"), "{log}");
}

#[test]
fn a_file_that_cannot_be_made_stops_the_node_and_what_was_acknowledged_is_there() {
    let site = Site::new();
    let (mut node, _) = site.founder(&[]);
    node.add(100);
    let taken = site.directory(1).join("node.raft.tmp");
    fs::create_dir(&taken).expect("it can be made");
    node.type_line("p 1000");
    has_stopped(node, "cannot create ");

    fs::remove_dir(&taken).expect("it is empty");
    let mut node = site.again(1);
    node.joined();
    assert_eq!(node.status()["sum"], json!(102));
}

/// The system takes some of the bytes and refuses the rest, as a full disk does.
#[test]
fn a_file_that_cannot_be_written_in_full_stops_the_node_and_the_old_one_stays() {
    let site = Site::new();
    let (mut node, _) = site.founder(&[]);
    node.end_with("stop");
    // A file has at most eight blocks from here on, of 512 or of 1024 bytes.
    let mut limited = Command::new("sh");
    let with_limit = "trap '' XFSZ; ulimit -f 8; exec \"$0\" \"$@\"";
    let program = site.command(1, &[]);
    limited.args(["-c", with_limit]).arg(program.get_program());
    limited.args(program.get_args()).env("RUST_LOG", "info");
    let mut node = Node::start(limited);
    let mut sum = 2;
    let answer = loop {
        node.type_line("p 1000");
        let answer = loop {
            match node.next_line() {
                Some(line) if line.starts_with("propose 1000: ") => break Some(line),
                Some(_) => {}
                None => break None,
            }
        };
        match answer {
            Some(line) if line.contains("applied at index ") => sum += 1000,
            other => break other,
        }
    };
    assert!(sum > 2, "the limit is too low for this test");
    let (status, _) = node.ended();
    assert_eq!(status.code(), Some(1), "{answer:?}");
    let log = node.log();
    assert!(
        log.contains("error: the node has stopped: cannot write "),
        "{log}"
    );

    let mut node = site.again(1);
    node.joined();
    assert_eq!(node.status()["sum"], sum);
    node.add(1);
}

#[test]
fn what_a_broken_write_has_left_is_cleared_away() {
    let site = Site::new();
    let (mut node, _) = site.founder(&[]);
    node.add(100);
    node.kill();
    let left = site.directory(1).join("node.raft.tmp");
    fs::write(&left, b"half a fi").expect("it can be written");
    let mut node = site.again(1);
    node.joined();
    assert_eq!(node.status()["sum"], json!(102));
    node.end_with("stop");
    assert!(!left.exists());
}
