//! Reading a trace: what it says is kept, what is wrong is named with its line, and no text
//! makes it panic.

use diagram::{
    Change, Event, Fate, Log, MAX_LINE, MAX_LINES, MAX_NODES, Reason, Role, Time, Trace, What,
};
use proptest::prelude::*;

fn parse(events: &str) -> Trace {
    Trace::parse(&format!("# trace 1\n{events}")).unwrap_or_else(|error| panic!("{error}"))
}

/// The reason, which must stand in this line.
fn reason(line: usize, text: &str) -> Reason {
    let error = Trace::parse(text).expect_err(text);
    assert_eq!(error.line, line, "{error} in\n{text}");
    error.reason
}

/// The reason why this is no event.
fn wrong(event: &str) -> Reason {
    reason(2, &format!("# trace 1\n{event}\n"))
}

const fn at(hundredths: u64) -> Time {
    Time::from_hundredths(hundredths)
}

#[test]
fn a_heading_is_kept_and_names_the_lanes() {
    let trace = parse("# title: Three nodes\n# nodes: 3 1\n1 n1: waits\n");
    assert_eq!(trace.title(), "Three nodes");
    assert_eq!(trace.heading("nodes"), Some("3 1"));
    assert_eq!(trace.heading("command"), None);
    assert_eq!(trace.nodes(), [3, 1]);
    assert_eq!(trace.unit(), "ticks");
}

#[test]
fn nodes_that_no_heading_lists_are_those_that_occur() {
    let trace = parse("0 *: begins\n1 n7 ↛ n2 Heartbeat (lost)\n2 n3: waits\n");
    assert_eq!(trace.nodes(), [2, 3, 7]);
    assert_eq!(trace.title(), "What happened");
}

#[test]
fn a_property_that_broke_is_a_title_for_want_of_one() {
    let trace = parse("# seed: 3\n# property: one-vote\n# seen: n1 voted twice\n1 *: a\n");
    assert_eq!(trace.title(), "one-vote: n1 voted twice");
}

#[test]
fn a_message_keeps_its_words_its_fate_and_both_times() {
    let trace = parse(
        "   12.40 n1 → n2 Vote (a) b (sent 12.30)\n\
            13 n1 → n3 Vote (sent 1) (n3 is down)\n\
            13 n1 ↛ n4 Vote (a) (lost)\n",
    );
    let fates: Vec<_> = trace
        .events()
        .iter()
        .map(|event| match &event.what {
            What::Message { words, fate, .. } => (event.time, words.as_str(), fate.clone()),
            other => panic!("{other:?}"),
        })
        .collect();
    let why = "n3 is down".to_owned();
    assert_eq!(
        fates,
        [
            (at(1240), "Vote (a) b", Fate::Arrived { sent: at(1230) }),
            (at(1300), "Vote", Fate::Unheard { sent: at(100), why }),
            (at(1300), "Vote (a)", Fate::Lost),
        ]
    );
}

#[test]
fn five_kinds_of_words_change_a_lane_and_all_others_are_notes() {
    let log = |entries, commit| Change::Log(Log { entries, commit });
    for (words, expected) in [
        ("starts in term 3", Change::Started { term: 3 }),
        (
            "starts in term 3, with a snapshot",
            Change::Started { term: 3 },
        ),
        (
            "became pre-candidate at term 4",
            Change::Became {
                role: Role::PreCandidate,
                term: 4,
            },
        ),
        (
            "is leader at term 4",
            Change::Became {
                role: Role::Leader,
                term: 4,
            },
        ),
        ("is cut off", Change::Nothing),
        ("log 2..5, commit 3", log(Some((2, 5)), 3)),
        ("log empty, commit 0", log(None, 0)),
        ("crashes", Change::Down),
        ("crashes; the write is torn", Change::Down),
        ("stops", Change::Down),
        ("crashes-test", Change::Nothing),
        ("proposes x=1", Change::Nothing),
        ("starts a thread", Change::Nothing),
    ] {
        let trace = parse(&format!("1 n1: {words}\n"));
        let Event {
            what: What::Node { change, .. },
            ..
        } = &trace.events()[0]
        else {
            panic!("{words} is something of a node");
        };
        assert_eq!(*change, expected, "{words}");
    }
}

#[test]
fn a_text_that_is_no_trace_says_so_in_its_first_line() {
    assert_eq!(reason(1, "1 n1: waits\n"), Reason::NoFormat);
    assert_eq!(
        reason(1, "# trace 2\n"),
        Reason::OtherVersion("2".to_owned())
    );
    assert_eq!(reason(1, ""), Reason::NoEvents);
    assert_eq!(reason(2, "# trace 1\n# seed: 3\n"), Reason::NoEvents);
}

#[test]
fn what_is_wrong_with_the_heading_is_named() {
    let heading = |line: &str| reason(2, &format!("# trace 1\n{line}\n1 n1: a\n"));
    assert_eq!(heading("# seed"), Reason::NotAHeading);
    assert_eq!(heading("# Seed: 3"), Reason::NotAHeading);
    assert_eq!(heading("# seed:"), Reason::NotAHeading);
    assert_eq!(heading("# nodes: 1 1"), Reason::NotAListOfNodes);
    assert_eq!(heading("# nodes: one"), Reason::NotAListOfNodes);
    assert_eq!(
        heading("# nodes: 1 2 3 4 5 6 7 8 9 10"),
        Reason::TooManyNodes
    );
    let twice = "# trace 1\n# seed: 1\n# seed: 2\n1 n1: a\n";
    assert_eq!(reason(3, twice), Reason::SaidTwice("seed".to_owned()));
    let unlisted = "# trace 1\n# nodes: 1\n1 n2: a\n";
    assert_eq!(reason(3, unlisted), Reason::UnlistedNode(2));
    let late = "# trace 1\n1 n1: a\n# seed: 3\n";
    assert_eq!(reason(3, late), Reason::LateHeading);
}

#[test]
fn what_is_wrong_with_an_event_is_named() {
    let time = |text: &str| Reason::NotATime(text.to_owned());
    for (event, expected) in [
        ("", Reason::EmptyLine),
        ("1 n1: a\tb", Reason::Unprintable('\t')),
        ("n1: a", time("n1:")),
        ("-1 n1: a", time("-1")),
        ("1.5 n1: a", time("1.5")),
        ("99999999999999999999 n1: a", time("99999999999999999999")),
        ("1", Reason::NotAnEvent),
        ("1 hello", Reason::NotAnEvent),
        ("1 n1 -> n2 a (sent 1)", Reason::NotAnEvent),
        ("1 n1:", Reason::NoWords),
        ("1 *:", Reason::NoWords),
        ("1 x1: a", Reason::NotANode("x1".to_owned())),
        ("1 n0: a", Reason::NotANode("n0".to_owned())),
        ("1 n+1: a", Reason::NotANode("n+1".to_owned())),
        (
            "1 n1 → n1000 a (sent 1)",
            Reason::NotANode("n1000".to_owned()),
        ),
        ("1 n1 → n1 a (sent 1)", Reason::ToItself(1)),
        ("1 n1 → n2 a", Reason::NoSendingTime),
        ("1 n1 → n2 a (sent 1) down", Reason::NoSendingTime),
        ("1 n1 → n2 a (sent soon)", time("soon")),
        ("1 n1 → n2 a (sent 2)", Reason::SentLater(at(200))),
        ("1 n1 → n2 (sent 1)", Reason::NoWords),
        ("1 n1 ↛ n2 a", Reason::NotSaidToBeLost),
        (
            "1 n1: became king at term 2",
            Reason::NotARole("king at term 2".to_owned()),
        ),
        (
            "1 n1: became leader at term two",
            Reason::NotATerm("two".to_owned()),
        ),
        ("1 n1: starts in term x", Reason::NotATerm("x".to_owned())),
        ("1 n1: log 5..4, commit 3", Reason::NotALog),
        ("1 n1: log 1-4, commit 3", Reason::NotALog),
    ] {
        assert_eq!(wrong(event), expected, "{event}");
    }
    let back = "# trace 1\n2 n1: a\n1.99 n1: b\n";
    assert_eq!(reason(3, back), Reason::TimeGoesBack(at(200)));
    let after = "# trace 1\n1 !: broken\n1 n1: a\n";
    assert_eq!(reason(3, after), Reason::AfterTheEnd);
}

#[test]
fn an_error_names_its_line_and_says_what_to_write() {
    let error = Trace::parse("# trace 1\n1 n1 ↛ n2 Heartbeat\n").unwrap_err();
    assert_eq!(
        error.to_string(),
        "line 2: a message that is lost ends with `(lost)`"
    );
}

#[test]
fn everything_that_grows_has_a_limit() {
    let many = format!("# trace 1\n{}", "1 n1: a\n".repeat(MAX_LINES));
    assert_eq!(reason(MAX_LINES + 1, &many), Reason::TooManyLines);
    let long = format!("1 n1: {}", "a".repeat(MAX_LINE));
    assert_eq!(wrong(&long), Reason::LineTooLong);
    let nodes: Vec<String> = (1..=MAX_NODES + 1)
        .map(|node| format!("1 n{node}: a"))
        .collect();
    let crowd = format!("# trace 1\n{}", nodes.join("\n"));
    assert_eq!(reason(MAX_NODES + 2, &crowd), Reason::TooManyNodes);
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn no_text_makes_the_parser_panic(text in "(# trace 1\n)?(\\PC|[\n →↛():*!#n0-9.]){0,200}") {
        let _ = Trace::parse(&text);
    }

    #[test]
    fn an_event_that_is_written_down_is_read_as_it_was(
        time in 0u64..100_000,
        slow in 0u64..100_000,
        from in 1u64..5,
        away in 1u64..4,
        kind in 0usize..6,
        words in "[A-Za-z(,:=\\[\\]→ ]{0,40}",
    ) {
        let to = (from + away - 1) % 4 + 1;
        prop_assume!(to != from);
        let sent = at(time.saturating_sub(slow));
        // A kind before the words, so that they are never one of the special ones.
        let words = format!("Word {words}").trim().to_owned();
        let what = match kind {
            0 => What::Message { from, to, words, fate: Fate::Arrived { sent } },
            1 => What::Message {
                from,
                to,
                words,
                fate: Fate::Unheard { sent, why: "down".to_owned() },
            },
            2 => What::Message { from, to, words, fate: Fate::Lost },
            3 => What::Node { node: from, words, change: Change::Nothing },
            4 => What::Cluster(words),
            _ => What::Broken(words),
        };
        let event = Event { time: at(time), what };
        let trace = Trace::parse(&format!("# trace 1\n{event}\n")).unwrap();
        prop_assert_eq!(&trace.events()[0], &event);
    }
}
