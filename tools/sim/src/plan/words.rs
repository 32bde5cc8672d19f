//! Plans in words.

use std::fmt;

use super::{Action, Event, Harm, Mishap, Moment, Plan, Step, TICK, Target, WriteFate};

/// A moment in ticks, as `12.30`.
pub(crate) struct Ticks(pub(crate) Moment);

impl fmt::Display for Ticks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}.{:02}", self.0 / TICK, self.0 % TICK))
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::Node(id) => write!(f, "n{id}"),
            Target::Leader => f.write_str("the leader"),
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Step::AddVoter(id) => write!(f, "n{id} votes"),
            Step::AddLearner(id) => write!(f, "n{id} learns"),
            Step::Remove(id) => write!(f, "n{id} goes"),
            Step::Update(id) => write!(f, "n{id} stays"),
        }
    }
}

impl fmt::Display for WriteFate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WriteFate::Lost => f.write_str("lost"),
            WriteFate::Torn(records) => write!(f, "torn after {records} records"),
            WriteFate::Whole => f.write_str("whole"),
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Action::Write {
                client, to, key, ..
            } => write!(f, "client {client} writes register {key} at {to}"),
            Action::Read { client, to, key } => {
                write!(f, "client {client} reads register {key} at {to}")
            }
            Action::Change { to, steps, .. } if steps.is_empty() => {
                write!(f, "{to} is asked to leave the joint configuration")
            }
            Action::Change { to, way, steps } => {
                write!(f, "{to} is asked for a change ({way:?}):")?;
                for (place, step) in steps.iter().enumerate() {
                    write!(f, "{} {step}", if place == 0 { "" } else { "," })?;
                }
                Ok(())
            }
            Action::Transfer { to, transferee } => {
                write!(f, "{to} is asked to let n{transferee} lead")
            }
            Action::Compact { on, keep } => {
                write!(
                    f,
                    "{on} makes a snapshot and keeps {keep} entries before it"
                )
            }
            Action::Crash {
                on,
                write,
                keeps_machine,
                down,
            } => write!(
                f,
                "{on} crashes for {} ticks; a write under way is {write}, its state machine is {}",
                Ticks(*down),
                if *keeps_machine { "kept" } else { "lost" },
            ),
            Action::Ambush {
                after,
                harm,
                lasting,
            } => {
                f.write_str("whoever leads next ")?;
                match harm {
                    Harm::Crash(write) => write!(f, "crashes (a write under way is {write})")?,
                    Harm::CutOff => f.write_str("is cut off")?,
                    Harm::Muted => f.write_str("is heard no more")?,
                }
                write!(f, " after {} ticks, for {}", Ticks(*after), Ticks(*lasting))
            }
            Action::Cut { ways, lasting } => {
                f.write_str("cut:")?;
                for (from, to) in ways {
                    write!(f, " n{from}↛n{to}")?;
                }
                write!(f, ", for {} ticks", Ticks(*lasting))
            }
            Action::Weather { weather, lasting } => write!(
                f,
                "for {} ticks {}% of messages are lost, {}% come twice, {}% come up to {} ticks \
                 late, and {}% of writes take up to {} ticks",
                Ticks(*lasting),
                weather.lost,
                weather.twice,
                weather.late,
                Ticks(weather.latest),
                weather.slow,
                Ticks(weather.slowest),
            ),
            Action::Campaign { on } => write!(f, "{on} is told to stand for election"),
            Action::ForgetLeader { on } => write!(f, "{on} is told to forget its leader"),
            Action::Unreachable { on, peer } => {
                write!(f, "{on} is told that n{peer} is out of reach")
            }
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>8} {}", Ticks(self.at), self.action)
    }
}

impl fmt::Display for Mishap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Mishap::Message {
                from,
                to,
                kind,
                at,
                nth,
                after,
            } => {
                let at = Ticks(*at);
                write!(f, "{at:>8} the {kind} from n{from} to n{to}")?;
                if *nth > 0 {
                    write!(f, " after {nth} others")?;
                }
                match after.as_slice() {
                    [] => f.write_str(" is lost"),
                    [first, rest @ ..] => {
                        write!(f, " arrives after {}", Ticks(*first))?;
                        for more in rest {
                            write!(f, " and again after {}", Ticks(*more))?;
                        }
                        f.write_str(" ticks")
                    }
                }
            }
            Mishap::Write { on, at, nth, takes } => {
                let at = Ticks(*at);
                write!(f, "{at:>8} n{on}'s write")?;
                if *nth > 0 {
                    write!(f, " after {nth} others")?;
                }
                write!(f, " takes {} ticks", Ticks(*takes))
            }
        }
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let settings = &self.settings;
        let on = |what: bool, name: &'static str| if what { name } else { "" };
        writeln!(
            f,
            "{} nodes, of which the first {} vote; election timeout {} ticks{}{}{}{}",
            settings.nodes.len(),
            settings.voters,
            settings.election_ticks,
            on(settings.pre_vote, ", pre-vote"),
            on(settings.check_quorum, ", check-quorum"),
            on(settings.lease, ", lease reads"),
            on(settings.step_down_on_removal, ", removed leaders step down"),
        )?;
        for (node, id) in settings.nodes.iter().zip(1..) {
            writeln!(
                f,
                "n{id}: a tick takes {}, a write {}, {}{}",
                node.tick,
                node.write,
                if node.asynchronous {
                    "asynchronous"
                } else {
                    "synchronous"
                },
                on(node.message_per_proposal, ", a message for each proposal"),
            )?;
        }
        for event in &self.events {
            writeln!(f, "{event}")?;
        }
        for mishap in &self.mishaps {
            writeln!(f, "{mishap}")?;
        }
        Ok(())
    }
}
