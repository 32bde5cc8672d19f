//! The rules of configuration changes are those of etcd-io/raft: its scripts for them,
//! played on [`Changer`].
//!
//! The other scripts are played in `tests/conformance.rs`, which says how to run them. These
//! are about something that only the crate itself can reach.

#[path = "../tests/conformance/changes.rs"]
mod changes;
#[path = "../tests/conformance/script.rs"]
mod script;
#[path = "../tests/conformance/suite.rs"]
mod suite;

use std::fmt::Write as _;

use crate::conf_change::{Change, Changer, Membership};
use crate::progress::InflightLimit;
use crate::tracker::Tracker;
use script::Case;

/// A configuration, and where the log ends.
struct Environment {
    tracker: Tracker,
    last_index: u64,
}

impl Environment {
    fn new() -> Self {
        let limit = InflightLimit {
            messages: 10,
            bytes: 0,
        };
        Environment {
            tracker: Tracker::new(limit),
            last_index: 0,
        }
    }

    /// Does what the case says and gives what that prints. The log grows with each command,
    /// so that a node's `next` tells when it joined.
    fn answer_case(&mut self, case: &Case) -> String {
        let outcome = self.change(case);
        self.last_index += 1;
        match outcome {
            Ok((config, progress)) => {
                (self.tracker.config, self.tracker.progress) = (config, progress);
                self.describe()
            }
            Err(text) => text,
        }
    }

    fn change(&self, case: &Case) -> Result<Membership, String> {
        let steps = changes::parse_changes(&case.input)?;
        let changer = Changer::new(&self.tracker, self.last_index);
        let outcome = match case.command.as_str() {
            "simple" => changer.simple(&steps),
            "enter-joint" => {
                changer.enter_joint(case.parsed("autoleave")?.unwrap_or(false), &steps)
            }
            "leave-joint" if !steps.is_empty() => {
                return Err("this command takes no input".to_owned());
            }
            "leave-joint" => changer.leave_joint(),
            _ => return Err("unknown command".to_owned()),
        };
        outcome.map_err(|error| error.to_string())
    }

    fn describe(&self) -> String {
        let mut text = format!("{}\n", self.tracker.config);
        for (id, peer) in self.tracker.progress.iter() {
            let _ = writeln!(text, "{id}: {peer}");
        }
        text
    }
}

#[test]
fn conformance_of_configuration_changes() {
    suite::play_etcd_scripts("confchange/testdata", suite::same_behaviour, || {
        let mut environment = Environment::new();
        move |case: &Case| environment.answer_case(case)
    });
}
