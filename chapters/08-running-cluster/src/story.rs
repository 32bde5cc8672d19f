//! What `cargo run -p ch08-running-cluster` prints.

use std::io::Write;

use ch01_single_node_cluster::Result;

use crate::{Setting, Simulated, Simulation};

/// Whether each message is told, or only what is worth a line of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// Elections, mishaps, and answers that are no answers.
    Events,
    /// Each message too.
    Messages,
}

/// Tells what happens in a run with this setting.
///
/// # Errors
/// When it cannot be written; and as a [`Failure`](crate::Failure), when something did
/// not hold that must hold.
// ANCHOR: tell
pub fn tell<N: Simulated>(setting: Setting, detail: Detail, out: &mut dyn Write) -> Result<()> {
    let Setting {
        seed,
        drop,
        proposals,
    } = setting;
    writeln!(out, "Three nodes, {proposals} numbers to add, seed {seed}.")?;
    writeln!(out, "The chance of a message to get lost is {drop}.\n")?;
    let mut simulation = Simulation::<N>::new(setting)?;
    if detail == Detail::Messages {
        simulation.watch_messages();
    }
    loop {
        let step = simulation.step();
        for (time, news) in simulation.take_news() {
            writeln!(out, "{time:>11}  {news}")?;
        }
        if !step? {
            break;
        }
    }
    writeln!(out, "{:>11}  all nodes agree", simulation.now())?;
    tell_end(&simulation, out)
}
// ANCHOR_END: tell

fn tell_end<N: Simulated>(simulation: &Simulation<N>, out: &mut dyn Write) -> Result<()> {
    writeln!(out)?;
    for state in simulation.states() {
        writeln!(out, "{state}")?;
    }
    let (tally, traffic) = (simulation.tally(), simulation.network().traffic);
    let safety = simulation.safety();
    let rows = [
        ("messages sent", traffic.sent),
        ("  lost by chance", traffic.dropped),
        ("  lost where a way was closed", traffic.cut_off),
        ("  for a node that was stopped", traffic.nobody_there),
        ("  delivered twice", traffic.twice),
        ("  copies that came late", traffic.late),
        ("  snapshots", traffic.snapshots),
        ("terms that had a leader", safety.terms_led() as u64),
        ("times that a way was closed", tally.cuts),
        ("times that a node stopped", tally.stops),
        ("logs compacted", safety.compactions()),
        ("snapshots installed", tally.installed),
        ("numbers proposed", tally.proposed),
        ("  acknowledged in the storm", tally.in_the_storm),
        ("  acknowledged in all", tally.acknowledged),
        ("  never answered", tally.unknown),
        ("proposals made again", tally.retries),
        ("  after losing their place", tally.replaced),
        ("numbers in the log", safety.numbers() as u64),
    ];
    writeln!(out)?;
    for (name, count) in rows {
        writeln!(out, "{name:<32}{count:>6}")?;
    }
    let (steps, total) = (tally.steps, safety.total());
    writeln!(out, "\nChecked after each of {steps} steps, and all holds:")?;
    writeln!(
        out,
        "one log, one sum, {total}, and nothing acknowledged is missing or there twice."
    )?;
    Ok(())
}
