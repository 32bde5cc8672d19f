//! The rules of the picture: where things are, and that all of it can be read.

use std::fmt::Write as _;

use diagram::{KeepAlive, Look, Place, STYLE, Trace, svg};
use proptest::prelude::*;

fn picture(events: &str, look: Look) -> String {
    let trace = Trace::parse(&format!("# trace 1\n{events}")).expect("a sound trace");
    svg(&trace, &look)
}

fn drawn(events: &str) -> String {
    picture(events, Look::default())
}

/// The values of an attribute, in order, of all elements of this class.
fn values(svg: &str, class: &str, attribute: &str) -> Vec<String> {
    let class = format!("class=\"{class}\"");
    let attribute = format!(" {attribute}=\"");
    svg.lines()
        .filter(|line| line.contains(&class))
        .filter_map(|line| line.split_once(&attribute))
        .map(|(_, rest)| rest.split('"').next().unwrap_or_default().to_owned())
        .collect()
}

/// Both ends of each arrow.
fn ways(svg: &str) -> Vec<[(f64, f64); 2]> {
    let point = |text: &str| {
        let (x, y) = text.trim().split_once(' ').expect("two numbers");
        (x.parse().expect("a number"), y.parse().expect("a number"))
    };
    values(svg, "way", "d")
        .iter()
        .map(|path| {
            let (start, end) = path[1..].split_once('L').expect("a line");
            [point(start), point(end)]
        })
        .collect()
}

/// How far down the event of this number ends.
fn bottom(svg: &str, step: usize) -> f64 {
    let begin = format!("data-step=\"{step}\" data-bottom=\"");
    let (_, rest) = svg.split_once(&begin).expect("the step");
    let value = rest.split('"').next().expect("a value");
    value.parse().expect("a number")
}

fn is(a: f64, b: f64) -> bool {
    (a - b).abs() < 0.11
}

const ELECTION: &str = "\
# nodes: 1 2 3
1 n1: became candidate at term 2
2 n1 → n2 RequestVote term 2 (sent 1)
2 n2: gave its vote
2 n1 → n3 RequestVote term 2 (sent 1)
3 n2 → n1 RequestVoteResponse term 2, granted (sent 2)
3 n1: became leader at term 2
9 n3 → n1 RequestVoteResponse term 2, granted (sent 2)
";

#[test]
fn each_event_is_a_group_with_its_number_and_its_line() {
    let svg = drawn(ELECTION);
    for (number, line) in (1..).zip(ELECTION.lines().skip(1)) {
        let group = format!("data-step=\"{number}\" data-bottom=");
        let (_, rest) = svg.split_once(&group).expect("the event's group");
        let title = rest.lines().nth(1);
        assert_eq!(title, Some(format!("<title>{line}</title>").as_str()));
    }
    assert_eq!(svg.matches("class=\"event").count(), 7);
}

#[test]
fn an_arrow_leads_from_what_its_sender_did_to_its_arrival() {
    let svg = drawn(ELECTION);
    let ways = ways(&svg);
    // Both requests leave at one point, below the row of the candidate.
    assert_eq!(ways[0][0], ways[1][0]);
    assert!(is(ways[0][0].1, bottom(&svg, 1)));
    // The answer leaves below the vote.
    assert!(is(ways[2][0].1, bottom(&svg, 3)));
    // The slow one leaves below its request, and arrives three rows later.
    assert!(is(ways[3][0].1, bottom(&svg, 4)));
    assert!(ways[3][1].1 > bottom(&svg, 6));
    for [(_, from), (_, to)] in ways {
        assert!(from < to, "time runs downwards");
    }
}

#[test]
fn what_leaves_because_time_passed_leaves_below_what_was_before() {
    let svg = drawn(
        "1 n1: became leader at term 2\n\
         5 n1 → n2 Heartbeat term 2 (sent 4)\n5 n1 → n3 Heartbeat term 2 (sent 4)\n",
    );
    let ways = ways(&svg);
    assert_eq!(ways[0][0], ways[1][0]);
    assert!(ways[0][0].1 > bottom(&svg, 1), "a row of its own");
}

#[test]
fn a_lost_message_is_broken_off_and_crossed() {
    let svg = drawn("1 n1 ↛ n2 Heartbeat term 2 (lost)\n1 n2: waits\n");
    assert!(svg.contains("class=\"event message lost\""), "{svg}");
    assert_eq!(svg.matches("class=\"cross\"").count(), 1);
    assert_eq!(svg.matches("class=\"head\"").count(), 0);
    let lanes = values(&svg, "name", "x");
    let end = ways(&svg)[0][1].0;
    let reaches: f64 = lanes[1].parse().expect("a number");
    assert!(end < reaches - 50.0, "{end} is at the lane at {reaches}");
}

#[test]
fn a_message_to_a_node_that_is_down_ends_in_a_cross_at_its_lane() {
    let svg = drawn("0 n2: crashes\n1 n1 → n2 Heartbeat term 2 (sent 0) (n2 is down)\n");
    assert!(svg.contains("class=\"event message unheard\""), "{svg}");
    assert!(svg.contains("class=\"lane down\""), "{svg}");
    assert!(svg.contains("(n2 is down)"), "{svg}");
    // One for the crash, one for the message.
    assert_eq!(svg.matches("class=\"cross\"").count(), 2);
}

#[test]
fn a_role_is_told_by_a_letter_with_its_term_and_by_its_lane() {
    let svg = drawn(
        "1 n1: starts in term 1\n2 n1: became pre-candidate at term 1\n\
         3 n1: became candidate at term 2\n4 n1: became leader at term 2\n",
    );
    for (role, sign) in [
        ("follower", "F1"),
        ("pre-candidate", "P1"),
        ("candidate", "C2"),
        ("leader", "L2"),
    ] {
        assert!(svg.contains(&format!("class=\"lane {role}\"")), "{role}");
        assert!(svg.contains(&format!(">{sign}</text>")), "{sign}");
    }
    assert!(svg.contains(">F follower, P pre-candidate, C candidate, L leader,"));
}

#[test]
fn no_two_kinds_of_lanes_have_the_same_line() {
    // Width and dashes, as the stylesheet has them.
    let line = |kind: &str| {
        let selector = format!(".sequence .lane{kind} {{");
        let (_, rest) = STYLE.split_once(&selector).expect("a rule");
        let rule = rest.split('}').next().expect("its end");
        let value = |name: &str| {
            let named = rule.split(';').find_map(|it| it.trim().strip_prefix(name));
            named.map(str::to_owned)
        };
        (value("stroke-width:"), value("stroke-dasharray:"))
    };
    let kinds = [
        "",
        ".untold",
        ".down",
        ".pre-candidate",
        ".candidate",
        ".leader",
    ];
    let lines: std::collections::BTreeSet<_> = kinds.into_iter().map(line).collect();
    assert_eq!(lines.len(), kinds.len(), "{lines:?}");
}

#[test]
fn a_log_shows_its_last_entries_and_how_far_they_are_committed() {
    let svg = drawn("1 n1: log 1..2, commit 1\n2 n1: log 3..12, commit 11\n");
    let index = |class| -> Vec<_> {
        let begin = format!("<text class=\"{class}\"");
        let texts = svg.lines().filter(|line| line.starts_with(&begin));
        texts
            .filter_map(|line| line.split(['>', '<']).nth(2))
            .collect()
    };
    assert_eq!(index("entry committed"), ["1", "9", "10", "11"]);
    assert_eq!(index("entry"), ["2", "12"]);
    assert!(svg.contains(">commit 11</text>"), "{svg}");
}

#[test]
fn heartbeats_are_folded_or_drawn() {
    let beats = "1 n1 → n2 Heartbeat term 2 (sent 0)\n2 n2 → n1 HeartbeatResponse term 2 (sent 1)\n\
                 3 n1 → n2 Heartbeat term 2 (sent 2)\n";
    let folded = drawn(beats);
    assert!(folded.contains("<title>1 2 heartbeats, 1 answer, until 3</title>"));
    assert_eq!(ways(&folded).len(), 0);
    let whole = Look {
        keep_alive: KeepAlive::Drawn,
        ..Look::default()
    };
    assert_eq!(ways(&picture(beats, whole)).len(), 3);
}

#[test]
fn three_lanes_fit_on_a_phone_and_no_text_is_small() {
    let svg = drawn(ELECTION);
    assert!(svg.contains(" width=\"344\" "), "{svg}");
    assert!(!svg.contains("font-size"), "the stylesheet says it");
    let sizes: Vec<f64> = STYLE
        .split("font-size: ")
        .skip(1)
        .filter_map(|rest| {
            rest.split_once("px")
                .and_then(|(size, _)| size.parse().ok())
        })
        .collect();
    assert_eq!(sizes, [12.0, 14.0]);
    assert!(STYLE.contains("min-width: calc(var(--seq-width, 344px) * 0.96)"));
}

#[test]
fn a_picture_on_a_page_names_no_colour_and_a_file_brings_them() {
    let page = drawn(ELECTION);
    assert!(!page.contains('#') && !page.contains("<style>"), "{page}");
    assert!(!page.contains("\n\n"), "an empty line ends a block of HTML");
    let file = Look {
        place: Place::File,
        ..Look::default()
    };
    let file = picture(ELECTION, file);
    assert!(file.contains("<style>") && file.contains("--seq-leader: #"));
}

#[test]
fn what_looks_like_a_tag_stays_text() {
    let svg = drawn("# title: a <b> & c\n1 n1: <script> \"x\"\n");
    assert!(svg.contains("<title>a &lt;b&gt; &amp; c</title>"), "{svg}");
    assert!(!svg.contains("<script>"), "{svg}");
}

#[test]
fn a_picture_tells_its_story_in_words() {
    let svg = drawn(&format!(
        "{ELECTION}10 n1 ↛ n2 Heartbeat a (lost)\n11 !: it broke\n"
    ));
    let story = "<desc>A sequence diagram. 3 lanes, for n1, n2, n3; time runs downwards from 1 \
                 to 11 ticks; 5 messages, 1 of them lost. At 3 n1 becomes leader of term 2. It \
                 ends badly: it broke.</desc>";
    assert!(svg.contains(story), "{svg}");
}

/// Any trace of up to four nodes: each event waits a while after the one before.
fn any_events() -> impl Strategy<Value = String> {
    let event = (0u64..30, 1u64..5, 1u64..4, 0usize..9, 0u64..200);
    proptest::collection::vec(event, 1..60).prop_map(|events| {
        let mut now = 0;
        let mut text = String::new();
        for (wait, from, away, kind, number) in events {
            now += wait;
            let to = (from + away - 1) % 4 + 1;
            let sent = now.saturating_sub(number);
            let length = usize::try_from(number).expect("a small number") + 1;
            let (words, unbroken) = ("words ".repeat(length), "x".repeat(length));
            let what = match kind {
                0 => format!("n{from} → n{to} AppendEntries term {number} (sent {sent})"),
                1 => format!("n{from} → n{to} Heartbeat term {number} (sent {sent})"),
                2 => format!("n{from} → n{to} Vote (sent {sent}) (n{to} is down)"),
                3 => format!("n{from} ↛ n{to} Heartbeat term {number} (lost)"),
                4 => format!("n{from}: became leader at term {number}"),
                5 => format!("n{from}: log 1..{}, commit {away}", number + 1),
                6 => format!("n{from}: crashes"),
                7 => format!("n{from}: {words}"),
                _ => format!("*: {unbroken}"),
            };
            writeln!(text, "{now} {what}").expect("a string takes everything");
        }
        text
    })
}

/// The values of every attribute of this name.
fn numbers<'a>(svg: &'a str, name: &str) -> impl Iterator<Item = f64> + use<'a> {
    let begin = format!(" {name}=\"");
    let pieces: Vec<&str> = svg.split(&begin).skip(1).collect();
    pieces.into_iter().map(|rest| {
        let value = rest.split('"').next().expect("a value");
        value.parse().expect("a number")
    })
}

fn is_inside_of_its_sheet(svg: &str) {
    for (size, names) in [("width", ["x", "x1", "cx"]), ("height", ["y", "y1", "cy"])] {
        let limit = numbers(svg, size).next().expect("a size");
        for name in names {
            for value in numbers(svg, name) {
                assert!((0.0..=limit).contains(&value), "{name}={value} of {limit}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 64,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn any_trace_is_drawn_whole_inside_of_its_sheet_and_always_the_same(events in any_events()) {
        for keep_alive in [KeepAlive::Folded, KeepAlive::Drawn] {
            let look = Look { keep_alive, place: Place::Page };
            let svg = picture(&events, look);
            is_inside_of_its_sheet(&svg);
            prop_assert_eq!(&svg, &picture(&events, look));
            if keep_alive == KeepAlive::Drawn {
                prop_assert_eq!(svg.matches("class=\"event").count(), events.lines().count());
            }
        }
    }
}
