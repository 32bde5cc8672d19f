//! The commands of interaction scripts.
//!
//! Those of etcd-io/raft, and four for our own scripts:
//!
//! | command | does |
//! |---|---|
//! | `restart N` | crashes the node and starts it again from its storage |
//! | `report-snapshot A B finish\|failure` | tells A what became of a snapshot for B |
//! | `read-index N ctx` | asks N for an index that is safe to read at |
//! | `conf-state N` | prints the configuration that N works under |
//!
//! For these too, `add-nodes` takes `inflight-bytes=n` and `max-message-bytes=n`.

use raft_kernel::{
    ConfChange, ConfState, Config, NodeId, Snapshot, SnapshotOutcome, Storage, Transition,
};

use super::changes::parse_changes;
use super::configuration::configuration;
use super::environment::{Delivery, Environment, InFlight, LogLevel, error_text};
use super::node::{HistoryStorage, Node, storage_text};
use super::rendering::{self, VERSION_1};
use super::script::{Arg, Case};
use super::wire::{MESSAGE_TYPES, Wire};

const LOG_LEVELS: [LogLevel; 6] = [
    LogLevel::Debug,
    LogLevel::Info,
    LogLevel::Warn,
    LogLevel::Error,
    LogLevel::Fatal,
    LogLevel::None,
];

type Done = Result<(), String>;

impl Environment {
    /// Does what the case says and gives what that prints.
    pub(crate) fn answer_case(&mut self, case: &Case) -> String {
        self.output.clear();
        let result = self.run(case);
        self.print_journal();
        let mut output = std::mem::take(&mut self.output);
        if let Err(text) = result {
            output.push_str(&text);
        }
        if output.is_empty() {
            "ok".to_owned()
        } else {
            output
        }
    }

    fn run(&mut self, case: &Case) -> Done {
        match case.command.as_str() {
            "_breakpoint" => Ok(()),
            "add-nodes" => self.add_nodes(case),
            "campaign" => self.on_first(case, |node| node.engine.campaign()),
            "compact" => self.compact(case),
            "conf-state" => self.conf_state(case),
            "deliver-msgs" => self.deliver_messages(case),
            "forget-leader" => self.on_first(case, |node| node.engine.forget_leader()),
            "log-level" => self.log_level(case.args.first().map(|arg| arg.key.as_str())),
            "process-append-thread" => {
                self.each(case, "processing append thread", Self::process_append)
            }
            "process-apply-thread" => {
                self.each(case, "processing apply thread", Self::process_apply)
            }
            "process-ready" => self.each(case, "handling Ready", Self::process_ready),
            "propose" => self.propose(case),
            "propose-conf-change" => self.propose_conf_change(case),
            "raft-log" => self.raft_log(first(case)?),
            "raft-state" => {
                self.raft_state();
                Ok(())
            }
            "read-index" => self.read_index(case),
            "report-snapshot" => self.report_snapshot(case),
            "report-unreachable" => self.report_unreachable(case),
            "restart" => self.restart(first(case)?),
            "send-snapshot" => self.send_snapshot(case),
            "set-randomized-election-timeout" => self.set_election_timeout(case),
            "stabilize" => self.stabilize_some(case),
            "status" => self.status(first(case)?),
            "tick-election" => self.tick(case, |config| config.election_ticks),
            "tick-heartbeat" => self.tick(case, |config| config.heartbeat_ticks),
            "transfer-leadership" => self.transfer_leadership(case),
            _ => Err("unknown command".to_owned()),
        }
    }

    /// Calls the engine of the node that is named first.
    fn on_first(
        &mut self,
        case: &Case,
        call: impl FnOnce(&mut Node) -> Result<(), raft_kernel::Error>,
    ) -> Done {
        call(self.node(first(case)?)?).or_else(|error| error_text(&error))
    }

    /// Does the same for every node named, under headers if there are several.
    fn each(&mut self, case: &Case, doing: &str, work: impl Fn(&mut Self, usize) -> Done) -> Done {
        let places = self.places(&case.numbers())?;
        match places.as_slice() {
            [only] => work(self, *only),
            several => several
                .iter()
                .try_for_each(|at| self.under_header(*at, doing, |env| work(env, *at))),
        }
    }

    fn places(&self, ids: &[NodeId]) -> Result<Vec<usize>, String> {
        ids.iter().map(|id| self.place(*id)).collect()
    }

    fn add_nodes(&mut self, case: &Case) -> Done {
        let count = first(case)?;
        let mut snapshot = Snapshot {
            index: case.parsed("index")?.unwrap_or(0),
            term: 0,
            conf_state: ConfState {
                voters: case.number_list("voters")?,
                learners: case.number_list("learners")?,
                ..ConfState::default()
            },
            data: case.value("content").unwrap_or("").to_owned().into(),
        };
        if snapshot != Snapshot::default() {
            if snapshot.index <= 1 {
                return Err("index must be specified as > 1 due to bootstrap".to_owned());
            }
            snapshot.term = 1;
        }
        let config = configuration(case)?;
        for _ in 0..count {
            let config = Config {
                id: self.nodes.len() as NodeId + 1,
                applied: snapshot.index,
                ..config.clone()
            };
            let storage = HistoryStorage::starting_from(snapshot.clone());
            let node = Node::start(config, storage, self.journal.clone())
                .map_err(|error| error.to_string())?;
            self.nodes.push(node);
        }
        Ok(())
    }

    fn compact(&mut self, case: &Case) -> Done {
        let (id, index) = first_two(case)?;
        self.node(id)?.compact(index)?;
        self.raft_log(id)
    }

    fn conf_state(&mut self, case: &Case) -> Done {
        let config = self.node(first(case)?)?.engine.status().config;
        self.print(&config.to_string());
        Ok(())
    }

    fn deliver_messages(&mut self, case: &Case) -> Done {
        let kind = case.value("type");
        if let Some(kind) = kind.filter(|kind| !MESSAGE_TYPES.contains(kind)) {
            return Err(format!("unknown message type {kind}"));
        }
        let mut deliveries: Vec<Delivery> = Vec::new();
        for arg in &case.args {
            match (arg.key.as_str(), &arg.values) {
                (id, None) => deliveries.push(Delivery::To(number(id)?)),
                ("drop", Some(ids)) => {
                    for id in ids {
                        deliveries.push(Delivery::Drop(number(id)?));
                    }
                }
                ("type", _) => {}
                (key, _) => return Err(format!("unknown argument {key}")),
            }
        }
        let mut delivered = 0;
        for delivery in deliveries {
            // What is lost may be for a node that does not exist yet.
            if let Delivery::To(id) = delivery {
                self.place(id)?;
            }
            delivered += self.deliver(delivery, kind);
        }
        if delivered == 0 {
            self.print("no messages");
        }
        Ok(())
    }

    fn log_level(&mut self, level: Option<&str>) -> Done {
        let name = level.unwrap_or_default();
        let name_of = |level: &LogLevel| format!("{level:?}").to_uppercase();
        let Some(level) = LOG_LEVELS
            .into_iter()
            .find(|level| name_of(level).eq_ignore_ascii_case(name))
        else {
            let all: Vec<String> = LOG_LEVELS.iter().map(name_of).collect();
            return Err(format!("log levels must be either of [{}]", all.join(" ")));
        };
        self.level = level;
        Ok(())
    }

    fn propose(&mut self, case: &Case) -> Done {
        let data = case
            .args
            .get(1)
            .map_or("", |arg| arg.key.as_str())
            .to_owned();
        self.on_first(case, |node| node.engine.propose(data).map(drop))
    }

    fn propose_conf_change(&mut self, case: &Case) -> Done {
        let is_v1 = case.parsed::<bool>("v1")?.unwrap_or(false);
        let transition = match case.value("transition") {
            None | Some("auto") => Transition::Auto,
            Some("implicit") => Transition::JointImplicit,
            Some("explicit") => Transition::JointExplicit,
            Some(other) => return Err(format!("unknown transition {other}")),
        };
        let changes = parse_changes(&case.input)?;
        if is_v1 && (changes.len() != 1 || transition != Transition::Auto) {
            return Err("v1 conf change can only have one operation and no transition".to_owned());
        }
        let change = ConfChange {
            transition,
            changes,
            context: if is_v1 {
                VERSION_1.into()
            } else {
                b"".as_slice().into()
            },
        };
        self.on_first(case, |node| {
            node.engine.propose_conf_change(change).map(drop)
        })
    }

    fn raft_log(&mut self, id: NodeId) -> Done {
        let memory = self.node(id)?.storage.memory.clone();
        let first_index = memory.first_index().map_err(|it| storage_text(&it))?;
        let last_index = memory.last_index().map_err(|it| storage_text(&it))?;
        if last_index < first_index {
            self.print(&format!(
                "log is empty: first index={first_index}, last index={last_index}"
            ));
            return Ok(());
        }
        let entries = memory
            .entries(first_index..last_index + 1, u64::MAX)
            .map_err(|error| storage_text(&error))?;
        for entry in &entries {
            self.print(&rendering::entry(entry));
        }
        Ok(())
    }

    fn raft_state(&mut self) {
        for at in 0..self.nodes.len() {
            let status = self.nodes[at].engine.status();
            let is_voter = status.config.voters.contains(status.id);
            self.print(&format!(
                "{}: {} ({}) Term:{} Lead:{}",
                status.id,
                rendering::role(status.soft_state.role),
                if is_voter { "Voter" } else { "Non-Voter" },
                status.hard_state.term,
                status.soft_state.leader.unwrap_or(0)
            ));
        }
    }

    fn read_index(&mut self, case: &Case) -> Done {
        let context = case
            .args
            .get(1)
            .map_or("", |arg| arg.key.as_str())
            .to_owned();
        let node = self.node(first(case)?)?;
        node.engine
            .read_index(context)
            .map_err(|error| error.to_string())
    }

    fn report_snapshot(&mut self, case: &Case) -> Done {
        let (id, follower) = first_two(case)?;
        let outcome = match case.args.get(2).map(|arg| arg.key.as_str()) {
            Some("finish") => SnapshotOutcome::Arrived,
            Some("failure") => SnapshotOutcome::Failed,
            _ => return Err("a snapshot ends in finish or failure".to_owned()),
        };
        self.node(id)?.engine.report_snapshot(follower, outcome);
        Ok(())
    }

    fn report_unreachable(&mut self, case: &Case) -> Done {
        let (id, follower) = first_two(case)?;
        self.node(id)?.engine.report_unreachable(follower);
        Ok(())
    }

    /// Sends a snapshot past the engine.
    fn send_snapshot(&mut self, case: &Case) -> Done {
        let (from, to) = first_two(case)?;
        let node = self.node(from)?;
        let snapshot = node
            .storage
            .snapshot()
            .map_err(|error| storage_text(&error))?;
        let message = raft_kernel::Message {
            from,
            to,
            term: node.engine.status().hard_state.term,
            body: raft_kernel::MessageBody::InstallSnapshot {
                snapshot: Box::new(snapshot),
            },
        };
        self.print(&Wire::message(&message).text());
        self.messages.push(InFlight::message(message));
        Ok(())
    }

    fn set_election_timeout(&mut self, case: &Case) -> Done {
        let ticks = case.parsed("timeout")?.ok_or("timeout must be given")?;
        self.node(first(case)?)?.engine.set_election_timeout(ticks);
        Ok(())
    }

    fn stabilize_some(&mut self, case: &Case) -> Done {
        let places = match case.numbers().as_slice() {
            [] => (0..self.nodes.len()).collect(),
            ids => self.places(ids)?,
        };
        let level = self.level;
        if let Some(level) = case.value("log-level") {
            self.log_level(Some(level))?;
        }
        let result = self.stabilize(&places);
        self.print_journal();
        self.level = level;
        result
    }

    fn status(&mut self, id: NodeId) -> Done {
        let progress = self.node(id)?.engine.status().progress;
        for (id, peer) in progress {
            self.print(&format!("{id}: {peer}"));
        }
        Ok(())
    }

    fn tick(&mut self, case: &Case, count: impl Fn(&Config) -> u32) -> Done {
        self.on_first(case, |node| {
            (0..count(&node.config)).try_for_each(|_| node.engine.tick())
        })
    }

    fn transfer_leadership(&mut self, case: &Case) -> Done {
        let from = case.parsed("from")?.ok_or("from must be given")?;
        let to = case.parsed("to")?.ok_or("to must be given")?;
        let engine = &mut self.node(from)?.engine;
        engine
            .transfer_leader(to)
            .or_else(|error| error_text(&error))
    }
}

fn number(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("{text} is no number"))
}

fn bare(arg: Option<&Arg>) -> Result<u64, String> {
    number(arg.map_or("", |arg| arg.key.as_str()))
}

fn first(case: &Case) -> Result<u64, String> {
    bare(case.args.first())
}

fn first_two(case: &Case) -> Result<(u64, u64), String> {
    Ok((first(case)?, bare(case.args.get(1))?))
}
