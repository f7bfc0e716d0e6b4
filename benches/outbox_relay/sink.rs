//! A bus that takes everything at once, and looks whether it is right.

use crate::contest::waits::Waits;
use crate::figures::Verdict;
use async_trait::async_trait;
use commerce_core::messaging::{BusError, Group, Message, MessageBus, StartAt, Subscription, Topic};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use tokio::sync::Notify;

/// Where events arrive.
#[derive(Clone, Default)]
pub(super) struct Sink(Arc<Shared>);

#[derive(Default)]
struct Shared {
    arrivals: Mutex<Arrivals>,
    news: Notify,
}

#[derive(Default)]
struct Arrivals {
    events: u64,
    /// The last event of each aggregate.
    last: HashMap<i64, i64>,
    out_of_order: u64,
    since: Option<Instant>,
    waits: Option<Waits>,
}

impl Sink {
    fn arrivals(&self) -> MutexGuard<'_, Arrivals> {
        self.0.arrivals.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins to measure the time between batches.
    pub(super) fn watch(&self) {
        self.arrivals().since = Some(Instant::now());
    }

    /// Takes events over; those of an aggregate have to come in ascending order.
    pub(super) fn take(&self, events: impl Iterator<Item = (i64, i64)>) {
        let mut arrivals = self.arrivals();
        for (aggregate, event) in events {
            let last = arrivals.last.insert(aggregate, event).unwrap_or_default();
            arrivals.out_of_order += u64::from(event <= last);
            arrivals.events += 1;
        }
        let now = Instant::now();
        if let Some(since) = arrivals.since.replace(now) {
            arrivals.waits.get_or_insert_with(Waits::new).record(now - since);
        }
        drop(arrivals);
        self.0.news.notify_one();
    }

    pub(super) fn count(&self) -> u64 {
        self.arrivals().events
    }

    /// Waits until so many have arrived in all.
    pub(super) async fn arrived(&self, events: u64) {
        while self.count() < events {
            self.0.news.notified().await;
        }
    }

    /// How long each batch took, and whether so many events arrived, each once and in order.
    pub(super) fn tell(&self, written: u64) -> (Waits, Verdict) {
        let mut arrivals = self.arrivals();
        let verdict = match (arrivals.events == written, arrivals.out_of_order) {
            (true, 0) => Verdict::Right,
            (_, 0) => Verdict::Wrong(format!("{written} events were written and {} arrived", arrivals.events)),
            (_, late) => Verdict::Wrong(format!("{late} events arrived behind later ones of their order, or twice")),
        };
        (arrivals.waits.take().unwrap_or_else(Waits::new), verdict)
    }
}

#[async_trait]
impl MessageBus for Sink {
    async fn publish(&self, messages: &[Message]) -> Result<(), BusError> {
        self.take(messages.iter().map(|message| (message.aggregate_id, message.id.get())));
        Ok(())
    }

    async fn subscribe(&self, _: Group, _: &[Topic], _: StartAt) -> Result<Box<dyn Subscription>, BusError> {
        Err(BusError("nobody reads what arrived here".into()))
    }

    async fn lag(&self, _: Group, _: &[Topic]) -> Result<u64, BusError> {
        Ok(0)
    }
}
