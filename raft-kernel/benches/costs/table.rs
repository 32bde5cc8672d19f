//! Lines that are measured in turns, and how they are printed.

use std::time::{Duration, Instant};

use allocation_counter::measure;

use crate::cluster::Tally;
use crate::options::Options;

/// Something that can be done many times.
pub(crate) trait Case {
    /// Makes ready for a round of so many operations. Not measured.
    fn prepare(&mut self, operations: u64);

    /// The round.
    fn run(&mut self);

    /// What was asked of all storages so far.
    fn storage(&self) -> Tally {
        Tally::default()
    }
}

/// One line of a table.
struct Line {
    name: String,
    /// Operations a round.
    operations: u64,
    /// Made when the measurement begins: only the lines that are asked for take memory.
    make: Box<dyn Fn() -> Box<dyn Case>>,
}

/// Lines that belong together.
pub(crate) struct Table {
    name: &'static str,
    about: &'static str,
    lines: Vec<Line>,
}

/// What one round cost.
#[derive(Clone, Copy)]
struct Round {
    time: Duration,
    allocations: u64,
    storage: Tally,
}

impl Table {
    pub(crate) fn new(name: &'static str, about: &'static str) -> Self {
        Table {
            name,
            about,
            lines: Vec::new(),
        }
    }

    /// Adds a line that does so many operations a round.
    pub(crate) fn line<C: Case + 'static>(
        &mut self,
        name: String,
        operations: u64,
        make: impl Fn() -> C + 'static,
    ) {
        self.lines.push(Line {
            name,
            operations,
            make: Box::new(move || Box::new(make())),
        });
    }

    /// Measures what is asked for and prints it.
    pub(crate) fn print(mut self, options: &Options) {
        self.lines
            .retain(|line| options.wants(self.name, &line.name));
        if self.lines.is_empty() {
            return;
        }
        println!("{}: {}\n", self.name, self.about);
        if options.list {
            self.lines
                .iter()
                .for_each(|line| println!("  {}", line.name));
            return println!();
        }
        println!(
            "  {:<50} {:>9} {:>9} {:>9} {:>12} {:>12} {:>13}",
            "for one operation",
            "median",
            "min",
            "max",
            "per second",
            "allocations",
            "storage calls"
        );
        let measured = self.measure(options);
        for (line, rounds) in self.lines.iter().zip(measured) {
            println!("  {:<50} {}", line.name, figures(rounds, line.operations));
        }
        println!();
    }

    fn measure(&self, options: &Options) -> Vec<Vec<Round>> {
        let mut cases: Vec<_> = self.lines.iter().map(|line| (line.make)()).collect();
        let mut measured = vec![Vec::new(); cases.len()];
        // In the first rounds buffers grow and caches warm. They do not count.
        for round in 0..=options.rounds {
            for ((case, line), rounds) in cases.iter_mut().zip(&self.lines).zip(&mut measured) {
                let taken = one_round(&mut **case, line.operations);
                if round > 0 {
                    rounds.push(taken);
                }
            }
        }
        measured
    }
}

fn one_round(case: &mut dyn Case, operations: u64) -> Round {
    case.prepare(operations);
    let before = case.storage();
    let mut time = Duration::ZERO;
    let allocations = measure(|| {
        let start = Instant::now();
        case.run();
        time = start.elapsed();
    });
    Round {
        time,
        allocations: allocations.count_total,
        storage: case.storage() - before,
    }
}

fn figures(mut rounds: Vec<Round>, operations: u64) -> String {
    rounds.sort_by_key(|round| round.time);
    let times = [rounds.len() / 2, 0, rounds.len() - 1].map(|place| rounds[place].time);
    let [median, min, max] = times.map(|time| time.as_secs_f64() / float(operations));
    let per_second = if median > 0.0 { 1.0 / median } else { 0.0 };
    let middle = rounds[rounds.len() / 2];
    format!(
        "{:>9} {:>9} {:>9} {per_second:>12.0} {:>12.2} {:>13.2}",
        readable(median),
        readable(min),
        readable(max),
        float(middle.allocations) / float(operations),
        float(middle.storage.calls) / float(operations),
    )
}

/// A time in the unit that suits it.
fn readable(seconds: f64) -> String {
    match seconds {
        s if s < 1e-6 => format!("{:.1} ns", s * 1e9),
        s if s < 1e-3 => format!("{:.2} µs", s * 1e6),
        s => format!("{:.2} ms", s * 1e3),
    }
}

#[allow(clippy::cast_precision_loss)] // To be read, and not to be counted on.
pub(crate) fn float(number: u64) -> f64 {
    number as f64
}
