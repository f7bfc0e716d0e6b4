//! The embedded adapters keep every promise of their ports.

use commerce_adapters::embedded::{EmbeddedBus, InProcessLocks, InProcessNotifier};
use commerce_adapters::sqlite::{Durability, SqliteOptions, SqliteStore};
use commerce_core::testing::contract;
use std::sync::Arc;
use tempfile::TempDir;

async fn open(folder: &TempDir) -> SqliteStore {
    // Every check asks for a store of its own.
    let name = format!("{}.db", std::fs::read_dir(folder.path()).unwrap().count());
    let options = SqliteOptions { durability: Durability::Relaxed, ..SqliteOptions::at(folder.path().join(name)) };
    SqliteStore::open(options).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite_store() {
    let folder = tempfile::tempdir().unwrap();
    contract::store(async || Arc::new(open(&folder).await) as _).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_process_locks() {
    contract::distributed_lock(async || Arc::new(InProcessLocks::new(Arc::new(commerce_adapters::clock::SystemClock))) as _).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_process_notifier() {
    contract::notifier(async || Arc::new(InProcessNotifier::new()) as _).await;
}
