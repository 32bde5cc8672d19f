//! What the asynchronous loop gains, measured.
//!
//! The rule: the same three nodes, the same disk, the same proposals; only the loop
//! differs. The two loops take turns, so that what else the machine does falls on both.

use std::fmt::Write as _;
use std::thread;
use std::time::{Duration, Instant};

use ch01_single_node_cluster::Result;
use ch05_two_node_cluster::{Clock, Member, Network, Outcome, PATIENCE, Proposal, Replica};
use ch07_detour_change_state_machine::Sum;
use raft_kernel::{MemoryStorage, NodeId};

use crate::{Asynchronous, Hands, SlowDisk, Synchronous, synchronous, threads};

const VOTERS: [NodeId; 3] = [1, 2, 3];
const TICK: Duration = Duration::from_millis(10);

/// No snapshots: they would cost both loops the same.
const NEVER: u64 = u64::MAX;

/// What is to be measured.
#[derive(Clone, Debug)]
pub struct Plan {
    /// How long the disk needs for a write.
    pub delay: Duration,
    /// How many proposals are to be under way at once, one row for each.
    pub under_way: Vec<usize>,
    /// How often each is measured; the median is taken.
    pub rounds: usize,
    /// How long one measurement lasts.
    pub lasting: Duration,
}

impl Plan {
    /// What the page shows, for a disk that needs `delay`.
    pub fn of_the_page(delay: Duration) -> Self {
        Plan {
            delay,
            under_way: vec![1, 2, 4, 8, 16, 32, 64],
            rounds: 9,
            lasting: Duration::from_millis(400),
        }
    }
}

/// Applied proposals per second with so many under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// How many proposals were under way at once.
    pub under_way: usize,
    /// In the loop that does everything itself.
    pub synchronous: u64,
    /// In the loop with two threads.
    pub asynchronous: u64,
}

/// Measures everything in the plan, and tells `progress` of each round.
pub fn measure(plan: &Plan, mut progress: impl FnMut(usize)) -> Result<Vec<Row>> {
    let mut measured = vec![(Vec::new(), Vec::new()); plan.under_way.len()];
    for round in 0..plan.rounds {
        progress(round + 1);
        for (under_way, (synchronous, asynchronous)) in plan.under_way.iter().zip(&mut measured) {
            synchronous.push(synchronous_rate(plan, *under_way)?);
            asynchronous.push(asynchronous_rate(plan, *under_way)?);
        }
    }
    let rows = plan.under_way.iter().zip(measured);
    Ok(rows
        .map(|(under_way, (synchronous, asynchronous))| Row {
            under_way: *under_way,
            synchronous: median(synchronous),
            asynchronous: median(asynchronous),
        })
        .collect())
}

fn hands(plan: &Plan) -> Result<Hands<Sum, SlowDisk>> {
    let disk = SlowDisk {
        storage: MemoryStorage::new(),
        delay: plan.delay,
    };
    Hands::new(disk, NEVER)
}

fn synchronous_rate(plan: &Plan, under_way: usize) -> Result<u64> {
    let (network, clock) = (Network::default(), Clock::start(TICK));
    let members = VOTERS.map(|id| {
        let node = Synchronous::found(id, &VOTERS, id, hands(plan)?)?;
        Ok(Member::start_with(node, &network, &clock, synchronous::run))
    });
    rate(members, plan, under_way)
}

fn asynchronous_rate(plan: &Plan, under_way: usize) -> Result<u64> {
    let (network, clock) = (Network::default(), Clock::start(TICK));
    let members = VOTERS.map(|id| {
        let hands = hands(plan)?;
        let node = Asynchronous::found(id, &VOTERS, id, hands.disk.storage.clone())?;
        let (post, answers) = (network.clone(), network.clone());
        let run = move |node, lines| threads::run(node, &lines, hands, post, answers);
        Ok(Member::start_with(node, &network, &clock, run))
    });
    rate(members, plan, under_way)
}

/// How many numbers a second the leader has applied, asked by so many clients.
// ANCHOR: rate
fn rate<N: Replica<Command = u64>>(
    members: [Result<Member<N>>; 3],
    plan: &Plan,
    under_way: usize,
) -> Result<u64> {
    let [one, two, three] = members;
    let members = [one?, two?, three?];
    let leader = leader_of(&members)?;
    let start = Instant::now();
    let applied = thread::scope(|scope| {
        let clients: Vec<_> = (0..under_way)
            .map(|_| scope.spawn(|| ask_until(leader, start + plan.lasting)))
            .collect();
        let counts = clients.into_iter().map(|client| match client.join() {
            Ok(count) => count,
            Err(panic) => std::panic::resume_unwind(panic),
        });
        counts.sum::<Result<u64>>()
    })?;
    let took = start.elapsed();
    for member in members {
        member.stop()?;
    }
    Ok(per_second(applied, took))
}

/// A client that has one proposal under way at any time. Says how many were applied.
fn ask_until<N: Replica<Command = u64>>(leader: &Member<N>, end: Instant) -> Result<u64> {
    let mut applied = 0;
    loop {
        match leader.propose(Proposal::Command(1)).wait(PATIENCE) {
            Some(Outcome::Applied { .. }) => applied += 1,
            other => return Err(format!("the leader was to stay, but: {other:?}").into()),
        }
        if Instant::now() >= end {
            return Ok(applied);
        }
    }
}
// ANCHOR_END: rate

fn leader_of<N: Replica>(members: &[Member<N>]) -> Result<&Member<N>> {
    for member in members {
        member.wait_until("somebody leads", |node| {
            node.status().soft_state.leader.is_some() && node.status().applied > 3
        })?;
        if member.ask(|node| node.status().soft_state.leader)? == Some(member.id()) {
            return Ok(member);
        }
    }
    Err("nobody leads".into())
}

fn per_second(count: u64, took: Duration) -> u64 {
    let nanoseconds = took.as_nanos().max(1);
    let rate = u128::from(count) * 1_000_000_000 / nanoseconds;
    u64::try_from(rate).unwrap_or(u64::MAX)
}

fn median(mut numbers: Vec<u64>) -> u64 {
    numbers.sort_unstable();
    numbers.get(numbers.len() / 2).copied().unwrap_or(0)
}

/// The rows as the file that the page's plot is drawn from.
pub fn as_csv(plan: &Plan, rows: &[Row]) -> String {
    let processors = thread::available_parallelism().map_or(1, usize::from);
    let (delay, lasting) = (plan.delay.as_millis(), plan.lasting.as_millis());
    let mut text = format!(
        "\
# title: Proposals per second with a disk that needs {delay} ms for a write
# x: proposals under way at once
# y: applied proposals per second
# note: Three nodes in one process on {processors} processors, {delay} ms for a write, no message lost. Each number is the median of {} measurements of {lasting} ms; the two loops took turns.
# command: cargo run --release -p ch09-asynchronous-storage-writes -- --measure --delay-ms {delay}
proposals under way,synchronous loop,asynchronous loop
",
        plan.rounds
    );
    for row in rows {
        let Row {
            under_way,
            synchronous,
            asynchronous,
        } = row;
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{under_way},{synchronous},{asynchronous}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_one() {
        assert_eq!(median(vec![9, 1, 5]), 5);
        assert_eq!(median(vec![]), 0);
        assert_eq!(per_second(100, Duration::from_millis(500)), 200);
    }

    #[test]
    fn every_row_of_the_plan_is_measured_in_both_loops() {
        let plan = Plan {
            delay: Duration::ZERO,
            under_way: vec![1, 3],
            rounds: 1,
            lasting: Duration::from_millis(20),
        };
        let rows = measure(&plan, |_| {}).expect("a measurement");
        let under_way: Vec<_> = rows.iter().map(|row| row.under_way).collect();
        assert_eq!(under_way, [1, 3]);
        let csv = as_csv(&plan, &rows);
        let numbers: Vec<_> = csv.lines().filter(|line| !line.starts_with('#')).collect();
        assert_eq!(numbers.len(), 3, "{csv}");
    }
}
