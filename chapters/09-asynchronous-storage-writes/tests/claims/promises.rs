//! In threads, under loss: nothing is promised that a crash could take back.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ch05_two_node_cluster::{Member, Post, Proposal, Undelivered};
use ch07_detour_change_state_machine::Sum;
use ch09_asynchronous_storage_writes::{Asynchronous, Cluster, Hands, Lossy, SlowDisk, threads};
use raft_kernel::{AppendOutcome, MemoryStorage, Message, MessageBody, Storage};

use crate::disks::{VOTERS, seeds};

/// What was promised, and what of it was not on the disk at that moment.
#[derive(Default)]
struct Record {
    broken: Mutex<Vec<String>>,
    votes: AtomicUsize,
    acknowledgements: AtomicUsize,
}

/// Looks at the disk whenever a message leaves.
struct Watched<P> {
    post: P,
    storage: MemoryStorage,
    record: Arc<Record>,
}

impl<P: Post> Post for Watched<P> {
    fn send(&mut self, message: Message) -> Result<(), Undelivered> {
        let kept = match &message.body {
            MessageBody::RequestVoteResponse { granted: true } => {
                self.record.votes.fetch_add(1, Ordering::Relaxed);
                let stored = self.storage.hard_state();
                // A later term is a promise to give no vote in this one.
                stored.term > message.term
                    || (stored.term == message.term && stored.vote == Some(message.to))
            }
            MessageBody::AppendEntriesResponse(AppendOutcome::Accepted { match_index }) => {
                self.record.acknowledgements.fetch_add(1, Ordering::Relaxed);
                let last = self.storage.last_index().expect("memory does not fail");
                let term = self.storage.hard_state().term;
                // A later leader may have cut the log since, in a later term.
                term > message.term || (term == message.term && last >= *match_index)
            }
            _ => true,
        };
        if !kept {
            let stored = self.storage.hard_state();
            let last = self.storage.last_index();
            let broken = format!("{message:?}, but the disk holds {stored:?} and {last:?}");
            self.record.broken.lock().expect("no panic").push(broken);
        }
        self.post.send(message)
    }
}

#[test]
fn no_vote_and_no_acknowledgement_leaves_before_it_is_on_the_disk() {
    for seed in seeds(5) {
        let record = Arc::new(Record::default());
        let mut cluster = Cluster::<Sum>::new(Duration::from_millis(1));
        for id in VOTERS {
            let disk = SlowDisk {
                storage: MemoryStorage::new(),
                delay: Duration::from_micros(500),
            };
            let storage = disk.storage.clone();
            let watched = |luck| Watched {
                post: Lossy::new(cluster.network().clone(), 25, luck),
                storage: storage.clone(),
                record: Arc::clone(&record),
            };
            let (post, answers) = (watched(seed ^ id), watched(seed ^ !id));
            let hands = Hands::new(disk, 20).expect("a new disk");
            let node = Asynchronous::found(id, &VOTERS, seed, storage).expect("a founder");
            let run = move |node, lines| threads::run(node, &lines, hands, post, answers);
            let member = Member::start_with(node, cluster.network(), cluster.clock(), run);
            cluster.add(member);
        }
        for number in 0..30 {
            cluster.insist(&Proposal::Command(number)).expect("in time");
        }
        for id in VOTERS {
            cluster.stop(id).expect("no trouble");
        }
        let broken = record.broken.lock().expect("no panic");
        assert!(broken.is_empty(), "seed {seed}: {broken:#?}");
        assert!(record.votes.load(Ordering::Relaxed) > 0, "somebody voted");
        assert!(record.acknowledgements.load(Ordering::Relaxed) >= 30);
    }
}
