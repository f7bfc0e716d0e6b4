//! Several relays at once: whatever becomes of them, the events of an aggregate travel in order.

use async_trait::async_trait;
use commerce_core::messaging::{
    BusError, Event, Group, Message, MessageBus, NewEvent, OrderConfirmed, Relay, StartAt, Subscription, Topic,
};
use commerce_core::store::{Random, Store};
use commerce_core::testing::{Fault, FaultyStore, MemoryStore, SeededRandom};
use commerce_core::{Clock, EventId, Money, OrderId, Timestamp};
use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

const AGGREGATES: u64 = 6;
const COMMITS: usize = 60;

/// The clock by which tokio's timers go off.
struct TimerClock(Instant);

impl Clock for TimerClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(0).plus(self.0.elapsed())
    }
}

/// A bus that takes its time, longer than any claim now and then, breaks off anywhere, and denies what it has done.
struct Slow {
    log: Mutex<Vec<Message>>,
    random: SeededRandom,
}

#[async_trait]
impl MessageBus for Slow {
    async fn publish(&self, messages: &[Message]) -> Result<(), BusError> {
        for message in messages {
            if self.random.happens(2) {
                sleep(Duration::from_secs(self.random.up_to(25))).await;
            } else if self.random.happens(30) {
                sleep(Duration::from_millis(self.random.up_to(40))).await;
            }
            if self.random.happens(4) {
                return Err(BusError("it broke off".into()));
            }
            self.log.lock().unwrap().push(message.clone());
        }
        if self.random.happens(10) { Err(BusError("it denies".into())) } else { Ok(()) }
    }

    async fn subscribe(&self, _: Group, _: &[Topic], _: StartAt) -> Result<Box<dyn Subscription>, BusError> {
        Err(BusError("nobody reads".into()))
    }

    async fn lag(&self, _: Group, _: &[Topic]) -> Result<u64, BusError> {
        Ok(0)
    }
}

/// Appends one to three events of few aggregates in each of many commits; answers the ids of each aggregate in the order of the commits.
async fn append(store: &MemoryStore, random: &SeededRandom, wake: &Notify) -> BTreeMap<i64, Vec<EventId>> {
    let mut appended = BTreeMap::<i64, Vec<EventId>>::new();
    for _ in 0..COMMITS {
        let event = |_| {
            let order_id = OrderId::new(1 + i64::try_from(random.up_to(AGGREGATES - 1)).unwrap()).unwrap();
            NewEvent::new(Event::OrderConfirmed(OrderConfirmed { order_id, total: Money::ZERO }), Timestamp::from_millis(0))
        };
        let mut uow = store.begin().await.unwrap();
        uow.outbox().append((0..=random.up_to(2)).map(event).collect()).await.unwrap();
        for envelope in uow.outbox().appended().await.unwrap() {
            appended.entry(envelope.event.aggregate_id()).or_default().push(envelope.id);
        }
        uow.commit().await.unwrap();
        wake.notify_one();
        sleep(Duration::from_millis(random.up_to(300))).await;
    }
    appended
}

/// Runs relays one after the other, each until it is killed, wherever it is then.
async fn relays_that_die(new: impl Fn() -> Relay, random: Arc<SeededRandom>, end: CancellationToken) {
    while !end.is_cancelled() {
        let relay = tokio::spawn(new().run(CancellationToken::new()));
        let _end = end.run_until_cancelled(sleep(Duration::from_millis(random.up_to(20_000)))).await;
        relay.abort();
    }
}

#[tokio::test(start_paused = true)]
async fn events_of_an_aggregate_travel_in_order_whatever_becomes_of_the_relays() {
    for seed in 0..40 {
        // Given relays in several processes that are killed now and then, on a store and a bus that fail,
        let (store, random) = (MemoryStore::new(), Arc::new(SeededRandom::new(seed)));
        let faulty = Arc::new(FaultyStore::seeded(Arc::new(store.clone()), seed, 10, &Fault::ALL));
        let bus = Arc::new(Slow { log: Mutex::default(), random: SeededRandom::new(seed + 1_000) });
        let (clock, wake, end) = (Arc::new(TimerClock(Instant::now())), Arc::new(Notify::new()), CancellationToken::new());
        let processes: Vec<_> = (0..3)
            .map(|_| {
                let (faulty, bus, clock, wake) = (Arc::clone(&faulty), Arc::clone(&bus), Arc::clone(&clock), Arc::clone(&wake));
                let (dice, random) = (Arc::clone(&random), Arc::clone(&random));
                let new = move || {
                    let (store, bus, clock) = (Arc::clone(&faulty) as _, Arc::clone(&bus) as _, Arc::clone(&clock) as _);
                    Relay::new(store, bus, clock, Arc::clone(&random) as _, Arc::clone(&wake))
                };
                tokio::spawn(relays_that_die(new, dice, end.clone()))
            })
            .collect();
        // when events are appended and everything is carried,
        let appended = append(&store, &random, &wake).await;
        let carried = async {
            while !store.snapshot().await.unwrap().undelivered(1).await.unwrap().is_empty() {
                sleep(Duration::from_millis(100)).await;
            }
        };
        timeout(Duration::from_hours(1), carried).await.unwrap_or_else(|_| panic!("seed {seed}: something is left"));
        end.cancel();
        for process in processes {
            process.await.unwrap();
        }
        // then every event has travelled, for the first time behind all that came before it.
        let (mut seen, mut travelled) = (HashSet::new(), BTreeMap::<i64, Vec<EventId>>::new());
        for message in bus.log.lock().unwrap().iter().filter(|message| seen.insert(message.id)) {
            travelled.entry(message.aggregate_id).or_default().push(message.id);
        }
        assert_eq!(travelled, appended, "seed {seed}");
    }
}
