//! A cluster to which things happen, chosen by a seed.

mod recovery;
mod settings;
mod tally;

use raft_kernel::{Change, ConfChange, Error, Event, Message, NodeId, Transition};

use crate::network::Network;
use crate::network::random::Random;
use crate::network::server::MachineFate;
use settings::Mood;
pub(crate) use tally::Tally;

pub(crate) struct Chaos {
    network: Network,
    random: Random,
    mood: Mood,
    proposals: u32,
    tally: Tally,
}

impl Chaos {
    pub(crate) fn new(seed: u64) -> Self {
        // Seeds next to each other must not give runs that resemble each other.
        let mut random = Random::new(seed.wrapping_mul(0xd134_2543_de82_ef95));
        let mut network = settings::cluster(&mut random);
        network.replay = format!(
            "seed {seed}; again: CHAOS_SEEDS={seed}..{} cargo test -p raft-kernel --test \
             safety_under_chaos",
            seed + 1
        );
        let mood = Mood::drawn(&mut random);
        Chaos {
            network,
            random,
            mood,
            proposals: 0,
            tally: Tally::default(),
        }
    }

    pub(crate) fn run(mut self) -> Tally {
        const PERIODS: u32 = 3;
        for _ in 0..PERIODS {
            for _ in 0..self.mood.steps {
                self.step();
            }
            self.mood = Mood::drawn(&mut self.random);
        }
        self.recover();
        self.check_refusals();
        self.count();
        self.tally
    }

    fn count(&mut self) {
        let observer = &self.network.observer;
        self.tally.terms_led = observer.terms_led() as u64;
        self.tally.committed = observer.committed.len() as u64;
        self.tally.changes = observer.changes() as u64;
        for server in self.network.servers.values_mut() {
            self.tally.starts += u64::from(server.starts);
            let restored = |event: &&Event| matches!(event, Event::RestoredSnapshot { .. });
            self.tally.snapshots_received +=
                server.take_events().iter().filter(restored).count() as u64;
        }
    }

    // What happens.

    fn step(&mut self) {
        self.tally.steps += 1;
        let id = self.random_id();
        if self.network.server(id).node.is_none() {
            self.step_while_down(id);
            return;
        }
        let mood = self.mood;
        match self.random.below(100) {
            0..35 => self.message(),
            35..55 => drop(self.network.turn(id)),
            55..60 => drop(self.network.write_oldest(id)),
            60..65 => drop(self.network.acknowledge_oldest(id)),
            65..70 => drop(self.network.apply_oldest(id)),
            70..74 => drop(self.network.work(id)),
            74..84 => self.network.tick(id),
            84..90 => self.propose(id),
            90..93 => self.compact(id),
            93..95 if self.random.percent(mood.changes) => self.change(id),
            95 if self.random.percent(mood.crashes) => self.crash(id),
            96 if self.random.percent(mood.transfers) => self.transfer(id),
            97 => self.nudge(id),
            _ => self.cut_or_heal(),
        }
    }

    /// Messages go on arriving at others, and sooner or later the server comes back.
    fn step_while_down(&mut self, id: NodeId) {
        if self.random.percent(10) {
            self.start(id);
        } else {
            self.message();
        }
    }

    fn random_id(&mut self) -> NodeId {
        let ids = self.network.ids();
        self.random.pick(&ids)
    }

    fn message(&mut self) {
        const CROWDED: usize = 120;
        let Some(message) = self.take_message() else {
            return;
        };
        if self.network.wire.len() > CROWDED || self.random.percent(self.mood.losses) {
            self.network.lose(message);
            return;
        }
        if self.random.percent(self.mood.duplicates) {
            self.network.wire.push_back(message.clone());
        }
        self.network.wire.push_front(message);
        self.network.deliver_oldest();
    }

    /// The oldest message, or by chance any other.
    fn take_message(&mut self) -> Option<Message> {
        let len = self.network.wire.len();
        if len == 0 {
            return None;
        }
        let place = if self.random.percent(self.mood.reorders) {
            self.random.place(len)
        } else {
            0
        };
        self.network.wire.remove(place)
    }

    fn propose(&mut self, id: NodeId) {
        self.proposals += 1;
        let filling = "x".repeat(self.random.place(40));
        let command = format!("{}{filling}", self.proposals);
        let result = self.network.node(id).propose(command);
        accept(result, |error| {
            matches!(error, Error::ProposalDropped { .. })
        });
    }

    fn change(&mut self, id: NodeId) {
        let change = self.random_change();
        let result = self.network.node(id).propose_conf_change(change);
        accept(result, |error| {
            matches!(error, Error::ProposalDropped { .. })
        });
    }

    fn random_change(&mut self) -> ConfChange {
        if self.random.percent(20) {
            return ConfChange::leave_joint();
        }
        let count = if self.random.coin() {
            1
        } else {
            1 + self.random.below(3)
        };
        let changes = (0..count).map(|_| self.random_step()).collect();
        let transition = self.random.pick(&[
            Transition::Auto,
            Transition::Auto,
            Transition::JointImplicit,
            Transition::JointExplicit,
        ]);
        ConfChange {
            transition,
            changes,
            ..ConfChange::default()
        }
    }

    fn random_step(&mut self) -> Change {
        let id = self.random_id();
        match self.random.below(5) {
            0 | 1 => Change::AddVoter(id),
            2 => Change::AddLearner(id),
            3 => Change::Remove(id),
            _ => Change::Update(id),
        }
    }

    fn crash(&mut self, id: NodeId) {
        if self.random.coin() {
            self.network.server(id).crash();
        } else {
            self.network.server(id).crash_losing_unsynced();
        }
        if self.random.coin() {
            self.start(id);
        }
    }

    fn start(&mut self, id: NodeId) {
        let machine = if self.random.coin() {
            MachineFate::Survived
        } else {
            MachineFate::Lost
        };
        self.network.server(id).start(machine);
    }

    fn compact(&mut self, id: NodeId) {
        let keep = self.random.below(6);
        self.network.server(id).compact(keep);
    }

    fn transfer(&mut self, id: NodeId) {
        let to = self.random_id();
        let result = self.network.node(id).transfer_leader(to);
        accept(result, |error| {
            matches!(error, Error::CannotTransfer(_) | Error::RequestDropped(_))
        });
    }

    /// What a caller may do at any time.
    fn nudge(&mut self, id: NodeId) {
        let peer = self.random_id();
        match self.random.below(3) {
            0 => self.network.node(id).report_unreachable(peer),
            1 => accept(self.network.node(id).forget_leader(), |_| false),
            _ => accept(self.network.node(id).campaign(), |_| false),
        }
    }

    fn cut_or_heal(&mut self) {
        if self.random.percent(self.mood.cuts) {
            let (a, b) = (self.random_id(), self.random_id());
            self.network.cut(a, b);
        } else if self.random.percent(10) {
            self.network.heal();
        }
    }
}

fn accept<T>(result: Result<T, Error>, expected: impl Fn(&Error) -> bool) {
    if let Err(error) = result {
        assert!(expected(&error), "a node refused a request: {error}");
    }
}
