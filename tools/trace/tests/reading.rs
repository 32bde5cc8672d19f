//! What a [`Writer`] writes is a trace, and the crate `diagram` reads in it what was told.

use diagram::{Change, Event, Fate, Log, Role, Time, Trace, What};
use raft_kernel::{
    AppendOutcome, Change as Step, ConfChange, Config, Entry, HardState, MemoryStorage, Message,
    MessageBody, Payload, RawNode, ReadId, Role as Part, Snapshot, Status,
};
use trace::Writer;

fn number(bytes: &[u8]) -> String {
    format!("command {bytes:?}")
}

/// The text that `tell` writes after a heading.
fn written(tell: impl FnOnce(&mut Writer<Vec<u8>>) -> std::io::Result<()>) -> String {
    let heading = [("title", "Some nodes"), ("unit", "steps")];
    let mut trace = Writer::begin(Vec::new(), number, &heading).expect("room for the heading");
    tell(&mut trace).expect("room for a line");
    String::from_utf8(trace.into_inner()).expect("a trace is text")
}

/// The events of that text, read back.
#[track_caller]
fn events(tell: impl FnOnce(&mut Writer<Vec<u8>>) -> std::io::Result<()>) -> Vec<Event> {
    let text = written(tell);
    let trace = Trace::parse(&text).unwrap_or_else(|error| panic!("{error} in\n{text}"));
    trace.events().to_vec()
}

/// What the events change in the lanes, and the words that said so.
#[track_caller]
fn changes(
    tell: impl FnOnce(&mut Writer<Vec<u8>>) -> std::io::Result<()>,
) -> Vec<(Change, String)> {
    let told = events(tell).into_iter().map(|event| match event.what {
        What::Node { change, words, .. } => (change, words),
        other => panic!("something of a node: {other}"),
    });
    told.collect()
}

fn message(body: MessageBody) -> Message {
    Message {
        from: 1,
        to: 2,
        term: 3,
        body,
    }
}

fn entry(index: u64, payload: Payload) -> Entry {
    Entry {
        term: 3,
        index,
        payload,
    }
}

fn change(steps: &[Step]) -> Payload {
    let change = ConfChange {
        changes: steps.to_vec(),
        ..ConfChange::default()
    };
    Payload::ConfChange(change.into())
}

/// How a node with this role, term and commit index stands.
fn status(role: Part, term: u64, commit: u64) -> Status {
    let node = RawNode::new(&Config::new(1), MemoryStorage::new()).expect("a new node");
    let mut status = node.status();
    status.soft_state.role = role;
    status.hard_state = HardState {
        term,
        vote: None,
        commit,
    };
    status
}

#[test]
fn a_heading_comes_first_and_says_what_it_was_given() {
    let text = written(|trace| trace.cluster("nothing happens"));
    assert_eq!(
        text,
        "# trace 1\n# title: Some nodes\n# unit: steps\n       0 *: nothing happens\n"
    );
    let trace = Trace::parse(&text).expect("a trace");
    assert_eq!(
        (trace.title().as_str(), trace.unit()),
        ("Some nodes", "steps")
    );
}

#[test]
fn a_time_is_whole_or_has_two_decimals() {
    let events = events(|trace| {
        trace.set_time(7);
        trace.node(1, "waits")?;
        trace.set_time("12.40");
        trace.node(1, "waits")
    });
    let times: Vec<Time> = events.iter().map(|event| event.time).collect();
    assert_eq!(times, [700, 1240].map(Time::from_hundredths));
}

/// Each of these messages is read with its name as its first word.
#[track_caller]
fn are_read<const N: usize>(bodies: [(MessageBody, &str); N]) {
    for (body, expected) in bodies {
        let (name, message) = (body.name(), message(body));
        let told = events(|trace| trace.lost(&message));
        let What::Message {
            from, to, words, ..
        } = &told[0].what
        else {
            panic!("a message: {told:?}");
        };
        assert_eq!((*from, *to, words.as_str()), (1, 2, expected));
        assert_eq!(words.split(' ').next(), Some(name));
    }
}

#[test]
fn the_messages_of_an_election_are_read_as_they_are_told() {
    are_read([
        (
            MessageBody::RequestVote {
                last_index: 5,
                last_term: 2,
                transfer: false,
            },
            "RequestVote term 3, log ends at 5 of term 2",
        ),
        (
            MessageBody::RequestPreVote {
                last_index: 5,
                last_term: 2,
            },
            "RequestPreVote term 3, log ends at 5 of term 2",
        ),
        (
            MessageBody::RequestVoteResponse { granted: true },
            "RequestVoteResponse term 3, granted",
        ),
        (
            MessageBody::RequestPreVoteResponse { granted: false },
            "RequestPreVoteResponse term 3, refused",
        ),
    ]);
}

#[test]
fn the_messages_that_move_a_log_are_read_as_they_are_told() {
    let snapshot = Snapshot {
        index: 4,
        term: 2,
        ..Snapshot::default()
    };
    let entries = [
        entry(5, Payload::Empty),
        entry(6, change(&[Step::AddVoter(2)])),
    ];
    are_read([
        (
            MessageBody::AppendEntries {
                prev_index: 4,
                prev_term: 2,
                commit: 3,
                entries: entries.into_iter().collect(),
            },
            "AppendEntries term 3, after 4 of term 2: \
             [5 of term 3 empty, 6 of term 3 n2 becomes a voter], commit 3",
        ),
        (
            MessageBody::AppendEntriesResponse(AppendOutcome::Accepted { match_index: 6 }),
            "AppendEntriesResponse term 3, accepted up to 6",
        ),
        (
            MessageBody::AppendEntriesResponse(AppendOutcome::Rejected {
                prev_index: 4,
                hint_index: 2,
                hint_term: 1,
            }),
            "AppendEntriesResponse term 3, rejected at 4, try 2 of term 1",
        ),
        (
            MessageBody::InstallSnapshot {
                snapshot: Box::new(snapshot),
            },
            "InstallSnapshot term 3, up to 4 of term 2",
        ),
    ]);
}

#[test]
fn all_other_messages_are_read_as_they_are_told() {
    are_read([
        (
            MessageBody::Heartbeat {
                commit: 3,
                read: None,
            },
            "Heartbeat term 3, commit 3",
        ),
        (
            MessageBody::Heartbeat {
                commit: 3,
                read: Some(ReadId(1)),
            },
            "Heartbeat term 3, commit 3, for a read",
        ),
        (
            MessageBody::HeartbeatResponse { read: None },
            "HeartbeatResponse term 3",
        ),
        (MessageBody::TimeoutNow, "TimeoutNow term 3"),
        (
            MessageBody::Propose {
                payloads: vec![Payload::Command(vec![9].into()), change(&[])],
            },
            "Propose [command [9], leave joint]",
        ),
        (
            MessageBody::TransferLeader { transferee: 3 },
            "TransferLeader to n3",
        ),
        (MessageBody::ReadIndex { read: ReadId(1) }, "ReadIndex"),
        (
            MessageBody::ReadIndexResponse {
                read: ReadId(1),
                index: 8,
            },
            "ReadIndexResponse index 8",
        ),
    ]);
}

#[test]
fn a_message_arrives_is_not_heard_or_is_lost() {
    let message = message(MessageBody::TimeoutNow);
    let told = events(|trace| {
        trace.set_time(9);
        trace.arrives(8, &message)?;
        trace.unheard("8.50", &message, "n2 is down")?;
        trace.lost(&message)
    });
    let fates = told.into_iter().map(|event| match event.what {
        What::Message { fate, .. } => fate,
        other => panic!("a message: {other}"),
    });
    let sent = Time::from_hundredths;
    let unheard = Fate::Unheard {
        sent: sent(850),
        why: "n2 is down".to_owned(),
    };
    assert_eq!(
        fates.collect::<Vec<_>>(),
        [Fate::Arrived { sent: sent(800) }, unheard, Fate::Lost]
    );
}

#[test]
fn how_a_node_stands_is_told_when_it_changes_and_not_again() {
    let told = changes(|trace| {
        trace.starts(1, 1)?;
        trace.stands(&status(Part::Follower, 1, 0), (1, 0))?;
        for _ in 0..3 {
            trace.stands(&status(Part::Candidate, 2, 0), (1, 0))?;
        }
        trace.stands(&status(Part::Candidate, 2, 0), (1, 2))?;
        trace.stands(&status(Part::Candidate, 2, 1), (1, 2))?;
        trace.stands(&status(Part::Leader, 2, 2), (1, 2))
    });
    let log = |entries, commit| Change::Log(Log { entries, commit });
    let became = |role, term| Change::Became { role, term };
    let changes: Vec<Change> = told.into_iter().map(|(change, _)| change).collect();
    assert_eq!(
        changes,
        [
            Change::Started { term: 1 },
            log(None, 0),
            became(Role::Candidate, 2),
            log(Some((1, 2)), 0),
            log(Some((1, 2)), 1),
            became(Role::Leader, 2),
            log(Some((1, 2)), 2),
        ]
    );
}

#[test]
fn what_a_node_was_before_the_trace_began_is_not_told_as_news() {
    let told = changes(|trace| {
        trace.stands(&status(Part::Leader, 2, 1), (1, 1))?;
        trace.stands(&status(Part::Follower, 3, 1), (1, 1))
    });
    let words: Vec<&str> = told.iter().map(|(_, words)| words.as_str()).collect();
    assert_eq!(
        words,
        [
            "is leader at term 2",
            "log 1..1, commit 1",
            "became follower at term 3"
        ]
    );
    let leads = Change::Became {
        role: Role::Leader,
        term: 2,
    };
    assert_eq!(told[0].0, leads);
}

#[test]
fn a_node_that_was_down_is_told_of_anew() {
    let told = changes(|trace| {
        let stands = status(Part::Follower, 2, 1);
        trace.stands(&stands, (1, 1))?;
        trace.stops(1)?;
        trace.starts(1, 2)?;
        trace.stands(&stands, (1, 1))
    });
    let words: Vec<&str> = told.iter().map(|(_, words)| words.as_str()).collect();
    assert_eq!(
        words[2..],
        ["stops", "starts in term 2", "log 1..1, commit 1"]
    );
    assert_eq!(told[2].0, Change::Down);
}

#[test]
fn what_is_written_and_applied_is_told_in_its_order() {
    let entries = [
        entry(4, Payload::Empty),
        entry(5, Payload::Command(vec![7].into())),
        entry(
            6,
            change(&[Step::AddLearner(2), Step::Remove(3), Step::Update(4)]),
        ),
    ];
    let promises = HardState {
        term: 3,
        vote: Some(2),
        commit: 4,
    };
    let told = changes(|trace| {
        trace.written(1, &[], None)?;
        trace.written(1, &entries[..1], Some(promises))?;
        let vote = None;
        trace.written(1, &[], Some(HardState { vote, ..promises }))?;
        trace.applies(1, &entries[1..])
    });
    let words: Vec<&str> = told.iter().map(|(_, words)| words.as_str()).collect();
    assert_eq!(
        words,
        [
            "has written entry 4 of term 3: empty; term 3, vote for n2, commit 4",
            "has written term 3, commit 4",
            "applies entry 5 of term 3: command [7]",
            "applies entry 6 of term 3: n2 becomes a learner and n3 is removed and n4 has news",
        ]
    );
}
