//! Three real processes, driven through their prompts.

mod support;

use std::time::Duration;

use serde_json::json;
use support::process::{a_second, run};
use support::{Node, listening, program};

/// Three processes that form a cluster, node 1 having founded it.
fn three() -> [Node; 3] {
    let (mut first, address) = listening(&["--bootstrap", "--id", "1"]);
    first.joined();
    let join = format!("1={address}");
    let others = ["2", "3"].map(|id| {
        let (mut node, _) = listening(&["--id", id, "--join", &join]);
        node.joined();
        node
    });
    let [second, third] = others;
    [first, second, third]
}

#[test]
fn three_processes_reach_the_sum_14_and_agree_on_what_their_prompts_propose() {
    let mut nodes = three();
    for node in &mut nodes {
        node.until_sum(14);
    }
    for (node, number) in nodes.iter_mut().zip([100, 200, 300]) {
        let answer = node.ask(&format!("p {number}"));
        let expected = format!("propose {number}: applied at index ");
        assert!(answer.starts_with(&expected), "{answer}");
    }
    let mut seen = Vec::new();
    for node in &mut nodes {
        let status = node.until_sum(614);
        let peers = status["peers"].as_object().expect("an object");
        assert_eq!(peers.len(), 3, "{status}");
        seen.push((status["peers"].clone(), status["term"].clone()));
    }
    assert!(seen.windows(2).all(|pair| pair[0] == pair[1]), "{seen:?}");
    for node in &mut nodes {
        node.type_line("q");
        let (status, _) = node.ended();
        assert!(status.success());
    }
}

#[test]
fn the_leader_is_killed_and_the_others_go_on() {
    let [mut first, mut second, mut third] = three();
    third.until_sum(14);
    let killed = first.status()["leader"].clone();
    assert_eq!(killed, json!(1), "nobody had a reason to replace it");
    first.child.kill().expect("it runs");
    for node in [&mut second, &mut third] {
        node.until("there is another leader", |status| {
            status["leader"].is_u64() && status["leader"] != killed
        });
    }
    let answer = third.ask("p 5");
    assert!(
        answer.starts_with("propose 5: applied at index"),
        "{answer}"
    );
    second.until_sum(19);
}

#[test]
fn commands_from_a_pipe_are_answered_in_their_order() {
    let input = "p 5\np\nnonsense\n\nleader\ns --json\nq\nnever read\n";
    let (code, output, errors) = run(program(&["--bootstrap", "--id", "1"]), input);
    assert_eq!(code, Some(0), "{errors}");
    let lines: Vec<&str> = output.lines().collect();
    let [listening, joined, five, three, nonsense, leader, status] = lines.as_slice() else {
        panic!("{output}");
    };
    assert!(listening.starts_with("listening on 127.0.0.1:"));
    assert!(joined.starts_with("joined cluster "));
    assert_eq!(*five, "propose 5: applied at index 4, the sum is 7");
    assert_eq!(*three, "propose 3: applied at index 5, the sum is 10");
    assert_eq!(*nonsense, "error: unknown command `nonsense`; try `help`");
    assert_eq!(*leader, "node 1 leads term 2 (this node)");
    let status: serde_json::Value = serde_json::from_str(status).expect("JSON");
    let address = listening.trim_start_matches("listening on ");
    assert_eq!(
        status,
        json!({"id": 1, "role": "leader", "term": 2, "leader": 1, "commit": 5, "applied": 5,
               "first": 1, "last": 5, "sum": 10, "peers": {"1": address}})
    );
    assert_eq!(errors, "");
}

#[test]
fn a_node_whose_input_has_ended_goes_on_unless_it_was_told_to_end_then() {
    let (mut service, address) = listening(&["--bootstrap", "--id", "1"]);
    service.end_input();
    let (mut other, _) = listening(&["--id", "2", "--join", &format!("1={address}")]);
    other.until_sum(6);
    assert!(service.is_running());

    let (code, output, _) = run(
        program(&["--bootstrap", "--id", "1", "--quit-at-end"]),
        "p 1\n",
    );
    assert_eq!(code, Some(0));
    assert!(output.ends_with("propose 1: applied at index 4, the sum is 3\n"));
}

#[cfg(unix)]
#[test]
fn ctrl_c_and_sigterm_end_a_node_within_a_second_whatever_it_waits_for() {
    for signal in ["-INT", "-TERM"] {
        let (mut alone, address) = listening(&["--bootstrap", "--id", "1"]);
        let (mut member, _) = listening(&["--id", "2", "--join", &format!("1={address}")]);
        member.until_sum(6);
        member.child.kill().expect("it runs");
        // Half of two is no majority: this proposal waits.
        alone.type_line("p 1");
        // A node that waits for a member which does not exist.
        let (mut joining, _) = listening(&["--id", "3", "--join", "1=127.0.0.1:1"]);
        joining.type_line("p 1");
        for node in [&mut alone, &mut joining] {
            node.signal(signal);
            let (status, took) = node.ended();
            let limit = a_second(program(&["--help"]));
            assert!(took < limit, "{signal}: {took:?} of {limit:?}");
            // By itself, or for want of time; killed by the signal never.
            let by_itself = status.code() == Some(0);
            let in_time = took < Duration::from_millis(700);
            assert!(
                by_itself || (!in_time && status.code() == Some(1)),
                "{signal}: {status}"
            );
        }
    }
}

#[test]
fn a_second_node_with_a_members_id_is_refused_and_ends_with_an_error() {
    let (mut first, address) = listening(&["--bootstrap", "--id", "1"]);
    first.joined();
    let join = format!("1={address}");
    let (mut second, _) = listening(&["--id", "2", "--join", &join]);
    second.joined();
    let (mut impostor, _) = listening(&["--id", "2", "--join", &join]);
    let (status, _) = impostor.ended();
    assert_eq!(status.code(), Some(1));
    let log = impostor.log();
    assert!(log.contains("error: cannot join: node 1 refuses"), "{log}");
}
