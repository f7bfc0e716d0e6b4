//! Where contenders meet: a store, locks, and every guard there is.

use super::contend::{Fate, fates};
use crate::Clock;
use crate::guard::{
    Conditional, ConditionalUpdate, Contended, GuardError, GuardFor, KeyedLock, OptimisticVersion, Rechecked, RowLock, SpinLock,
};
use crate::lock::{Locks, Patience, Tenure};
use crate::store::{GroupCommit, GroupCommitLimits, Random, Store, Writers};
use crate::testing::contract::store::samples::NOW;
use crate::testing::{ManualClock, MemoryLocks, SeededRandom, SteppedLocks, SteppedStore};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

/// Longer than any queue of contenders takes.
pub(super) const WAIT_MAX: Duration = Duration::from_secs(30);
/// Held for so short a time that whoever stalls has lost it.
pub(super) const SHORT: Tenure = Tenure { lease: Duration::from_millis(100), held_max: Duration::from_millis(200) };
const PATIENCE: Patience = Patience { wait_max: WAIT_MAX, ..Patience::SPIN };

/// A store, and what has happened on it.
pub(super) struct Ground {
    pub(super) store: Arc<dyn Store>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) rounds: u64,
    next_id: AtomicI64,
    stalled: AtomicU64,
    crashed: AtomicU64,
    failed: AtomicU64,
}

impl Ground {
    pub(super) fn new(store: Arc<dyn Store>, rounds: u64) -> Self {
        let clock = Arc::new(ManualClock::at(NOW));
        let none = || AtomicU64::new(0);
        Self { store, clock, rounds, next_id: AtomicI64::new(1), stalled: none(), crashed: none(), failed: none() }
    }

    /// A number that nothing else has.
    pub(super) fn next(&self) -> i64 {
        self.next_id.fetch_add(1, Ordering::Relaxed)
    }

    pub(super) fn count(&self, fate: Fate, crashed: bool) {
        self.crashed.fetch_add(u64::from(crashed), Ordering::Relaxed);
        self.stalled.fetch_add(u64::from(matches!(fate, Fate::Stalls(_))), Ordering::Relaxed);
    }

    pub(super) fn note(&self, error: Option<&GuardError>) {
        self.failed.fetch_add(u64::from(error.is_some()), Ordering::Relaxed);
    }

    /// Asserts that there were mishaps at all.
    pub(super) fn assert_eventful(&self) {
        let counts = [&self.stalled, &self.crashed].map(|count| count.load(Ordering::Relaxed));
        assert!(counts.iter().all(|count| *count >= self.rounds), "stalled, crashed: {counts:?}");
    }

    /// Every guard of a use case, with steps that are mixed by `seed` if there is one.
    pub(super) fn guards<H, C>(&self, use_case: impl Fn() -> H, in_place: C, tenure: Tenure, seed: Option<u64>) -> Guards<H>
    where
        H: Rechecked + Contended,
        C: Conditional<Command = H::Command, Verdict = H::Verdict>,
    {
        let random: Arc<dyn Random> = Arc::new(SeededRandom::new(seed.unwrap_or(1)));
        let (mut store, mut service) = (Arc::clone(&self.store), Arc::new(MemoryLocks::new()) as Arc<_>);
        if let Some(seed) = seed {
            store = Arc::new(SteppedStore::new(store, fates(seed)));
            service = Arc::new(SteppedLocks::new(service, fates(seed)));
        }
        let locks = Locks::new(service, Arc::clone(&random));
        let group_commit = GroupCommit::start(Arc::clone(&store), Arc::clone(&random), GroupCommitLimits::default());
        let of = || (Arc::clone(&store), Arc::clone(&random));
        let ((s1, r1), (s2, r2), (s3, r3), (s4, r4), (s5, r5)) = (of(), of(), of(), of(), of());
        let mut all: Vec<(&'static str, Arc<GuardFor<H>>)> = vec![
            ("row lock", Arc::new(RowLock::new(use_case(), s1, r1))),
            ("optimistic version", Arc::new(OptimisticVersion::new(use_case(), s2, r2))),
            ("conditional update", Arc::new(ConditionalUpdate::new(in_place, s3, r3))),
            ("spin lock", Arc::new(SpinLock::new(use_case(), s4, r4, locks, tenure, PATIENCE))),
            ("group commit", group_commit.desk(use_case())),
        ];
        if self.store.writers() == Writers::One {
            let keyed = KeyedLock::new(use_case(), s5, r5, WAIT_MAX).expect("this process alone writes");
            all.push(("keyed lock", Arc::new(keyed)));
        }
        Guards { all, group_commit }
    }
}

/// Guards of a use case that are interchangeable.
pub(super) struct Guards<H: Rechecked> {
    pub(super) all: Vec<(&'static str, Arc<GuardFor<H>>)>,
    group_commit: Arc<GroupCommit>,
}

impl<H: Rechecked> Guards<H> {
    /// Waits until nobody works any more.
    pub(super) async fn end(self) {
        self.group_commit.shutdown().await;
    }
}
