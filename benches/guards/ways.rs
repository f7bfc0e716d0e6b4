//! The guards.

use super::goods::Goods;
use crate::contest::place::Place;
use commerce_adapters::clock::SystemClock;
use commerce_adapters::random::ThreadRandom;
use commerce_core::Clock;
use commerce_core::guard::{ConditionalUpdate, GuardFor, KeyedLock, OptimisticVersion, RowLock, SpinLock};
use commerce_core::lock::{DistributedLock, Locks, Patience, Tenure};
use commerce_core::store::{GroupCommit, GroupCommitLimits, Random};
use std::sync::Arc;
use std::time::Duration;

const KEYED_WAIT_MAX: Duration = Duration::from_secs(10);

/// A way to guard a row.
#[derive(Clone)]
pub(super) enum Way {
    RowLock,
    OptimisticVersion,
    ConditionalUpdate,
    KeyedLock,
    /// A lock of a service, by its name, and how it is waited for.
    SpinLock(&'static str, Arc<dyn DistributedLock>, Patience),
    CounterInFront,
    GroupCommit,
}

/// A guard that nobody has used yet.
pub(super) struct Fresh<G: Goods> {
    pub(super) guard: Arc<GuardFor<G::UseCase>>,
    group_commit: Option<Arc<GroupCommit>>,
}

impl<G: Goods> Fresh<G> {
    pub(super) async fn end(self) {
        if let Some(group_commit) = self.group_commit {
            group_commit.shutdown().await;
        }
    }
}

impl Way {
    /// Every way that there is on a store, with the locks of these services.
    pub(super) fn all(place: &Place, services: &[(&'static str, Arc<dyn DistributedLock>, Patience)]) -> Vec<Self> {
        let locks = services.iter().map(|(name, service, patience)| Self::SpinLock(name, Arc::clone(service), *patience));
        let mut ways = vec![Self::RowLock, Self::OptimisticVersion, Self::ConditionalUpdate];
        // A lock in the process keeps nobody out of a server.
        ways.extend(place.file().map(|_| Self::KeyedLock));
        ways.extend(locks);
        ways.push(Self::GroupCommit);
        ways
    }

    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::RowLock => "row lock",
            Self::OptimisticVersion => "optimistic version",
            Self::ConditionalUpdate => "conditional update",
            Self::KeyedLock => "keyed lock",
            Self::SpinLock(name, ..) => name,
            Self::CounterInFront => "counter in front of a row lock",
            Self::GroupCommit => "group commit",
        }
    }

    /// A guard of this kind; `None` if these goods have none. It has to be called within a runtime.
    pub(super) fn fresh<G: Goods>(&self, place: &Place) -> Option<Fresh<G>> {
        let (store, random) = (Arc::clone(&place.store), Arc::new(ThreadRandom) as Arc<dyn Random>);
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let alone = |guard| Some(Fresh { guard, group_commit: None });
        match self {
            Self::RowLock => alone(Arc::new(RowLock::new(G::use_case(clock), store, random))),
            Self::OptimisticVersion => alone(Arc::new(OptimisticVersion::new(G::use_case(clock), store, random))),
            Self::ConditionalUpdate => alone(Arc::new(ConditionalUpdate::new(G::in_place(clock), store, random))),
            Self::KeyedLock => alone(Arc::new(KeyedLock::new(G::use_case(clock), store, random, KEYED_WAIT_MAX).ok()?)),
            Self::SpinLock(_, service, patience) => {
                let locks = Locks::new(Arc::clone(service), Arc::clone(&random));
                alone(Arc::new(SpinLock::new(G::use_case(clock), store, random, locks, Tenure::UNIT_OF_WORK, *patience)))
            }
            Self::CounterInFront => {
                let behind = Arc::new(RowLock::new(G::use_case(clock), Arc::clone(&store), random));
                alone(G::in_front(behind, store)?)
            }
            Self::GroupCommit => {
                let group_commit = GroupCommit::start(store, random, GroupCommitLimits::default());
                let guard = group_commit.desk(G::use_case(clock));
                Some(Fresh { guard, group_commit: Some(group_commit) })
            }
        }
    }
}
