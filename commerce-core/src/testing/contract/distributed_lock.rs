use super::runner::eventually;
use crate::lock::{DistributedLock, LockGrant};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

const LONG: Duration = Duration::from_secs(30);
const SHORT: Duration = Duration::from_millis(100);

/// Checks everything a [`DistributedLock`] MUST do, each check on a service that `new` makes and that has granted nothing.
///
/// # Panics
/// With the name of the first check that fails.
pub async fn distributed_lock(new: impl AsyncFn() -> Arc<dyn DistributedLock>) {
    checks! { new:
        a_held_lock_is_granted_to_nobody_else,
        names_are_locked_apart,
        a_released_lock_is_free_at_once,
        every_grant_has_a_larger_fence_than_the_one_before,
        a_lease_ends_by_itself,
        a_renewed_lease_outlives_the_first,
        a_grant_that_ended_can_neither_be_renewed_nor_released,
        who_does_not_know_the_token_can_neither_renew_nor_release,
        a_released_grant_is_not_valid_any_more,
        one_of_many_at_once_gets_the_lock,
    }
}

async fn acquire(locks: &dyn DistributedLock, name: &str, lease: Duration) -> LockGrant {
    locks.try_acquire(name, lease).await.unwrap().expect("the lock is free")
}

/// Waits until a short lease has ended and takes the lock.
async fn acquire_after(locks: &dyn DistributedLock, name: &str) -> LockGrant {
    eventually("the lease ends", async || locks.try_acquire(name, LONG).await.unwrap()).await
}

async fn a_held_lock_is_granted_to_nobody_else(locks: &dyn DistributedLock) {
    let grant = acquire(locks, "gate", LONG).await;
    assert_eq!(grant.name, "gate");
    assert_eq!(locks.try_acquire("gate", LONG).await.unwrap(), None);
}

async fn names_are_locked_apart(locks: &dyn DistributedLock) {
    for name in ["gate", "gates", "ga:te", "게이트 😀", "*"] {
        acquire(locks, name, LONG).await;
    }
}

async fn a_released_lock_is_free_at_once(locks: &dyn DistributedLock) {
    let grant = acquire(locks, "gate", LONG).await;
    assert!(locks.release(&grant).await.unwrap());
    acquire(locks, "gate", LONG).await;
}

async fn every_grant_has_a_larger_fence_than_the_one_before(locks: &dyn DistributedLock) {
    let mut last = acquire(locks, "gate", LONG).await;
    for _ in 0..5 {
        assert!(locks.release(&last).await.unwrap());
        let next = acquire(locks, "gate", LONG).await;
        assert!(next.fence > last.fence, "{} after {}", next.fence, last.fence);
        last = next;
    }
    assert!(locks.release(&last).await.unwrap());
    let short = acquire(locks, "gate", SHORT).await;
    let after_lapse = acquire_after(locks, "gate").await;
    assert!(after_lapse.fence > short.fence, "also after a lease that ended by itself");
}

async fn a_lease_ends_by_itself(locks: &dyn DistributedLock) {
    let first = acquire(locks, "gate", SHORT).await;
    let second = acquire_after(locks, "gate").await;
    assert_ne!(first.token, second.token);
}

async fn a_renewed_lease_outlives_the_first(locks: &dyn DistributedLock) {
    let short = acquire(locks, "short", SHORT).await;
    let renewed = acquire(locks, "renewed", SHORT).await;
    assert!(locks.renew(&renewed, LONG).await.unwrap());
    acquire_after(locks, &short.name).await;
    assert_eq!(locks.try_acquire("renewed", LONG).await.unwrap(), None, "it is still held");
    assert!(locks.release(&renewed).await.unwrap());
}

async fn a_grant_that_ended_can_neither_be_renewed_nor_released(locks: &dyn DistributedLock) {
    let ended = acquire(locks, "gate", SHORT).await;
    let present = acquire_after(locks, "gate").await;
    assert!(!locks.renew(&ended, LONG).await.unwrap());
    assert!(!locks.release(&ended).await.unwrap());
    assert_eq!(locks.try_acquire("gate", LONG).await.unwrap(), None, "whoever has the lock now keeps it");
    assert!(locks.renew(&present, LONG).await.unwrap());
}

async fn who_does_not_know_the_token_can_neither_renew_nor_release(locks: &dyn DistributedLock) {
    let grant = acquire(locks, "gate", LONG).await;
    let guess = LockGrant { token: grant.token.wrapping_add(1), ..grant.clone() };
    assert!(!locks.renew(&guess, LONG).await.unwrap());
    assert!(!locks.release(&guess).await.unwrap());
    assert!(locks.release(&grant).await.unwrap());
}

async fn a_released_grant_is_not_valid_any_more(locks: &dyn DistributedLock) {
    let grant = acquire(locks, "gate", LONG).await;
    assert!(locks.release(&grant).await.unwrap());
    assert!(!locks.release(&grant).await.unwrap());
    assert!(!locks.renew(&grant, LONG).await.unwrap());
    acquire(locks, "gate", LONG).await;
}

async fn one_of_many_at_once_gets_the_lock(locks: &dyn DistributedLock) {
    let attempts = futures_util::future::join_all((0..20).map(|_| locks.try_acquire("gate", LONG))).await;
    let granted: BTreeSet<u64> = attempts.into_iter().filter_map(Result::unwrap).map(|grant| grant.fence).collect();
    assert_eq!(granted.len(), 1);
}
