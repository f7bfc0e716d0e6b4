use super::contend::{Fate, assert_right, contend, fates};
use super::ground::{Ground, SHORT, WAIT_MAX};
use crate::guard::{Guard, GuardError, KeyedLock, SpinLock};
use crate::lock::{Locks, Patience};
use crate::stock::StockAdjustment;
use crate::store::{StoreError, Writers};
use crate::testing::{MemoryLocks, Refusals, SeededRandom, Step, SteppedLocks, SteppedStore, Steps, Told, judge_stock};
use async_trait::async_trait;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::Notify;

/// Halts whoever is the first to come to a step.
struct Halt {
    at: Step,
    passed: AtomicBool,
    reached: Notify,
    go_on: Notify,
}

#[async_trait]
impl Steps for Halt {
    async fn at(&self, step: Step) {
        if step == self.at && !self.passed.swap(true, Ordering::Relaxed) {
            self.reached.notify_one();
            self.go_on.notified().await;
        }
    }
}

pub(super) async fn a_lock_holder_that_outlives_its_lease_cannot_write(ground: &Ground) {
    for at in [Step::Acquired, Step::Begin] {
        let halt = Arc::new(Halt { at, passed: AtomicBool::new(false), reached: Notify::new(), go_on: Notify::new() });
        let random = Arc::new(SeededRandom::new(1));
        let locks = Locks::new(Arc::new(SteppedLocks::new(Arc::new(MemoryLocks::new()), Arc::clone(&halt) as _)), Arc::clone(&random) as _);
        let store = Arc::new(SteppedStore::new(Arc::clone(&ground.store), Arc::clone(&halt) as _));
        let use_case = StockAdjustment { clock: Arc::clone(&ground.clock) };
        let patience = Patience { wait_max: WAIT_MAX, ..Patience::SPIN };
        let guard = SpinLock::new(use_case, store, random, locks, SHORT, patience);
        // Given a holder that halts when it has the lock, and has not written yet,
        let option = ground.option(5).await;
        let (late, other) = (ground.adjustment(option, -1), ground.adjustment(option, -2));
        let overtaken = async {
            halt.reached.notified().await;
            // when its lease ends, somebody else takes the lock and writes, and the first one goes on,
            let written = guard.run(other.clone()).await;
            halt.go_on.notify_one();
            written
        };
        let (late_outcome, other_outcome) = tokio::join!(guard.run(late.clone()), overtaken);
        // then what it writes is refused.
        let is_fenced = matches!(&late_outcome, Err(GuardError::Store(error)) if matches!(**error, StoreError::Fenced { .. }));
        assert!(is_fenced, "{at:?}: {late_outcome:?}");
        assert!(matches!(other_outcome, Ok(Ok(left)) if left.units() == 3), "{at:?}: {other_outcome:?}");
        let told = [(late, Told::from(late_outcome)), (other, Told::from(other_outcome))];
        let wrong = judge_stock(ground.store.as_ref(), &told, Refusals::HaveReasons).await.expect("the store answers");
        assert_right(&wrong, "spin lock", 0);
    }
}

pub(super) async fn a_lock_in_the_process_is_refused_where_other_processes_write(ground: &Ground) {
    let use_case = StockAdjustment { clock: Arc::clone(&ground.clock) };
    let store = Arc::new(SteppedStore::new(Arc::clone(&ground.store), fates(1)));
    let guard = KeyedLock::new(use_case, store, Arc::new(SeededRandom::new(1)), WAIT_MAX);
    assert_eq!(guard.is_ok(), ground.store.writers() == Writers::One);
    let Ok(guard) = guard else { return };
    let option = ground.option(1).await;
    let commands = [-1, -1].map(|delta| (ground.adjustment(option, delta), Fate::Spared)).to_vec();
    let told = contend(ground, &guard, commands).await;
    assert_eq!(told.iter().filter(|(_, told)| matches!(told, Told::Verdict(Ok(_)))).count(), 1);
    assert_eq!(guard.counts().waits, 1, "the second one queued");
}
