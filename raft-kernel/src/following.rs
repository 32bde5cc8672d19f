//! Log replication, seen from a follower: what it takes, and what it refuses.
//!
//! Figure 2 of the paper, "`AppendEntries` RPC, receiver implementation", and section 7
//! for snapshots.

use crate::conf_change;
use crate::entry::Entries;
use crate::entry::EntryId;
use crate::error::Error;
use crate::event::Event;
use crate::message::{AppendOutcome, MessageBody};
use crate::raft::Raft;
use crate::state::Snapshot;
use crate::storage::Storage;
use crate::{Index, NodeId};

impl<S: Storage> Raft<S> {
    // ANCHOR: handle_append
    pub(crate) fn handle_append(
        &mut self,
        leader: NodeId,
        prev: EntryId,
        commit: Index,
        entries: Entries,
    ) -> Result<(), Error> {
        let committed = self.log.committed();
        let match_index = prev.index + entries.len() as Index;
        let outcome = if prev.index < committed {
            // An old message. What is committed matches the leader's log for certain.
            AppendOutcome::Accepted {
                match_index: committed,
            }
        } else if self.log.maybe_append(prev, entries)? {
            // Beyond `match_index` this log may still hold what another leader left.
            self.log.commit_to(commit.min(match_index))?;
            AppendOutcome::Accepted { match_index }
        } else {
            self.events.emit(|| Event::RejectedAppend {
                prev_index: prev.index,
            });
            // Tell the leader where the logs could match, so that it need not go back
            // one by one.
            let end = prev.index.min(self.log.last_index());
            let hint = self.log.find_conflict_by_term(end, prev.term)?;
            AppendOutcome::Rejected {
                prev_index: prev.index,
                hint_index: hint.index,
                hint_term: hint.term,
            }
        };
        self.send(leader, MessageBody::AppendEntriesResponse(outcome));
        Ok(())
    }
    // ANCHOR_END: handle_append

    pub(crate) fn handle_snapshot(
        &mut self,
        leader: NodeId,
        snapshot: Snapshot,
    ) -> Result<(), Error> {
        let (index, term) = (snapshot.index, snapshot.term);
        let restored = self.restore(snapshot)?;
        self.events.emit(|| {
            if restored {
                Event::RestoredSnapshot { index, term }
            } else {
                Event::IgnoredSnapshot { index }
            }
        });
        let match_index = if restored {
            self.log.last_index()
        } else {
            self.log.committed()
        };
        let outcome = AppendOutcome::Accepted { match_index };
        self.send(leader, MessageBody::AppendEntriesResponse(outcome));
        Ok(())
    }

    /// Starts over from a snapshot, and says whether it did: not if the log has all that
    /// the snapshot stands for.
    // ANCHOR: restore
    fn restore(&mut self, snapshot: Snapshot) -> Result<bool, Error> {
        if snapshot.index <= self.log.committed() {
            return Ok(false);
        }
        if self.log.contains(EntryId {
            index: snapshot.index,
            term: snapshot.term,
        })? {
            // "If existing log entry has same index and term as snapshot's last included
            // entry, retain log entries following it" (paper, figure 13).
            self.log.commit_to(snapshot.index)?;
            return Ok(false);
        }
        // One that contradicts itself is refused before anything changes. It need not name
        // this node: the entry that added the node may come after the snapshot. It takes
        // effect with the state machine's state, once the snapshot is stored: until then
        // entries from before it may still be under way to be applied.
        conf_change::restore(
            &snapshot.conf_state,
            self.tracker.inflight_limit,
            snapshot.index,
        )?;
        self.log.restore(snapshot);
        Ok(true)
    }
    // ANCHOR_END: restore
}
