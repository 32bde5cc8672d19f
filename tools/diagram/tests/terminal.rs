//! The diagram in characters.

use diagram::{KeepAlive, MIN_COLUMNS, Trace, text};

fn drawn(events: &str, columns: usize, keep_alive: KeepAlive) -> String {
    let trace = Trace::parse(&format!("# trace 1\n{events}")).expect("a sound trace");
    text(&trace, columns, keep_alive)
}

const ROUNDS: &str = "\
1 n1: became leader at term 2
2 n1 → n2 Heartbeat term 2, commit 1 (sent 1)
3 n2 → n1 HeartbeatResponse term 2 (sent 2)
4 n1 ↛ n2 Heartbeat term 2, commit 1 (lost)
5 n1 → n2 Heartbeat term 2, commit 1 (sent 4)
6 n2 → n1 HeartbeatResponse term 2 (sent 5)
7 n1 → n2 Heartbeat term 2, commit 1, for a read (sent 6)
8 n2: applies 1
";

#[test]
fn a_run_of_heartbeats_is_one_row_that_counts_them() {
    let folded = drawn(ROUNDS, 100, KeepAlive::Folded);
    assert!(
        folded.contains("2 heartbeats, 2 answers, 1 lost, until 6\n"),
        "{folded}"
    );
    // The one that a read waits for is drawn.
    assert_eq!(folded.matches('▶').count(), 1, "{folded}");
    let whole = drawn(ROUNDS, 100, KeepAlive::Drawn);
    assert_eq!(whole.matches('▶').count(), 3, "{whole}");
    assert_eq!(whole.matches('◀').count(), 2, "{whole}");
}

#[test]
fn no_line_is_wider_than_asked_for() {
    for nodes in 1..=9 {
        let long = "word ".repeat(40);
        let mut events: Vec<String> = (1..=nodes)
            .map(|node| format!("1 n{node}: became follower at term {node}"))
            .collect();
        if nodes > 1 {
            events.push(format!("2 n1 → n{nodes} AppendEntries {long} (sent 1)"));
            events.push(format!(
                "2 n{nodes} ↛ n1 AppendEntriesResponse {long} (lost)"
            ));
        }
        events.push(format!("3 *: {long}\n3 n1: {long}\n4 !: {long}"));
        let events = events.join("\n");
        for columns in [MIN_COLUMNS, 100, 160] {
            let text = drawn(&events, columns, KeepAlive::Folded);
            let widest = text.lines().map(|line| line.chars().count()).max();
            assert!(widest <= Some(columns), "{nodes} nodes, {columns}:\n{text}");
            assert!(text.lines().all(|line| line.trim_end() == line), "{text}");
        }
        assert_eq!(
            drawn(&events, 0, KeepAlive::Folded),
            drawn(&events, MIN_COLUMNS, KeepAlive::Folded)
        );
    }
}

#[test]
fn every_word_of_the_trace_is_there() {
    let trace = "1 n1: became leader at term 12\n2 n1 → n3 AppendEntries term 12, [] (sent 1)\n\
                 3 n3 ↛ n2 Heartbeat term 12 (lost)\n4 n1 → n2 Vote a (sent 2) (n2 is down)\n\
                 5 *: a cut\n6 !: broken\n";
    let text = drawn(trace, 80, KeepAlive::Folded);
    for words in [
        "n1: became leader at term 12",
        "AppendEntries",
        "term 12, [] (sent 1)",
        "term 12 (lost)",
        "a (sent 2) (n2 is down)",
        "*: a cut",
        "!: broken",
        "L leader, each with its term; ✕ lost; times in ticks",
    ] {
        assert!(text.contains(words), "{words} is missing in\n{text}");
    }
}

#[test]
fn a_lane_shows_how_its_node_stands() {
    let text = drawn(
        "1 n1: starts in term 1\n2 n1: waits\n3 n1: became pre-candidate at term 1\n4 n1: waits\n\
         4 *: a\n5 n1: became candidate at term 2\n5 *: b\n6 n1: became leader at term 2\n6 *: c\n\
         7 n1: crashes\n7 n1: waits\n8 n1: starts in term 2\n",
        80,
        KeepAlive::Folded,
    );
    let lane: Vec<char> = text
        .lines()
        .skip(2)
        .map(|line| line.chars().nth(9).unwrap_or(' '))
        .take(12)
        .collect();
    assert_eq!(
        lane,
        ['F', '●', 'P', '●', '╎', 'C', '╏', 'L', '┃', '✕', '●', 'F'],
        "{text}"
    );
}

#[test]
fn a_long_diagram_names_its_lanes_again() {
    let events: Vec<String> = (1..=100).map(|time| format!("{time} n1: waits")).collect();
    let text = drawn(&events.join("\n"), 80, KeepAlive::Folded);
    let names = text.lines().filter(|line| line.trim() == "n1").count();
    assert_eq!(names, 4, "{text}");
}
