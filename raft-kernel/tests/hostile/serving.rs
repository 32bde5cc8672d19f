//! What callers do to a node: serve it, bother it, and now and then cheat it.

use raft_kernel::{Config, MemoryStorage, RawNode, Ready, SnapshotOutcome};

use super::attack::{Attack, is_plausible};
use super::shapes;
use super::victim::{Home, Victim};

impl Attack {
    /// An input that is no message.
    pub(crate) fn disturb(&mut self, place: usize) {
        let victim = &mut self.victims[place];
        if victim.has_stopped {
            return;
        }
        let choices = &mut self.choices;
        let view = victim.view(self.mood.extremes);
        let input = choices.below(32);
        let what = match input {
            0..=11 => "hears ticks",
            12..=15 => "is given a command",
            16 | 17 => "is given a configuration change",
            18 | 19 => "applies a configuration change that nobody proposed",
            20 | 21 => "is asked for a read",
            22 => "is to move leadership",
            23 => "is to campaign",
            24 => "forgets its leader",
            25 => "hears that a node is unreachable",
            26 => "hears what became of a snapshot",
            27 => "compacts its log",
            28 | 29 => "is given another node's acknowledgement",
            _ => "may crash",
        };
        // What comes of it is looked at by `give`.
        match input {
            0..=11 => {
                let ticks = choices.pick(&[1, 1, 1, 1, 2, 2, 4, 12]);
                for _ in 0..ticks {
                    let _ = victim.give(RawNode::tick);
                }
            }
            12..=15 => {
                let command = shapes::command(choices);
                let _ = victim.give(|node| node.propose(command));
            }
            16 | 17 => {
                let change = shapes::conf_change(choices, &view);
                let _ = victim.give(|node| node.propose_conf_change(change));
            }
            18 | 19 => {
                let change = shapes::conf_change(choices, &view);
                let _ = victim.give(|node| node.apply_conf_change(&change));
            }
            20 | 21 => {
                let _ = victim.give(|node| node.read_index("read"));
            }
            22 => {
                let to = view.node(choices);
                let _ = victim.give(|node| node.transfer_leader(to));
            }
            23 => {
                let _ = victim.give(RawNode::campaign);
            }
            24 => {
                let _ = victim.give(RawNode::forget_leader);
            }
            25 => victim.node.report_unreachable(view.node(choices)),
            26 => {
                let outcomes = [SnapshotOutcome::Arrived, SnapshotOutcome::Failed];
                let outcome = choices.pick(&outcomes);
                victim.node.report_snapshot(view.node(choices), outcome);
            }
            27 => victim.compact(choices.below(4)),
            28 | 29 => give_foreign(victim),
            _ if choices.percent(self.mood.restarts) => victim.restart(choices),
            _ => {}
        }
        self.note(place, what);
    }

    /// Does one piece of what a node wants done.
    pub(crate) fn serve(&mut self, place: usize) {
        let victim = &mut self.victims[place];
        if victim.has_stopped {
            return;
        }
        if victim.home == Home::LyingCaller && self.choices.percent(5) {
            cheat(victim, self.choices.below(8));
            self.note(place, "is cheated");
            return;
        }
        let messages = if victim.is_asynchronous() {
            self.serve_asynchronously(place)
        } else {
            self.serve_synchronously(place)
        };
        let victim = &self.victims[place];
        for message in &messages {
            assert!(
                is_plausible(victim, message),
                "n{} sends {message:?}",
                victim.config.id
            );
        }
        self.send(messages);
    }

    fn serve_synchronously(&mut self, place: usize) -> Vec<raft_kernel::Message> {
        let victim = &mut self.victims[place];
        if let Some(ready) = victim.held.take() {
            self.note(place, "finishes its Ready");
            return self.victims[place].finish(ready);
        }
        let Some(ready) = victim.take_ready() else {
            return Vec::new();
        };
        if self.choices.percent(20) {
            let early = victim.give(RawNode::ready);
            assert!(early.is_err(), "a second Ready before the first is done");
            victim.held = Some(ready);
            self.note(place, "takes a Ready");
            return Vec::new();
        }
        self.note(place, "takes and finishes a Ready");
        self.victims[place].finish(ready)
    }

    fn serve_asynchronously(&mut self, place: usize) -> Vec<raft_kernel::Message> {
        let choices = &mut self.choices;
        let victim = &mut self.victims[place];
        let mut messages = Vec::new();
        if choices.percent(70)
            && let Some(ready) = victim.take_ready()
        {
            messages = victim.queue(ready);
        }
        if choices.percent(60) {
            messages.extend(victim.write_oldest());
        }
        if choices.percent(60) {
            victim.acknowledge_oldest(choices);
        }
        if choices.percent(60) {
            victim.apply_oldest();
        }
        self.note(place, "works a little");
        messages
    }
}

/// A `Ready` of a node of another cluster.
fn foreign_ready() -> Ready {
    let stranger = Config::new(77);
    let stranger = RawNode::new(&stranger, MemoryStorage::new());
    let mut stranger = stranger.expect("the settings are usual");
    stranger.bootstrap([(77, "")]).expect("it is new");
    stranger.ready().expect("it has founded a cluster")
}

/// Acknowledges what another node wanted done.
fn give_foreign(victim: &mut Victim) {
    let foreign = foreign_ready();
    if victim.is_asynchronous() {
        let written = victim.give(|node| node.appended(foreign.append.done()));
        assert!(written.is_err(), "another node's write was acknowledged");
        let applied = victim.give(|node| node.applied(foreign.apply.done()));
        assert!(applied.is_err(), "another node's entries were acknowledged");
    } else {
        let advanced = victim.give(|node| node.advance(foreign));
        assert!(advanced.is_err(), "another node's Ready was acknowledged");
    }
}

/// Claims what is not so.
fn cheat(victim: &mut Victim, how: u64) {
    match how {
        // Acknowledged in another order than handed out.
        0 if !victim.written.is_empty() => victim.written.rotate_left(1),
        1 if !victim.applies.is_empty() => victim.applies.rotate_left(1),
        // Written in another order.
        2 if !victim.appends.is_empty() => victim.appends.rotate_left(1),
        // Never done.
        3 => drop(victim.written.pop_front()),
        4 => drop(victim.applies.pop_front()),
        // Acknowledged and never written.
        5 => {
            if let Some(work) = victim.appends.pop_front() {
                victim.written.push_back(work.done());
            }
        }
        6 => {
            if let Some(ready) = victim.held.take() {
                victim.advance(ready);
            }
        }
        // Applied by the state machine before it is handed out.
        _ => victim.machine = victim.machine.saturating_add(1),
    }
}
