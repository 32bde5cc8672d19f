//! Nodes that come back at another address.

mod support;

use serde_json::json;
use support::process::{Node, run};
use support::{Site, free_address};

#[test]
fn a_node_at_another_address_announces_it() {
    let site = Site::new();
    let [mut first, mut second, mut third] = site.three(&[]);
    third.end_with("stop");
    let mut third = site.start(3, &["--listen", "127.0.0.1:0"]);
    let address = third.address();
    for node in [&mut first, &mut second, &mut third] {
        node.until("it knows the address", |status| {
            status["peers"]["3"] == json!(address)
        });
    }
    third.add(1);
    first.until_sum(15);
    // The new address is the one that is stored now.
    third.end_with("stop");
    assert_eq!(site.again(3).address(), address);
}

#[test]
fn all_nodes_can_move_at_once_if_the_others_are_told_where_one_of_them_is() {
    let site = Site::new();
    for node in &mut site.three(&[]) {
        node.end_with("stop");
    }
    let mut first = site.start(1, &["--listen", "127.0.0.1:0"]);
    let mut addresses = vec![first.address()];
    let join = format!("1={}", addresses[0]);
    let mut others = [2, 3].map(|id| site.start(id, &["--listen", "127.0.0.1:0", "--join", &join]));
    addresses.extend(others.iter_mut().map(Node::address));
    let peers = json!({"1": addresses[0], "2": addresses[1], "3": addresses[2]});
    for node in std::iter::once(&mut first).chain(&mut others) {
        node.until("it knows all the addresses", |status| {
            status["peers"] == peers
        });
    }
    first.add(1);
    others[1].until_sum(15);
    // Where all of them are is in their files now.
    drop((first, others));
    let mut nodes = [1, 2, 3].map(|id| site.again(id));
    nodes[0].joined();
    nodes[0].add(1);
    nodes[2].until_sum(16);
}

#[test]
fn a_node_that_finds_nobody_where_they_were_says_what_to_do() {
    let site = Site::new();
    for node in &mut site.three(&[]) {
        node.end_with("stop");
    }
    let mut nodes = [1, 2, 3].map(|id| site.start(id, &["--listen", "127.0.0.1:0"]));
    for node in &mut nodes {
        node.until_logged("If the others have moved, start this node again and say with --join");
    }
}

/// What was given at the first start, what is given later, and where the others then look.
#[test]
fn a_node_that_listens_everywhere_must_say_at_each_move_where_others_reach_it() {
    let site = Site::new();
    let (mut first, member) = site.founder(&[]);
    let join = format!("1={member}");
    let told = free_address();
    let everywhere = told.replace("127.0.0.1", "0.0.0.0");
    let begin = ["--id", "2", "--join", &join, "--listen", &everywhere];
    let mut second = site.start(2, &[&begin[..], &["--advertise", &told]].concat());
    second.joined();
    second.end_with("stop");

    // Stored, both of them.
    let mut second = site.again(2);
    assert_eq!(second.address(), everywhere);
    assert_eq!(second.status()["peers"]["2"], json!(told));
    second.end_with("stop");

    // Elsewhere, and nobody is told where: refused, and nothing is changed.
    let before = std::fs::read(site.file(2)).expect("it is there");
    let elsewhere = free_address();
    let everywhere = elsewhere.replace("127.0.0.1", "0.0.0.0");
    let (code, output, errors) = run(site.command(2, &["--listen", &everywhere]), "");
    assert_eq!((code, output.as_str()), (Some(2), ""));
    assert!(
        errors.contains("say with --advertise HOST:PORT"),
        "{errors}"
    );
    assert_eq!(std::fs::read(site.file(2)).expect("it is there"), before);

    // Elsewhere, at one interface: the others look there, and not where it was.
    let mut second = site.start(2, &["--listen", &elsewhere]);
    for node in [&mut first, &mut second] {
        node.until("it knows the address", |status| {
            status["peers"]["2"] == json!(elsewhere)
        });
    }
}
