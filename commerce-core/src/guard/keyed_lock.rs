use super::work::Work;
use super::{Contended, Guard, GuardCounts, GuardError, Rechecked, Tally};
use crate::lock::LockName;
use crate::store::{Backoff, Begin, Random, Store, Writers, ascending};
use async_trait::async_trait;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Mutex as Queue, OwnedMutexGuard};
use tokio::time::timeout;

/// A lock in this process would not keep others from writing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("other processes write to this store as well: a lock in this one does not keep them out")]
pub struct ManyWriters;

/// A lock in this process for each thing that commands contend for, around a transaction that itself locks nothing it reads.
///
/// **Guarantees** that no write is lost where this process alone writes; [`new`](Self::new) refuses a store that does not promise it. Who wants
/// the same thing queues in the order of arrival: with units of work of a few milliseconds 256 that want it at the same time are all served
/// within 30 seconds, and what contends for something else goes on beside it. As every write is [`Rechecked`], nothing is lost to parts of the
/// process that do not take the lock.
///
/// **Fails** with [`GuardError::LockHeld`] when the queue takes longer than one is to wait. It keeps out nobody outside of it, and means nothing
/// once a second process is started: SQLite is safe because a unit of work there has the file for itself.
///
/// **Costs** next to nothing but the commit for each command: the queue is one of tasks and not of transactions, so that no connection waits.
pub struct KeyedLock<H> {
    work: Work<H>,
    keys: Arc<Keys>,
    wait_max: Duration,
}

impl<H: Rechecked + Contended> KeyedLock<H> {
    /// Runs this use case on this store, to which this process alone writes; nobody waits for longer than `wait_max`.
    ///
    /// # Errors
    /// [`ManyWriters`] if other processes may write to the store.
    pub fn new(handler: H, store: Arc<dyn Store>, random: Arc<dyn Random>, wait_max: Duration) -> Result<Self, ManyWriters> {
        if store.writers() != Writers::One {
            return Err(ManyWriters);
        }
        let (begin, backoff, tally) = (Begin::Unlocked, Backoff::STORE, Tally::default());
        let work = Work { guard: "keyed-lock", handler, store, random, begin, backoff, tally };
        Ok(Self { work, keys: Arc::default(), wait_max })
    }

    /// Takes all of these locks, in ascending order.
    async fn lock(&self, names: Vec<LockName>) -> Vec<Place> {
        let mut places = Vec::with_capacity(names.len());
        for name in ascending(names) {
            let mut place = Place::in_queue(Arc::clone(&self.keys), name);
            if place.come_to_the_turn().await {
                self.work.tally.waited(1);
            }
            places.push(place);
        }
        places
    }
}

#[async_trait]
impl<H: Rechecked + Contended> Guard for KeyedLock<H> {
    type Command = H::Command;
    type Verdict = H::Verdict;

    async fn run(&self, command: H::Command) -> Result<H::Verdict, GuardError> {
        let names = self.work.handler.contends_for(&command);
        let Ok(_held) = timeout(self.wait_max, self.lock(names)).await else {
            self.work.tally.gave_up("keyed-lock");
            return Err(GuardError::LockHeld);
        };
        self.work.carry_out(command).await
    }

    fn counts(&self) -> GuardCounts {
        self.work.tally.counts()
    }
}

/// The queues in which somebody stands.
#[derive(Default)]
struct Keys(Mutex<HashMap<LockName, Arc<Queue<()>>>>);

impl Keys {
    fn queues(&self) -> MutexGuard<'_, HashMap<LockName, Arc<Queue<()>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place in the queue for a lock, and the lock once it has come to the turn.
struct Place {
    keys: Arc<Keys>,
    name: LockName,
    /// Taken when the place is given up.
    queue: Option<Arc<Queue<()>>>,
    turn: Option<OwnedMutexGuard<()>>,
}

impl Place {
    fn in_queue(keys: Arc<Keys>, name: LockName) -> Self {
        let queue = Some(Arc::clone(keys.queues().entry(name.clone()).or_default()));
        Self { keys, name, queue, turn: None }
    }

    /// Waits for the turn; whether there was somebody to wait for.
    async fn come_to_the_turn(&mut self) -> bool {
        let Some(queue) = &self.queue else { return false };
        let at_once = Arc::clone(queue).try_lock_owned().ok();
        let waits = at_once.is_none();
        self.turn = match at_once {
            Some(turn) => Some(turn),
            None => Some(Arc::clone(queue).lock_owned().await),
        };
        waits
    }
}

impl Drop for Place {
    /// The last one in a queue takes it away.
    fn drop(&mut self) {
        self.turn = None;
        self.queue = None;
        let mut queues = self.keys.queues();
        // Nobody joins a queue while all of them are in hand.
        if queues.get(&self.name).is_some_and(|queue| Arc::strong_count(queue) == 1) {
            queues.remove(&self.name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(keys: &Arc<Keys>) -> Place {
        Place::in_queue(Arc::clone(keys), LockName::of("stock", 1))
    }

    #[tokio::test]
    async fn a_queue_is_gone_with_the_last_who_stood_in_it_also_if_he_left_before_his_turn() {
        let keys = Arc::new(Keys::default());
        let mut first = place(&keys);
        assert!(!first.come_to_the_turn().await);
        let mut second = place(&keys);
        let waited = timeout(Duration::from_millis(1), second.come_to_the_turn()).await;
        assert!(waited.is_err(), "the first one has it");
        drop(first);
        assert_eq!(keys.queues().len(), 1);
        drop(second);
        assert!(keys.queues().is_empty());
    }

    #[tokio::test]
    async fn the_lock_is_free_when_its_holder_is_gone() {
        let keys = Arc::new(Keys::default());
        let mut first = place(&keys);
        first.come_to_the_turn().await;
        let mut second = place(&keys);
        let (waits, ()) = tokio::join!(second.come_to_the_turn(), async { drop(first) });
        assert!(waits);
    }
}
