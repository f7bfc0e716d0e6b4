//! What locks in Redis promise beyond their port.

use super::own_server::OwnServer;
use super::trial::own;
use commerce_adapters::redis::{Redis, RedisLocks};
use commerce_core::lock::{DistributedLock, LockGrant};
use libtest_mimic::Trial;
use std::time::Duration;

const LEASE: Duration = Duration::from_secs(30);

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        own("locks::fences_go_on_growing_after_a_flush", fences_go_on_growing_after_a_flush),
        own("locks::a_server_that_was_restarted_is_found_again", a_server_that_was_restarted_is_found_again),
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
