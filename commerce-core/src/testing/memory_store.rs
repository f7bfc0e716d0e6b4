//! A store in memory that keeps every promise of the port, for tests.

mod coupons;
mod dead_letters;
mod fences;
mod idempotency;
mod inbox;
mod orders;
mod outbox;
mod payments;
mod points;
mod products;
mod purge;
mod queries;
mod right;
mod snapshot;
mod state;
mod stock;
mod unit_of_work;
mod users;

pub(crate) use state::State;

use self::snapshot::MemorySnapshot;
use self::unit_of_work::MemoryUnitOfWork;
use crate::audit::AuditSnapshot;
use crate::store::{IdBlock, Queries, Store, StoreError, UnitOfWork, Writers};
use crate::{ID_MAX, Sequence, Timestamp};
use async_trait::async_trait;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::OwnedMutexGuard;

/// How long [`Store::begin`] waits for the writer before it: far longer than any test holds a unit of work, so that a test that deadlocks
/// with itself ends with an error.
const BEGIN_WAIT_MAX: Duration = Duration::from_secs(30);

/// A [`Store`] in memory: one writer at a time, readers apart; whoever locks nothing becomes the writer when it first writes. Clones share their data.
///
/// A unit of work changes a copy of everything, which is cheap because copies share what they have in common; its commit puts the copy in
/// place of the original. So a unit of work that is dropped leaves no trace, and a snapshot is a copy that nobody changes.
#[derive(Clone, Default)]
pub struct MemoryStore {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    writer: Arc<tokio::sync::Mutex<()>>,
    committed: Mutex<State>,
    leased: Mutex<BTreeMap<Sequence, i64>>,
}

impl Shared {
    fn state(&self) -> State {
        locked(&self.committed).clone()
    }

    /// The right to write, once nobody else has it.
    async fn write(&self) -> Result<OwnedMutexGuard<()>, StoreError> {
        let writer = Arc::clone(&self.writer).lock_owned();
        tokio::time::timeout(BEGIN_WAIT_MAX, writer).await.map_err(|late| StoreError::Unavailable(late.into()))
    }

    fn replace(&self, state: State) {
        // The old state is dropped after the lock is let go: it may be the last owner of much.
        let old = std::mem::replace(&mut *locked(&self.committed), state);
        drop(old);
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    fn state(&self) -> State {
        self.shared.state()
    }

    /// Changes what is stored behind everybody's back.
    #[cfg(test)]
    pub(crate) fn tamper(&self, change: impl FnOnce(&mut State)) {
        change(&mut locked(&self.shared.committed));
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn begin(&self) -> Result<Box<dyn UnitOfWork>, StoreError> {
        let writer = self.shared.write().await?;
        Ok(Box::new(MemoryUnitOfWork::begin(Arc::clone(&self.shared), writer)))
    }

    async fn begin_unlocked(&self) -> Result<Box<dyn UnitOfWork>, StoreError> {
        Ok(Box::new(MemoryUnitOfWork::begin_unlocked(Arc::clone(&self.shared))))
    }

    fn writers(&self) -> Writers {
        Writers::One
    }

    async fn lease_ids(&self, sequence: Sequence, len: u32) -> Result<IdBlock, StoreError> {
        let mut leased = locked(&self.shared.leased);
        let last = leased.entry(sequence).or_default();
        let end = *last + i64::from(len);
        if end > ID_MAX {
            return Err(StoreError::Backend(format!("no ids are left for {}", sequence.name()).into()));
        }
        let first = std::mem::replace(last, end) + 1;
        Ok(IdBlock { first, len })
    }

    fn queries(&self) -> &dyn Queries {
        self
    }

    async fn snapshot(&self) -> Result<Box<dyn AuditSnapshot>, StoreError> {
        Ok(Box::new(MemorySnapshot(self.state())))
    }

    async fn ping(&self) -> Result<(), StoreError> {
        Ok(())
    }

    async fn purge(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let _writer = self.shared.writer.lock().await;
        let mut state = self.state();
        let deleted = purge::purge(&mut state, before, limit);
        self.shared.replace(state);
        Ok(deleted)
    }
}
