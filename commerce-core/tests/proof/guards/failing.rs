use super::{Customer, every_guard};
use commerce_core::guard::GuardError;
use commerce_core::store::{Store, StoreError};
use commerce_core::testing::{Fault, FaultyStore};
use std::sync::Arc;

/// More often than any guard tries.
const FOR_LONG: usize = 200;

/// A customer of a store that meets these faults.
async fn customer(script: Vec<Option<Fault>>) -> (Customer, Arc<FaultyStore>) {
    let customer = Customer::open().await;
    let store = Arc::new(FaultyStore::scripted(Arc::new(customer.memory.clone()), script));
    (customer, store)
}

#[tokio::test(start_paused = true)]
async fn contention_is_tried_again_until_it_passes_and_is_counted() {
    for number in 0..6 {
        let (customer, store) = customer(vec![Some(Fault::CommitConflict); 3]).await;
        let (name, guard) = every_guard(&(Arc::clone(&store) as _)).into_iter().nth(number).unwrap();
        let balance = guard.run(customer.charge(1_000)).await.unwrap().unwrap();
        assert_eq!((balance.krw(), store.counts().committed), (1_000, 1), "{name}");
        let counts = guard.counts();
        assert_eq!((counts.served, counts.attempts, counts.conflicts, counts.gave_up), (1, 4, 3, 0), "{name}");
        assert_eq!(customer.ledger().await, [1_000], "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_outage_that_outlasts_the_attempts_fails_the_command_and_changes_nothing() {
    for fault in [Fault::BeginUnavailable, Fault::CommitUnavailable] {
        for number in 0..6 {
            let (customer, store) = customer(vec![Some(fault); FOR_LONG]).await;
            let (name, guard) = every_guard(&(Arc::clone(&store) as _)).into_iter().nth(number).unwrap();
            let failed = guard.run(customer.charge(1_000)).await.unwrap_err();
            let is_outage = matches!(&failed, GuardError::Store(error) if matches!(**error, StoreError::Unavailable(_)));
            assert!(is_outage && !failed.is_unknown(), "{name}: {failed:?}");
            assert!(customer.ledger().await.is_empty(), "{name}");
            // Whoever comes when it is over is served.
            store.heal();
            assert_eq!(guard.run(customer.charge(2_000)).await.unwrap().unwrap().krw(), 2_000, "{name}");
            assert_eq!(customer.ledger().await, [2_000], "{name}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_commit_whose_outcome_is_unknown_is_repeated_by_no_guard() {
    for (fault, ledger) in [(Fault::CommitAmbiguous, vec![1_000]), (Fault::CommitLost, vec![])] {
        for number in 0..6 {
            let (customer, store) = customer(vec![Some(fault)]).await;
            let (name, guard) = every_guard(&(Arc::clone(&store) as Arc<dyn Store>)).into_iter().nth(number).unwrap();
            let failed = guard.run(customer.charge(1_000)).await.unwrap_err();
            assert!(failed.is_unknown(), "{name}: {failed:?}");
            assert_eq!(store.counts().begun, 1, "{name}");
            assert_eq!(customer.ledger().await, ledger, "{name}");
            assert_eq!(guard.counts().served, 0, "{name}");
        }
    }
}
