use super::{Customer, random, use_case};
use async_trait::async_trait;
use commerce_core::guard::{Guard, GuardError, KeyedLock, OptimisticVersion, RowLock, SpinLock};
use commerce_core::lock::{DistributedLock, LockError, LockGrant, LockName, Locks, Patience, Tenure};
use commerce_core::point::{Charge, ChargeAmount, ChargePoints};
use commerce_core::store::{Backoff, Store};
use commerce_core::testing::{MemoryLocks, Step, SteppedStore, Steps};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// Charges a point account whenever somebody else is about to write.
struct Rival {
    guard: RowLock<Charge>,
    charge: ChargePoints,
}

#[async_trait]
impl Steps for Rival {
    async fn at(&self, step: Step) {
        if step == Step::Write {
            self.guard.run(self.charge.clone()).await.unwrap().unwrap();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_is_overtaken_in_every_attempt_gives_up_and_says_so() {
    const ATTEMPTS: u32 = 3;
    // Given a rival that always comes between the read and the write,
    let customer = Customer::open().await;
    let amount = ChargeAmount::new(2_000).unwrap();
    let charge = ChargePoints { amount, ..customer.charge(1_000) };
    let rival = Rival { guard: RowLock::new(use_case(), Arc::new(customer.memory.clone()), random()), charge };
    let store = Arc::new(SteppedStore::new(Arc::new(customer.memory.clone()), Arc::new(rival)));
    let backoff = Backoff { attempts_max: ATTEMPTS, ..OptimisticVersion::PATIENT };
    let guard = OptimisticVersion::with_backoff(use_case(), store, random(), backoff);
    // when somebody charges without locking the account,
    let starved = guard.run(customer.charge(1_000)).await.unwrap_err();
    // then it gives up after as many attempts as it was allowed, and the rival has lost nothing.
    assert!(matches!(starved, GuardError::Starved { attempts: ATTEMPTS }), "{starved:?}");
    let counts = guard.counts();
    assert_eq!((counts.served, counts.attempts, counts.conflicts, counts.gave_up), (0, 3, 3, 1));
    assert_eq!(customer.ledger().await, [2_000; 3]);
}

#[tokio::test(start_paused = true)]
async fn whoever_finds_the_lock_held_until_its_patience_ends_is_told_so_and_has_changed_nothing() {
    let customer = Customer::open().await;
    let locks = Locks::new(Arc::new(MemoryLocks::new()), random());
    let name = LockName::of("points", customer.user);
    let held = locks.try_lock(&[name], Tenure::JOB).await.unwrap().unwrap();
    let patience = Patience { wait_max: Duration::from_secs(1), ..Patience::SPIN };
    let store = Arc::new(customer.memory.clone());
    let guard = SpinLock::new(use_case(), store, random(), locks, Tenure::UNIT_OF_WORK, patience);
    let begun = Instant::now();
    let refused = guard.run(customer.charge(1_000)).await.unwrap_err();
    assert!(matches!(refused, GuardError::LockHeld), "{refused:?}");
    assert_eq!(begun.elapsed(), patience.wait_max);
    let counts = guard.counts();
    assert!(counts.waits > 20 && counts.attempts == 0 && counts.gave_up == 1, "{counts:?}");
    // It is let go with the commit of the next one, and not later.
    held.release().await.unwrap();
    for balance in [1_000, 2_000] {
        assert_eq!(guard.run(customer.charge(1_000)).await.unwrap().unwrap().krw(), balance);
    }
    assert_eq!(guard.counts().waits, counts.waits);
}

#[tokio::test(start_paused = true)]
async fn a_queue_in_the_process_that_takes_too_long_is_left_and_goes_on_without_those_who_left() {
    // Given a queue whose first one does not come back from the store,
    let customer = Customer::open().await;
    let store = Arc::new(customer.memory.clone());
    let guard = KeyedLock::new(use_case(), store, random(), Duration::from_secs(1)).unwrap();
    let blocked = customer.memory.begin().await.unwrap();
    let mut first = Box::pin(guard.run(customer.charge(1_000)));
    assert!(timeout(Duration::from_millis(1), first.as_mut()).await.is_err());
    // when somebody else queues for too long,
    let refused = guard.run(customer.charge(2_000)).await.unwrap_err();
    // then it is told so, and whoever comes after the first one has its turn.
    assert!(matches!(refused, GuardError::LockHeld), "{refused:?}");
    drop(blocked);
    assert_eq!(first.await.unwrap().unwrap().krw(), 1_000);
    assert_eq!(guard.run(customer.charge(3_000)).await.unwrap().unwrap().krw(), 4_000);
    assert_eq!(customer.ledger().await, [1_000, 3_000]);
    assert_eq!(guard.counts().gave_up, 1);
}

/// A lock service that nobody can reach.
struct Unreachable;

#[async_trait]
impl DistributedLock for Unreachable {
    async fn try_acquire(&self, _name: &str, _lease: Duration) -> Result<Option<LockGrant>, LockError> {
        Err(LockError("nobody answers".into()))
    }

    async fn renew(&self, _grant: &LockGrant, _lease: Duration) -> Result<bool, LockError> {
        Err(LockError("nobody answers".into()))
    }

    async fn release(&self, _grant: &LockGrant) -> Result<bool, LockError> {
        Err(LockError("nobody answers".into()))
    }
}

#[tokio::test(start_paused = true)]
async fn without_its_lock_service_a_spin_lock_does_nothing() {
    let customer = Customer::open().await;
    let store: Arc<dyn Store> = Arc::new(customer.memory.clone());
    let locks = Locks::new(Arc::new(Unreachable), random());
    let guard = SpinLock::new(use_case(), store, random(), locks, Tenure::UNIT_OF_WORK, Patience::SPIN);
    let failed = guard.run(customer.charge(1_000)).await.unwrap_err();
    assert!(matches!(failed, GuardError::Lock(_)) && !failed.is_unknown(), "{failed:?}");
    assert!(customer.ledger().await.is_empty());
}
