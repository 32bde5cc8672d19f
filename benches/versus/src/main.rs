//! Two engines, one harness, one run.
//!
//! Each case runs the same cluster in memory over both engines, in rounds that take turns,
//! so that whatever else the machine does hits both alike. What counts is the ratio.

mod harness;
mod ours;
mod theirs;

use std::process::ExitCode;

use harness::{Case, Figures, measure};
use ours::Ours;
use theirs::Theirs;

const HELP: &str = "\
Compares raft-kernel with raft 0.7.0 on proposals per second and allocations per entry.

Usage: cargo run --release -- [options]

Options:
  --rounds N     how many rounds of each engine a case takes (default: 15)
  --nodes N      only clusters of N nodes (default: 1, 3 and 5)
  --payload N    only commands of N bytes (default: 16, 256 and 4096)
  --batch N      only N proposals to a turn of the loop (default: 1 and 64)
  --only-ours    leave the other engine out, for a profiler
  -h, --help     this text
";

/// What was asked for.
struct Options {
    rounds: usize,
    nodes: Vec<u64>,
    payloads: Vec<usize>,
    batches: Vec<usize>,
    only_ours: bool,
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if args.iter().any(|arg| arg == "-h" || arg == "--help") {
        print!("{HELP}");
        return ExitCode::SUCCESS;
    }
    match options(&args) {
        Ok(options) => {
            compare(&options);
            ExitCode::SUCCESS
        }
        Err(wrong) => {
            eprintln!("error: {wrong}\n\n{HELP}");
            ExitCode::from(2)
        }
    }
}

fn options(args: &[String]) -> Result<Options, String> {
    let mut options = Options {
        rounds: 15,
        nodes: vec![1, 3, 5],
        payloads: vec![16, 256, 4096],
        batches: vec![1, 64],
        only_ours: false,
    };
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        if arg == "--only-ours" {
            options.only_ours = true;
            continue;
        }
        if !["--rounds", "--nodes", "--payload", "--batch"].contains(&arg.as_str()) {
            return Err(format!("unknown argument '{arg}'"));
        }
        let value = args.next().and_then(|value| value.parse::<u32>().ok());
        let value = value
            .filter(|value| (1..=4096).contains(value))
            .ok_or_else(|| format!("{arg} takes a whole number from 1 to 4096"))?;
        match arg.as_str() {
            "--rounds" => options.rounds = value as usize,
            "--nodes" => options.nodes = vec![value.into()],
            "--payload" => options.payloads = vec![value as usize],
            _ => options.batches = vec![value as usize],
        }
    }
    Ok(options)
}

fn compare(options: &Options) {
    let rounds = options.rounds;
    println!("{rounds} rounds of each engine a case, in turns; medians\n");
    println!(
        "{:>21} | {:^33} | {:^22}",
        "", "proposals", "allocations an entry"
    );
    println!(
        "{:>5} {:>8} {:>6} | {:>12} {:>12} {:>7} | {:>7} {:>7} {:>6}",
        "nodes", "payload", "batch", "ours/s", "raft-rs/s", "ratio", "ours", "raft-rs", "ratio"
    );
    let mut least = f64::INFINITY;
    let mut greatest = 0_f64;
    for &nodes in &options.nodes {
        for &payload in &options.payloads {
            for &batch in &options.batches {
                let case = Case {
                    nodes,
                    payload,
                    batch,
                };
                if options.only_ours {
                    let mut cluster = harness::start::<Ours>(case);
                    let rounds: Vec<_> = (0..rounds).map(|_| measure(&mut cluster, case)).collect();
                    let Figures {
                        per_second,
                        allocations,
                    } = median_figures(&rounds);
                    println!(
                        "{nodes:>5} {payload:>8} {batch:>6} | {per_second:>12.0} {:>20} | {allocations:>7.2}",
                        ""
                    );
                    continue;
                }
                let (ours, theirs, ratio) = interleaved(case, rounds);
                let allocations = ours.allocations / theirs.allocations;
                println!(
                    "{nodes:>5} {payload:>8} {batch:>6} | {:>12.0} {:>12.0} {ratio:>6.2}x | {:>7.2} {:>7.2} {allocations:>6.2}",
                    ours.per_second, theirs.per_second, ours.allocations, theirs.allocations
                );
                least = least.min(ratio);
                greatest = greatest.max(allocations);
            }
        }
    }
    if !options.only_ours {
        println!("\nleast ratio of speed {least:.2}x, greatest ratio of allocations {greatest:.2}");
    }
}

/// Both engines' medians, and the median of the ratios of neighbouring rounds.
fn interleaved(case: Case, rounds: usize) -> (Figures, Figures, f64) {
    let mut ours = Vec::new();
    let mut theirs = Vec::new();
    let (mut our_cluster, mut their_cluster) =
        (harness::start::<Ours>(case), harness::start::<Theirs>(case));
    // The first rounds warm caches and grow buffers.
    measure(&mut our_cluster, case);
    measure(&mut their_cluster, case);
    for round in 0..rounds {
        // Neither engine always goes first.
        if round % 2 == 0 {
            ours.push(measure(&mut our_cluster, case));
            theirs.push(measure(&mut their_cluster, case));
        } else {
            theirs.push(measure(&mut their_cluster, case));
            ours.push(measure(&mut our_cluster, case));
        }
    }
    let ratios = ours
        .iter()
        .zip(&theirs)
        .map(|(a, b)| a.per_second / b.per_second)
        .collect();
    (
        median_figures(&ours),
        median_figures(&theirs),
        median(ratios),
    )
}

fn median_figures(rounds: &[Figures]) -> Figures {
    Figures {
        per_second: median(rounds.iter().map(|f| f.per_second).collect()),
        allocations: median(rounds.iter().map(|f| f.allocations).collect()),
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
