//! Leader election: how a cluster gets at most one leader a term, and gets one.
//!
//! Section 5.2 of the paper. A follower that hears from no leader for a randomized
//! time stands for election; a majority of votes makes it the leader. Section 5.4.1
//! adds who may win: a voter refuses a candidate whose log is less complete than its
//! own. Section 9.6 of the dissertation adds the pre-vote, a trial without a new term,
//! and section 3.10 the election that an old leader asks for.

use crate::config::{ReadMode, StorageWrites};
use crate::entry::EntryId;
use crate::error::Error;
use crate::event::{CampaignRefusal, Event};
use crate::message::{Message, MessageBody};
use crate::quorum::VoteResult;
use crate::raft::Raft;
use crate::state::Role;
use crate::storage::Storage;
use crate::{Index, NodeId, Term};

/// How long a follower waits for a leader, drawn anew for every wait.
///
/// Split votes are rare because the times differ (paper, section 5.2). They are drawn
/// from a generator seeded by the caller, so a run can be repeated.
#[derive(Clone, Debug)]
pub(crate) struct ElectionTimeout {
    base: u32,
    drawn: u32,
    random: SplitMix64,
}

// ANCHOR: timeout
impl ElectionTimeout {
    pub(crate) fn new(base: u32, seed: u64, id: NodeId) -> Self {
        // Nodes that share a seed must still draw different times.
        let random = SplitMix64(seed ^ id.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let mut timeout = ElectionTimeout {
            base,
            drawn: base,
            random,
        };
        timeout.draw();
        timeout
    }

    /// Draws the next wait: at least `base` ticks and less than twice as many.
    pub(crate) fn draw(&mut self) {
        self.drawn = self.base + self.random.below(self.base);
    }
    // ANCHOR_END: timeout

    pub(crate) fn base(&self) -> u32 {
        self.base
    }

    pub(crate) fn drawn(&self) -> u32 {
        self.drawn
    }

    pub(crate) fn set(&mut self, ticks: u32) {
        self.drawn = ticks;
    }

    /// A number for whoever else needs one that differs from run to run with the seed.
    pub(crate) fn number(&mut self) -> u64 {
        self.random.next()
    }
}

/// Steele, Lea and Flood's generator (2014): small, fast, and the same everywhere, for
/// ever. A library's generator may change between versions, and with it every replay.
#[derive(Clone, Debug)]
struct SplitMix64(u64);

impl SplitMix64 {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number less than `bound`, which is not 0: the high half of a product, whose
    /// bias is far below what an election can notice.
    fn below(&mut self, bound: u32) -> u32 {
        let product = (self.next() >> 32) * u64::from(bound);
        u32::try_from(product >> 32).unwrap_or(0)
    }
}

/// Why a node stands for election.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Campaign {
    /// To find out if it would win.
    PreVote,
    /// Its time has come.
    Timeout,
    /// The leader asked it to.
    Transfer,
}

impl<S: Storage> Raft<S> {
    /// Stands for election because the caller wants it, and not because its time has come.
    pub(crate) fn stand(&mut self) -> Result<(), Error> {
        // Its vote for itself would be one against a leader whose lease rests on it.
        if self.read_mode == ReadMode::Lease && self.role != Role::Leader && self.in_lease() {
            let why = CampaignRefusal::HearsFromLeader;
            self.events.emit(|| Event::CampaignRefused(why));
            return Ok(());
        }
        self.hup(false)
    }

    /// Stands for election if the node may, by a pre-vote where that is configured.
    pub(crate) fn hup(&mut self, transfer: bool) -> Result<(), Error> {
        if let Some(why) = self.campaign_refusal()? {
            self.events.emit(|| Event::CampaignRefused(why));
            return Ok(());
        }
        self.campaign(match (transfer, self.pre_vote) {
            // A transfer wants speed: the old leader knows that this node is up to date.
            (true, _) => Campaign::Transfer,
            (false, true) => Campaign::PreVote,
            (false, false) => Campaign::Timeout,
        })
    }

    // ANCHOR: refusal
    fn campaign_refusal(&mut self) -> Result<Option<CampaignRefusal>, Error> {
        Ok(if self.role == Role::Leader {
            Some(CampaignRefusal::AlreadyLeader)
        } else if !self.promotable() {
            Some(CampaignRefusal::NotPromotable)
        } else if self.term >= crate::MAX_TERM || self.log.last_index() >= crate::MAX_INDEX {
            // A new leader appends an entry.
            Some(CampaignRefusal::NoMoreTerms)
        } else if self.log.has_unapplied_conf_change()? {
            // The change may say that this node has no vote, or that others have one.
            Some(CampaignRefusal::UnappliedConfChange)
        } else {
            None
        })
    }
    // ANCHOR_END: refusal

    /// Whether the node could lead: it is a voter, and knows its own configuration.
    pub(crate) fn promotable(&self) -> bool {
        let is_voter = self
            .tracker
            .progress
            .get(self.id)
            .is_some_and(|own| !own.is_learner);
        is_voter && !self.log.unstable.has_snapshot()
    }

    // ANCHOR: campaign
    fn campaign(&mut self, campaign: Campaign) -> Result<(), Error> {
        let term = if campaign == Campaign::PreVote {
            self.become_pre_candidate();
            self.term + 1
        } else {
            self.become_candidate();
            self.term
        };
        // ANCHOR: campaign_last
        // While writes go on by themselves, the requests go before the write (of the term, of
        // the vote and of what else is under way). After a crash, votes may arrive that were
        // given to what they said, so they speak only of entries that are stored.
        let EntryId {
            index: last_index,
            term: last_term,
        } = match self.storage_writes {
            StorageWrites::Synchronous => self.log.last_id()?,
            StorageWrites::Asynchronous => self.log.stored_last_id()?,
        };
        // ANCHOR_END: campaign_last
        for to in self.tracker.config.voters.ids().iter() {
            let pre_vote = campaign == Campaign::PreVote;
            let body = match (to == self.id, pre_vote) {
                // A candidate votes for itself, and like any vote this one counts once
                // it is durable: it goes the way of the votes for others.
                (true, true) => MessageBody::RequestPreVoteResponse { granted: true },
                (true, false) => MessageBody::RequestVoteResponse { granted: true },
                (false, true) => MessageBody::RequestPreVote {
                    last_index,
                    last_term,
                },
                (false, false) => MessageBody::RequestVote {
                    last_index,
                    last_term,
                    transfer: campaign == Campaign::Transfer,
                },
            };
            self.send_at_term(to, term, body);
        }
        Ok(())
    }
    // ANCHOR_END: campaign

    /// Follows `leader`, or waits to learn of one, in `term`.
    pub(crate) fn become_follower(&mut self, term: Term, leader: Option<NodeId>) {
        self.reset(term);
        self.role = Role::Follower;
        self.leader = leader;
        self.announce_role();
    }

    /// A pre-candidate changes nothing that it would have to remember: neither its
    /// term nor its vote.
    fn become_pre_candidate(&mut self) {
        self.role = Role::PreCandidate;
        self.tracker.reset_votes();
        // It stands because it no longer believes in a leader, and must say so when asked.
        self.leader = None;
        self.announce_role();
    }

    // ANCHOR: become_candidate
    fn become_candidate(&mut self) {
        self.reset(self.term + 1);
        self.role = Role::Candidate;
        self.vote = Some(self.id);
        self.announce_role();
    }

    // ANCHOR_END: become_candidate

    fn announce_role(&mut self) {
        let (role, term) = (self.role, self.term);
        self.events.emit(|| Event::BecameRole { role, term });
    }

    pub(crate) fn become_leader(&mut self) {
        let last_index = self.log.last_index();
        self.reset(self.term);
        self.role = Role::Leader;
        self.leader = Some(self.id);
        if let Some(own) = self.tracker.progress.get_mut(self.id) {
            own.become_replicate();
            own.recently_active = true;
        }
        // A configuration change of an earlier leader may be among the entries that are
        // not committed yet. None may be proposed before all of them are applied.
        self.pending_conf_index = last_index;
        self.announce_role();
        // Committing an entry of its own term commits all that came before (paper,
        // sections 5.4.2 and 8). It counts nothing against the limit on uncommitted bytes.
        self.append_as_leader([crate::entry::Payload::Empty]);
    }

    /// Answers a candidate, a pre-candidate too (paper, figure 2, `RequestVote`).
    // ANCHOR: answer_vote
    pub(crate) fn answer_vote_request(
        &mut self,
        message: &Message,
        last: EntryId,
        pre_vote: bool,
    ) -> Result<(), Error> {
        let candidate = message.from;
        let free = match self.vote {
            Some(id) => id == candidate,
            // With a leader at hand there is no need for another one.
            None => self.leader.is_none(),
        };
        // A pre-vote for a later term promises nothing, so no earlier vote stands in its way.
        let may_vote = free || (pre_vote && message.term > self.term);
        let granted = may_vote && self.log.is_up_to_date(last)?;
        let term = message.term;
        self.events.emit(|| Event::Voted {
            candidate,
            term,
            pre_vote,
            granted,
        });
        if granted && !pre_vote {
            self.election_elapsed = 0;
            self.vote = Some(candidate);
        }
        // A granted pre-vote answers for the term that was asked about, which is not this
        // node's own. A refusal tells the candidate which term it has to overcome.
        let answer_term = if granted { term } else { self.term };
        self.send_at_term(candidate, answer_term, vote_response(pre_vote, granted));
        Ok(())
    }
    // ANCHOR_END: answer_vote

    /// Counts a vote, and acts when the election is decided.
    // ANCHOR: count_vote
    pub(crate) fn count_vote(&mut self, from: NodeId, granted: bool) -> Result<(), Error> {
        self.tracker.record_vote(from, granted);
        let (granted, refused) = self.tracker.votes();
        self.events
            .emit(|| Event::CountedVotes { granted, refused });
        match self.tracker.vote_result() {
            VoteResult::Won if self.role == Role::PreCandidate => self.campaign(Campaign::Timeout),
            // Its own vote is not durable yet. A leader that crashed before it is would not
            // know that it has led this term, and might do so again with other entries.
            VoteResult::Won if !self.tracker.has_voted(self.id) => Ok(()),
            VoteResult::Won => {
                self.become_leader();
                self.broadcast_append()
            }
            VoteResult::Lost => {
                self.become_follower(self.term, None);
                Ok(())
            }
            VoteResult::Pending => Ok(()),
        }
    }
    // ANCHOR_END: count_vote

    /// Whether a leader is heard from, so that a candidate must be a mistaken one
    /// (dissertation, section 4.2.3).
    pub(crate) fn in_lease(&self) -> bool {
        self.check_quorum
            && self.leader.is_some()
            && self.election_elapsed < self.election_timeout.base()
    }

    /// Where the log of a message's sender ends, if it is a candidate or a pre-candidate.
    pub(crate) fn candidate_last(body: &MessageBody) -> Option<(EntryId, bool)> {
        let (index, term, pre_vote): (Index, Term, bool) = match *body {
            MessageBody::RequestVote {
                last_index,
                last_term,
                ..
            } => (last_index, last_term, false),
            MessageBody::RequestPreVote {
                last_index,
                last_term,
            } => (last_index, last_term, true),
            _ => return None,
        };
        Some((EntryId { index, term }, pre_vote))
    }
}

/// The answer to a request of that kind.
pub(crate) fn vote_response(pre_vote: bool, granted: bool) -> MessageBody {
    if pre_vote {
        MessageBody::RequestPreVoteResponse { granted }
    } else {
        MessageBody::RequestVoteResponse { granted }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_is_at_least_its_base_and_less_than_twice_that() {
        let mut timeout = ElectionTimeout::new(10, 7, 1);
        let mut seen = [false; 10];
        for _ in 0..1000 {
            timeout.draw();
            assert!(
                (10..20).contains(&timeout.drawn()),
                "drew {}",
                timeout.drawn()
            );
            seen[timeout.drawn() as usize - 10] = true;
        }
        assert_eq!(seen, [true; 10], "every length must come up");
    }

    #[test]
    fn the_same_seed_draws_the_same_timeouts_and_nodes_draw_different_ones() {
        let draws = |seed, id| {
            let mut timeout = ElectionTimeout::new(1000, seed, id);
            (0..8)
                .map(|_| {
                    timeout.draw();
                    timeout.drawn()
                })
                .collect::<Vec<_>>()
        };
        assert_eq!(draws(1, 1), draws(1, 1));
        assert_ne!(draws(1, 1), draws(1, 2));
        assert_ne!(draws(1, 1), draws(2, 1));
    }
}
