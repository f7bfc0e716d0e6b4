use crate::database::Database;
use commerce_adapters::mysql::MysqlLocks;
use commerce_core::lock::{DistributedLock, LockGrant};
use commerce_core::store::{Store, StoreError};
use commerce_core::testing::contract;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep};

const LEASE: Duration = Duration::from_secs(2);
const DEADLINE: Duration = Duration::from_secs(20);

async fn until_granted(locks: &MysqlLocks, name: &str) -> LockGrant {
    let deadline = Instant::now() + DEADLINE;
    loop {
        if let Some(grant) = locks.try_acquire(name, LEASE).await.unwrap() {
            return grant;
        }
        assert!(Instant::now() < deadline, "the lock is never let go");
        sleep(Duration::from_millis(20)).await;
    }
}

/// The locks keep every promise of their port. Names are the same in every check: what the one before holds is let go first.
pub(crate) async fn contract_of_locks(database: Database) {
    let new = async || {
        database.hang_up_all().await;
        Arc::new(MysqlLocks::new(database.options())) as _
    };
    contract::distributed_lock(new).await;
}

/// A process that stalls holds a lock no longer than its lease, by the clock of the server, and its connection is gone.
pub(crate) async fn a_stalled_process_loses_its_locks_on_the_server(database: Database) {
    let stalled = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (options, granted_after) = (database.options(), Instant::now());
    let (stalled, grant) = tokio::task::spawn_blocking(move || {
        let grant = stalled.block_on(async { MysqlLocks::new(options).try_acquire("job", LEASE).await.unwrap().unwrap() });
        // From now on nothing of it runs.
        (stalled, grant)
    })
    .await
    .unwrap();
    let locks = MysqlLocks::new(database.options());
    let next = until_granted(&locks, "job").await;
    assert!(granted_after.elapsed() >= LEASE, "{:?}", granted_after.elapsed());
    assert!(next.fence > grant.fence);
    stalled.shutdown_background();
}

/// A grant alone is enough to keep the holder before from writing.
pub(crate) async fn whoever_held_a_lock_before_cannot_write_once_it_is_granted_anew(database: Database) {
    let (store, locks) = (database.store().await, MysqlLocks::new(database.options()));
    let first = until_granted(&locks, "job").await;
    assert!(locks.release(&first).await.unwrap());
    let second = until_granted(&locks, "job").await;
    let mut uow = store.begin().await.unwrap();
    let refused = uow.fences().claim(&[first.fence()]).await;
    assert!(matches!(refused, Err(StoreError::Fenced { .. })), "{refused:?}");
    drop(uow);
    let mut uow = store.begin().await.unwrap();
    uow.fences().claim(&[second.fence()]).await.unwrap();
    uow.commit().await.unwrap();
    store.close().await;
}

/// Locks of another database on the same server are other locks.
pub(crate) async fn a_lock_of_one_database_is_free_in_another(database: Database) {
    let here = MysqlLocks::new(database.options());
    until_granted(&here, "job").await;
    database
        .beside(async |other| {
            let there = MysqlLocks::new(other.options());
            assert!(there.try_acquire("job", LEASE).await.unwrap().is_some());
            assert!(here.try_acquire("job", LEASE).await.unwrap().is_none());
        })
        .await;
}
