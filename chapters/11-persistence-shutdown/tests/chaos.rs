//! `kill -9`, a hundred times.

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::process::ChildStdin;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::thread::{self, JoinHandle};

use ch11_persistence_shutdown::node_file::{Contents, decode};
use raft_kernel::{Entry, Index};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use support::Site;
use support::clients::Clients;
use support::process::Node;

/// How often nodes are killed.
const ROUNDS: u32 = 100;

type Client = JoinHandle<(ChildStdin, Receiver<String>)>;

struct Chaos {
    site: Site,
    /// Those that run, each with its client.
    nodes: BTreeMap<u64, (Node, Client)>,
    clients: Arc<Clients>,
    arguments: &'static [&'static str],
    /// What the earlier lives of the nodes have logged, for when the test fails.
    logs: BTreeMap<u64, String>,
    kills: usize,
    all_at_once: usize,
}

impl Chaos {
    fn new(arguments: &'static [&'static str]) -> Self {
        let site = Site::new();
        let nodes = site.three(arguments);
        let mut chaos = Chaos {
            site,
            nodes: BTreeMap::new(),
            clients: Arc::default(),
            arguments,
            logs: BTreeMap::new(),
            kills: 0,
            all_at_once: 0,
        };
        for (id, node) in (1..).zip(nodes) {
            chaos.employ(id, node);
        }
        chaos
    }

    /// Gives a node a client.
    fn employ(&mut self, id: u64, mut node: Node) {
        self.clients.employ(id);
        let input = node.input.take().expect("its input");
        let lines = std::mem::replace(&mut node.lines, channel().1);
        let clients = Arc::clone(&self.clients);
        let client = thread::spawn(move || clients.work(id, input, lines));
        self.nodes.insert(id, (node, client));
    }

    /// Waits until so many more proposals are applied.
    fn wait_for_more(&mut self, more: usize, what: &str) {
        let count = self.clients.tally().applied.len() + more;
        if self.clients.wait_for_applied(count) {
            return;
        }
        for (id, (node, _)) in &self.nodes {
            self.logs.entry(*id).or_default().push_str(&node.log());
        }
        let logs = self.logs.values().map(String::as_str);
        let logs = logs.collect::<Vec<_>>().join("\n----\n");
        panic!("{what}: nothing is applied any more\n{logs}");
    }

    /// Lets the clients go on until so many more proposals are applied.
    fn allow_more(&self, more: usize) {
        let applied = self.clients.tally().applied.len();
        self.clients.allow(applied + more);
    }

    /// Kills these nodes.
    fn kill(&mut self, victims: &[u64]) {
        self.kills += victims.len();
        self.all_at_once += usize::from(victims.len() == 3);
        let mut clients = Vec::new();
        for id in victims {
            let (mut node, client) = self.nodes.remove(id).expect("it runs");
            node.kill();
            self.logs.entry(*id).or_default().push_str(&node.log());
            self.clients.dismiss(*id);
            clients.push(client);
        }
        for client in clients {
            client.join().expect("no panic");
        }
    }

    /// Starts these nodes again.
    fn start(&mut self, ids: &[u64]) {
        for id in ids {
            let node = self.site.start(*id, self.arguments);
            self.employ(*id, node);
        }
    }

    /// Lets the clients end, waits until all nodes have the same sum, and stops them.
    fn calm_down(&mut self) -> u64 {
        let mut nodes = BTreeMap::new();
        for id in self.nodes.keys() {
            self.clients.dismiss(*id);
        }
        for (id, (mut node, client)) in std::mem::take(&mut self.nodes) {
            let (input, lines) = client.join().expect("no panic");
            (node.input, node.lines) = (Some(input), lines);
            nodes.insert(id, node);
        }
        // What is proposed last is applied after all that was on its way.
        let first = nodes.get_mut(&1).expect("it runs");
        first.add(1);
        let sum = first.status()["sum"].as_u64().expect("a sum");
        for node in nodes.values_mut() {
            node.until_sum(sum);
            node.type_line("stop");
        }
        for node in nodes.values_mut() {
            let (status, _) = node.ended();
            assert!(status.success(), "{status}");
        }
        sum
    }

    /// What is in a node's file at this moment.
    fn file(&self, id: u64) -> Contents {
        let bytes = fs::read(self.site.file(id)).expect("it is there");
        decode(&bytes).unwrap_or_else(|damage| panic!("node {id}: {damage}"))
    }

    /// Compares the nodes' files, what was known before about the log, what the clients were
    /// told, and the sum.
    fn check(&self, mut log: Log, sum: u64) {
        let last = self.clients.tally().applied.values().max().copied();
        for id in [1, 2, 3] {
            let file = self.file(id);
            assert!(Some(file.hard_state.commit) >= last, "node {id} lacks some");
            log.add(file);
        }
        let numbers = log.numbers();
        assert_eq!(numbers.keys().sum::<u64>(), sum, "the sum of the log");
        print!(
            "{ROUNDS} rounds, {} kills, {} times all three: ",
            self.kills, self.all_at_once
        );
        self.clients.tally().check(&numbers);
    }
}

/// The committed log, put together from what the nodes had in their files one after the other.
#[derive(Default)]
struct Log(BTreeMap<Index, Entry>);

impl Log {
    /// Adds what a node knows to be committed. What is known already must be the same.
    fn add(&mut self, file: Contents) {
        let commit = file.hard_state.commit;
        for entry in file.entries {
            if entry.index > commit {
                return;
            }
            let index = entry.index;
            let known = self.0.entry(index).or_insert_with(|| entry.clone());
            assert_eq!(*known, entry, "two entries are committed at {index}");
        }
    }

    /// The numbers in it, and where each is.
    fn numbers(&self) -> BTreeMap<u64, Index> {
        let expected = 1..=self.0.len() as u64;
        assert!(self.0.keys().copied().eq(expected), "it has gaps");
        let mut numbers = BTreeMap::new();
        for entry in self.0.values() {
            let Some(command) = entry.command() else {
                continue;
            };
            let number = u64::from_le_bytes(command[..].try_into().expect("a number"));
            let before = numbers.insert(number, entry.index);
            assert_eq!(before, None, "{number} is in the log twice");
        }
        numbers
    }
}

/// Some of these; all of them one time in five.
fn victims(random: &mut StdRng, mut among: Vec<u64>) -> Vec<u64> {
    let count = [1, 1, 1, 2, 3][random.random_range(0..5)];
    while among.len() > count {
        among.remove(random.random_range(0..among.len()));
    }
    among
}

fn random() -> (u64, StdRng) {
    let seed = std::env::var("SEED").map_or_else(
        |_| rand::random(),
        |seed| seed.parse().expect("SEED is a number"),
    );
    println!("SEED={seed} chooses the same nodes in the same order; not the same moments");
    (seed, StdRng::seed_from_u64(seed))
}

#[test]
fn every_acknowledged_proposal_counts_once_on_all_nodes_after_a_hundred_kills() {
    let (seed, mut random) = random();
    let mut chaos = Chaos::new(&["--snapshot-every", "1000000"]);
    chaos.clients.allow(usize::MAX);
    for round in 1..=ROUNDS {
        let more = random.random_range(1..=5);
        chaos.wait_for_more(more, &format!("round {round} of seed {seed}"));
        let victims = victims(&mut random, vec![1, 2, 3]);
        chaos.kill(&victims);
        chaos.start(&victims);
    }
    chaos.wait_for_more(10, &format!("at the end of seed {seed}"));
    let sum = chaos.calm_down();

    for id in [1, 2, 3] {
        let compacted = chaos.file(id).compacted.index;
        assert_eq!(compacted, 0, "the whole log is kept in this test");
    }
    chaos.check(Log::default(), sum);
}

/// Nodes shorten their logs, and one of them is always down for so long that the others have
/// nothing left for it but a snapshot. While it gets that, it may be killed, and so may they.
#[test]
fn every_acknowledged_proposal_counts_once_when_snapshots_travel_between_killed_nodes() {
    let (seed, mut random) = random();
    // Twenty entries stay. That is more than a round adds, so no entry is missed below.
    let mut chaos = Chaos::new(&["--snapshot-every", "80"]);
    let mut log = Log::default();
    let (mut away, mut returns): (Option<(u64, Index)>, _) = (None, 0);
    for round in 1..=ROUNDS {
        let more = random.random_range(1..=5);
        // One more for each client: so proposals are on their way when nodes are killed.
        chaos.allow_more(more + 3);
        chaos.wait_for_more(more, &format!("round {round} of seed {seed}"));
        for id in [1, 2, 3] {
            log.add(chaos.file(id));
        }
        let running: Vec<u64> = chaos.nodes.keys().copied().collect();
        if let Some((id, last)) = away {
            let need_a_snapshot = |other: &u64| chaos.file(*other).compacted.index > last;
            if running.iter().all(need_a_snapshot) {
                returns += 1;
                chaos.start(&[id]);
                away = None;
            }
        } else if round < ROUNDS {
            let id = running[random.random_range(0..3)];
            chaos.kill(&[id]);
            let file = chaos.file(id);
            let last = file.entries.last().map(|entry| entry.index);
            away = Some((id, last.unwrap_or(file.compacted.index)));
        }
        let running = chaos.nodes.keys().copied().collect();
        let victims = victims(&mut random, running);
        chaos.kill(&victims);
        for id in &victims {
            log.add(chaos.file(*id));
        }
        chaos.start(&victims);
    }
    if let Some((id, _)) = away {
        chaos.start(&[id]);
    }
    chaos.allow_more(10);
    chaos.wait_for_more(10, &format!("at the end of seed {seed}"));
    let sum = chaos.calm_down();

    print!("{returns} returns to a snapshot; ");
    chaos.check(log, sum);
    assert!(returns >= 3, "{returns}");
}
