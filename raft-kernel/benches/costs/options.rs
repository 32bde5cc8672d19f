//! What was asked for on the command line.

pub(crate) const HELP: &str = "\
Measures raft-kernel in memory: proposals to commit, the cost of a Ready, costs against
the log's length, the number of configuration changes and the backlog of a slow storage,
and the memory that a stored entry takes.

Usage: cargo bench -p raft-kernel -- [options] [filter...]

Arguments:
  [filter...]   only lines whose table or name contains one of these, as in: commit
                'commit 3 nodes' 'a read'

Options:
  --quick       a third of the rounds, and no log longer than 100000 entries
  --rounds N    how many rounds each line takes (default: 21)
  --test        a smoke run: everything once, and small. So it is without --bench, which
                cargo bench passes
  --list        the tables and the lines, and no measurement
  -h, --help    this text

A time is the median of the rounds, with the shortest and the longest beside it, for one
operation. Allocations and calls of the storage are of all nodes together.
";

/// What the program is to do.
pub(crate) enum Asked {
    Help,
    Measure(Options),
}

/// How much to measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Scale {
    Smoke,
    Quick,
    Full,
}

pub(crate) struct Options {
    pub(crate) scale: Scale,
    pub(crate) rounds: usize,
    pub(crate) list: bool,
    filters: Vec<String>,
}

impl Options {
    /// Whether a line is asked for.
    pub(crate) fn wants(&self, table: &str, line: &str) -> bool {
        let name = format!("{table} {line}");
        self.filters.is_empty() || self.filters.iter().any(|filter| name.contains(filter))
    }

    /// The lengths of logs, and the like, up to what the scale allows.
    pub(crate) fn lengths(&self) -> impl Iterator<Item = u64> + use<> {
        let longest = match self.scale {
            Scale::Smoke => 1_000,
            Scale::Quick => 100_000,
            Scale::Full => 1_000_000,
        };
        [1_000, 10_000, 100_000, 1_000_000]
            .into_iter()
            .filter(move |length| *length <= longest)
    }

    /// How many operations a round takes, where a full one takes `full`.
    pub(crate) fn operations(&self, full: u64) -> u64 {
        match self.scale {
            Scale::Smoke => full.min(64),
            Scale::Quick | Scale::Full => full,
        }
    }
}

pub(crate) fn parse(args: impl Iterator<Item = String>) -> Result<Asked, String> {
    const ROUNDS: usize = 21;
    let mut args = args;
    let (mut bench, mut test, mut quick, mut list) = (false, false, false, false);
    let mut rounds = None;
    let mut filters = Vec::new();
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "-h" | "--help" => return Ok(Asked::Help),
            "--bench" => bench = true,
            "--test" => test = true,
            "--quick" => quick = true,
            "--list" => list = true,
            "--rounds" => {
                let number = args.next().and_then(|number| number.parse::<usize>().ok());
                let number = number.filter(|number| (1..=1_000).contains(number));
                rounds = Some(number.ok_or("--rounds takes a whole number from 1 to 1000")?);
            }
            option if option.starts_with('-') => {
                return Err(format!("there is no option {option}"));
            }
            _ => filters.push(arg),
        }
    }
    let (scale, usual) = if test || !bench {
        (Scale::Smoke, 1)
    } else if quick {
        (Scale::Quick, ROUNDS / 3)
    } else {
        (Scale::Full, ROUNDS)
    };
    let rounds = rounds.unwrap_or(usual);
    Ok(Asked::Measure(Options {
        scale,
        rounds,
        list,
        filters,
    }))
}
