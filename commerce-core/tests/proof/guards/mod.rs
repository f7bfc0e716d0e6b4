//! Guards under faults of the store, of the lock service and of the counter: what is tried again, what is given up, and what nobody knows. What they
//! make of contenders that stall or crash is in the contract suite, which runs on every store.

mod failing;
mod giving_back;
mod giving_up;

use commerce_core::guard::{ConditionalUpdate, GuardFor, KeyedLock, OptimisticVersion, RowLock, SpinLock};
use commerce_core::lock::{Locks, Patience, Tenure};
use commerce_core::point::{Charge, ChargeAmount, ChargeInPlace, ChargePoints, PointAccount};
use commerce_core::store::{GroupCommit, GroupCommitLimits, PageLimit, Random, Store};
use commerce_core::testing::{ManualClock, MemoryLocks, MemoryStore, SeededRandom};
use commerce_core::{Clock, UserId};
use std::sync::Arc;
use std::time::Duration;

/// Somebody with an account, in a store in memory.
struct Customer {
    memory: MemoryStore,
    user: UserId,
}

impl Customer {
    async fn open() -> Self {
        let (memory, user) = (MemoryStore::new(), UserId::new(1).unwrap());
        let mut uow = memory.begin().await.unwrap();
        uow.points().open(&[PointAccount::open(user)]).await.unwrap();
        uow.commit().await.unwrap();
        Self { memory, user }
    }

    fn charge(&self, points: i64) -> ChargePoints {
        ChargePoints { user_id: self.user, amount: ChargeAmount::new(points).unwrap(), idempotency_key: None }
    }

    /// The amounts that were charged, in order.
    async fn ledger(&self) -> Vec<i64> {
        let page = self.memory.queries().point_entries(self.user, None, PageLimit::new(100).unwrap()).await.unwrap();
        page.items.into_iter().rev().map(|entry| entry.change.amount.krw()).collect()
    }
}

fn random() -> Arc<dyn Random> {
    Arc::new(SeededRandom::new(1))
}

fn use_case() -> Charge {
    Charge { clock: clock() }
}

fn clock() -> Arc<dyn Clock> {
    Arc::new(ManualClock::default())
}

/// Every guard of the use case "charge", by name.
fn every_guard(store: &Arc<dyn Store>) -> [(&'static str, Arc<GuardFor<Charge>>); 6] {
    let store = || Arc::clone(store);
    let locks = Locks::new(Arc::new(MemoryLocks::new()), random());
    let keyed = KeyedLock::new(use_case(), store(), random(), Duration::from_secs(10)).unwrap();
    let in_place = ChargeInPlace { clock: clock() };
    [
        ("row lock", Arc::new(RowLock::new(use_case(), store(), random()))),
        ("optimistic version", Arc::new(OptimisticVersion::new(use_case(), store(), random()))),
        ("conditional update", Arc::new(ConditionalUpdate::new(in_place, store(), random()))),
        ("spin lock", Arc::new(SpinLock::new(use_case(), store(), random(), locks, Tenure::UNIT_OF_WORK, Patience::SPIN))),
        ("keyed lock", Arc::new(keyed)),
        ("group commit", GroupCommit::start(store(), random(), GroupCommitLimits::default()).desk(use_case())),
    ]
}
