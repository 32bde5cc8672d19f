//! The commands of quorum scripts: what a majority, or two at once, have committed, and how
//! they vote.
//!
//! Three laws are checked for each case beside what it prints: exchanging the halves of a
//! joint configuration changes nothing, nor does joining a configuration with itself, nor
//! joining it with nobody.

use std::collections::BTreeMap;
use std::fmt::{Debug, Write as _};

use raft_kernel::{Index, JointConfig, NodeId, NodeSet, VoteResult};

use super::script::Case;

/// Does what the case says and gives what that prints.
pub(crate) fn answer_case(case: &Case) -> String {
    let result = match case.command.as_str() {
        "committed" => committed(case),
        "vote" => vote(case),
        _ => Err("unknown command".to_owned()),
    };
    result.unwrap_or_else(|error| error)
}

fn committed(case: &Case) -> Result<String, String> {
    let (config, is_joint) = configuration(case)?;
    let matches: BTreeMap<NodeId, Index> = known_of(case, &config, "idx", |value| {
        value.parse().map_err(|_| format!("{value} is no index"))
    })?;
    let match_of = |id| matches.get(&id).copied().unwrap_or(0);
    let index = if is_joint {
        agreed(&config, |config| config.committed_index(match_of))?
    } else {
        agreed_alone(
            &config.incoming,
            |half| half.committed_index(match_of),
            |config| config.committed_index(match_of),
        )?
    };
    let chart = bar_chart(&config.ids(), &matches);
    Ok(match index {
        Index::MAX => format!("{chart}∞"),
        index => format!("{chart}{index}"),
    })
}

fn vote(case: &Case) -> Result<String, String> {
    let (config, is_joint) = configuration(case)?;
    let votes: BTreeMap<NodeId, bool> = known_of(case, &config, "votes", |value| match value {
        "y" => Ok(true),
        "n" => Ok(false),
        _ => Err(format!("{value} is no vote")),
    })?;
    let vote_of = |id| votes.get(&id).copied();
    let result = if is_joint {
        agreed(&config, |config| config.vote(vote_of))?
    } else {
        agreed_alone(
            &config.incoming,
            |half| half.vote(vote_of),
            |config| config.vote(vote_of),
        )?
    };
    Ok(match result {
        VoteResult::Won => "VoteWon",
        VoteResult::Lost => "VoteLost",
        VoteResult::Pending => "VotePending",
    }
    .to_owned())
}

/// The configuration of a case, and whether it is joint, be it with nobody.
fn configuration(case: &Case) -> Result<(JointConfig, bool), String> {
    let is_zero = case.value("cfgj") == Some("zero");
    let outgoing = if is_zero {
        NodeSet::default()
    } else {
        case.number_list("cfgj")?.into_iter().collect()
    };
    let config = JointConfig {
        incoming: case.number_list("cfg")?.into_iter().collect(),
        outgoing,
    };
    let is_joint = is_zero || config.is_joint();
    Ok((config, is_joint))
}

/// What `key` lists, for each voter in the order in which `cfg` and then `cfgj` name them;
/// a voter of both is listed once. `_` stands for a voter of whom nothing is known.
fn known_of<T>(
    case: &Case,
    config: &JointConfig,
    key: &str,
    parse: impl Fn(&str) -> Result<T, String>,
) -> Result<BTreeMap<NodeId, T>, String> {
    let mut voters: Vec<NodeId> = Vec::new();
    let named = [case.values("cfg"), case.values("cfgj")].concat();
    for id in named.iter().filter_map(|id| id.parse().ok()) {
        if !voters.contains(&id) {
            voters.push(id);
        }
    }
    let values = case.values(key);
    if values.len() != config.ids().len() {
        return Err(format!(
            "error: mismatched input (explicit or _) for voters {voters:?}: {values:?}"
        ));
    }
    let known = voters.iter().zip(values).filter(|(_, value)| *value != "_");
    known.map(|(id, value)| Ok((*id, parse(value)?))).collect()
}

/// What `ask` says of a joint configuration, if it says the same of its halves exchanged.
fn agreed<T: PartialEq + Debug>(
    config: &JointConfig,
    ask: impl Fn(&JointConfig) -> T,
) -> Result<T, String> {
    let exchanged = JointConfig {
        incoming: config.outgoing.clone(),
        outgoing: config.incoming.clone(),
    };
    unless_different(ask(config), &[("the halves exchanged", ask(&exchanged))])
}

/// What `ask_one` says of one set of voters, if `ask_both` says the same of it joined with
/// itself, and with nobody in either place.
fn agreed_alone<T: PartialEq + Debug>(
    voters: &NodeSet,
    ask_one: impl Fn(&NodeSet) -> T,
    ask_both: impl Fn(&JointConfig) -> T,
) -> Result<T, String> {
    let nobody = NodeSet::default();
    let joined = |incoming: &NodeSet, outgoing: &NodeSet| {
        ask_both(&JointConfig {
            incoming: incoming.clone(),
            outgoing: outgoing.clone(),
        })
    };
    unless_different(
        ask_one(voters),
        &[
            ("itself joined", joined(voters, voters)),
            ("nobody joined", joined(voters, &nobody)),
            ("nobody joined in the other place", joined(&nobody, voters)),
        ],
    )
}

fn unless_different<T: PartialEq + Debug>(answer: T, others: &[(&str, T)]) -> Result<T, String> {
    match others.iter().find(|(_, other)| *other != answer) {
        Some((law, other)) => Err(format!("{answer:?}, but with {law} {other:?}")),
        None => Ok(answer),
    }
}

/// A bar for each voter, as long as the number of voters whose index is lower.
fn bar_chart(voters: &NodeSet, matches: &BTreeMap<NodeId, Index>) -> String {
    if voters.is_empty() {
        return "<empty majority quorum>".to_owned();
    }
    let index_of = |id: NodeId| matches.get(&id).copied().unwrap_or(0);
    let width = voters.len();
    let mut chart = format!("{:width$}    idx\n", "");
    for id in voters.iter() {
        let index = index_of(id);
        let lower = voters.iter().filter(|it| index_of(*it) < index).count();
        let bar = match matches.get(&id) {
            Some(_) => format!("{}>", "x".repeat(lower)),
            None => "?".to_owned(),
        };
        let bar_width = width + 1;
        let _ = writeln!(chart, "{bar:bar_width$} {index:>5}    (id={id})");
    }
    chart
}
