//! Whole runs of the simulation, for the tests.

use std::any::Any;
use std::ops::AddAssign;
use std::panic::{AssertUnwindSafe, catch_unwind};

use ch08_running_cluster::{Failure, Property, Setting, Simulated, Simulation, Violation};

/// What a run came to, or several.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) runs: u64,
    pub(crate) steps: u64,
    pub(crate) terms_led: u64,
    pub(crate) dropped: u64,
    pub(crate) twice: u64,
    pub(crate) late: u64,
    pub(crate) cuts: u64,
    pub(crate) stops: u64,
    pub(crate) compactions: u64,
    pub(crate) installed: u64,
    pub(crate) acknowledged: u64,
    pub(crate) in_the_storm: u64,
    pub(crate) retries: u64,
    pub(crate) replaced: u64,
    pub(crate) unknown: u64,
}

impl AddAssign for Totals {
    fn add_assign(&mut self, more: Totals) {
        self.runs += more.runs;
        self.steps += more.steps;
        self.terms_led += more.terms_led;
        self.dropped += more.dropped;
        self.twice += more.twice;
        self.late += more.late;
        self.cuts += more.cuts;
        self.stops += more.stops;
        self.compactions += more.compactions;
        self.installed += more.installed;
        self.acknowledged += more.acknowledged;
        self.in_the_storm += more.in_the_storm;
        self.retries += more.retries;
        self.replaced += more.replaced;
        self.unknown += more.unknown;
    }
}

/// One run from beginning to end. A panic in it is a failure too, with the seed.
pub(crate) fn run<N: Simulated>(setting: Setting) -> Result<Totals, Failure> {
    let whole = || -> Result<Totals, Failure> {
        let mut simulation = Simulation::<N>::new(setting)?;
        while simulation.step()? {
            simulation.take_news();
        }
        Ok(totals(&simulation))
    };
    catch_unwind(AssertUnwindSafe(whole)).unwrap_or_else(|panic| {
        let violation = Violation::of(Property::KeepsRunning, words(&*panic));
        Err(Failure::new(violation, &setting))
    })
}

fn totals<N: Simulated>(simulation: &Simulation<N>) -> Totals {
    let (tally, traffic) = (simulation.tally(), simulation.network().traffic);
    Totals {
        runs: 1,
        steps: tally.steps,
        terms_led: simulation.safety().terms_led() as u64,
        dropped: traffic.dropped,
        twice: traffic.twice,
        late: traffic.late,
        cuts: tally.cuts,
        stops: tally.stops,
        compactions: simulation.safety().compactions(),
        installed: tally.installed,
        acknowledged: tally.acknowledged,
        in_the_storm: tally.in_the_storm,
        retries: tally.retries,
        replaced: tally.replaced,
        unknown: tally.unknown,
    }
}

fn words(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("a panic without words").to_owned()
}
