use super::ending::{Ending, Scene};
use crate::books::Books;
use crate::shop::Shop;
use async_trait::async_trait;
use commerce_core::messaging::{
    BusError, Consumer, Delivery, Envelope, Event, EventHandler, EventType, Group, MessageBus, Rejection, SagaPace, StartAt, Subscription,
    Topic,
};
use commerce_core::order::{OrderLine, OrderLines, OrderSteps, PlaceOrder, PlaceOrders, Quantity};
use commerce_core::stock::StockSteps;
use commerce_core::store::{GroupCommit, GroupCommitLimits, PageLimit, StoreError, UnitOfWork};
use commerce_core::testing::{Fault, MemoryBus, SeededRandom};
use commerce_core::{OptionId, OrderId, Sequence, Timestamp};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How a handler breaks the batch that an event is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Breaks {
    Never,
    Panics,
    Corrupt,
    Conflicts,
    Rejects,
}

/// Takes a unit from a shelf for each order that is created, and breaks at one of them.
struct Clumsy {
    shelf: OptionId,
    at: OrderId,
    breaks: Breaks,
}

#[async_trait]
impl EventHandler for Clumsy {
    fn group(&self) -> Group {
        Group::Ranking
    }

    fn handles(&self) -> &'static [EventType] {
        &[EventType::OrderCreated]
    }

    async fn handle(&self, uow: &mut dyn UnitOfWork, events: &[Envelope]) -> Result<Vec<Result<(), Rejection>>, StoreError> {
        let broken = |envelope: &Envelope| matches!(&envelope.event, Event::OrderCreated(created) if created.order_id == self.at);
        let rejected = events.iter().filter(|envelope| self.breaks == Breaks::Rejects && broken(envelope)).count();
        let units = i64::try_from(events.len() - rejected).unwrap();
        let mut stock = uow.stock().lock(&[self.shelf]).await?.remove(0);
        let entry = stock.adjust(-units, "taken", Timestamp::from_millis(0)).unwrap();
        uow.stock().save(&[stock], &[entry]).await?;
        match self.breaks {
            Breaks::Panics => assert!(!events.iter().any(broken), "the handler panics"),
            Breaks::Corrupt if events.iter().any(broken) => return Err(StoreError::Corrupt("the handler cannot".to_owned())),
            Breaks::Conflicts if events.iter().any(broken) => return Err(StoreError::Conflict),
            _ => {}
        }
        Ok(events
            .iter()
            .map(|envelope| if rejected > 0 && broken(envelope) { Err(Rejection("not that".to_owned())) } else { Ok(()) })
            .collect())
    }
}

#[tokio::test(start_paused = true)]
async fn an_event_that_breaks_its_batch_even_alone_is_put_aside_and_its_neighbours_are_handled() {
    for breaks in [Breaks::Panics, Breaks::Corrupt, Breaks::Conflicts, Breaks::Rejects] {
        // Given twenty orders, of which one breaks the handler,
        let shop = Shop::open();
        let (buyer, option, shelf) = (shop.user(0).await, shop.option(1_000, 100).await, shop.option(1_000, 100).await);
        let mut orders = Vec::new();
        for _ in 0..20 {
            orders.push(shop.place(buyer, &[(option, 1)], None).await);
        }
        shop.carry().await;
        // when they are handled,
        let at = orders[7];
        shop.consume(Clumsy { shelf, at, breaks }).await;
        // then that one is put aside with its reason, and the others took effect once.
        let letters = shop.queries().dead_letters(None, PageLimit::default()).await.unwrap();
        assert_eq!(letters.len(), 1, "{breaks:?}: {letters:?}");
        assert_eq!((letters[0].letter.group, letters[0].letter.message.aggregate_id), (Group::Ranking, at.get()));
        assert!(!letters[0].letter.reason.is_empty());
        assert_eq!(Books::under_way(&shop).await.stock[&shelf], 100 - 19, "{breaks:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_effect_that_nothing_but_the_inbox_guards_takes_place_once_however_often_its_event_comes() {
    for seed in 0..8 {
        // Given orders, a store that often fails, and a bus that repeats and forgets what was acknowledged,
        let mut shop = Shop::open();
        let (buyer, option, shelf) = (shop.user(0).await, shop.option(1_000, 100).await, shop.option(1_000, 100).await);
        let mut at = None;
        for _ in 0..20 {
            at = Some(shop.place(buyer, &[(option, 1)], None).await);
        }
        shop.carry().await;
        shop.trouble(seed, 40);
        // when everything is delivered again and again to a handler that counts what it gets,
        for _ in 0..3 {
            shop.repeat_history().await;
            shop.consume(Clumsy { shelf, at: at.unwrap(), breaks: Breaks::Never }).await;
        }
        // then it has counted each order once.
        assert_eq!(Books::under_way(&shop).await.stock[&shelf], 100 - 20, "seed {seed}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_effect_in_the_commit_of_its_event_takes_place_once_however_often_the_event_comes() {
    for breaks in [Breaks::Never, Breaks::Corrupt] {
        // Given a handler that counts what it gets, in the process that places the orders, and that breaks once or not at all,
        let mut shop = Shop::open();
        let (buyer, option, shelf) = (shop.user(0).await, shop.option(1_000, 100).await, shop.option(1_000, 100).await);
        let random = Arc::new(SeededRandom::new(1));
        let commits = GroupCommit::start(Arc::new(shop.memory.clone()), Arc::clone(&random) as _, GroupCommitLimits::default());
        let desk = commits.desk(PlaceOrders { clock: Arc::clone(&shop.clock) as _, payment_deadline: Duration::from_mins(15) });
        let lines = OrderLines::merge(&[OrderLine { option_id: option, quantity: Quantity::new(1).unwrap() }]).unwrap();
        let mut ids: Vec<OrderId> = Vec::new();
        for _ in 0..20 {
            ids.push(shop.commerce.next_id(Sequence::Order).await.unwrap());
        }
        let (bus, clock) = (Arc::new(shop.bus.clone()), Arc::clone(&shop.clock) as _);
        let handler = Clumsy { shelf, at: ids[7], breaks };
        let _consumer = Consumer::new(handler, &commits, bus, clock, random, SagaPace::WithinCommit);
        for id in ids.iter().copied() {
            let command = PlaceOrder { id, user_id: buyer, user_coupon_id: None, lines: lines.clone(), trace_parent: None };
            desk.submit(command).await.unwrap().unwrap();
        }
        commits.shutdown().await;
        let at_once = if breaks == Breaks::Never { 20 } else { 19 };
        assert_eq!(Books::under_way(&shop).await.stock[&shelf], 100 - at_once, "{breaks:?}");
        // when all the events come by message, again and again, to one that never breaks,
        shop.carry().await;
        shop.trouble(3, 40);
        for _ in 0..3 {
            shop.repeat_history().await;
            shop.consume(Clumsy { shelf, at: ids[7], breaks: Breaks::Never }).await;
        }
        // then it has counted each order once: with its commit, or else by its message.
        assert_eq!(Books::under_way(&shop).await.stock[&shelf], 100 - 20, "{breaks:?}");
    }
}

/// A bus of whose calls many fail, after they have done what was asked for or before.
#[derive(Clone)]
struct Flaky {
    bus: MemoryBus,
    random: Arc<SeededRandom>,
}

impl Flaky {
    fn call(&self) -> Result<(), BusError> {
        if self.random.happens(40) { Err(BusError("the broker is gone".into())) } else { Ok(()) }
    }
}

#[async_trait]
impl MessageBus for Flaky {
    async fn publish(&self, messages: &[commerce_core::messaging::Message]) -> Result<(), BusError> {
        self.bus.publish(messages).await
    }

    async fn subscribe(&self, group: Group, topics: &[Topic], start: StartAt) -> Result<Box<dyn Subscription>, BusError> {
        self.call()?;
        Ok(Box::new(FlakySubscription { inner: self.bus.subscribe(group, topics, start).await?, flaky: self.clone() }))
    }

    async fn lag(&self, group: Group, topics: &[Topic]) -> Result<u64, BusError> {
        self.bus.lag(group, topics).await
    }
}

struct FlakySubscription {
    inner: Box<dyn Subscription>,
    flaky: Flaky,
}

#[async_trait]
impl Subscription for FlakySubscription {
    async fn poll(&mut self, _max: usize) -> Result<Vec<Delivery>, BusError> {
        let polled = self.inner.poll(1).await?;
        self.flaky.call().map(|()| polled)
    }

    async fn acknowledge(&mut self) -> Result<(), BusError> {
        self.flaky.call()?;
        self.inner.acknowledge().await
    }

    async fn close(self: Box<Self>) -> Result<(), BusError> {
        self.inner.close().await
    }
}

#[tokio::test(start_paused = true)]
async fn a_bus_that_fails_again_and_again_loses_and_repeats_nothing() {
    // Given several orders, and a bus that fails at polls, acknowledgements and subscriptions,
    let scene = Scene::set().await;
    let shop = &scene.shop;
    for _ in 0..6 {
        shop.place(scene.buyer, &[(scene.options[0], 1)], None).await;
    }
    let flaky = || Arc::new(Flaky { bus: shop.bus.clone(), random: Arc::new(SeededRandom::new(5)) });
    // when the saga goes on through it,
    shop.carry().await;
    shop.consume_from(flaky(), StockSteps { clock: Arc::clone(&shop.clock) as _ }).await;
    shop.carry().await;
    shop.consume_from(flaky(), OrderSteps { clock: Arc::clone(&shop.clock) as _ }).await;
    shop.settle().await;
    // then five orders have their unit, and one has none.
    let books = Books::close(shop).await;
    assert_eq!(books.stock[&scene.options[0]], 0);
    let waiting = books.orders.values().filter(|(status, _)| *status == commerce_core::order::OrderStatus::AwaitingPayment);
    assert_eq!(waiting.count(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_consumer_that_is_stopped_during_an_outage_leaves_its_events_to_the_next_one() {
    // Given an order, and a consumer that works on a store that is down,
    let scene = Scene::set().await;
    let order = scene.shop.place(scene.buyer, &[(scene.options[0], 2), (scene.options[1], 3)], Some(scene.coupon)).await;
    scene.shop.carry().await;
    scene.shop.faults.script(vec![Some(Fault::BeginUnavailable); 10_000]);
    let stop = CancellationToken::new();
    let steps = StockSteps { clock: Arc::clone(&scene.shop.clock) as _ };
    let running = tokio::spawn(scene.shop.consumer(Arc::new(scene.shop.bus.clone()), steps).run(stop.clone()));
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    assert!(scene.shop.faults.counts().begin_unavailable > 0, "it has tried");
    // when it is stopped, then it ends, although the store is still down;
    stop.cancel();
    tokio::time::timeout(std::time::Duration::from_mins(1), running).await.expect("it ends").unwrap();
    // and the next one handles everything once the store is back.
    scene.shop.faults.heal();
    scene.shop.settle().await;
    Ending::Awaiting.check(&scene, order).await;
}
