//! The checker sees what it is there to see: for each property, something that breaks it.

use std::collections::BTreeMap;

use ch01_single_node_cluster::Turn;
use ch08_running_cluster::{Property, Safety, Verdict};
use raft_kernel::{
    AppendOutcome, ConfState, Configuration, Entries, Entry, HardState, Index, MemoryStorage,
    Message, MessageBody, NodeId, Payload, Role, SoftState, Status, Storage, Term,
};

/// Three nodes that do what a test says, watched by the checker.
struct Scene {
    safety: Safety,
    nodes: BTreeMap<NodeId, Actor>,
}

/// A node as others see it.
#[derive(Clone, Default)]
struct Actor {
    storage: MemoryStorage,
    role: Role,
    applied: Index,
    total: u64,
}

const NUMBERS: [u64; 4] = [10, 20, 30, 40];

impl Scene {
    /// Three nodes that have founded a cluster: three entries of term 1, applied by all.
    fn new() -> Self {
        let mut scene = Scene {
            safety: Safety::default(),
            nodes: BTreeMap::new(),
        };
        for id in [1, 2, 3] {
            scene.nodes.insert(id, Actor::default());
            scene.starts(id).expect("a first start");
        }
        for number in NUMBERS {
            scene.safety.proposes(number);
        }
        for id in [1, 2, 3] {
            let founding = [empty(1, 1), empty(2, 1), empty(3, 1)];
            let turn = turn(promise(1, None, 3), &founding, &founding);
            scene.turns(id, &turn).expect("founders agree");
        }
        scene
    }

    /// Three nodes, of which node 1 leads term 2 and has committed 10 as entry 4. Nodes 1
    /// and 2 have stored it, node 1 has applied it.
    fn with_leader() -> Self {
        let mut scene = Scene::new();
        scene.leads(1, 2).expect("the first leader");
        let entry = [number(4, 2, 10)];
        scene.writes(1, &entry).expect("a leader appends");
        scene.votes(2, 2, 1).expect("a vote");
        scene.writes(2, &entry).expect("a follower appends");
        scene.applies(1, &entry).expect("a majority has it");
        scene
    }

    fn actor(&mut self, id: NodeId) -> &mut Actor {
        self.nodes.get_mut(&id).expect("one of three")
    }

    fn starts(&mut self, id: NodeId) -> Verdict {
        let actor = self.actor(id);
        let snapshot = actor.storage.snapshot().expect("memory");
        actor.role = Role::Follower;
        actor.applied = snapshot.index;
        let actor = actor.clone();
        self.safety.starts(id, &actor.storage, actor.total)
    }

    /// Does what the turn says, and shows it to the checker.
    fn turns(&mut self, id: NodeId, turn: &Turn) -> Verdict {
        let actor = self.actor(id);
        actor.storage.append(&turn.entries).expect("no gap");
        if let Some(hard_state) = turn.hard_state {
            actor.storage.set_hard_state(hard_state);
        }
        for entry in &turn.committed {
            actor.applied = entry.index;
            actor.total += command(entry);
        }
        self.shown(id, turn)
    }

    /// Shows a turn to the checker, done or not.
    fn shown(&mut self, id: NodeId, turn: &Turn) -> Verdict {
        let actor = self.actor(id).clone();
        let status = status(id, &actor);
        self.safety.turned(id, turn, &status, actor.total)
    }

    fn hard_state(&mut self, id: NodeId) -> HardState {
        self.actor(id).storage.hard_state()
    }

    fn votes(&mut self, id: NodeId, term: Term, candidate: NodeId) -> Verdict {
        let commit = self.hard_state(id).commit;
        self.turns(id, &turn(promise(term, Some(candidate), commit), &[], &[]))
    }

    fn leads(&mut self, id: NodeId, term: Term) -> Verdict {
        self.actor(id).role = Role::Leader;
        self.votes(id, term, id)
    }

    fn writes(&mut self, id: NodeId, entries: &[Entry]) -> Verdict {
        self.turns(id, &turn(None, entries, &[]))
    }

    fn applies(&mut self, id: NodeId, entries: &[Entry]) -> Verdict {
        let commit = entries.last().map_or(0, |entry| entry.index);
        let hard_state = self.hard_state(id);
        let commit = Some(HardState {
            commit,
            ..hard_state
        });
        self.turns(id, &turn(commit, &[], entries))
    }

    fn sends(&mut self, from: NodeId, to: NodeId, term: Term, body: MessageBody) -> Verdict {
        self.safety.sends(&Message {
            from,
            to,
            term,
            body,
        })
    }
}

fn status(id: NodeId, actor: &Actor) -> Status {
    Status {
        id,
        hard_state: actor.storage.hard_state(),
        soft_state: SoftState {
            leader: None,
            role: actor.role,
        },
        applied: actor.applied,
        config: Configuration::default(),
        progress: BTreeMap::new(),
        transferee: None,
    }
}

fn turn(hard_state: Option<HardState>, entries: &[Entry], committed: &[Entry]) -> Turn {
    Turn {
        soft_state: None,
        hard_state,
        entries: Entries::from(entries),
        committed: Entries::from(committed),
        messages: 0,
        has_snapshot: false,
    }
}

#[allow(clippy::unnecessary_wraps)] // As a turn has it.
fn promise(term: Term, vote: Option<NodeId>, commit: Index) -> Option<HardState> {
    Some(HardState { term, vote, commit })
}

fn empty(index: Index, term: Term) -> Entry {
    Entry {
        term,
        index,
        payload: Payload::Empty,
    }
}

fn number(index: Index, term: Term, number: u64) -> Entry {
    Entry {
        term,
        index,
        payload: Payload::Command(number.to_le_bytes().to_vec().into()),
    }
}

fn command(entry: &Entry) -> u64 {
    let bytes = entry.command().map(|bytes| bytes.as_ref().try_into());
    bytes.map_or(0, |bytes| u64::from_le_bytes(bytes.expect("eight bytes")))
}

/// This property must be named, and this be said about it.
#[track_caller]
fn breaks(property: Property, said: &str, verdict: Verdict) {
    let violation = verdict.expect_err("something that does not hold");
    assert_eq!(violation.property, property, "{violation}");
    assert!(violation.to_string().contains(said), "{violation}");
}

#[test]
fn what_holds_is_not_complained_about() {
    let mut scene = Scene::with_leader();
    scene.safety.acknowledged(10, 4).expect("entry 4 is 10");
    scene.applies(2, &[number(4, 2, 10)]).expect("the same");
    scene.actor(2).total = 0;
    scene.starts(2).expect("it stopped");
    let log = [empty(1, 1), empty(2, 1), empty(3, 1), number(4, 2, 10)];
    scene.applies(2, &log).expect("the log from its beginning");
    scene.leads(2, 3).expect("it has all that is committed");
    assert_eq!(scene.safety.agreed(), 4);
    assert_eq!(scene.safety.total(), 10);
}

// Figure 3 of the paper.

#[test]
fn two_leaders_in_a_term_break_election_safety() {
    let mut scene = Scene::with_leader();
    let elected = scene.leads(3, 2);
    breaks(
        Property::ElectionSafety,
        "term 2 was led by node 1, and then by node 3",
        elected,
    );
}

#[test]
fn a_leader_that_restarts_and_leads_its_term_again_breaks_election_safety() {
    let mut scene = Scene::new();
    scene.leads(1, 2).expect("the first time");
    scene.starts(1).expect("it stopped");
    breaks(Property::ElectionSafety, "term 2", scene.leads(1, 2));
}

#[test]
fn a_leader_that_overwrites_its_log_breaks_leader_append_only() {
    let mut scene = Scene::new();
    scene.leads(1, 2).expect("the first leader");
    scene
        .writes(1, &[number(4, 2, 10), number(5, 2, 20)])
        .expect("appended");
    let written = scene.writes(1, &[number(5, 2, 20)]);
    breaks(Property::LeaderAppendOnly, "overwrites entry 5", written);
}

#[test]
fn another_payload_under_the_same_index_and_term_breaks_log_matching() {
    let mut scene = Scene::with_leader();
    let written = scene.writes(3, &[number(4, 2, 20)]);
    breaks(Property::LogMatching, "entry 4 of term 2", written);
}

#[test]
fn another_entry_before_the_same_entry_breaks_log_matching() {
    let mut scene = Scene::new();
    scene
        .writes(1, &[number(4, 2, 10), number(5, 3, 20)])
        .expect("the first");
    let written = scene.writes(2, &[number(4, 3, 10), number(5, 3, 20)]);
    breaks(Property::LogMatching, "entry 5 of term 3", written);
}

#[test]
fn a_leader_without_a_committed_entry_breaks_leader_completeness() {
    let mut scene = Scene::with_leader();
    let elected = scene.leads(3, 3);
    breaks(
        Property::LeaderCompleteness,
        "node 3 leads term 3 without entry 4",
        elected,
    );
}

#[test]
fn a_leader_with_another_entry_in_its_place_breaks_leader_completeness() {
    let mut scene = Scene::with_leader();
    scene
        .writes(3, &[number(4, 1, 20)])
        .expect("left by an older leader");
    let elected = scene.leads(3, 3);
    breaks(Property::LeaderCompleteness, "without entry 4", elected);
}

#[test]
fn a_late_leader_of_an_earlier_term_need_not_have_what_was_committed_after_it() {
    let mut scene = Scene::new();
    scene.leads(1, 3).expect("the leader of term 3");
    let entry = [number(4, 3, 10)];
    scene.writes(1, &entry).expect("appended");
    scene.writes(2, &entry).expect("appended");
    scene.applies(1, &entry).expect("a majority has it");
    scene.leads(3, 2).expect("votes for term 2 that came late");
}

#[test]
fn another_entry_applied_at_the_same_index_breaks_state_machine_safety() {
    let mut scene = Scene::with_leader();
    scene
        .writes(3, &[number(4, 3, 20)])
        .expect("an entry of term 3");
    let applied = scene.applies(3, &[number(4, 3, 20)]);
    breaks(Property::StateMachineSafety, "node 3 applies", applied);
}

#[test]
fn overwriting_what_is_committed_breaks_state_machine_safety() {
    let mut scene = Scene::with_leader();
    scene.actor(1).role = Role::Follower;
    scene.votes(1, 3, 2).expect("a vote");
    let written = scene.writes(1, &[number(4, 3, 20)]);
    breaks(Property::StateMachineSafety, "overwrites entry 4", written);
}

#[test]
fn a_snapshot_of_another_entry_breaks_state_machine_safety() {
    let mut scene = Scene::with_leader();
    let other = [number(4, 3, 20)];
    let actor = scene.actor(3);
    actor.storage.append(&other).expect("no gap");
    let voters = ConfState::of_voters([1, 2, 3]);
    let made = actor.storage.create_snapshot(4, voters, vec![20; 8]);
    made.expect("entry 4 is there");
    actor.total = 20;
    breaks(
        Property::StateMachineSafety,
        "snapshot of entry 4",
        scene.starts(3),
    );
}

// What these rest on.

#[test]
fn two_votes_in_a_term_are_seen_also_with_a_restart_in_between() {
    let mut scene = Scene::new();
    scene.votes(2, 2, 1).expect("a vote");
    scene.starts(2).expect("it stopped");
    let voted = scene.votes(2, 2, 3);
    breaks(
        Property::OneVote,
        "in term 2 node 2 voted for 1 and for 3",
        voted,
    );
}

#[test]
fn a_promise_that_is_sent_and_not_stored_is_seen() {
    let yes = MessageBody::RequestVoteResponse { granted: true };
    let accepted =
        |match_index| MessageBody::AppendEntriesResponse(AppendOutcome::Accepted { match_index });
    let asks = MessageBody::RequestVote {
        last_index: 3,
        last_term: 1,
        transfer: false,
    };
    let mut scene = Scene::new();
    let sent = scene.sends(2, 1, 2, yes.clone());
    breaks(Property::PersistBeforeSend, "RequestVoteResponse", sent);
    let sent = scene.sends(2, 1, 2, asks.clone());
    breaks(Property::PersistBeforeSend, "RequestVote", sent);
    scene.votes(2, 2, 1).expect("a vote");
    scene.sends(2, 1, 2, yes.clone()).expect("it is stored now");
    let sent = scene.sends(2, 3, 2, yes);
    breaks(Property::PersistBeforeSend, "RequestVoteResponse", sent);
    let sent = scene.sends(2, 3, 2, asks);
    breaks(Property::PersistBeforeSend, "RequestVote", sent);

    scene
        .sends(2, 1, 2, accepted(3))
        .expect("it has three entries");
    let sent = scene.sends(2, 1, 2, accepted(4));
    breaks(Property::PersistBeforeSend, "AppendEntriesResponse", sent);
}

#[test]
fn what_was_to_be_written_and_is_not_is_seen() {
    let mut scene = Scene::new();
    let shown = scene.shown(1, &turn(None, &[number(4, 1, 10)], &[]));
    breaks(Property::Written, "stored up to 3 and not 4", shown);

    let mut scene = Scene::new();
    let shown = scene.shown(1, &turn(promise(2, Some(1), 3), &[], &[]));
    breaks(Property::Written, "node 1 stored", shown);
}

#[test]
fn a_term_or_a_commit_index_that_falls_is_seen_also_with_a_restart_in_between() {
    let mut scene = Scene::new();
    scene.votes(2, 5, 1).expect("a vote");
    breaks(Property::NeverBack, "term: 5", scene.votes(2, 4, 1));

    let mut scene = Scene::new();
    let fallen = scene.turns(1, &turn(promise(1, None, 2), &[], &[]));
    breaks(Property::NeverBack, "commit: 3", fallen);

    let mut scene = Scene::new();
    scene.votes(2, 5, 1).expect("a vote");
    scene.actor(2).storage = MemoryStorage::new();
    breaks(Property::NeverBack, "term: 5", scene.starts(2));
}

#[test]
fn an_entry_that_is_applied_and_not_held_by_a_majority_is_seen() {
    let mut scene = Scene::new();
    scene.writes(1, &[number(4, 1, 10)]).expect("appended");
    scene.writes(2, &[number(4, 2, 20)]).expect("another");
    let applied = scene.applies(1, &[number(4, 1, 10)]);
    breaks(
        Property::Majority,
        "entry 4 is applied, and 1 hold it",
        applied,
    );
}

#[test]
fn a_leader_that_commits_an_entry_of_an_earlier_term_by_itself_is_seen() {
    let mut scene = Scene::new();
    let older = [number(4, 1, 10)];
    scene.writes(1, &older).expect("appended");
    scene.writes(2, &older).expect("appended");
    scene.leads(1, 2).expect("the first leader");
    let applied = scene.applies(1, &older);
    breaks(
        Property::OwnTerm,
        "node 1 leads term 2 and commits entry 4 of term 1",
        applied,
    );
}

// What a client sees.

#[test]
fn an_entry_that_is_applied_again_or_left_out_is_seen() {
    let mut scene = Scene::with_leader();
    let again = scene.applies(1, &[number(4, 2, 10)]);
    breaks(
        Property::OnceInOrder,
        "applies entry 4 after entry 4",
        again,
    );

    let mut scene = Scene::with_leader();
    scene
        .writes(1, &[number(5, 2, 20), number(6, 2, 30)])
        .expect("appended");
    let ahead = scene.applies(1, &[number(6, 2, 30)]);
    breaks(
        Property::OnceInOrder,
        "applies entry 6 after entry 4",
        ahead,
    );
}

#[test]
fn a_node_that_says_to_have_applied_something_else_is_seen() {
    let mut scene = Scene::with_leader();
    scene.actor(1).applied = 3;
    let shown = scene.shown(1, &turn(None, &[], &[]));
    breaks(Property::OnceInOrder, "node 1 says 3, not 4", shown);
}

#[test]
fn a_snapshot_that_leads_back_is_seen() {
    let mut scene = Scene::with_leader();
    let snapshot = Turn {
        has_snapshot: true,
        ..turn(None, &[], &[])
    };
    let shown = scene.shown(1, &snapshot);
    breaks(
        Property::OnceInOrder,
        "back from entry 4 to the snapshot of 0",
        shown,
    );
}

#[test]
fn a_state_that_the_log_does_not_lead_to_is_seen() {
    let mut scene = Scene::with_leader();
    scene.actor(1).total = 20;
    let shown = scene.shown(1, &turn(None, &[], &[]));
    breaks(
        Property::State,
        "node 1 has 20 as of entry 4, and not 10",
        shown,
    );

    let mut scene = Scene::with_leader();
    scene.actor(2).total = 10;
    breaks(
        Property::State,
        "node 2 has 10 as of entry 0, and not 0",
        scene.starts(2),
    );
}

#[test]
fn an_acknowledged_number_that_is_not_in_the_log_is_seen() {
    let scene = Scene::with_leader();
    breaks(
        Property::NothingLost,
        "20 was said to be entry 5",
        scene.safety.acknowledged(20, 5),
    );
    breaks(
        Property::NothingLost,
        "10 was said to be entry 5",
        scene.safety.acknowledged(10, 5),
    );
}

#[test]
fn a_number_that_is_in_the_log_twice_is_seen() {
    let mut scene = Scene::with_leader();
    let again = [number(5, 2, 10)];
    scene.writes(1, &again).expect("appended");
    scene.writes(2, &again).expect("appended");
    let applied = scene.applies(1, &again);
    breaks(Property::NothingTwice, "10 is entry 4 and entry 5", applied);
}

#[test]
fn a_number_that_nobody_proposed_is_seen() {
    let mut scene = Scene::with_leader();
    let strange = [number(5, 2, 99)];
    scene.writes(1, &strange).expect("appended");
    scene.writes(2, &strange).expect("appended");
    let applied = scene.applies(1, &strange);
    breaks(Property::NothingInvented, "nobody proposed", applied);
}
