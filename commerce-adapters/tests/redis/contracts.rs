//! The contract suites, each on every kind of servers.

use super::place::{Place, Plot};
use super::trial::shared;
use commerce_adapters::redis::{RedisBoard, RedisCache, RedisCounter, RedisGate, RedisLocks, RedisNotifier};
use commerce_core::testing::contract;
use libtest_mimic::Trial;
use std::sync::Arc;

pub(crate) fn trials() -> Vec<Trial> {
    let suites = |place| {
        [
            shared(place, "contract::coupon_gate", coupon_gate),
            shared(place, "contract::ranking_board", ranking_board),
            shared(place, "contract::admission_counter", admission_counter),
            shared(place, "contract::distributed_lock", distributed_lock),
            shared(place, "contract::notifier", notifier),
            shared(place, "contract::read_cache", read_cache),
        ]
    };
    Place::ALL.into_iter().flat_map(suites).collect()
}

async fn coupon_gate(plot: Arc<Plot>) {
    contract::coupon_gate(async || Arc::new(RedisGate::new(plot.redis().await)) as _).await;
}

async fn ranking_board(plot: Arc<Plot>) {
    contract::ranking_board(async || Arc::new(RedisBoard::new(plot.redis().await)) as _).await;
}

async fn admission_counter(plot: Arc<Plot>) {
    contract::admission_counter(async || Arc::new(RedisCounter::new(plot.redis().await)) as _).await;
}

async fn distributed_lock(plot: Arc<Plot>) {
    contract::distributed_lock(async || Arc::new(RedisLocks::new(plot.redis().await)) as _).await;
}

async fn notifier(plot: Arc<Plot>) {
    contract::notifier(async || Arc::new(RedisNotifier::new(plot.redis().await)) as _).await;
}

async fn read_cache(plot: Arc<Plot>) {
    contract::read_cache(async || Arc::new(RedisCache::new(plot.redis().await)) as _).await;
}
