use super::counter::{CONTENDED, CORRUPT, Counter, PANIC, SILENT};
use async_trait::async_trait;
use commerce_core::audit::AuditSnapshot;
use commerce_core::store::{GroupCommit, GroupCommitLimits, IdBlock, Queries, Store, StoreError, UnitOfWork};
use commerce_core::testing::{Fault, MemoryStore, SeededRandom};
use commerce_core::{Sequence, Timestamp};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

async fn open(script: impl IntoIterator<Item = Option<Fault>>) -> Counter {
    Counter::open(GroupCommitLimits::default(), script).await
}

#[tokio::test(start_paused = true)]
async fn a_command_that_breaks_its_batch_fails_alone_and_its_neighbours_keep_their_order() {
    for poison in [CORRUPT, PANIC, CONTENDED, SILENT] {
        for place in 0..9 {
            // Given eight good commands and one that breaks whatever batch it is in,
            let counter = open([]).await;
            let mut amounts: Vec<_> = (0..8).map(|number| 1_000 + number).collect();
            let good = amounts.clone();
            amounts.insert(place, poison);
            // when they arrive together,
            let outcomes = counter.charge_all(&amounts).await;
            // then only that one fails, and the others are carried out once, in the order they came.
            let failed: Vec<_> = outcomes.iter().enumerate().filter(|(_, outcome)| outcome.is_err()).map(|(index, _)| index).collect();
            assert_eq!(failed, [place], "{poison}: {outcomes:?}");
            assert_eq!(counter.ledger().await, good, "{poison} at {place}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_at_another_desk_fails_for_a_poisoned_command() {
    let counter = open([]).await;
    let other = counter.another_desk();
    let (poisoned, good) = tokio::join!(counter.desk.submit(counter.charge(CORRUPT)), other.submit(counter.charge(1_000)));
    assert!(matches!(*poisoned.unwrap_err(), StoreError::Corrupt(_)));
    assert_eq!(good.unwrap().unwrap().krw(), 1_000);
}

#[tokio::test(start_paused = true)]
async fn contention_is_retried_until_it_passes() {
    // Given a store in which another one comes between three times,
    let counter = open([Some(Fault::CommitConflict); 3]).await;
    // when commands are handed in, then they succeed at the fourth attempt.
    assert_eq!(counter.charge_all(&[1_000, 2_000]).await, [Ok(1_000), Ok(3_000)]);
    assert_eq!((counter.store.counts().begun, counter.store.counts().committed), (4, 1));
}

#[tokio::test(start_paused = true)]
async fn an_outage_fails_all_who_wait_and_nothing_was_done() {
    const ATTEMPTS: u64 = 8;
    for fault in [Fault::BeginUnavailable, Fault::CommitUnavailable] {
        // Given a store that is down for as long as it is tried,
        let counter = open([Some(fault); 8]).await;
        // when commands are handed in,
        let outcomes = counter.charge_all(&[1_000, 2_000]).await;
        // then all fail, without being taken apart, and the next one succeeds.
        assert_eq!(outcomes, vec![Err("the store is unavailable".to_owned()); 2]);
        assert_eq!(counter.store.counts().begun, ATTEMPTS);
        assert_eq!(counter.charge_all(&[3_000]).await, [Ok(3_000)]);
        assert_eq!(counter.ledger().await, [3_000]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_commit_whose_outcome_is_unknown_is_never_repeated() {
    for (fault, ledger) in [(Fault::CommitAmbiguous, vec![1_000, 2_000]), (Fault::CommitLost, vec![])] {
        // Given a store that loses the connection during the commit,
        let counter = open([Some(fault)]).await;
        // when commands are handed in,
        let outcomes = counter.charge_all(&[1_000, 2_000]).await;
        // then the callers are told that nobody knows, and it is not tried again.
        assert_eq!(outcomes, vec![Err("the outcome of a commit is unknown".to_owned()); 2]);
        assert_eq!(counter.store.counts().begun, 1);
        assert_eq!(counter.ledger().await, ledger);
    }
}

/// A store that panics when the first unit of work begins.
struct Panicking(MemoryStore, AtomicBool);

#[async_trait]
impl Store for Panicking {
    async fn begin(&self) -> Result<Box<dyn UnitOfWork>, StoreError> {
        assert!(self.1.swap(true, Ordering::SeqCst), "the driver panics");
        self.0.begin().await
    }

    async fn lease_ids(&self, sequence: Sequence, len: u32) -> Result<IdBlock, StoreError> {
        self.0.lease_ids(sequence, len).await
    }

    fn queries(&self) -> &dyn Queries {
        self.0.queries()
    }

    async fn snapshot(&self) -> Result<Box<dyn AuditSnapshot>, StoreError> {
        self.0.snapshot().await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.0.ping().await
    }

    async fn purge(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        self.0.purge(before, limit).await
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_panics_does_not_end_the_worker() {
    // Given a till on a store that panics once,
    let counter = open([]).await;
    let store = Arc::new(Panicking(counter.memory.clone(), AtomicBool::new(false)));
    let desk = GroupCommit::start(store, Arc::new(SeededRandom::new(1)), GroupCommitLimits::default()).desk(counter.till());
    // when commands come one after the other, then the first fails and the second succeeds.
    assert!(matches!(*desk.submit(counter.charge(1_000)).await.unwrap_err(), StoreError::Backend(_)));
    assert_eq!(desk.submit(counter.charge(2_000)).await.unwrap().unwrap().krw(), 2_000);
}
