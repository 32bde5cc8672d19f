//! A diagram in characters: the lanes on the left, the trace's words on the right.
//!
//! The lanes show who talks to whom and who plays which part; the words tell the whole line,
//! wrapped, so that nothing of the trace is lost.

use crate::lanes::{self, Standing, Standings};
use crate::steps::{self, KeepAlive, Step};
use crate::trace::{Event, Fate, NodeId, Role, Time, Trace, What};
use crate::words::wrap;

/// A narrower diagram is not drawn: less is taken for this.
pub const MIN_COLUMNS: usize = 80;

/// The times' column, with the space after it.
const TIMES: usize = 9;
/// Between the last lane and the words. A sign such as `L12` has room there.
const BESIDE: usize = 5;
/// From one lane to the next: at least, and at most.
const GAPS: (usize, usize) = (5, 24);
/// The names of the lanes come again after so many lines.
const SCREEN: usize = 30;

const LOST: char = '✕';

/// The trace as a diagram in characters that is at most `columns` wide.
pub fn text(trace: &Trace, columns: usize, keep_alive: KeepAlive) -> String {
    let mut page = Page::new(trace, columns.max(MIN_COLUMNS));
    page.write_wide(&trace.title());
    page.names();
    for step in steps::steps(trace, keep_alive) {
        page.names_again();
        match step {
            Step::Event(event) => page.event(&trace.events()[event]),
            Step::Quiet(run) => page.quiet(&trace.events()[run]),
        }
    }
    page.write_wide(&lanes::legend(trace));
    page.lines.join("\n") + "\n"
}

struct Page<'a> {
    trace: &'a Trace,
    columns: usize,
    /// From one lane to the next.
    gap: usize,
    standings: Standings,
    lines: Vec<String>,
    /// How many lines there were when the lanes were named last.
    named: usize,
    /// The time that was written last.
    time: Option<Time>,
}

impl<'a> Page<'a> {
    fn new(trace: &'a Trace, columns: usize) -> Self {
        let between = trace.nodes().len().saturating_sub(1).max(1);
        // Half of what is left for the words.
        let gap = (columns.saturating_sub(TIMES + BESIDE) / 2 / between).clamp(GAPS.0, GAPS.1);
        Page {
            trace,
            columns,
            gap,
            standings: Standings::before(trace),
            lines: Vec::new(),
            named: 0,
            time: None,
        }
    }

    /// The column of a lane.
    fn lane(&self, lane: usize) -> usize {
        TIMES + lane * self.gap
    }

    fn lane_of(&self, node: NodeId) -> usize {
        self.lane(self.trace.lane(node))
    }

    /// The column at which the words begin.
    fn words_at(&self) -> usize {
        self.lane(self.trace.nodes().len().saturating_sub(1)) + BESIDE
    }

    fn names(&mut self) {
        let mut row = vec![' '; self.words_at()];
        for (lane, node) in self.trace.nodes().iter().enumerate() {
            put(&mut row, self.lane(lane), &format!("n{node}"));
        }
        self.push(&row.iter().collect::<String>());
        self.named = self.lines.len();
    }

    fn names_again(&mut self) {
        if self.lines.len() >= self.named + SCREEN {
            self.names();
        }
    }

    /// The lanes as they pass a row on which nothing happens to them.
    fn lanes(&self) -> Vec<char> {
        let mut row = vec![' '; self.words_at()];
        for (lane, standing) in self.standings.lanes().iter().enumerate() {
            row[self.lane(lane)] = glyph(*standing);
        }
        row
    }

    fn event(&mut self, event: &Event) {
        let mut row = self.lanes();
        let words = match &event.what {
            What::Message {
                from,
                to,
                words,
                fate,
            } => {
                let kind = words.split(' ').next().unwrap_or_default();
                let ends = (self.lane_of(*from), self.lane_of(*to));
                let is_named = draw_arrow(&mut row, ends, kind, fate);
                let words = if is_named {
                    &words[kind.len()..]
                } else {
                    words
                };
                format!("{words} {fate}")
            }
            What::Node { node, words, .. } => {
                let lane = self.lane_of(*node);
                let changed = self.standings.after(self.trace, event);
                let sign = changed.map_or("●".to_owned(), |(_, standing)| standing.sign());
                put(&mut row, lane, &sign);
                format!("n{node}: {words}")
            }
            What::Cluster(words) => {
                self.rule(&mut row, '┈');
                format!("*: {words}")
            }
            What::Broken(words) => {
                self.rule(&mut row, '═');
                format!("!: {words}")
            }
        };
        self.row(event.time, &row, &words);
    }

    fn quiet(&mut self, run: &[Event]) {
        let Some(first) = run.first() else { return };
        let mut row = self.lanes();
        for lane in 0..self.trace.nodes().len() {
            row[self.lane(lane)] = '⋮';
        }
        self.row(first.time, &row, &steps::count(run));
    }

    /// A line over all lanes.
    fn rule(&self, row: &mut [char], with: char) {
        let last = self.lane(self.trace.nodes().len().saturating_sub(1));
        for place in &mut row[TIMES..=last] {
            if *place == ' ' || with == '═' {
                *place = with;
            }
        }
    }

    /// A row and its words, in as many lines as these need.
    fn row(&mut self, time: Time, row: &[char], words: &str) {
        let width = self.columns.saturating_sub(self.words_at());
        let words = wrap(words, usize::MAX, |line| line.chars().count() <= width);
        let mut drawn: String = row.iter().collect();
        if self.time != Some(time) {
            let rest: String = row[TIMES - 1..].iter().collect();
            drawn = format!("{time:>8}{rest}");
            self.time = Some(time);
        }
        for line in words.lines {
            self.push(&(drawn + &line));
            drawn = self.lanes().iter().collect();
        }
    }

    /// Words over the whole width.
    fn write_wide(&mut self, words: &str) {
        let columns = self.columns;
        let words = wrap(words, usize::MAX, |line| line.chars().count() <= columns);
        words.lines.iter().for_each(|line| self.push(line));
    }

    fn push(&mut self, line: &str) {
        self.lines.push(line.trim_end().to_owned());
    }
}

/// How a lane looks while its node stands like this.
fn glyph(standing: Standing) -> char {
    match standing {
        Standing::Untold => '┊',
        Standing::Down => ' ',
        Standing::Up { role, .. } => match role {
            Role::Follower => '│',
            Role::PreCandidate => '╎',
            Role::Candidate => '╏',
            Role::Leader => '┃',
        },
    }
}

fn put(row: &mut [char], at: usize, words: &str) {
    for (place, letter) in row[at..].iter_mut().zip(words.chars()) {
        *place = letter;
    }
}

/// Draws an arrow from one lane to another, with its name in it if there is room. Says
/// whether there was.
fn draw_arrow(row: &mut [char], (from, to): (usize, usize), name: &str, fate: &Fate) -> bool {
    let between: Vec<usize> = if from < to {
        (from + 1..to).collect()
    } else {
        (to + 1..from).rev().collect()
    };
    let reached = match fate {
        Fate::Lost => between.len() - between.len() / 4,
        Fate::Arrived { .. } | Fate::Unheard { .. } => between.len(),
    };
    let Some((end, shaft)) = between[..reached].split_last() else {
        return false;
    };
    for column in shaft {
        row[*column] = if row[*column] == ' ' { '─' } else { '┼' };
    }
    row[*end] = match fate {
        Fate::Arrived { .. } if from < to => '▶',
        Fate::Arrived { .. } => '◀',
        Fate::Unheard { .. } | Fate::Lost => LOST,
    };
    // A dash on both sides, or there is no room.
    let letters = name.chars().count();
    let Some(room) = shaft.len().checked_sub(letters + 2) else {
        return false;
    };
    let left = shaft.iter().copied().min().unwrap_or_default();
    put(row, left + 1 + room / 2, name);
    true
}
