//! What locks in Redis promise beyond their port.

use super::own_server::OwnServer;
use super::trial::own;
use commerce_adapters::random::ThreadRandom;
use commerce_adapters::redis::{Redis, RedisLocks};
use commerce_core::lock::{DistributedLock, LockGrant, LockName, Locks, Patience, Tenure};
use futures_util::future::{join, join_all};
use libtest_mimic::Trial;
use std::sync::Arc;
use std::time::{Duration, Instant};

const LEASE: Duration = Duration::from_secs(30);

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        own("locks::fences_go_on_growing_after_a_flush", fences_go_on_growing_after_a_flush),
        own("locks::a_server_that_was_restarted_is_found_again", a_server_that_was_restarted_is_found_again),
        own("locks::whoever_waits_in_another_process_is_told_of_a_release", whoever_waits_in_another_process_is_told_of_a_release),
        own("locks::a_server_that_forgot_its_scripts_is_told_again", a_server_that_forgot_its_scripts_is_told_again),
    ]
}

async fn locks_on(server: &OwnServer) -> RedisLocks {
    RedisLocks::new(Redis::connect(&server.url().parse().unwrap()).await.unwrap())
}

async fn acquire(locks: &RedisLocks) -> LockGrant {
    locks.try_acquire("gate", LEASE).await.unwrap().expect("the lock is free")
}

async fn fences_go_on_growing_after_a_flush() {
    let server = OwnServer::start(&[]);
    let locks = locks_on(&server).await;
    let before = acquire(&locks).await;
    server.ask("FLUSHALL").unwrap();
    let after = acquire(&locks).await;
    assert!(after.fence > before.fence, "{} after {}", after.fence, before.fence);
    assert!(!locks.renew(&before, LEASE).await.unwrap(), "the grant was lost");
}

async fn a_server_that_was_restarted_is_found_again() {
    let mut server = OwnServer::start(&["--appendonly", "yes", "--appendfsync", "always"]);
    let locks = locks_on(&server).await;
    let grant = acquire(&locks).await;
    server.kill();
    assert!(locks.renew(&grant, LEASE).await.is_err());
    server.begin();
    assert!(locks.renew(&grant, LEASE).await.unwrap(), "it was written down");
    assert_eq!(locks.try_acquire("gate", LEASE).await.unwrap(), None);
}

async fn a_server_that_forgot_its_scripts_is_told_again() {
    let server = OwnServer::start(&[]);
    let locks = locks_on(&server).await;
    let grant = acquire(&locks).await;
    server.ask("SCRIPT FLUSH").unwrap();
    assert!(locks.renew(&grant, LEASE).await.unwrap());
    server.ask("SCRIPT FLUSH").unwrap();
    assert!(locks.release(&grant).await.unwrap());
}

async fn whoever_waits_in_another_process_is_told_of_a_release() {
    const WAITERS: u32 = 20;
    let server = OwnServer::start(&[]);
    let (here, there) = (locks_on(&server).await, locks_on(&server).await);
    let there = Locks::new(Arc::new(there), Arc::new(ThreadRandom));
    // Whoever slept instead would take half a minute on average.
    let patience =
        Patience { base: Duration::from_mins(1), cap: Duration::from_mins(1), wait_max: Duration::from_mins(2), ..Patience::TOLD };
    let (grant, name) = (acquire(&here).await, [LockName::only("gate")]);
    let serve = async || {
        let held = there.lock(&name, Tenure::UNIT_OF_WORK, patience).await.unwrap().expect("it is let go");
        assert!(held.release().await.unwrap());
    };
    let release = async {
        while !has_listener(&server, "commerce:lock-freed:gate") {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert!(here.release(&grant).await.unwrap());
        Instant::now()
    };
    let (released, _) = join(release, join_all((0..WAITERS).map(|_| serve()))).await;
    assert!(released.elapsed() < Duration::from_secs(10), "{:?}", released.elapsed());
}

fn has_listener(server: &OwnServer, channel: &str) -> bool {
    let answer = server.ask(&format!("PUBSUB NUMSUB {channel}")).expect("the server answers");
    let (_, listeners): (String, u64) = redis::from_redis_value(answer).expect("a channel and a number");
    listeners > 0
}
