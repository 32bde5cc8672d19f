//! The asynchronous loop: a node, an append thread and an apply thread.
//!
//! The rule: the loop never waits for one of its threads. It hands over what there is
//! room for. What there is no room for stays with it, and as long as anything does, it
//! takes no message, no proposal and no `Ready`. So nothing grows without end, and two
//! that wait for each other cannot be: a thread may wait for the loop, the loop waits for
//! no thread.

use std::collections::VecDeque;
use std::thread::{self, ScopedJoinHandle};

use ch01_single_node_cluster::Result;
use ch05_two_node_cluster::{Lines, Post, Replica, Tick, Watches};
use ch06_two_node_snapshot::StateMachine;
use crossbeam_channel::{Receiver, Sender, TrySendError, bounded, never, select_biased};

use crate::work::{append, apply};
use crate::{AppendJob, Applied, ApplyJob, Asynchronous, Disk, Hands, Machine, Written, take_more};

/// How many jobs may wait for a thread.
pub const QUEUE: usize = 256;

/// Runs a node until one of its lines is closed or one of its threads fails. Both threads
/// have ended when this returns.
// ANCHOR: run
pub fn run<M, D, P>(
    mut node: Asynchronous<M>,
    lines: &Lines<Asynchronous<M>>,
    hands: Hands<M, D>,
    post: P,
    answers: P,
) -> Result<Asynchronous<M>>
where
    M: StateMachine,
    D: Disk,
    P: Post + Send,
{
    let Hands { disk, machine } = hands;
    thread::scope(|scope| {
        let (to_append, append_jobs) = bounded(QUEUE);
        let (tell_written, written) = bounded(QUEUE);
        let (to_apply, apply_jobs) = bounded(QUEUE);
        let (tell_applied, applied) = bounded(QUEUE);
        let append =
            scope.spawn(move || keep_appending(disk, answers, &append_jobs, &tell_written));
        let apply = scope.spawn(move || keep_applying(machine, &apply_jobs, &tell_applied));
        let workers = Workers {
            to_append,
            written,
            to_apply,
            applied,
        };
        let served = serve(&mut node, lines, &workers, post);
        // The threads end with their channels.
        drop(workers);
        let (appended, applied) = (ended("append", append), ended("apply", apply));
        appended.and(applied).and(served)
    })?;
    Ok(node)
}
// ANCHOR_END: run

/// The loop's ends of the channels.
struct Workers<M> {
    to_append: Sender<AppendJob>,
    written: Receiver<Written>,
    to_apply: Sender<ApplyJob<M>>,
    applied: Receiver<Applied>,
}

// ANCHOR: append
fn keep_appending(
    mut disk: impl Disk,
    mut post: impl Post,
    jobs: &Receiver<AppendJob>,
    tell: &Sender<Written>,
) -> Result<()> {
    while let Ok(first) = jobs.recv() {
        // Whatever waits as well shares the write.
        let mut group = vec![first];
        group.extend(jobs.try_iter().take(QUEUE));
        for written in append(&mut disk, group, &mut post)? {
            if tell.send(written).is_err() {
                return Ok(());
            }
        }
    }
    Ok(())
}
// ANCHOR_END: append

fn keep_applying<M: StateMachine>(
    mut machine: Machine<M>,
    jobs: &Receiver<ApplyJob<M>>,
    tell: &Sender<Applied>,
) -> Result<()> {
    while let Ok(job) = jobs.recv() {
        if tell.send(apply(&mut machine, job)?).is_err() {
            return Ok(());
        }
    }
    Ok(())
}

// ANCHOR: serve
fn serve<M: StateMachine>(
    node: &mut Asynchronous<M>,
    lines: &Lines<Asynchronous<M>>,
    workers: &Workers<M>,
    mut post: impl Post,
) -> Result<()> {
    let mut watches = Watches::default();
    let (no_message, no_request) = (never(), never());
    loop {
        while workers.take_from(node) && node.turn(&mut post)?.is_some() {}
        watches.look(node);
        // What there is no room for stays with the node. Then nothing more comes in.
        let has_room = node.to_append.is_empty() && node.to_apply.is_empty();
        let (inbox, requests) = if has_room {
            (&lines.inbox, &lines.requests)
        } else {
            (&no_message, &no_request)
        };
        // ANCHOR_END: serve
        // ANCHOR: select
        select_biased! {
            recv(lines.stop) -> _ => return Ok(()),
            recv(inbox) -> message => match message {
                Ok(message) => node.step(message)?,
                Err(_) => return Ok(()),
            },
            recv(workers.written) -> written => match written {
                Ok(written) => node.written(written)?,
                Err(_) => return Ok(()),
            },
            recv(workers.applied) -> applied => match applied {
                Ok(applied) => node.applied(applied)?,
                Err(_) => return Ok(()),
            },
            recv(lines.ticks) -> tick => match tick {
                // For one that stands still, no time passes.
                Ok(Tick) if has_room => node.tick()?,
                Ok(Tick) => {}
                Err(_) => return Ok(()),
            },
            recv(requests) -> request => match request {
                Ok(request) => watches.serve(request, node)?,
                Err(_) => return Ok(()),
            },
        }
        // ANCHOR_END: select
        // ANCHOR: more
        if has_room {
            take_more(node, lines, &mut watches)?;
        }
        for written in workers.written.try_iter().take(QUEUE) {
            node.written(written)?;
        }
        for applied in workers.applied.try_iter().take(QUEUE) {
            node.applied(applied)?;
        }
        // ANCHOR_END: more
    }
}

impl<M> Workers<M> {
    /// Hands over the jobs that there is room for, and says whether these are all.
    // ANCHOR: take_from
    fn take_from(&self, node: &mut Asynchronous<M>) -> bool {
        let appends = hand_over(&mut node.to_append, &self.to_append);
        let applies = hand_over(&mut node.to_apply, &self.to_apply);
        appends && applies
    }
    // ANCHOR_END: take_from
}

// ANCHOR: hand_over
fn hand_over<J>(jobs: &mut VecDeque<J>, worker: &Sender<J>) -> bool {
    while let Some(job) = jobs.pop_front() {
        // A worker that has ended is noticed where its results are awaited.
        if let Err(TrySendError::Full(job) | TrySendError::Disconnected(job)) = worker.try_send(job)
        {
            jobs.push_front(job);
            return false;
        }
    }
    true
}
// ANCHOR_END: hand_over

/// How a thread ended. A panic becomes an error: it stops this node and no other.
fn ended(name: &str, thread: ScopedJoinHandle<'_, Result<()>>) -> Result<()> {
    match thread.join() {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(format!("the {name} thread failed: {error}").into()),
        Err(panic) => {
            let said = panic
                .downcast_ref::<&str>()
                .map(ToString::to_string)
                .or_else(|| panic.downcast_ref::<String>().cloned());
            let said = said.unwrap_or_else(|| "no words".to_owned());
            Err(format!("the {name} thread panicked: {said}").into())
        }
    }
}
