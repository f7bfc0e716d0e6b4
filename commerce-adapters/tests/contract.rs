//! The embedded adapters keep every promise of their ports.

#![cfg(feature = "embedded")]

use async_trait::async_trait;
use commerce_adapters::clock::SystemClock;
use commerce_adapters::embedded::{EmbeddedBus, InProcessCache, InProcessLocks, InProcessNotifier};
use commerce_adapters::sqlite::{Durability, SqliteBoard, SqliteOptions, SqliteStore};
use commerce_core::messaging::NewEvent;
use commerce_core::store::Store;
use commerce_core::testing::contract::{self, Feed};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tempfile::TempDir;

/// A store of its own for every check, in a folder that goes with the test.
async fn open(folder: &TempDir) -> SqliteStore {
    static STORES: AtomicUsize = AtomicUsize::new(0);
    let name = format!("{}.db", STORES.fetch_add(1, Ordering::Relaxed));
    let options = SqliteOptions { durability: Durability::Relaxed, ..SqliteOptions::new(folder.path().join(name)) };
    SqliteStore::open(options).await.unwrap()
}

/// Puts events into the outbox, which is the bus.
struct OutboxFeed(SqliteStore);

#[async_trait]
impl Feed for OutboxFeed {
    async fn put(&self, events: Vec<NewEvent>) {
        let mut uow = self.0.begin().await.unwrap();
        uow.outbox().append(events).await.unwrap();
        uow.commit().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn embedded_bus() {
    let folder = tempfile::tempdir().unwrap();
    let new = async || {
        let store = open(&folder).await;
        contract::BusUnderTest { bus: Arc::new(EmbeddedBus::new(store.clone())), feed: Arc::new(OutboxFeed(store)) }
    };
    contract::message_bus(new).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite_store() {
    let folder = tempfile::tempdir().unwrap();
    contract::store(async || Arc::new(open(&folder).await) as _).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn guards() {
    // How often chance is tried with each guard: every round lasts for as long as somebody stalls.
    const ROUNDS: u64 = 3;
    let folder = tempfile::tempdir().unwrap();
    contract::guards(async || Arc::new(open(&folder).await) as _, ROUNDS).await;
    contract::guard_rush(async || Arc::new(open(&folder).await) as _).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_process_locks() {
    let folder = tempfile::tempdir().unwrap();
    let new = async || Arc::new(InProcessLocks::new(Arc::new(SystemClock), open(&folder).await)) as _;
    contract::distributed_lock(new).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_process_notifier() {
    contract::notifier(async || Arc::new(InProcessNotifier::new()) as _).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite_board() {
    let folder = tempfile::tempdir().unwrap();
    contract::ranking_board(async || Arc::new(SqliteBoard::new(open(&folder).await)) as _).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_process_cache() {
    contract::read_cache(async || Arc::new(InProcessCache::new()) as _).await;
}
