//! Group commit: commands that arrive together share a transaction, whatever handlers they are for.
//!
//! Each handler has a [`Desk`] where commands queue. A worker takes everything that waits at all desks, runs each handler over its batch in
//! one unit of work, and commits once. While it commits, and for a moment after it while those who were answered come back, the next commands
//! gather: batches grow with the load by themselves, and whoever is the only one does not wait. (The technique is group commit as described in D. Gawlick and D. Kinkade, "Varieties of Concurrency
//! Control in IMS/VS Fast Path", 1985, moved from the log to the requests.)
//!
//! Events that a batch appends are handled by the consumers of the same process before the commit: see [`SagaPace`](crate::messaging::SagaPace).
//!
//! A batch that fails for a reason of its own is split until the command at fault is alone: nobody fails for a neighbour.

mod chain;
mod desk;
mod lot;

pub(crate) use chain::Follower;
pub use desk::Desk;

use self::lot::{Lot, Source};
use super::{Backoff, Handler, Random, Store, StoreError, Transaction, UnitOfWork, transact};
use async_trait::async_trait;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// A batch gathers for one of so many parts of the time that the one before took: to wait so long pays off if half as many commands more come.
const GATHER_SHARE: u32 = 2;

/// The bounds of group commit.
#[derive(Debug, Clone, Copy)]
pub struct GroupCommitLimits {
    /// The most commands of a unit of work, of all handlers together; with 1 each has a transaction of its own.
    pub batch_commands_max: usize,
    /// The most commands that wait at one desk; more are refused with [`StoreError::Overloaded`].
    pub waiting_commands_max: usize,
    /// How many units of work run at once: 1 for a store with a single writer.
    pub batches_in_flight_max: usize,
    /// How long a batch gathers at most when the one before was busy, so that those who were just answered, and the steps
    /// that follow, come along; half as long as the one before took is the most, too. It stops when all are there. Timers tick in
    /// milliseconds: less than one is one.
    pub gather: Duration,
}

impl Default for GroupCommitLimits {
    fn default() -> Self {
        Self { batch_commands_max: 256, waiting_commands_max: 10_000, batches_in_flight_max: 1, gather: Duration::from_millis(5) }
    }
}

/// What the desks tell the workers.
#[derive(Default)]
struct Bell {
    /// Rung for every command that arrives.
    rung: Notify,
    /// How many commands wait at all desks.
    waiting: AtomicUsize,
}

/// The workers that commit, and the desks they serve.
pub struct GroupCommit {
    store: Arc<dyn Store>,
    random: Arc<dyn Random>,
    limits: GroupCommitLimits,
    desks: RwLock<Vec<Arc<dyn Source>>>,
    followers: RwLock<Vec<Arc<dyn Follower>>>,
    bell: Arc<Bell>,
    /// Rung after each commit that appended events.
    appended: Arc<Notify>,
    next_desk: Mutex<usize>,
    stop: CancellationToken,
    workers: TaskTracker,
}

impl GroupCommit {
    /// Starts the workers. They end with [`GroupCommit::shutdown`].
    pub fn start(store: Arc<dyn Store>, random: Arc<dyn Random>, limits: GroupCommitLimits) -> Arc<Self> {
        let group_commit = Arc::new(Self {
            store,
            random,
            limits,
            desks: RwLock::default(),
            followers: RwLock::default(),
            bell: Arc::default(),
            appended: Arc::default(),
            next_desk: Mutex::new(0),
            stop: CancellationToken::new(),
            workers: TaskTracker::new(),
        });
        for _ in 0..limits.batches_in_flight_max.max(1) {
            group_commit.workers.spawn(Arc::clone(&group_commit).work());
        }
        group_commit
    }

    /// Opens a desk for a handler. Within a unit of work handlers run in the order of their desks: where several processes share a store, open the
    /// desks in the order in which their handlers lock rows, those of the hottest last.
    pub fn desk<H: Handler>(&self, handler: H) -> Arc<Desk<H>> {
        let desk = Arc::new(Desk::new(handler, Arc::clone(&self.bell), self.limits));
        self.desks.write().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&desk) as Arc<dyn Source>);
        desk
    }

    /// Lets someone handle events in the unit of work that appends them, which saves a commit for every step; of each group the first, for they
    /// would do the same. If that fails for whatever reason, the unit of work is run again without, and the events go by message.
    pub(crate) fn chain(&self, follower: Arc<dyn Follower>) {
        let mut followers = self.followers.write().unwrap_or_else(PoisonError::into_inner);
        if followers.iter().all(|other| other.group() != follower.group()) {
            followers.push(follower);
        }
    }

    /// What is notified after each commit that appended events: it wakes the one who carries them.
    pub fn appended(&self) -> Arc<Notify> {
        Arc::clone(&self.appended)
    }

    /// Commits what waits, then ends the workers. Commands that come later are refused with [`StoreError::Overloaded`].
    pub async fn shutdown(&self) {
        for desk in self.desks.read().unwrap_or_else(PoisonError::into_inner).iter() {
            desk.close();
        }
        self.stop.cancel();
        self.workers.close();
        self.workers.wait().await;
    }

    async fn work(self: Arc<Self>) {
        let (mut answered, mut took) = (0, Duration::ZERO);
        loop {
            if answered > 0 && !self.stop.is_cancelled() {
                self.gather(answered, took / GATHER_SHARE).await;
            }
            let lots = self.take();
            answered = lots.iter().map(|lot| lot.len()).sum();
            if lots.is_empty() {
                tokio::select! {
                    biased;
                    () = self.bell.rung.notified() => {}
                    () = self.stop.cancelled() => break,
                }
                // Let every request that is ready to run reach its desk before the batch is taken.
                tokio::task::yield_now().await;
            } else {
                let began = Instant::now();
                self.commit(lots).await;
                took = began.elapsed();
            }
        }
        // The desks are closed: what is left is finite, and may be far more than one batch.
        loop {
            let lots = self.take();
            if lots.is_empty() {
                break;
            }
            self.commit(lots).await;
        }
    }

    /// Lets commands gather, until those who were just answered have come back to those who came meanwhile, or a batch is full. Without it, those
    /// who are answered and those who wait would take turns, in batches of half the size, for as long as both go on.
    async fn gather(&self, answered: usize, at_most: Duration) {
        let waiting = || self.bell.waiting.load(Ordering::Relaxed);
        let all = answered.saturating_add(waiting()).min(self.limits.batch_commands_max);
        let gathered = async {
            while waiting() < all {
                self.bell.rung.notified().await;
            }
        };
        // Late or not, what has gathered is taken.
        let _late = tokio::time::timeout(at_most.min(self.limits.gather), gathered).await;
    }

    /// What the next unit of work does: who is served when not all can be turns from round to round, but the lots are run in the order in which
    /// their desks were opened, so that several units of work lock rows in the same order.
    fn take(&self) -> Vec<Box<dyn Lot>> {
        let desks = self.desks.read().unwrap_or_else(PoisonError::into_inner);
        let first = {
            let mut next = self.next_desk.lock().unwrap_or_else(PoisonError::into_inner);
            *next = next.wrapping_add(1);
            *next
        };
        let mut room = self.limits.batch_commands_max.max(1);
        let mut lots = Vec::new();
        for desk in (0..desks.len()).map(|number| first.wrapping_add(number) % desks.len()) {
            if let Some(lot) = desks[desk].take(room) {
                room -= lot.len();
                lots.push((desk, lot));
            }
            if room == 0 {
                // Somebody else may look after what is left.
                self.bell.rung.notify_one();
                break;
            }
        }
        lots.sort_unstable_by_key(|(desk, _)| *desk);
        lots.into_iter().map(|(_, lot)| lot).collect()
    }

    /// Commits lots together; after a failure, separately; after another, in halves, down to the single command.
    async fn commit(&self, lots: Vec<Box<dyn Lot>>) {
        let mut groups = VecDeque::from([lots]);
        let mut followers = self.followers.read().unwrap_or_else(PoisonError::into_inner).clone();
        while let Some(mut group) = groups.pop_front() {
            if group.is_empty() {
                continue;
            }
            let commands: usize = group.iter().map(|lot| lot.len()).sum();
            metrics::histogram!("commerce_batch_commands").record(u32::try_from(commands).unwrap_or(u32::MAX));
            match self.attempt(&mut group, &followers).await {
                Ok(appended) => {
                    group.into_iter().for_each(Lot::settle);
                    if appended {
                        self.appended.notify_one();
                    }
                }
                Err(error) if error.is_outage() => fail(group, error),
                Err(error) if !followers.is_empty() => {
                    tracing::warn!(%error, "a batch failed: its events go by message");
                    followers.clear();
                    groups.push_front(group);
                }
                Err(error) if group.len() > 1 => {
                    tracing::warn!(%error, lots = group.len(), "a batch failed: its parts are tried separately");
                    put_first(&mut groups, group.into_iter().map(|lot| vec![lot]));
                }
                Err(error) => match group.pop().map(Lot::split) {
                    Some(Ok((first, second))) => put_first(&mut groups, [vec![first], vec![second]]),
                    Some(Err(single)) => {
                        tracing::error!(%error, "a command cannot be handled");
                        fail(vec![single], error);
                    }
                    None => {}
                },
            }
        }
    }

    /// Answers whether events were appended.
    async fn attempt(&self, lots: &mut [Box<dyn Lot>], followers: &[Arc<dyn Follower>]) -> Result<bool, StoreError> {
        transact(self.store.as_ref(), Backoff::STORE, self.random.as_ref(), &mut Batch { lots, followers }).await
    }
}

/// The lots that share a unit of work, and who handles the events they append.
struct Batch<'a> {
    lots: &'a mut [Box<dyn Lot>],
    followers: &'a [Arc<dyn Follower>],
}

#[async_trait]
impl Transaction for Batch<'_> {
    type Output = bool;

    async fn run(&mut self, uow: &mut dyn UnitOfWork) -> Result<bool, StoreError> {
        for lot in self.lots.iter_mut() {
            lot.run(uow).await?;
        }
        let appended = chain::follow(uow, self.followers).await?;
        if appended {
            for lot in self.lots.iter_mut() {
                lot.conclude(uow).await?;
            }
        }
        Ok(appended)
    }
}

/// Puts the parts of a batch where the batch was: commands at one desk stay in order.
fn put_first<T>(groups: &mut VecDeque<T>, parts: impl IntoIterator<Item = T, IntoIter: DoubleEndedIterator>) {
    parts.into_iter().rev().for_each(|part| groups.push_front(part));
}

fn fail(lots: Vec<Box<dyn Lot>>, error: StoreError) {
    let error = Arc::new(error);
    for lot in lots {
        lot.fail(&error);
    }
}
