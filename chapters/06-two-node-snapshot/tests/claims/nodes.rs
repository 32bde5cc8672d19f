//! The cluster that most of the claims begin with, and words for what is done to it.

use ch01_single_node_cluster::Result;
use ch02_single_node_proposals::CommandList;
use ch05_two_node_cluster::by_hand::ByHand;
use ch05_two_node_cluster::{Proposal, Replica, Ticket};
use ch06_two_node_snapshot::{Node, StateMachine};
use raft_kernel::{
    AppendOutcome, Change, ConfChange, Index, Message, MessageBody, NodeId, Role, Snapshot, Storage,
};

pub(crate) type Nodes = ByHand<Node<CommandList>>;

pub(crate) const SEED: u64 = 1;

/// Where the snapshot of [`compacted`] ends: the founder's entry, the leader's empty one
/// and ten commands.
pub(crate) const SNAPSHOT: Index = 12;

/// No exchange in these tests needs as many ticks, or messages between two ticks.
pub(crate) const ENOUGH: usize = 200;

/// Node 1 is alone, leads, and has taken `commands`.
pub(crate) fn leader(commands: impl IntoIterator<Item = u8>) -> Result<Nodes> {
    leader_of(commands)
}

/// The same with any state machine that takes bytes.
pub(crate) fn leader_of<M: StateMachine<Command = u8>>(
    commands: impl IntoIterator<Item = u8>,
) -> Result<ByHand<Node<M>>> {
    let mut nodes = ByHand::default();
    nodes.add(Node::<M>::found(1, &[1], SEED)?);
    lead(&mut nodes)?;
    for command in commands {
        drop(propose(&mut nodes, 1, command)?);
    }
    nodes.turn()?;
    Ok(nodes)
}

/// Lets time pass for node 1 until it leads.
pub(crate) fn lead<N: Replica>(nodes: &mut ByHand<N>) -> Result<()> {
    for _ in 0..ENOUGH {
        nodes.tick(1)?;
        settle(nodes)?;
        if nodes.node(1).status().soft_state.role == Role::Leader {
            return Ok(());
        }
    }
    Err(format!("it does not come to lead: {}", nodes.node(1)).into())
}

/// Node 1 is alone and leads. The commands 1 to 10 are in its snapshot, and its log holds
/// 11 and 12.
pub(crate) fn compacted() -> Result<Nodes> {
    let mut nodes = leader(1..=10)?;
    assert_eq!(nodes.node(1).compact()?, SNAPSHOT);
    for command in [11, 12] {
        drop(propose(&mut nodes, 1, command)?);
    }
    nodes.turn()?;
    Ok(nodes)
}

/// Node 2 is there, and node 1 is asked to let it vote.
pub(crate) fn join_2<N: Replica>(nodes: &mut ByHand<N>, node_2: N) -> Result<Ticket> {
    nodes.add(node_2);
    change(nodes, Change::AddVoter(2))
}

/// [`compacted`], and node 2, which is to vote and has heard nothing yet.
pub(crate) fn joining() -> Result<Nodes> {
    let mut nodes = compacted()?;
    drop(join_2(&mut nodes, newcomer()?)?);
    Ok(nodes)
}

/// The same after everything has arrived.
pub(crate) fn joined() -> Result<Nodes> {
    let mut nodes = joining()?;
    settle(&mut nodes)?;
    Ok(nodes)
}

/// The same, but the snapshot is on its way to node 2: it is handed out.
pub(crate) fn snapshot_on_its_way() -> Result<(Nodes, Message)> {
    let mut nodes = joining()?;
    let snapshot = settle_up_to(&mut nodes, is_snapshot)?;
    Ok((nodes, snapshot))
}

/// A heartbeat overtakes the snapshot. Node 2 answers it, and that sign of life makes
/// node 1 send on. What it sends is handed out.
pub(crate) fn entries_after_a_heartbeat(nodes: &mut Nodes) -> Result<Message> {
    nodes.tick(1)?;
    let heartbeat = settle_up_to(nodes, is_heartbeat)?;
    nodes.deliver(heartbeat)?;
    settle_up_to(nodes, |message| message.to == 2)
}

pub(crate) fn change<N: Replica>(nodes: &mut ByHand<N>, change: Change) -> Result<Ticket> {
    nodes.propose(1, Proposal::Change(ConfChange::single(change)))
}

pub(crate) fn newcomer() -> Result<Node<CommandList>> {
    Node::join(2, SEED)
}

pub(crate) fn propose<N: Replica<Command = u8>>(
    nodes: &mut ByHand<N>,
    id: NodeId,
    command: u8,
) -> Result<Ticket> {
    nodes.propose(id, Proposal::Command(command))
}

/// The node stops, and starts again from what it had stored.
pub(crate) fn restart<M: StateMachine>(nodes: &mut ByHand<Node<M>>, id: NodeId) -> Result<()> {
    let stopped = nodes.remove(id).ok_or("nobody is there to stop")?;
    nodes.add(Node::<M>::start(id, SEED, stopped.into_storage())?);
    Ok(())
}

/// Delivers everything, and answers what that was.
pub(crate) fn settle<N: Replica>(nodes: &mut ByHand<N>) -> Result<Vec<Message>> {
    let mut delivered = Vec::new();
    nodes.settle(|message| {
        delivered.push(message.clone());
        match delivered.len() {
            ..=ENOUGH => Ok(()),
            _ => Err(format!("the nodes find no end: {:?}", &delivered[ENOUGH - 8..]).into()),
        }
    })?;
    Ok(delivered)
}

/// Delivers messages up to the first of this kind, and hands that one out instead.
pub(crate) fn settle_up_to<N: Replica>(
    nodes: &mut ByHand<N>,
    kind: impl Fn(&Message) -> bool,
) -> Result<Message> {
    for _ in 0..ENOUGH {
        match nodes.next_message()? {
            Some(message) if kind(&message) => return Ok(message),
            Some(message) => nodes.deliver(message)?,
            None => break,
        }
    }
    Err("no such message came".into())
}

/// Lets time pass and delivers everything until both state machines are as they should.
pub(crate) fn settle_at<M: StateMachine>(
    nodes: &mut ByHand<Node<M>>,
    is_there: impl Fn(&M) -> bool,
) -> Result<Vec<Message>> {
    let mut delivered = settle(nodes)?;
    for _ in 0..ENOUGH {
        if [1, 2].iter().all(|id| is_there(nodes.node(*id).machine())) {
            return Ok(delivered);
        }
        for id in [1, 2] {
            nodes.tick(id)?;
            delivered.extend(settle(nodes)?);
        }
    }
    let (one, two) = (nodes.node(1).to_string(), nodes.node(2).to_string());
    Err(format!("after {ENOUGH} ticks they differ:\n{one}\n{two}").into())
}

/// The same for nodes that keep a list.
pub(crate) fn settle_at_list(nodes: &mut Nodes, commands: &[u8]) -> Result<Vec<Message>> {
    let commands = commands.to_vec();
    settle_at(nodes, move |machine| machine.commands() == commands)
}

/// The snapshot that a node's storage holds.
pub(crate) fn snapshot_of(nodes: &mut Nodes, id: NodeId) -> Result<Snapshot> {
    Ok(nodes.node(id).storage().snapshot()?)
}

/// The first and the last index of a node's log.
pub(crate) fn log_of(nodes: &mut Nodes, id: NodeId) -> Result<(Index, Index)> {
    let storage = nodes.node(id).storage();
    Ok((storage.first_index()?, storage.last_index()?))
}

pub(crate) fn is_snapshot(message: &Message) -> bool {
    matches!(message.body, MessageBody::InstallSnapshot { .. })
}

fn is_heartbeat(message: &Message) -> bool {
    matches!(message.body, MessageBody::Heartbeat { .. })
}

/// Whether a follower says that it has the same as the leader.
pub(crate) fn is_acceptance(message: &Message) -> bool {
    let MessageBody::AppendEntriesResponse(outcome) = &message.body else {
        return false;
    };
    matches!(outcome, AppendOutcome::Accepted { .. })
}

/// How many of the messages are of this kind.
pub(crate) fn count(messages: &[Message], kind: impl Fn(&Message) -> bool) -> usize {
    messages.iter().filter(|message| kind(message)).count()
}
