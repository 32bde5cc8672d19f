//! What the engine may cost, in counts that are the same in every run: allocations, bytes,
//! calls of its storage. Time is not asserted anywhere: it depends on the machine, and
//! `cargo bench -p raft-kernel` measures it.
//!
//! Two kinds of claims. A committed entry costs no more than a bound, set close above what
//! it costs today: whoever exceeds a bound finds out why before raising it. And no
//! operation's cost grows with the log's length or with the number of past configuration
//! changes.
//!
//! The counts cover the whole cluster in memory, `MemoryStorage` included, once its
//! buffers have grown to the load; see `cluster`.

mod cluster;

use std::sync::OnceLock;

use allocation_counter::measure;
use cluster::{Backlog, Cluster, Node, Past, Shape, Tally, carved, owned};
use raft_kernel::StorageWrites::{Asynchronous, Synchronous};
use raft_kernel::{Bytes, Change, ConfChange, Entry, ProgressState, Role, StorageWrites};

/// What something cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cost {
    allocations: u64,
    storage: Tally,
}

/// What `operation` costs all nodes together.
fn cost(cluster: &mut Cluster, operation: impl FnOnce(&mut Cluster)) -> Cost {
    let before = cluster.storage();
    let allocations = measure(|| operation(cluster)).count_total;
    Cost {
        allocations,
        storage: cluster.storage() - before,
    }
}

// Allocations for a committed entry.

/// What a batch of proposals may cost until all nodes have applied it: the nodes, the
/// proposals of a batch, how the nodes write, and the allocations in all nodes together.
///
/// A batch of several makes one run of entries, which the disk, the followers and the
/// state machine share. An asynchronous leader makes a new list of messages for each
/// `Ready` that sends something.
const ALLOCATIONS_A_BATCH: [(u64, usize, StorageWrites, u64); 12] = [
    (1, 1, Synchronous, 0),
    (3, 1, Synchronous, 0),
    (5, 1, Synchronous, 0),
    (1, 64, Synchronous, 1),
    (3, 64, Synchronous, 1),
    (5, 64, Synchronous, 1),
    (1, 1, Asynchronous, 0),
    (3, 1, Asynchronous, 2),
    (5, 1, Asynchronous, 2),
    (1, 64, Asynchronous, 1),
    (3, 64, Asynchronous, 3),
    (5, 64, Asynchronous, 3),
];

/// How many commands are counted.
const COMMANDS: usize = 1024;

/// The length of each, in bytes.
const LENGTH: usize = 256;

/// Checks each line of the table, with `extra` allocations more for each command.
fn check_table<C: Into<Bytes>>(commands: impl Fn() -> Vec<C>, extra: u64) {
    let mut exceeded = Vec::new();
    for (nodes, batch, writes, bound) in ALLOCATIONS_A_BATCH {
        let mut cluster = Cluster::start(Shape {
            writes,
            ..Shape::synchronous(nodes)
        });
        // Twice, so that every buffer has grown and storage has room for as much again.
        cluster.commit(commands().into_iter(), batch);
        cluster.commit(commands().into_iter(), batch);
        cluster.compact_to(0);
        // Made before, so that the making is not counted.
        let commands = commands().into_iter();
        let counted = cost(&mut cluster, |cluster| cluster.commit(commands, batch)).allocations;
        assert!(
            cluster
                .applied()
                .all(|applied| applied == 3 * COMMANDS as u64),
            "every node applies every command"
        );
        let allowed = bound * (COMMANDS / batch) as u64 + extra * COMMANDS as u64;
        // A tenth and a little, for a list that grows at another moment.
        if counted > allowed + allowed / 10 + 2 {
            exceeded.push(format!(
                "{nodes} nodes, batches of {batch}, {writes:?}: {counted}, not {allowed}"
            ));
        }
    }
    assert!(
        exceeded.is_empty(),
        "allocations for {COMMANDS} committed commands:\n{}",
        exceeded.join("\n")
    );
}

#[test]
fn a_batch_of_commands_cut_from_a_read_buffer_allocates_no_more_than_the_table_says() {
    check_table(|| carved(COMMANDS, LENGTH), 0);
}

#[test]
fn a_command_in_memory_of_its_own_allocates_a_reference_count_more() {
    check_table(|| owned(COMMANDS, LENGTH), 1);
}

#[test]
fn a_stored_entry_takes_its_own_size_beside_its_command() {
    const ENTRIES: usize = 60_000;
    let mut cluster = Cluster::start(Shape::synchronous(1));
    let commands = carved(ENTRIES, 16).into_iter();
    let bytes = measure(|| cluster.commit(commands, 64)).bytes_current;
    // Of the list that `carved` made, which the cluster consumed.
    let freed = ENTRIES * size_of::<Bytes>();
    let taken = (usize::try_from(bytes).unwrap_or(0) + freed) / ENTRIES;
    let bound = size_of::<Entry>() + size_of::<Entry>() / 8;
    assert!(
        taken <= bound,
        "{taken} bytes an entry, but at most {bound} are allowed"
    );
}

#[test]
fn a_node_with_nothing_to_do_allocates_nothing() {
    for shape in [Shape::synchronous(3), Shape::asynchronous(3)] {
        let mut cluster = Cluster::start(shape);
        for node in &mut cluster.nodes {
            let allocations = measure(|| {
                assert!(!node.raft.has_ready());
                let ready = node.raft.ready().expect("a Ready");
                node.raft.advance(ready).expect("an advance");
            });
            let role = node.raft.role();
            assert_eq!(allocations.count_total, 0, "a {role}, {:?}", shape.writes);
        }
    }
}

#[test]
fn the_ticks_of_a_follower_allocate_nothing() {
    let mut cluster = Cluster::start(Shape::synchronous(3));
    let follower = &mut cluster.nodes[1].raft;
    let allocations = measure(|| (0..5).for_each(|_| follower.tick().expect("a tick")));
    assert_eq!(allocations.count_total, 0);
}

#[test]
fn a_round_of_heartbeats_allocates_nothing_but_the_lists_of_messages() {
    // The leader's and each follower's, where nodes write asynchronously.
    for (shape, bound) in [(Shape::synchronous(5), 0), (Shape::asynchronous(5), 5)] {
        let mut cluster = Cluster::start(shape);
        cluster.heartbeat();
        let round = cost(&mut cluster, Cluster::heartbeat);
        assert!(round.allocations <= bound, "{round:?}, {:?}", shape.writes);
    }
}

// Costs at different lengths of the log.

const LENGTHS: [u64; 4] = [1_000, 10_000, 100_000, 1_000_000];

/// What everything costs in a cluster of three with a log of some length.
#[derive(Clone, Copy, Debug)]
struct Costs {
    length: u64,
    writes: StorageWrites,
    start: Cost,
    election: Cost,
    proposals: Cost,
    batch: Cost,
    heartbeat: Cost,
    read: Cost,
}

impl Costs {
    fn at(length: u64, writes: StorageWrites) -> Self {
        let shape = Shape {
            writes,
            ..Shape::synchronous(3)
        };
        let mut cluster = Cluster::start(shape.with_log(length));
        // Every buffer grows; the storage's, behind the past, too.
        cluster.commit(carved(256, LENGTH).into_iter(), 64);
        cluster.heartbeat();
        read(&mut cluster);
        let (proposals, batch) = (
            carved(64, LENGTH).into_iter(),
            carved(64, LENGTH).into_iter(),
        );
        Costs {
            length,
            writes,
            start: start_again(&mut cluster),
            proposals: cost(&mut cluster, |cluster| cluster.commit(proposals, 1)),
            batch: cost(&mut cluster, |cluster| cluster.commit(batch, 64)),
            heartbeat: cost(&mut cluster, Cluster::heartbeat),
            read: cost(&mut cluster, read),
            election: cost(&mut cluster, elect_another),
        }
    }

    /// The costs at all lengths, first of synchronous nodes.
    fn all() -> &'static [Costs] {
        static ALL: OnceLock<Vec<Costs>> = OnceLock::new();
        ALL.get_or_init(|| {
            let both = [Synchronous, Asynchronous].into_iter();
            both.flat_map(|writes| LENGTHS.map(|length| Costs::at(length, writes)))
                .collect()
        })
    }
}

fn read(cluster: &mut Cluster) {
    cluster.leader().raft.read_index("").expect("a read");
    cluster.settle();
}

fn elect_another(cluster: &mut Cluster) {
    cluster
        .leader()
        .raft
        .transfer_leader(2)
        .expect("a transfer");
    cluster.settle();
    assert_eq!(cluster.nodes[1].raft.role(), Role::Leader);
}

/// Starts the leader's node again from its storage.
fn start_again(cluster: &mut Cluster) -> Cost {
    cluster.leader().snapshot();
    let storage = cluster.leader().storage.clone();
    cost(cluster, |_| {
        let config = raft_kernel::Config::new(1);
        raft_kernel::RawNode::new(&config, storage).expect("a node");
    })
}

/// Asserts that something costs the same at all lengths, and gives what it costs.
fn assert_flat(what: &str, of: impl Fn(&Costs) -> Cost) -> [Cost; 2] {
    let costs_of = |writes| {
        let all = Costs::all()
            .iter()
            .filter(move |costs| costs.writes == writes);
        all.map(|costs| (costs.length, of(costs)))
            .collect::<Vec<_>>()
    };
    [Synchronous, Asynchronous].map(|writes| {
        let costs = costs_of(writes);
        let first = costs[0].1;
        assert!(
            costs.iter().all(|(_, cost)| *cost == first),
            "{what} costs more in a longer log, {writes:?}: {costs:#?}"
        );
        first
    })
}

#[test]
fn a_proposal_costs_the_same_at_every_length_of_the_log() {
    assert_flat("a proposal", |costs| costs.proposals);
    assert_flat("a batch of proposals", |costs| costs.batch);
}

#[test]
fn a_proposal_asks_nothing_of_the_storage() {
    for (length, proposals) in Costs::all()
        .iter()
        .map(|costs| (costs.length, costs.proposals))
    {
        assert_eq!(
            proposals.storage,
            Tally::default(),
            "in a log of {length} entries"
        );
    }
}

#[test]
fn a_round_of_heartbeats_costs_the_same_at_every_length_of_the_log() {
    assert_flat("a round of heartbeats", |costs| costs.heartbeat);
}

#[test]
fn a_read_costs_the_same_at_every_length_of_the_log() {
    assert_flat("a read", |costs| costs.read);
}

#[test]
fn an_election_costs_the_same_at_every_length_of_the_log() {
    assert_flat("an election", |costs| costs.election);
}

#[test]
fn a_restart_from_a_recent_snapshot_costs_the_same_at_every_length_of_the_log() {
    assert_flat("a restart", |costs| costs.start);
}

/// Two logs part before their last 500 entries, each with a term of its own from there on:
/// what the search for the place costs both nodes, and how many turns of their loops it
/// takes, the first append and the last entries included.
fn search_where_logs_part(length: u64) -> (Cost, u64) {
    const APART: u64 = 500;
    let past = |open_term| Past {
        applied: length - APART,
        open: APART,
        open_term,
    };
    let leader = Node::start(1, 3, Synchronous, &past(3));
    let follower = Node::start(2, 3, Synchronous, &past(2));
    let mut cluster = Cluster::of(vec![leader, follower]);
    cluster.leader().raft.campaign().expect("a campaign");
    while cluster.leader().raft.role() != Role::Leader {
        assert!(cluster.turn(), "the election comes to an end");
    }
    let mut turns = 0;
    let search = cost(&mut cluster, |cluster| {
        while cluster.leader().sends_to(2) != ProgressState::Replicate {
            assert!(cluster.turn(), "the search comes to an end");
            turns += 1;
        }
    });
    (search, turns)
}

#[test]
fn the_place_where_two_logs_part_is_found_by_halving() {
    let searches = LENGTHS.map(search_where_logs_part);
    for (length, (search, turns)) in LENGTHS.into_iter().zip(searches) {
        // Both nodes halve, once each, and look at a few entries more.
        let bound = 2 * u64::from(length.ilog2() + 1) + 16;
        let calls = search.storage.calls;
        assert!(
            calls <= bound,
            "{calls} calls in {length} entries, at most {bound} are allowed"
        );
        assert!(
            turns <= 4,
            "{turns} turns in {length} entries: one probe is rejected, not more"
        );
        assert_eq!(
            search.allocations, searches[0].0.allocations,
            "in {length} entries"
        );
    }
}

#[test]
fn a_follower_that_catches_up_is_sent_each_entry_once() {
    for length in [1_000, 10_000, 100_000] {
        let past = Past::applied(length);
        let mut nodes: Vec<Node> = (1..=2)
            .map(|id| Node::start(id, 3, Synchronous, &past))
            .collect();
        nodes.push(Node::start(3, 3, Synchronous, &Past::applied(1)));
        let mut cluster = Cluster::of(nodes);
        cluster.leader().raft.campaign().expect("a campaign");
        cluster.settle();
        assert_eq!(
            cluster.nodes[2].commands,
            length - 1,
            "the follower has caught up"
        );
        let read = cluster.leader().storage.tally().entries;
        assert!(read <= length + 2, "{read} entries were read of {length}");
    }
}

// Costs behind a slow storage.

#[test]
fn a_proposal_behind_a_slow_storage_costs_the_same_however_many_writes_are_under_way() {
    const PROPOSALS: u64 = 64;
    /// For each proposal: the list of the leader's own acknowledgement, and the entry that
    /// is read from storage to be applied.
    const ALLOCATIONS: u64 = 2;
    const CALLS: u64 = 1;
    for depth in [10, 100, 1_000] {
        let mut backlog = Backlog::of(depth);
        // So that the storage has room for all of them.
        (0..=2 * depth).for_each(|_| backlog.shift());
        backlog.compact();
        let before = backlog.storage();
        let allocations = measure(|| (0..PROPOSALS).for_each(|_| backlog.shift())).count_total;
        let calls = (backlog.storage() - before).calls;
        assert!(
            allocations <= PROPOSALS * ALLOCATIONS + 2 && calls <= PROPOSALS * CALLS,
            "{allocations} allocations and {calls} calls for {PROPOSALS} proposals, with {depth} \
             writes under way"
        );
    }
}

// Costs after many configuration changes.

#[test]
fn a_configuration_change_costs_the_same_after_a_thousand_others() {
    for shape in [Shape::synchronous(3), Shape::asynchronous(3)] {
        let mut cluster = Cluster::start(shape);
        let mut costs = Vec::new();
        for earlier in [10, 100, 1_000] {
            while cluster.changes < earlier {
                add_and_remove(&mut cluster);
            }
            cluster.compact_to(0);
            costs.push(cost(&mut cluster, add_and_remove));
            cluster.compact_to(0);
        }
        assert!(
            costs.iter().all(|cost| *cost == costs[0]),
            "after 10, 100 and 1000 changes, {:?}: {costs:#?}",
            shape.writes
        );
    }
}

/// Two changes: a learner comes and goes.
fn add_and_remove(cluster: &mut Cluster) {
    for change in [Change::AddLearner(9), Change::Remove(9)] {
        cluster.change(ConfChange::single(change));
    }
}

#[test]
fn a_proposal_costs_the_same_after_a_thousand_configuration_changes() {
    for shape in [Shape::synchronous(3), Shape::asynchronous(3)] {
        let mut cluster = Cluster::start(shape);
        let mut costs = Vec::new();
        for earlier in [10, 1_000] {
            while cluster.changes < earlier {
                add_and_remove(&mut cluster);
            }
            cluster.commit(carved(64, LENGTH).into_iter(), 1);
            cluster.compact_to(0);
            let commands = carved(64, LENGTH).into_iter();
            costs.push(cost(&mut cluster, |cluster| cluster.commit(commands, 1)));
        }
        assert_eq!(
            costs[0], costs[1],
            "after 10 and 1000 changes, {:?}",
            shape.writes
        );
    }
}
