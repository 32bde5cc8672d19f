//! An attack on three nodes that try to be a cluster.
//!
//! They elect, replicate and change their configuration, so that every state of the
//! engine is met. Between and into their messages come changed ones, repeated ones, old
//! ones, and ones that nobody sent.

use std::collections::VecDeque;

use raft_kernel::{
    ConfState, HardState, Index, MemoryStorage, Message, MessageBody, NodeId, Snapshot, Term,
};

use super::choices::Choices;
use super::messages;
use super::settings;
use super::victim::{Home, Victim};

/// What was tried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Messages that a node sent, delivered as they were.
    pub(crate) faithful: u64,
    /// Messages that a node sent, delivered changed, again, late or by another.
    pub(crate) mutated: u64,
    /// Messages that nobody sent.
    pub(crate) invented: u64,
    /// How many of all these were answered with an error.
    pub(crate) refused: u64,
    /// Inputs of other kinds: ticks, proposals, acknowledgements.
    pub(crate) others: u64,
}

impl Tally {
    pub(crate) fn hostile(self) -> u64 {
        self.mutated + self.invented
    }

    pub(crate) fn add(&mut self, other: Tally) {
        self.faithful += other.faithful;
        self.mutated += other.mutated;
        self.invented += other.invented;
        self.refused += other.refused;
        self.others += other.others;
    }
}

/// How an attack goes about it, in percent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mood {
    pub(crate) steps: u32,
    pub(crate) hostile: u64,
    pub(crate) invented: u64,
    pub(crate) losses: u64,
    pub(crate) extremes: u64,
    /// How often a node is served after an input.
    pub(crate) diligence: u64,
    pub(crate) restarts: u64,
}

impl Mood {
    fn drawn(choices: &mut Choices) -> Self {
        Mood {
            steps: choices.pick(&[200, 600, 1500]),
            hostile: choices.pick(&[10, 30, 60, 95]),
            invented: choices.pick(&[5, 30, 80]),
            losses: choices.pick(&[0, 5, 30]),
            extremes: choices.pick(&[0, 0, 0, 0, 1, 20]),
            diligence: choices.pick(&[100, 100, 95, 50]),
            restarts: choices.pick(&[0, 10, 50]),
        }
    }
}

pub(crate) struct Attack {
    pub(crate) choices: Choices,
    pub(crate) victims: Vec<Victim>,
    pub(crate) mood: Mood,
    /// On their way.
    network: Vec<Message>,
    /// Sent lately.
    past: VecDeque<Message>,
    pub(crate) tally: Tally,
    name: String,
    step: u32,
    pub(crate) last_input: String,
    last_message: Option<Message>,
    traces: bool,
}

impl Attack {
    /// `name` is told if anything goes wrong, and should say how to do it again.
    pub(crate) fn new(mut choices: Choices, name: String) -> Self {
        let mood = Mood::drawn(&mut choices);
        let home = match choices.below(6) {
            0 => Home::LyingStorage,
            1 => Home::LyingCaller,
            _ => Home::Honest,
        };
        let founding = founding(&mut choices);
        let victims = (1..=3)
            .map(|id| {
                let config = settings::possible(&mut choices, id);
                let storage = storage(founding.clone());
                Victim::new(config, home, storage)
            })
            .collect();
        Attack {
            choices,
            victims,
            mood,
            network: Vec::new(),
            past: VecDeque::new(),
            tally: Tally::default(),
            name,
            step: 0,
            last_input: String::new(),
            last_message: None,
            traces: std::env::var_os("HOSTILE_TRACE").is_some(),
        }
    }

    /// Attacks until the mood or the choices are exhausted.
    pub(crate) fn run(mut self) -> Tally {
        while self.step < self.mood.steps && !self.choices.are_exhausted() {
            self.step += 1;
            self.step();
        }
        for place in 0..self.victims.len() {
            self.note(place, "is served to the end");
            let victim = &mut self.victims[place];
            victim.settle(&mut self.choices);
            victim.assert_settled();
            victim.restart(&mut self.choices);
            victim.settle(&mut self.choices);
            victim.assert_settled();
        }
        self.tally
    }

    fn step(&mut self) {
        let place = self.choices.place(self.victims.len());
        if self.choices.percent(75) {
            if !self.choices.percent(self.mood.hostile) {
                self.deliver();
            } else if self.choices.percent(self.mood.invented) {
                let view = self.victims[place].view(self.mood.extremes);
                let message = messages::arbitrary(&mut self.choices, &view);
                self.tally.invented += 1;
                self.step_node(place, message);
            } else {
                self.deliver_mutated(place);
            }
        } else {
            self.tally.others += 1;
            self.disturb(place);
        }
        for place in 0..self.victims.len() {
            if self.victims[place].has_stopped {
                self.note(place, "has stopped and starts again");
                self.victims[place].restart(&mut self.choices);
            }
            if self.choices.percent(self.mood.diligence) {
                self.serve(place);
            }
        }
    }

    /// Delivers a message of the cluster, mostly the oldest.
    fn deliver(&mut self) {
        if self.network.is_empty() {
            let place = self.choices.place(self.victims.len());
            self.note(place, "hears a tick");
            let _ = self.victims[place].give(raft_kernel::RawNode::tick);
            return;
        }
        let place = if self.choices.percent(80) {
            0
        } else {
            self.choices.place(self.network.len())
        };
        let message = self.network.remove(place);
        if self.choices.percent(self.mood.losses) {
            return;
        }
        let to = self.victims.iter().position(|v| v.config.id == message.to);
        if let Some(to) = to {
            self.tally.faithful += 1;
            self.step_node(to, message);
        }
    }

    /// Delivers what was sent lately, changed or not, to whomever.
    fn deliver_mutated(&mut self, place: usize) {
        if self.past.is_empty() {
            return self.deliver();
        }
        let chosen = self.choices.place(self.past.len());
        let mut message = self.past[chosen].clone();
        let to = self.victims.iter().position(|v| v.config.id == message.to);
        let to = match to {
            Some(to) if self.choices.percent(90) => to,
            _ => {
                // What was meant for one arrives at another, which may believe it.
                message.to = self.victims[place].config.id;
                place
            }
        };
        let view = self.victims[to].view(self.mood.extremes);
        // None at all is a duplicate, and most likely a late one.
        for _ in 0..self.choices.below(3) {
            messages::mutate(&mut self.choices, &view, &mut message);
        }
        self.tally.mutated += 1;
        self.step_node(to, message);
    }

    fn step_node(&mut self, place: usize, message: Message) {
        if self.traces {
            self.note(place, &format!("takes {message:?}"));
        }
        self.last_message = Some(message.clone());
        let victim = &mut self.victims[place];
        if victim.has_stopped {
            return;
        }
        let result = victim.give(|node| node.step(message));
        if let Err(error) = &result {
            self.tally.refused += 1;
            if self.traces {
                self.note(place, &format!("answers: {error}"));
            }
        }
    }

    pub(crate) fn send(&mut self, messages: Vec<Message>) {
        for message in messages {
            if self.past.len() >= 64 {
                self.past.pop_front();
            }
            self.past.push_back(message.clone());
            if self.network.len() >= 256 {
                self.network.remove(0);
            }
            self.network.push(message);
        }
    }

    pub(crate) fn note(&mut self, place: usize, what: &str) {
        if self.traces {
            let id = self.victims[place].config.id;
            println!("{}: n{id} {what}", self.step);
        }
        what.clone_into(&mut self.last_input);
    }
}

impl Drop for Attack {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!(
                "{}, step {}: after {:?} and the last message {:?}",
                self.name, self.step, self.last_input, self.last_message
            );
            for victim in &self.victims {
                eprintln!("  {:?}, {:?}", victim.node, victim.config);
            }
        }
    }
}

/// What all three nodes begin with; sometimes nothing.
fn founding(choices: &mut Choices) -> Option<Snapshot> {
    let of_voters = |voters: std::ops::RangeInclusive<NodeId>| ConfState::of_voters(voters);
    let conf_state = match choices.below(8) {
        0 => return None,
        1 => of_voters(1..=1),
        2 => ConfState {
            learners: vec![3],
            ..of_voters(1..=2)
        },
        3 => ConfState {
            voters_outgoing: vec![1, 2, 3],
            learners_next: vec![3],
            auto_leave: choices.coin(),
            ..of_voters(1..=2)
        },
        _ => of_voters(1..=3),
    };
    let index: Index = choices.pick(&[1, 1, 10]);
    let term: Term = choices.pick(&[1, 3]);
    Some(Snapshot {
        index,
        term,
        conf_state,
        ..Snapshot::default()
    })
}

fn storage(founding: Option<Snapshot>) -> MemoryStorage {
    let Some(snapshot) = founding else {
        return MemoryStorage::new();
    };
    let hard_state = HardState {
        term: snapshot.term,
        vote: None,
        commit: snapshot.index,
    };
    let storage = MemoryStorage::from_snapshot(snapshot);
    storage.set_hard_state(hard_state);
    storage
}

/// Whether nodes that follow the protocol send it at all. A node's messages are its own,
/// or a read that it passes on.
pub(crate) fn is_plausible(victim: &Victim, message: &Message) -> bool {
    let own = message.from == victim.config.id;
    let passed_on = matches!(message.body, MessageBody::ReadIndex { .. });
    message.to != 0 && message.to != victim.config.id && (own || passed_on)
}
