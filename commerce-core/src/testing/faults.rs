use super::SeededRandom;
use crate::audit::AuditSnapshot;
use crate::store::{IdBlock, Queries, Random, Store, StoreError, UnitOfWork, Writers};
use crate::{Sequence, Timestamp};
use async_trait::async_trait;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What goes wrong with a unit of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fault {
    /// It cannot begin: [`StoreError::Unavailable`].
    BeginUnavailable,
    /// Its commit fails cleanly: [`StoreError::Unavailable`], and nothing is changed.
    CommitUnavailable,
    /// Another one comes between at its commit: [`StoreError::Conflict`], and nothing is changed.
    CommitConflict,
    /// Its commit takes place, but is reported as [`StoreError::Ambiguous`].
    CommitAmbiguous,
    /// Its commit does not take place, and is reported as [`StoreError::Ambiguous`].
    CommitLost,
}

impl Fault {
    /// Every fault.
    pub const ALL: [Self; 5] =
        [Self::BeginUnavailable, Self::CommitUnavailable, Self::CommitConflict, Self::CommitAmbiguous, Self::CommitLost];
}

/// What a [`FaultyStore`] has done so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FaultCounts {
    /// Units of work that were asked for.
    pub begun: u64,
    /// Commits that took place, the ambiguous ones included.
    pub committed: u64,
    /// How often [`Fault::BeginUnavailable`] struck.
    pub begin_unavailable: u64,
    /// How often [`Fault::CommitUnavailable`] struck.
    pub commit_unavailable: u64,
    /// How often [`Fault::CommitConflict`] struck.
    pub commit_conflict: u64,
    /// How often [`Fault::CommitAmbiguous`] struck.
    pub commit_ambiguous: u64,
    /// How often [`Fault::CommitLost`] struck.
    pub commit_lost: u64,
}

impl FaultCounts {
    /// How often any fault struck.
    pub const fn faults(&self) -> u64 {
        self.begin_unavailable + self.commit_unavailable + self.commit_conflict + self.commit_ambiguous + self.commit_lost
    }

    fn count(&mut self, fault: Fault) {
        *match fault {
            Fault::BeginUnavailable => &mut self.begin_unavailable,
            Fault::CommitUnavailable => &mut self.commit_unavailable,
            Fault::CommitConflict => &mut self.commit_conflict,
            Fault::CommitAmbiguous => &mut self.commit_ambiguous,
            Fault::CommitLost => &mut self.commit_lost,
        } += 1;
    }
}

enum Plan {
    Script(VecDeque<Option<Fault>>),
    Chance { random: SeededRandom, percent: u8, faults: Vec<Fault> },
}

impl Plan {
    fn next(&mut self) -> Option<Fault> {
        match self {
            Self::Script(script) => script.pop_front().flatten(),
            Self::Chance { random, percent, faults } => {
                let last = faults.len().checked_sub(1).filter(|_| random.happens(*percent))?;
                let index = usize::try_from(random.up_to(u64::try_from(last).unwrap_or(0))).unwrap_or(0);
                faults.get(index).copied()
            }
        }
    }
}

/// A store whose units of work fail as a script or a seed says; reads, leases and snapshots do not.
pub struct FaultyStore {
    inner: Arc<dyn Store>,
    plan: Mutex<Plan>,
    counts: Arc<Mutex<FaultCounts>>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl FaultyStore {
    /// A store whose first unit of work meets the first fault of the script, the second one the second, and so on; `None` lets one pass.
    /// Once the script is used up nothing fails any more.
    pub fn scripted(inner: Arc<dyn Store>, script: impl IntoIterator<Item = Option<Fault>>) -> Self {
        Self::with(inner, Plan::Script(script.into_iter().collect()))
    }

    /// A store of whose units of work `percent` (0–100) meet one of `faults`, the same ones for the same seed and order of calls.
    pub fn seeded(inner: Arc<dyn Store>, seed: u64, percent: u8, faults: &[Fault]) -> Self {
        Self::with(inner, Plan::Chance { random: SeededRandom::new(seed), percent, faults: faults.to_vec() })
    }

    fn with(inner: Arc<dyn Store>, plan: Plan) -> Self {
        Self { inner, plan: Mutex::new(plan), counts: Arc::default() }
    }

    /// Lets these faults strike the next units of work, and nothing after them.
    pub fn script(&self, script: impl IntoIterator<Item = Option<Fault>>) {
        *locked(&self.plan) = Plan::Script(script.into_iter().collect());
    }

    /// From now on `percent` (0–100) of the units of work meet one of `faults`, as `seed` says.
    pub fn trouble(&self, seed: u64, percent: u8, faults: &[Fault]) {
        *locked(&self.plan) = Plan::Chance { random: SeededRandom::new(seed), percent, faults: faults.to_vec() };
    }

    /// From now on nothing fails.
    pub fn heal(&self) {
        self.script([]);
    }

    async fn meet_fault(
        &self,
        begin: impl Future<Output = Result<Box<dyn UnitOfWork>, StoreError>>,
    ) -> Result<Box<dyn UnitOfWork>, StoreError> {
        let fault = locked(&self.plan).next();
        locked(&self.counts).begun += 1;
        if fault == Some(Fault::BeginUnavailable) {
            locked(&self.counts).count(Fault::BeginUnavailable);
            return Err(StoreError::Unavailable(injected()));
        }
        Ok(Box::new(FaultyUnitOfWork { inner: begin.await?, fault, counts: Arc::clone(&self.counts) }))
    }

    /// What was done so far.
    pub fn counts(&self) -> FaultCounts {
        *locked(&self.counts)
    }
}

fn injected() -> Box<dyn std::error::Error + Send + Sync> {
    "a fault was injected".into()
}

#[async_trait]
impl Store for FaultyStore {
    async fn begin(&self) -> Result<Box<dyn UnitOfWork>, StoreError> {
        self.meet_fault(self.inner.begin()).await
    }

    async fn begin_unlocked(&self) -> Result<Box<dyn UnitOfWork>, StoreError> {
        self.meet_fault(self.inner.begin_unlocked()).await
    }

    fn writers(&self) -> Writers {
        self.inner.writers()
    }

    async fn lease_ids(&self, sequence: Sequence, len: u32) -> Result<IdBlock, StoreError> {
        self.inner.lease_ids(sequence, len).await
    }

    fn queries(&self) -> &dyn Queries {
        self.inner.queries()
    }

    async fn snapshot(&self) -> Result<Box<dyn AuditSnapshot>, StoreError> {
        self.inner.snapshot().await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.inner.ping().await
    }

    async fn purge(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        self.inner.purge(before, limit).await
    }
}

struct FaultyUnitOfWork {
    inner: Box<dyn UnitOfWork>,
    fault: Option<Fault>,
    counts: Arc<Mutex<FaultCounts>>,
}

#[async_trait]
impl UnitOfWork for FaultyUnitOfWork {
    crate::repositories_of_inner!();

    async fn commit(self: Box<Self>) -> Result<(), StoreError> {
        let Self { inner, fault, counts } = *self;
        let takes_place = matches!(fault, None | Some(Fault::CommitAmbiguous));
        if takes_place {
            inner.commit().await?;
            locked(&counts).committed += 1;
        } else {
            drop(inner);
        }
        let Some(fault) = fault else { return Ok(()) };
        locked(&counts).count(fault);
        Err(match fault {
            Fault::BeginUnavailable | Fault::CommitUnavailable => StoreError::Unavailable(injected()),
            Fault::CommitConflict => StoreError::Conflict,
            Fault::CommitAmbiguous | Fault::CommitLost => StoreError::Ambiguous(injected()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::MemoryStore;

    #[tokio::test]
    async fn a_script_strikes_one_unit_of_work_after_the_other() {
        let store = FaultyStore::scripted(Arc::new(MemoryStore::new()), Fault::ALL.map(Some));
        assert!(matches!(store.begin().await, Err(StoreError::Unavailable(_))));
        assert!(matches!(store.begin().await.unwrap().commit().await, Err(StoreError::Unavailable(_))));
        assert!(matches!(store.begin().await.unwrap().commit().await, Err(StoreError::Conflict)));
        assert!(matches!(store.begin().await.unwrap().commit().await, Err(StoreError::Ambiguous(_))));
        assert!(matches!(store.begin().await.unwrap().commit().await, Err(StoreError::Ambiguous(_))));
        assert!(store.begin().await.unwrap().commit().await.is_ok(), "the script is used up");
        let counts = store.counts();
        assert_eq!((counts.begun, counts.committed, counts.faults()), (6, 2, 5));
    }

    #[tokio::test]
    async fn a_seed_strikes_about_as_often_as_asked_and_the_same_again() {
        let mut all_counts = Vec::new();
        for _ in 0..2 {
            let store = FaultyStore::seeded(Arc::new(MemoryStore::new()), 7, 30, &[Fault::CommitConflict]);
            for _ in 0..200 {
                drop(store.begin().await.unwrap().commit().await);
            }
            all_counts.push(store.counts());
        }
        assert_eq!(all_counts[0], all_counts[1]);
        assert!((30..90).contains(&all_counts[0].commit_conflict), "{all_counts:?}");
    }
}
