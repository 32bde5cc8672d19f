//! How scripts write configuration changes. Two test targets share this file; each names the
//! engine's [`Change`] in its own way.

use super::Change;

/// `v1 l2 r3 u4`: add a voter, add a learner, remove, update.
pub(crate) fn parse_changes(text: &str) -> Result<Vec<Change>, String> {
    let parse = |token: &str| {
        let unknown = || format!("unknown token {token}");
        let (kind, id) = token.split_at_checked(1).ok_or_else(unknown)?;
        let id = id.parse().map_err(|_| unknown())?;
        match kind {
            "v" => Ok(Change::AddVoter(id)),
            "l" => Ok(Change::AddLearner(id)),
            "r" => Ok(Change::Remove(id)),
            "u" => Ok(Change::Update(id)),
            _ => Err(unknown()),
        }
    };
    text.split_whitespace().map(parse).collect()
}
