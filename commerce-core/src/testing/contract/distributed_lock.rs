use super::runner::{eventually, soon};
use crate::lock::{DistributedLock, LockGrant};
use futures_util::future::{join, join_all};
use std::cell::Cell;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

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
        whoever_watches_a_lock_is_told_that_it_was_let_go,
        of_many_who_watch_a_lock_one_after_the_other_is_told,
        many_locks_are_taken_renewed_and_released_together,
        of_many_locks_none_is_taken_if_one_is_held,
        a_thousand_locks_are_taken_at_once,
        many_locks_are_not_held_any_more_once_one_of_them_is_not,
        of_many_who_want_many_locks_at_once_no_two_get_the_same,
    }
}

async fn acquire(locks: &dyn DistributedLock, name: &str, lease: Duration) -> LockGrant {
    locks.try_acquire(name, lease).await.unwrap().expect("the lock is free")
}

/// Waits until a short lease has ended and takes the lock.
async fn acquire_after(locks: &dyn DistributedLock, name: &str) -> LockGrant {
    eventually("the lease ends", async || locks.try_acquire(name, LONG).await.unwrap()).await
}

/// Takes locks for a short lease and renews it for long, until that has come in time: whatever runs here may be halted for longer than the lease.
async fn acquire_and_renew(locks: &dyn DistributedLock, names: &[&str]) -> Vec<LockGrant> {
    eventually("the lease is renewed in time", async || {
        let begun = Instant::now();
        let grants = locks.try_acquire_all(names, SHORT).await.unwrap()?;
        let renewed = locks.renew_all(&grants, LONG).await.unwrap();
        assert!(renewed || begun.elapsed() >= SHORT / 2, "a renewal that came in time was refused");
        assert_named(&grants, names);
        renewed.then_some(grants)
    })
    .await
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
    let renewed = acquire_and_renew(locks, &["renewed"]).await.remove(0);
    acquire(locks, "short", SHORT).await;
    acquire_after(locks, "short").await;
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
    let attempts = join_all((0..20).map(|_| locks.try_acquire("gate", LONG))).await;
    let granted: BTreeSet<u64> = attempts.into_iter().filter_map(Result::unwrap).map(|grant| grant.fence).collect();
    assert_eq!(granted.len(), 1);
}

async fn whoever_watches_a_lock_is_told_that_it_was_let_go(locks: &dyn DistributedLock) {
    let grant = acquire(locks, "gate", LONG).await;
    // A service that does not tell says so.
    let Some(mut watch) = locks.watch("gate").await.unwrap() else { return };
    assert!(locks.release(&grant).await.unwrap());
    soon("the watch is told", watch.freed()).await;
    let grant = acquire(locks, "gate", LONG).await;
    assert!(locks.release(&grant).await.unwrap());
    soon("the watch is told again", watch.freed()).await;
}

async fn of_many_who_watch_a_lock_one_after_the_other_is_told(locks: &dyn DistributedLock) {
    const WATCHERS: usize = 5;
    let served = Cell::new(0);
    let grant = acquire(locks, "gate", LONG).await;
    let serve = async || {
        let Some(mut watch) = locks.watch("gate").await.unwrap() else { return };
        let grant = loop {
            if let Some(grant) = locks.try_acquire("gate", LONG).await.unwrap() {
                break grant;
            }
            soon("one of those who wait is told", watch.freed()).await;
        };
        served.set(served.get() + 1);
        assert!(locks.release(&grant).await.unwrap());
    };
    let release = async { assert!(locks.release(&grant).await.unwrap()) };
    join(join_all((0..WATCHERS).map(|_| serve())), release).await;
    let tells = locks.watch("gate").await.unwrap().is_some();
    assert_eq!(served.get(), if tells { WATCHERS } else { 0 });
}

async fn acquire_all(locks: &dyn DistributedLock, names: &[&str], lease: Duration) -> Vec<LockGrant> {
    let grants = locks.try_acquire_all(names, lease).await.unwrap().expect("the locks are free");
    assert_named(&grants, names);
    grants
}

fn assert_named(grants: &[LockGrant], names: &[&str]) {
    assert!(grants.iter().map(|grant| grant.name.as_str()).eq(names.iter().copied()), "{grants:?}");
}

async fn many_locks_are_taken_renewed_and_released_together(locks: &dyn DistributedLock) {
    let names = ["a", "b", "c"];
    let first = acquire(locks, "b", LONG).await;
    assert!(locks.release(&first).await.unwrap());
    let grants = acquire_and_renew(locks, &names).await;
    assert!(grants[1].fence > first.fence);
    acquire(locks, "short", SHORT).await;
    acquire_after(locks, "short").await;
    for name in names {
        assert_eq!(locks.try_acquire(name, LONG).await.unwrap(), None, "{name} is still held");
    }
    assert!(locks.release_all(&grants).await.unwrap());
    assert!(!locks.release_all(&grants).await.unwrap());
    assert!(!locks.renew_all(&grants, LONG).await.unwrap());
    for name in names {
        acquire(locks, name, LONG).await;
    }
}

async fn of_many_locks_none_is_taken_if_one_is_held(locks: &dyn DistributedLock) {
    for held in ["a", "b", "c"] {
        let grant = acquire(locks, held, LONG).await;
        assert_eq!(locks.try_acquire_all(&["a", "b", "c"], LONG).await.unwrap(), None);
        assert!(locks.release(&grant).await.unwrap());
    }
    acquire_all(locks, &["a", "b", "c"], LONG).await;
}

async fn a_thousand_locks_are_taken_at_once(locks: &dyn DistributedLock) {
    let names: Vec<String> = (0..1_000).map(|number| format!("stock-{number:04}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let grants = acquire_all(locks, &names, LONG).await;
    assert_eq!(locks.try_acquire("stock-0999", LONG).await.unwrap(), None);
    assert!(locks.renew_all(&grants, LONG).await.unwrap());
    assert!(locks.release_all(&grants).await.unwrap());
    acquire_all(locks, &names, LONG).await;
}

async fn many_locks_are_not_held_any_more_once_one_of_them_is_not(locks: &dyn DistributedLock) {
    let grants = acquire_all(locks, &["a", "b", "c"], LONG).await;
    assert!(locks.release(&grants[1]).await.unwrap());
    let other = acquire(locks, "b", LONG).await;
    assert!(!locks.renew_all(&grants, LONG).await.unwrap());
    assert!(!locks.release_all(&grants).await.unwrap());
    acquire_all(locks, &["a", "c"], LONG).await;
    assert!(locks.renew(&other, LONG).await.unwrap(), "whoever has the lock now keeps it");
}

async fn of_many_who_want_many_locks_at_once_no_two_get_the_same(locks: &dyn DistributedLock) {
    // Neighbours want the same lock.
    let names: Vec<[String; 2]> = (0..20).map(|number| [number, number + 1].map(|number| format!("stock-{number:02}"))).collect();
    let wanted = names.iter().map(async |[first, second]| locks.try_acquire_all(&[first, second], LONG).await.unwrap());
    let granted: Vec<bool> = join_all(wanted).await.iter().map(Option::is_some).collect();
    assert!(granted.contains(&true), "somebody gets both");
    assert!(!granted.windows(2).any(|neighbours| neighbours == [true, true]), "{granted:?}");
}
