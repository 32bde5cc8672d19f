//! Nodes that end in every way, and come back.

mod support;

use serde_json::{Value, json};
use support::Site;

#[test]
fn a_node_that_stops_misses_commands_comes_back_and_catches_up() {
    let site = Site::new();
    let [mut first, mut second, mut third] = site.three(&[]);
    third.end_with("stop");
    for number in [100, 200, 300] {
        first.add(number);
    }
    second.until_sum(614);
    assert_eq!(first.status()["peers"].as_object().expect("a map").len(), 3);

    let mut third = site.again(3);
    assert!(third.line().starts_with("recovered node 3, of cluster "));
    third.joined();
    third.until_sum(614);
    third.add(1);
    first.until_sum(615);
}

#[test]
fn a_node_that_was_killed_knows_alone_what_it_has_acknowledged() {
    let site = Site::new();
    let (mut node, _) = site.founder(&[]);
    let mut sum = 2;
    for number in 1..=20 {
        node.add(number);
        sum += number;
        node.kill();
        node = site.again(1);
        node.joined();
        assert_eq!(node.status()["sum"], json!(sum));
    }
}

#[test]
fn a_node_that_quits_is_no_member_and_rejoins_when_it_is_started_again() {
    let site = Site::new();
    let [mut first, mut second, mut third] = site.three(&[]);
    third.type_line("quit");
    third.rest_of_line("left the cluster; started again from ");
    assert!(third.ended().0.success());
    first.until("node 3 is gone", |status| {
        status["peers"].get("3").is_none()
    });
    first.add(100);
    // The other two are a majority of two, and both of them are needed.
    second.until_sum(114);

    let mut third = site.again(3);
    let found = third.line();
    assert!(found.contains("which has left cluster "), "{found}");
    third.joined();
    third.until_sum(114);
    third.add(1);
    first.until_sum(115);
    third.end_with("stop");
    let mut third = site.again(3);
    let found = third.line();
    assert!(found.contains(", of cluster "), "it has come back: {found}");
}

#[test]
fn the_leader_can_quit_and_the_others_go_on() {
    let site = Site::new();
    let mut nodes = site.three(&[]);
    assert_eq!(
        nodes[0].status()["leader"],
        json!(1),
        "nobody had a reason to replace it"
    );
    nodes[0].end_with("quit");
    let [_, second, third] = &mut nodes;
    second.add(100);
    third.until_sum(114);
    third.end_with("quit");
    second.add(100);
    assert_eq!(
        second.status()["peers"].as_object().expect("a map").len(),
        1
    );
}

/// Node 1 has learnt that node 2 is gone, and is killed before it writes anything else.
#[test]
fn whoever_remains_does_not_wait_for_those_who_have_left_after_a_kill() {
    let site = Site::new();
    let (mut first, address) = site.founder(&[]);
    let mut second = site.joiner(2, &address, &[]);
    second.end_with("quit");
    first.kill();
    let mut first = site.again(1);
    first.joined();
    first.add(100);
    first.until_sum(106);
}

#[test]
fn the_last_member_can_quit_and_comes_back_with_its_cluster() {
    let site = Site::new();
    let (mut node, _) = site.founder(&[]);
    node.add(100);
    node.type_line("quit");
    node.rest_of_line("the last member stops; the cluster is in ");
    assert!(node.ended().0.success());
    let mut node = site.again(1);
    node.joined();
    node.add(1);
    node.until_sum(103);
}

#[test]
fn all_can_quit_at_the_same_time_and_come_back_one_after_the_other() {
    let site = Site::new();
    let mut nodes = site.three(&[]);
    for node in &mut nodes {
        node.type_line("quit");
    }
    let mut last = None;
    for (id, node) in (1..).zip(&mut nodes) {
        loop {
            let line = node.line();
            if line.starts_with("the last member stops") {
                last = Some(id);
            } else if line.starts_with("error: it is unknown") {
                // Whoever could have told it has left, too. That is rare, and told as it is.
                node.type_line("stop");
            } else if !line.starts_with("left the cluster") {
                continue;
            }
            break;
        }
        assert!(node.ended().0.success());
    }
    let last = last.expect("somebody was the last");
    let mut back = vec![site.again(last)];
    back[0].joined();
    for id in [1, 2, 3].into_iter().filter(|id| *id != last) {
        let mut node = site.again(id);
        node.joined();
        node.until_sum(14);
        back.push(node);
    }
}

#[test]
fn quit_without_a_majority_says_so_and_the_node_goes_on() {
    let site = Site::new();
    let [mut first, mut second, mut third] = site.three(&[]);
    second.kill();
    third.kill();
    first.type_line("quit");
    let why = first.rest_of_line("error: ");
    assert!(why.contains("Try `quit` again"), "{why}");
    first.end_with("stop");
}

#[test]
fn a_node_that_was_killed_before_anybody_let_it_in_asks_again_as_the_same() {
    let site = Site::new();
    let (mut first, address) = site.founder(&[]);
    first.end_with("stop");
    let join = format!("1={address}");
    let mut second = site.start(2, &["--id", "2", "--join", &join]);
    second.address();
    second.kill();
    let mut first = site.again(1);
    first.joined();
    // It remembers its number, and whom to ask.
    let mut second = site.again(2);
    second.joined();
    second.until_sum(6);
    first.until_sum(6);
}

/// Its own removal needs both, and it must not be gone before the other knows.
#[test]
fn the_leader_of_two_can_quit_and_the_other_goes_on_alone() {
    for _ in 0..5 {
        let site = Site::new();
        let (mut first, address) = site.founder(&[]);
        let mut second = site.joiner(2, &address, &[]);
        assert_eq!(first.status()["leader"], json!(1));
        first.end_with("quit");
        second.add(100);
        second.until_sum(106);
    }
}

/// An election begins after ten to twenty ticks without a leader, here after ten seconds or
/// more. So whoever leads now was told to.
#[test]
fn a_leader_that_quits_has_handed_its_leadership_over_before_it_is_gone() {
    let site = Site::with_tick(1000);
    let mut nodes = site.three(&[]);
    assert_eq!(nodes[0].status()["role"], json!("leader"));
    nodes[0].end_with("quit");
    let [_, second, third] = &mut nodes;
    let states = [second.status(), third.status()];
    let leads = |status: &Value| status["role"] == json!("leader");
    assert!(states.iter().any(leads), "{states:?}");
    second.add(100);
}
