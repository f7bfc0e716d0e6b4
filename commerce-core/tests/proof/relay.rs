//! The relay: nothing is lost between the outbox and the bus, and what travels twice counts once.

use crate::books::Books;
use crate::shop::Shop;
use async_trait::async_trait;
use commerce_core::OrderId;
use commerce_core::messaging::{BusError, Group, Message, MessageBus, Relay, StartAt, Subscription, Topic};
use commerce_core::order::OrderStatus;
use commerce_core::store::{Store, StoreError};
use commerce_core::testing::{Fault, FaultyStore, MemoryBus, SeededRandom};
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const LEASE: Duration = Duration::from_secs(10);

/// How publishing goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trouble {
    /// Nothing is written, and it says so.
    Refuses,
    /// Everything is written, but it says that it was not.
    Denies,
    /// Everything is written, but it never says so.
    HangsAfterwards,
    /// It hangs before anything is written.
    HangsBefore,
}

/// A bus to which publishing is troublesome.
struct Troubled(MemoryBus, Trouble);

#[async_trait]
impl MessageBus for Troubled {
    async fn publish(&self, messages: &[Message]) -> Result<(), BusError> {
        if matches!(self.1, Trouble::Denies | Trouble::HangsAfterwards) {
            self.0.publish(messages).await?;
        }
        match self.1 {
            Trouble::Refuses | Trouble::Denies => Err(BusError("no leader".into())),
            Trouble::HangsAfterwards | Trouble::HangsBefore => std::future::pending().await,
        }
    }

    async fn subscribe(&self, group: Group, topics: &[Topic], start: StartAt) -> Result<Box<dyn Subscription>, BusError> {
        self.0.subscribe(group, topics, start).await
    }

    async fn lag(&self, group: Group, topics: &[Topic]) -> Result<u64, BusError> {
        self.0.lag(group, topics).await
    }
}

fn relay(shop: &Shop, store: Arc<dyn Store>, bus: Arc<dyn MessageBus>) -> Relay {
    Relay::new(store, bus, Arc::clone(&shop.clock) as _, Arc::new(SeededRandom::new(3)), Arc::default())
}

/// A shop in which one order was placed, and whose outbox was not carried yet.
async fn shop_with_an_order() -> (Shop, OrderId) {
    let shop = Shop::open();
    let buyer = shop.user(10_000).await;
    let option = shop.option(1_000, 5).await;
    let order = shop.place(buyer, &[(option, 1)], None).await;
    (shop, order)
}

async fn undelivered(shop: &Shop) -> usize {
    shop.memory.snapshot().await.unwrap().undelivered(u32::MAX).await.unwrap().len()
}

#[tokio::test(start_paused = true)]
async fn a_relay_that_dies_leaves_its_rows_to_the_next_one_once_the_lease_is_over() {
    for trouble in [Trouble::Refuses, Trouble::Denies, Trouble::HangsAfterwards, Trouble::HangsBefore] {
        // Given a relay that dies, or fails, while it publishes,
        let (shop, order) = shop_with_an_order().await;
        let dying = relay(&shop, Arc::new(shop.memory.clone()), Arc::new(Troubled(shop.bus.clone(), trouble)));
        let outcome = tokio::time::timeout(Duration::from_secs(1), dying.carry_once()).await;
        assert!(!matches!(outcome, Ok(Ok(_))), "{trouble:?}: {outcome:?}");
        // when another one looks before the lease is over, then it takes nothing;
        assert_eq!(shop.relay.carry_once().await.unwrap(), 0, "{trouble:?}");
        // when the lease is over, then it carries everything, and what travelled twice counts once.
        shop.clock.advance(LEASE);
        assert_eq!(shop.relay.carry_once().await.unwrap(), 1, "{trouble:?}");
        shop.settle().await;
        assert_eq!(Books::close(&shop).await.orders[&order].0, OrderStatus::AwaitingPayment);
    }
}

#[tokio::test(start_paused = true)]
async fn a_relay_whose_mark_is_lost_publishes_again_without_a_second_effect() {
    for fault in [Fault::CommitUnavailable, Fault::CommitLost, Fault::CommitAmbiguous] {
        // Given a relay that publishes and then cannot write that it did,
        let (shop, order) = shop_with_an_order().await;
        let mut script = vec![None];
        script.extend([Some(fault); 8]);
        let store = Arc::new(FaultyStore::scripted(Arc::new(shop.memory.clone()), script));
        let outcome = relay(&shop, store, Arc::new(shop.bus.clone())).carry_once().await;
        assert!(outcome.is_err(), "{fault:?}");
        shop.settle().await;
        // when the lease is over and another one carries what is not marked,
        shop.clock.advance(LEASE);
        shop.settle().await;
        // then the message may have travelled twice, and the order is what it is.
        let created = shop.bus.messages(Topic::Order).iter().filter(|message| message.event_type == "OrderCreated").count();
        assert_eq!(created, if fault == Fault::CommitAmbiguous { 1 } else { 2 }, "{fault:?}");
        assert_eq!(Books::close(&shop).await.orders[&order].0, OrderStatus::AwaitingPayment);
    }
}

#[tokio::test(start_paused = true)]
async fn a_claim_that_may_have_been_stored_is_not_published() {
    let (shop, _) = shop_with_an_order().await;
    let store = Arc::new(FaultyStore::scripted(Arc::new(shop.memory.clone()), [Some(Fault::CommitAmbiguous)]));
    let outcome = relay(&shop, store, Arc::new(shop.bus.clone())).carry_once().await;
    assert!(matches!(outcome, Err(StoreError::Ambiguous(_))));
    assert_eq!(shop.bus.messages(Topic::Order), [], "somebody else may hold the claim by now");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn relays_at_work_at_the_same_time_never_take_the_same_row() {
    const ORDERS: usize = 1_200;
    // Given more events than one relay claims at once,
    let shop = Shop::open();
    let (buyer, option) = (shop.user(1_000).await, shop.option(1_000, 5).await);
    futures_util::future::join_all((0..ORDERS).map(async |_| shop.place(buyer, &[(option, 1)], None).await)).await;
    // when several relays carry them at the same time,
    let relays = (0..4).map(|_| {
        let relay = relay(&shop, Arc::new(shop.memory.clone()), Arc::new(shop.bus.clone()));
        tokio::spawn(async move { while relay.carry_once().await.unwrap() > 0 {} })
    });
    for relay in futures_util::future::join_all(relays).await {
        relay.unwrap();
    }
    // then each event travelled exactly once.
    let messages = shop.bus.messages(Topic::Order);
    let distinct: HashSet<_> = messages.iter().map(|message| message.id).collect();
    assert_eq!((messages.len(), distinct.len()), (ORDERS, ORDERS));
    assert_eq!(undelivered(&shop).await, 0);
}

#[tokio::test(start_paused = true)]
async fn a_commit_wakes_the_relay_of_its_process_and_a_shop_that_ends_leaves_nothing_to_carry() {
    // Given a shop whose relay has found nothing to do,
    let shop = Shop::open();
    let (buyer, option) = (shop.user(1_000).await, shop.option(1_000, 5).await);
    shop.commerce.start_relay();
    tokio::time::sleep(Duration::from_millis(1)).await;
    // when an order is placed, then its event travels at once;
    shop.place(buyer, &[(option, 1)], None).await;
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert_eq!(shop.bus.messages(Topic::Order).len(), 1);
    // and when the shop ends right after a commit, then that is carried, too.
    shop.place(buyer, &[(option, 1)], None).await;
    shop.commerce.shutdown().await;
    assert_eq!((shop.bus.messages(Topic::Order).len(), undelivered(&shop).await), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn a_mark_that_fails_is_made_with_the_next_claim_and_nothing_travels_twice() {
    // Given a running relay whose store is away just when it marks what it has carried,
    let (shop, _) = shop_with_an_order().await;
    let outage = vec![None, Some(Fault::BeginUnavailable)];
    let store = Arc::new(FaultyStore::scripted(Arc::new(shop.memory.clone()), outage));
    let end = CancellationToken::new();
    let running = tokio::spawn(relay(&shop, Arc::clone(&store) as _, Arc::new(shop.bus.clone())).run(end.clone()));
    // when it goes on,
    tokio::time::sleep(Duration::from_secs(30)).await;
    end.cancel();
    running.await.unwrap();
    // then the event is marked, and has travelled once.
    assert!(store.counts().begun > 2, "the outage was met");
    assert_eq!((shop.bus.messages(Topic::Order).len(), undelivered(&shop).await), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_running_relay_carries_what_comes_and_goes_on_after_an_outage() {
    // Given a relay that runs on a store that is down for a while,
    let (shop, _) = shop_with_an_order().await;
    let store = Arc::new(FaultyStore::scripted(Arc::new(shop.memory.clone()), vec![Some(Fault::BeginUnavailable); 40]));
    let end = CancellationToken::new();
    let running = tokio::spawn(relay(&shop, store, Arc::new(shop.bus.clone())).run(end.clone()));
    // when the store is back, then the outbox is drained,
    let drained = async {
        while undelivered(&shop).await > 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(10), drained).await.expect("the outbox is drained");
    // and the relay ends when it is told to.
    end.cancel();
    running.await.unwrap();
}
