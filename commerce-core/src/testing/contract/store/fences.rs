use super::samples::{NOW, attempt, id, krw, with_users, write};
use crate::Money;
use crate::lock::Fence;
use crate::point::ChargeAmount;
use crate::store::{Backoff, Store, StoreError};
use crate::testing::SeededRandom;

fn fence(lock: &str, number: u64) -> Fence {
    Fence { lock: lock.to_owned(), number }
}

/// User 1 pays in 1,000 points in a unit of work under these locks.
async fn charge_under(store: &dyn Store, fences: &[Fence]) -> Result<(), StoreError> {
    attempt(store, async |uow| {
        uow.fences().claim(fences).await?;
        let mut accounts = uow.points().lock(&[id(1)]).await?;
        let entry = accounts[0].charge(ChargeAmount::new(1_000).expect("a valid charge"), None, NOW).expect("a small balance");
        uow.points().save(&accounts, &[entry]).await
    })
    .await
}

async fn balance(store: &dyn Store) -> Money {
    store.queries().balance(id(1)).await.unwrap().expect("user 1 has an account")
}

fn assert_fenced(outcome: &Result<(), StoreError>, expected: &str) {
    assert!(matches!(outcome, Err(StoreError::Fenced { lock }) if lock == expected), "{outcome:?}");
}

pub(super) async fn a_later_holder_that_has_written_keeps_an_earlier_one_from_writing(store: &dyn Store) {
    with_users(store, 1).await;
    charge_under(store, &[fence("job", 7)]).await.unwrap();
    charge_under(store, &[fence("job", 9)]).await.unwrap();
    for earlier in [7, 8, 0] {
        assert_fenced(&charge_under(store, &[fence("job", earlier)]).await, "job");
    }
    assert_eq!(balance(store).await, krw(2_000));
    charge_under(store, &[fence("job", 10)]).await.unwrap();
}

pub(super) async fn a_holder_writes_any_number_of_times(store: &dyn Store) {
    with_users(store, 1).await;
    for _ in 0..3 {
        charge_under(store, &[fence("job", 7)]).await.unwrap();
    }
    assert_eq!(balance(store).await, krw(3_000));
}

pub(super) async fn a_claim_that_is_rolled_back_counts_for_nothing(store: &dyn Store) {
    with_users(store, 1).await;
    for claimed_before in [false, true] {
        let mut uow = store.begin().await.unwrap();
        uow.fences().claim(&[fence("job", 9)]).await.unwrap();
        drop(uow);
        charge_under(store, &[fence("job", 7)]).await.unwrap_or_else(|error| panic!("{claimed_before}: {error}"));
    }
}

pub(super) async fn locks_are_fenced_apart(store: &dyn Store) {
    with_users(store, 1).await;
    for (number, lock) in (1..).zip(["job", "jobs", "Job", "job ", "jöb", "ga:te", "게이트 😀", "*"]) {
        charge_under(store, &[fence(lock, 100 - number)]).await.unwrap_or_else(|error| panic!("{lock}: {error}"));
    }
    assert_fenced(&charge_under(store, &[fence("Job", 96)]).await, "Job");
}

pub(super) async fn many_locks_are_claimed_at_once_and_one_that_was_lost_refuses_all(store: &dyn Store) {
    with_users(store, 1).await;
    let many = |lost: u64| {
        let mut fences: Vec<Fence> = (0..300).map(|number| fence(&format!("stock-{number}"), 5)).collect();
        fences.reverse();
        fences[150].number = lost;
        fences
    };
    charge_under(store, &many(5)).await.unwrap();
    charge_under(store, &[fence("stock-149", 6)]).await.unwrap();
    assert_fenced(&charge_under(store, &many(5)).await, "stock-149");
    charge_under(store, &many(7)).await.unwrap();
    assert_eq!(balance(store).await, krw(3_000));
}

pub(super) async fn of_many_holders_at_once_none_writes_after_a_later_one(store: &dyn Store) {
    const HOLDERS: u64 = 20;
    with_users(store, 1).await;
    let random = SeededRandom::new(1);
    let charge_as = async |number: u64| {
        let mut failures = 0;
        loop {
            match charge_under(store, &[fence("job", number)]).await {
                Ok(()) => return true,
                Err(StoreError::Fenced { .. }) => return false,
                Err(error) => assert!(error.is_contention(), "only contention is expected: {error:?}"),
            }
            failures += 1;
            tokio::time::sleep(Backoff::STORE.jitter(failures, &random)).await;
        }
    };
    // Some holders are the same.
    let wrote = futures_util::future::join_all((0..HOLDERS).map(|number| charge_as(number * 7 % HOLDERS / 2))).await;
    let charges = i64::try_from(wrote.iter().filter(|wrote| **wrote).count()).unwrap();
    assert_eq!(balance(store).await, krw(1_000 * charges), "whoever was refused has written nothing");
    let latest = HOLDERS / 2 - 1;
    for number in 0..latest {
        assert_fenced(&charge_under(store, &[fence("job", number)]).await, "job");
    }
    charge_under(store, &[fence("job", latest)]).await.unwrap();
}

pub(super) async fn the_largest_fence_is_kept_as_it_was(store: &dyn Store) {
    const LARGEST: u64 = i64::MAX.unsigned_abs();
    write(store, async |uow| uow.fences().claim(&[fence("job", LARGEST)]).await).await;
    let refused = attempt(store, async |uow| uow.fences().claim(&[fence("job", LARGEST - 1)]).await).await;
    assert_fenced(&refused, "job");
    write(store, async |uow| uow.fences().claim(&[fence("job", LARGEST)]).await).await;
}
