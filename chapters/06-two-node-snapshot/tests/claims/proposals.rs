//! What becomes of proposals at a leader that was cut off, and then starts over from
//! another leader's snapshot.

use ch01_single_node_cluster::Result;
use ch05_two_node_cluster::{Outcome, Replica, Ticket};
use ch06_two_node_snapshot::Node;
use raft_kernel::{Message, NodeId, Role};

use crate::nodes::{
    ENOUGH, Nodes, SEED, is_snapshot, lead, propose, settle, settle_up_to, snapshot_of,
};

/// Three founders, and node 1 leads. Its log: three founders' entries, its empty one, and
/// the command 1 at index 5.
fn three() -> Result<Nodes> {
    let mut nodes = Nodes::default();
    for id in [1, 2, 3] {
        nodes.add(Node::found(id, &[1, 2, 3], SEED)?);
    }
    lead(&mut nodes)?;
    let ticket = propose(&mut nodes, 1, 1)?;
    settle(&mut nodes)?;
    assert_eq!(ticket.outcome(), Some(Outcome::Applied { index: 5 }));
    Ok(nodes)
}

/// Delivers what does not concern node 1, and loses the rest.
fn settle_without_1(nodes: &mut Nodes) -> Result<()> {
    for _ in 0..ENOUGH {
        match nodes.next_message()? {
            Some(message) if message.from != 1 && message.to != 1 => nodes.deliver(message)?,
            Some(_) => {}
            None => return Ok(()),
        }
    }
    Err("the nodes find no end".into())
}

/// Lets time pass for the nodes 2 and 3 until one of them leads, and says which.
fn another_leads(nodes: &mut Nodes) -> Result<NodeId> {
    for _ in 0..ENOUGH {
        for id in [2, 3] {
            nodes.tick(id)?;
            settle_without_1(nodes)?;
            if nodes.node(id).status().soft_state.role == Role::Leader {
                return Ok(id);
            }
        }
    }
    Err(format!("neither leads; one of them: {}", nodes.node(2)).into())
}

/// The leader takes commands up to index 9 and compacts its log there. Node 1 hears
/// nothing of it.
fn compacted_up_to_9(nodes: &mut Nodes, leader: NodeId, commands: &[u8]) -> Result<()> {
    for command in commands {
        drop(propose(nodes, leader, *command)?);
        settle_without_1(nodes)?;
    }
    assert_eq!(nodes.node(leader).compact()?, 9);
    Ok(())
}

/// Node 1 hears the others again.
fn heal(nodes: &mut Nodes, leader: NodeId) -> Result<()> {
    nodes.tick(leader)?;
    settle(nodes)?;
    assert_eq!(snapshot_of(nodes, 1)?.index, 9, "{}", nodes.node(1));
    Ok(())
}

fn outcomes(tickets: &[Ticket]) -> Vec<Option<Outcome>> {
    tickets.iter().map(Ticket::outcome).collect()
}

/// Node 1 is given five commands, at 6 to 10, that the others never see. Then it starts
/// over from the snapshot of another leader, up to 9. Says which leads, and what the
/// commands' proposers hold.
fn five_at_the_cut_off_leader() -> Result<(Nodes, NodeId, Vec<Ticket>)> {
    let mut nodes = three()?;
    let tickets = [81, 82, 83, 84, 85].map(|command| propose(&mut nodes, 1, command));
    let tickets = tickets.into_iter().collect::<Result<Vec<_>>>()?;
    settle_without_1(&mut nodes)?;
    let leader = another_leads(&mut nodes)?;
    compacted_up_to_9(&mut nodes, leader, &[2, 3, 4])?;
    heal(&mut nodes, leader)?;
    Ok((nodes, leader, tickets))
}

// ANCHOR: unknown
#[test]
fn what_waits_at_an_entry_that_a_snapshot_covers_has_an_unknown_outcome() -> Result<()> {
    // The nodes stay: one that is dropped leaves all its proposers without an answer.
    let (_nodes, _, tickets) = five_at_the_cut_off_leader()?;
    let unknown = Some(Outcome::Unknown);
    assert_eq!(
        outcomes(&tickets),
        [unknown, unknown, unknown, unknown, None]
    );
    Ok(())
}
// ANCHOR_END: unknown

/// The snapshot ends before their entry, so they wait for the entry that takes its place.
#[test]
fn what_waits_after_the_snapshot_learns_of_it_from_the_log() -> Result<()> {
    let (mut nodes, leader, tickets) = five_at_the_cut_off_leader()?;
    drop(propose(&mut nodes, leader, 5)?);
    settle(&mut nodes)?;
    assert_eq!(outcomes(&tickets)[4], Some(Outcome::Replaced));
    for id in [1, 2, 3] {
        assert_eq!(nodes.node(id).machine().commands(), [1, 2, 3, 4, 5]);
    }
    Ok(())
}

/// Why it is unknown and not lost: here the command is in the list.
#[test]
fn an_unknown_outcome_may_be_a_command_that_was_applied() -> Result<()> {
    let mut nodes = three()?;
    let ticket = propose(&mut nodes, 1, 81)?;
    // Nodes 2 and 3 get it. Their answers are lost, and so is all that follows.
    for _ in [2, 3] {
        let append = settle_up_to(&mut nodes, |message| message.from == 1)?;
        nodes.deliver(append)?;
    }
    settle_without_1(&mut nodes)?;
    let leader = another_leads(&mut nodes)?;
    compacted_up_to_9(&mut nodes, leader, &[2, 3])?;
    heal(&mut nodes, leader)?;
    assert_eq!(ticket.outcome(), Some(Outcome::Unknown));
    for id in [1, 2, 3] {
        assert_eq!(nodes.node(id).machine().commands(), [1, 81, 2, 3]);
    }
    Ok(())
}

#[test]
fn two_of_three_go_on_while_the_third_waits_for_a_snapshot() -> Result<()> {
    let mut nodes = three()?;
    let leader = another_leads(&mut nodes)?;
    compacted_up_to_9(&mut nodes, leader, &[2, 3, 4])?;
    nodes.tick(leader)?;
    let snapshot = settle_up_to(&mut nodes, is_snapshot)?;
    let ticket = propose(&mut nodes, leader, 5)?;
    settle(&mut nodes)?;
    assert_eq!(ticket.outcome(), Some(Outcome::Applied { index: 10 }));
    assert_eq!(nodes.node(1).machine().commands(), [1]);

    nodes.deliver(snapshot)?;
    let messages: Vec<Message> = settle(&mut nodes)?;
    assert!(!messages.iter().any(is_snapshot));
    assert_eq!(nodes.node(1).machine().commands(), [1, 2, 3, 4, 5]);
    Ok(())
}
