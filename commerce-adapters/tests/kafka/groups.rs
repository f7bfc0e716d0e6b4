use super::events::{drain, first_times, glance, messages, soon, until};
use super::shops::Shops;
use commerce_adapters::kafka::KafkaBus;
use commerce_core::messaging::{BusError, Delivery, Group, MessageBus, StartAt, Subscription, Topic};
use rdkafka::consumer::{BaseConsumer, Consumer};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

async fn subscribe(bus: &KafkaBus) -> Box<dyn Subscription> {
    bus.subscribe(Group::Stock, &[Topic::Order], StartAt::Acknowledged).await.unwrap()
}

async fn lag(bus: &KafkaBus) -> u64 {
    bus.lag(Group::Stock, &[Topic::Order]).await.unwrap()
}

/// A reader that handles and acknowledges until it is told to end.
struct Reader {
    count: Arc<AtomicUsize>,
    end: CancellationToken,
    running: JoinHandle<Result<(), BusError>>,
}

impl Reader {
    fn join(bus: &Arc<KafkaBus>, handled: &Arc<Mutex<Vec<Delivery>>>) -> Self {
        let (count, end) = (Arc::<AtomicUsize>::default(), CancellationToken::new());
        let running = tokio::spawn(Self::read(Arc::clone(bus), Arc::clone(handled), Arc::clone(&count), end.clone()));
        Self { count, end, running }
    }

    async fn read(
        bus: Arc<KafkaBus>,
        handled: Arc<Mutex<Vec<Delivery>>>,
        count: Arc<AtomicUsize>,
        end: CancellationToken,
    ) -> Result<(), BusError> {
        let mut subscription = subscribe(&bus).await;
        while let Some(polled) = end.run_until_cancelled(subscription.poll(20)).await {
            let polled = polled?;
            count.fetch_add(polled.len(), Ordering::Relaxed);
            handled.lock().unwrap().extend(polled);
            // Handling takes a while, within which others come and go.
            sleep(Duration::from_millis(5)).await;
            subscription.acknowledge().await?;
        }
        subscription.close().await
    }

    /// Waits until it has handled some more.
    async fn takes_part(&self) {
        let enough = self.count.load(Ordering::Relaxed) + 200;
        until("the reader takes part", async || self.count.load(Ordering::Relaxed) >= enough).await;
    }

    async fn leave(self) {
        self.end.cancel();
        soon("the reader leaves", self.running).await.unwrap().unwrap();
    }
}

pub(crate) async fn a_group_that_grows_and_shrinks_under_load_loses_nothing_and_keeps_the_order(shops: Shops) {
    const ORDERS: i64 = 60;
    let (bus, handled) = (Arc::new(shops.open(6).await.bus().await), Arc::<Mutex<Vec<Delivery>>>::default());
    // Given events that keep coming,
    let (feeding, enough) = (Arc::clone(&bus), CancellationToken::new());
    let until_enough = enough.clone();
    let feed = tokio::spawn(async move {
        let mut last = 0;
        while !until_enough.is_cancelled() {
            feeding.publish(&messages(last + 1, last + 20, ORDERS)).await.unwrap();
            last += 20;
            sleep(Duration::from_millis(10)).await;
        }
        last
    });
    // when a group grows from one reader to three, and shrinks to one again,
    let join = || Reader::join(&bus, &handled);
    let first = join();
    first.takes_part().await;
    let second = join();
    second.takes_part().await;
    let third = join();
    third.takes_part().await;
    first.takes_part().await;
    first.leave().await;
    second.takes_part().await;
    second.leave().await;
    third.takes_part().await;
    enough.cancel();
    let last = feed.await.unwrap();
    until("everything is acknowledged", async || lag(&bus).await == 0).await;
    third.leave().await;
    // then everything was handled, and each order's events in their order.
    let mut expected = BTreeMap::<i64, Vec<i64>>::new();
    for message in messages(1, last, ORDERS) {
        expected.entry(message.aggregate_id).or_default().push(message.id.get());
    }
    assert_eq!(first_times(handled.lock().unwrap().iter()), expected);
    let (handled, distinct) = (handled.lock().unwrap().len(), usize::try_from(last).unwrap());
    assert!(handled <= distinct + distinct / 10, "readers that leave in order leave little to be done twice: {handled} of {distinct}");
}

pub(crate) async fn what_was_not_acknowledged_when_partitions_went_comes_to_whoever_has_them(shops: Shops) {
    // Given a reader that has everything in hand and acknowledged nothing,
    let bus = shops.open(4).await.bus().await;
    bus.publish(&messages(1, 80, 20)).await.unwrap();
    let mut first = subscribe(&bus).await;
    let mut in_hand = Vec::new();
    while in_hand.len() < 80 {
        in_hand.extend(soon("a message comes", first.poll(100)).await.unwrap());
    }
    // when another one joins, and some partitions go to it while the first polls on,
    let mut second = subscribe(&bus).await;
    let mut taken_over = Vec::new();
    soon("partitions move", async {
        while taken_over.is_empty() {
            let nothing_new = glance(first.as_mut()).await;
            assert!(nothing_new.is_empty(), "what the first reader keeps does not come to it again");
            taken_over.extend(glance(second.as_mut()).await);
        }
    })
    .await;
    // and the first acknowledges afterwards,
    first.acknowledge().await.unwrap();
    // then what it still has is acknowledged, and the second gets all the rest, from the beginning.
    let left = usize::try_from(lag(&bus).await).unwrap();
    assert!((1..80).contains(&left), "some partitions went, and some stayed: {left}");
    soon("the rest comes", async {
        while taken_over.len() < left {
            taken_over.extend(second.poll(100).await.unwrap());
        }
    })
    .await;
    let went: BTreeSet<i32> = taken_over.iter().map(|delivery| delivery.source.partition).collect();
    let in_hand = in_hand.iter().filter(|delivery| went.contains(&delivery.source.partition));
    assert_eq!(first_times(&taken_over), first_times(in_hand));
    second.acknowledge().await.unwrap();
    assert_eq!(lag(&bus).await, 0);
}

pub(crate) async fn a_reader_that_was_too_slow_moves_nobody_elses_place_and_joins_again(shops: Shops) {
    // Given a reader that waits for something, with a batch in hand, for longer than its group does,
    let shop = shops.open(4).await;
    let (bus, witness) = (shop.bus().await, shop.bus().await);
    bus.publish(&messages(1, 40, 20)).await.unwrap();
    let mut slow = subscribe(&bus).await;
    let in_hand = soon("a message comes", slow.poll(10)).await.unwrap();
    assert!(!in_hand.is_empty());
    // when somebody else has taken over and handled everything,
    let mut other = subscribe(&bus).await;
    drain(other.as_mut(), 40).await;
    until("the broker knows", async || lag(&witness).await == 0).await;
    // and the slow one acknowledges at last,
    slow.acknowledge().await.unwrap();
    // then it joins again, and has its share of what comes next; nothing has gone back.
    let mut last = 40;
    soon("the slow reader takes part again", async {
        loop {
            bus.publish(&messages(last + 1, last + 20, 20)).await.unwrap();
            last += 20;
            let mine = glance(slow.as_mut()).await;
            let others = glance(other.as_mut()).await;
            assert!(mine.iter().chain(&others).all(|delivery| delivery.message.id.get() > 40), "what was acknowledged comes again");
            slow.acknowledge().await.unwrap();
            other.acknowledge().await.unwrap();
            if !mine.is_empty() {
                break;
            }
        }
    })
    .await;
}

pub(crate) async fn readers_of_the_present_leave_nothing_behind(shops: Shops) {
    // Given a reader that belongs to a group, and one that reads what happens from now on,
    let shop = shops.open(2).await;
    let bus = shop.bus().await;
    let mut stock = subscribe(&bus).await;
    let mut present = bus.subscribe(Group::Notification, &[Topic::Order], StartAt::Latest).await.unwrap();
    bus.publish(&messages(1, 10, 5)).await.unwrap();
    // when both have read, acknowledged and ended,
    for subscription in [&mut stock, &mut present] {
        drain(subscription.as_mut(), 10).await;
    }
    stock.close().await.unwrap();
    present.close().await.unwrap();
    // then the broker remembers the one that belongs to a group.
    let stranger: BaseConsumer = shop.stranger().create().unwrap();
    let remembered = |group: &str| {
        let groups = stranger.fetch_group_list(None, Duration::from_secs(10)).unwrap();
        groups.groups().iter().any(|known| known.name() == shop.name(group))
    };
    assert!(remembered("stock"));
    assert!(!remembered("notification"));
}

pub(crate) async fn readers_that_come_and_go_at_once_end(shops: Shops) {
    let bus = shops.open(2).await.bus().await;
    bus.publish(&messages(1, 20, 5)).await.unwrap();
    for round in 0..10 {
        let mut subscription = subscribe(&bus).await;
        if round % 2 == 1 {
            // It ends somewhere in the middle of joining.
            drop(glance(subscription.as_mut()).await);
        }
        if round % 3 == 0 {
            drop(subscription);
        } else {
            soon("it ends", subscription.close()).await.unwrap();
        }
    }
    let mut last = subscribe(&bus).await;
    assert_eq!(first_times(&drain(last.as_mut(), 20).await).values().flatten().count(), 20, "nothing was acknowledged before");
}
