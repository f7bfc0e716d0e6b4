//! Effects outside the store.

use crate::shop::Shop;
use async_trait::async_trait;
use commerce_core::messaging::{Effect, EffectConsumer, EffectError, Envelope, Event, EventType, Group, NewEvent, OrderConfirmed};
use commerce_core::store::{GroupCommit, GroupCommitLimits, Store};
use commerce_core::testing::SeededRandom;
use commerce_core::{Clock, Money, OrderId};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

const GATHER: Duration = Duration::from_secs(1);
const MANY: i64 = 1_000;

/// Counts events.
struct Tally(Arc<AtomicUsize>);

#[async_trait]
impl Effect for Tally {
    fn group(&self) -> Group {
        Group::Ranking
    }

    fn handles(&self) -> &'static [EventType] {
        &[EventType::OrderConfirmed]
    }

    async fn apply(&self, events: &[Envelope]) -> Result<(), EffectError> {
        self.0.fetch_add(events.len(), Ordering::Relaxed);
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn what_waits_in_great_number_does_not_gather_any_longer() {
    // Given more events than are read at once,
    let shop = Shop::open();
    let confirmed = |order| Event::OrderConfirmed(OrderConfirmed { order_id: OrderId::new(order).unwrap(), total: Money::ZERO });
    let mut uow = shop.memory.begin().await.unwrap();
    uow.outbox().append((1..=MANY).map(|order| NewEvent::new(confirmed(order), shop.clock.now())).collect()).await.unwrap();
    uow.commit().await.unwrap();
    shop.carry().await;
    // when an effect is had of them that lets events gather,
    let (tally, random, halt) = (Arc::new(AtomicUsize::new(0)), Arc::new(SeededRandom::new(3)), CancellationToken::new());
    let commits = GroupCommit::start(Arc::new(shop.memory.clone()), Arc::clone(&random) as _, GroupCommitLimits::default());
    let (bus, clock) = (Arc::new(shop.bus.clone()), Arc::clone(&shop.clock) as _);
    let consumer = EffectConsumer::new(Tally(Arc::clone(&tally)), &commits, bus, clock, random, GATHER);
    let begin = Instant::now();
    let running = tokio::spawn(consumer.run(halt.clone()));
    while tally.load(Ordering::Relaxed) < usize::try_from(MANY).unwrap() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    // then it is had of all of them at once.
    assert!(begin.elapsed() < GATHER, "{:?}", begin.elapsed());
    halt.cancel();
    running.await.unwrap();
}
