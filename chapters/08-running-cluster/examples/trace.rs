//! Writes the trace of a part of a run, from which the page's diagram is drawn: a leader
//! is cut off, and another takes its place.
//!
//! Nothing is asked of the nodes that the checker does not ask as well, so the run is that
//! of the same seed without a trace.

use std::collections::BTreeMap;
use std::io::Write;
use std::process::ExitCode;

use ch01_single_node_cluster::{Result, cli};
use ch05_two_node_cluster::Replica;
use ch06_two_node_snapshot::StateMachine;
use ch07_detour_change_state_machine::{Paced, Sum};
use ch08_running_cluster::{Chance, Event, Fate, News, Setting, Simulated, Simulation, Time};
use raft_kernel::{Message, Storage};
use trace::Writer;

/// The part of the run that is told.
const FROM: Time = Time(3_350);
const UNTIL: Time = Time(5_592);

fn main() -> ExitCode {
    cli::run(env!("CARGO_PKG_NAME"), Ok(()), |(), out| tell(out))
}

fn tell(out: &mut dyn Write) -> Result<()> {
    let heading = [
        ("title", "A leader is cut off, and another takes its place"),
        (
            "command",
            "cargo run -q -p ch08-running-cluster --example trace",
        ),
        ("nodes", "1 2 3"),
        ("unit", "milliseconds"),
    ];
    // Few numbers, so that most of what is told is the election.
    let setting = Setting {
        seed: 1795,
        drop: Chance::percent(20),
        proposals: 8,
    };
    let mut simulation = Simulation::new(setting)?;
    simulation.watch_messages();
    let mut told = Told {
        trace: Writer::begin(out, number, &heading)?,
        sent: BTreeMap::new(),
    };
    told.look_for_sent(&simulation);
    while happens_before(FROM, &simulation) {
        told.step(&mut simulation)?;
    }
    drop(simulation.take_news());
    told.trace.set_time(FROM.0);
    told.stands(&simulation)?;
    while happens_before(UNTIL, &simulation) {
        let arrival = told.step(&mut simulation)?;
        told.tells(&mut simulation, arrival)?;
    }
    Ok(())
}

/// A run of chapter 7's nodes.
type Run = Simulation<Paced<Sum>>;

/// Whether anything happens before this moment.
fn happens_before(moment: Time, simulation: &Run) -> bool {
    let next = simulation.queue().iter().next();
    next.is_some_and(|(time, ..)| time < moment)
}

/// What a command adds to nothing.
fn number(command: &[u8]) -> String {
    let mut sum = Sum::default();
    match sum.apply(command) {
        Ok(()) => format!("add {}", sum.total()),
        Err(error) => error.to_string(),
    }
}

/// What is told of the run.
struct Told<W> {
    trace: Writer<W>,
    /// When each message was sent that is on its way, by its event's place in the queue.
    sent: BTreeMap<(Time, u64), Time>,
}

/// A message that arrived, and when it was sent.
type Arrival = Option<(Time, Message)>;

impl<W: Write> Told<W> {
    /// Lets the next thing happen.
    fn step(&mut self, simulation: &mut Run) -> Result<Arrival> {
        let next = simulation.queue().iter().next();
        let arrival = next.and_then(|(time, place, event)| match event {
            Event::Arrives(message) => {
                let sent = self.sent.remove(&(time, place))?;
                Some((sent, (**message).clone()))
            }
            _ => None,
        });
        simulation.step()?;
        self.look_for_sent(simulation);
        Ok(arrival)
    }

    fn look_for_sent(&mut self, simulation: &Run) {
        for (time, place, event) in simulation.queue().iter() {
            if matches!(event, Event::Arrives(_)) {
                let now = simulation.now();
                self.sent.entry((time, place)).or_insert(now);
            }
        }
    }

    /// Tells what happened in a step: first its cause, then what became of the nodes, then
    /// what they sent in vain.
    fn tells(&mut self, simulation: &mut Run, arrival: Arrival) -> Result<()> {
        self.trace.set_time(simulation.now().0);
        if let Some((sent, message)) = arrival {
            let to = message.to;
            let is_running = simulation.running().any(|node| node.status().id == to);
            if is_running {
                self.trace.arrives(sent.0, &message)?;
            } else {
                let why = format_args!("n{to} is down");
                self.trace.unheard(sent.0, &message, why)?;
            }
        }
        let mut lost = Vec::new();
        for (_, news) in simulation.take_news() {
            match news {
                News::Message(_, Fate::Sent | Fate::SentTwice) | News::Elected(..) => {}
                News::Message(message, _) => lost.push(message),
                News::Stopped(id) => self.trace.stops(id)?,
                News::Started(id) => {
                    let mut running = simulation.running().map(Replica::status);
                    if let Some(status) = running.find(|status| status.id == id) {
                        self.trace.starts(id, status.hard_state.term)?;
                    }
                }
                News::Installed(id, index) => {
                    let what = format_args!("installs a snapshot of entries 1 to {index}");
                    self.trace.node(id, what)?;
                }
                News::CutOff(_)
                | News::Healed
                | News::Calm
                | News::Replaced(..)
                | News::Unknown(..) => self.trace.cluster(news)?,
            }
        }
        self.stands(simulation)?;
        for message in lost {
            self.trace.lost(&message)?;
        }
        Ok(())
    }

    fn stands(&mut self, simulation: &Run) -> Result<()> {
        for node in simulation.running() {
            let storage = node.storage();
            let log = (storage.first_index()?, storage.last_index()?);
            self.trace.stands(&node.status(), log)?;
        }
        Ok(())
    }
}
