//! The in-memory adapters keep the promises of the ports.

use commerce_core::coupon::InProcessGate;
use commerce_core::guard::InProcessCounter;
use commerce_core::testing::contract::{self, BusUnderTest};
use commerce_core::testing::{FaultyStore, MemoryBoard, MemoryBus, MemoryCache, MemoryLocks, MemoryNotifier, MemoryStore};
use std::sync::Arc;

#[tokio::test]
async fn the_memory_store_keeps_the_contract_of_a_store() {
    contract::store(async || Arc::new(MemoryStore::new()) as _).await;
}

#[tokio::test]
async fn a_faulty_store_without_faults_keeps_the_contract_of_a_store() {
    contract::store(async || Arc::new(FaultyStore::scripted(Arc::new(MemoryStore::new()), [])) as _).await;
}

#[tokio::test]
async fn the_memory_bus_keeps_the_contract_of_a_message_bus() {
    contract::message_bus(async || BusUnderTest::publishing(Arc::new(MemoryBus::new()))).await;
}

#[tokio::test]
async fn the_memory_locks_keep_the_contract_of_a_distributed_lock() {
    contract::distributed_lock(async || Arc::new(MemoryLocks::new()) as _).await;
}

#[tokio::test]
async fn the_memory_notifier_keeps_the_contract_of_a_notifier() {
    contract::notifier(async || Arc::new(MemoryNotifier::new()) as _).await;
}

#[tokio::test]
async fn the_gate_in_memory_keeps_the_contract_of_a_coupon_gate() {
    contract::coupon_gate(async || Arc::new(InProcessGate::new()) as _).await;
}

#[tokio::test]
async fn the_memory_board_keeps_the_contract_of_a_ranking_board() {
    contract::ranking_board(async || Arc::new(MemoryBoard::new()) as _).await;
}

#[tokio::test]
async fn the_memory_cache_keeps_the_contract_of_a_read_cache() {
    contract::read_cache(async || Arc::new(MemoryCache::new()) as _).await;
}

#[tokio::test]
async fn the_counter_in_memory_keeps_the_contract_of_an_admission_counter() {
    contract::admission_counter(async || Arc::new(InProcessCounter::new()) as _).await;
}

#[tokio::test(start_paused = true)]
async fn every_guard_keeps_its_promise_on_the_memory_store() {
    // Twice what it takes for every mishap at every step.
    contract::guards(async || Arc::new(MemoryStore::new()) as _, 52).await;
    contract::guard_rush(async || Arc::new(MemoryStore::new()) as _).await;
}
