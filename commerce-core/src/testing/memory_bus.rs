//! A message bus in memory that works like Kafka: partitions by aggregate id, and groups with acknowledged offsets.

mod log;
mod subscription;
#[cfg(test)]
mod tests;

use self::log::Log;
use self::subscription::{MemorySubscription, Mode};
use super::SeededRandom;
use crate::messaging::{BusError, Group, Message, MessageBus, StartAt, Subscription, Topic};
use async_trait::async_trait;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// A [`MessageBus`] in memory. Clones share their messages.
///
/// Readers of a group share its partitions: who polls messages of a partition has it for itself until it acknowledges them or is dropped,
/// and in the second case they come again. With [`misbehave`](Self::misbehave) messages come twice, late, and in another order but for
/// those with the same aggregate id.
#[derive(Clone, Default)]
pub struct MemoryBus {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    log: Mutex<Log>,
    changed: Notify,
    faults: Mutex<Option<SeededRandom>>,
    mischief: Mutex<BusMischief>,
    has_dead_letter_topics: AtomicBool,
}

/// How often a bus has misbehaved.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BusMischief {
    /// Deliveries that came twice.
    pub repeated: u64,
    /// Times that messages of a partition were there and not delivered.
    pub held_back: u64,
    /// Times that messages of other partitions were delivered before those.
    pub overtaken: u64,
    /// Acknowledgements of which a part was forgotten, so that messages come again.
    pub forgotten: u64,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl MemoryBus {
    /// A bus without messages.
    pub fn new() -> Self {
        Self::default()
    }

    /// From now on duplicates deliveries and holds messages back, as `seed` says.
    pub fn misbehave(&self, seed: u64) {
        *locked(&self.shared.faults) = Some(SeededRandom::new(seed));
    }

    /// From now on delivers each message as soon as possible and, unless it has to, once.
    pub fn behave(&self) {
        *locked(&self.shared.faults) = None;
        self.shared.changed.notify_waiters();
    }

    /// How often it has misbehaved so far.
    pub fn mischief(&self) -> BusMischief {
        *locked(&self.shared.mischief)
    }

    /// From now on copies of dead letters travel to topics of their own.
    pub fn have_dead_letter_topics(&self) {
        self.shared.has_dead_letter_topics.store(true, Ordering::Relaxed);
    }

    /// All copies of dead letters, in the order they were published.
    pub fn dead_letter_copies(&self) -> Vec<Message> {
        locked(&self.shared.log).copies().to_vec()
    }

    /// All messages of a topic, those of the same aggregate in the order they were published.
    pub fn messages(&self, topic: Topic) -> Vec<Message> {
        locked(&self.shared.log).messages(topic)
    }
}

#[async_trait]
impl MessageBus for MemoryBus {
    async fn publish(&self, messages: &[Message]) -> Result<(), BusError> {
        locked(&self.shared.log).append(messages)?;
        self.shared.changed.notify_waiters();
        Ok(())
    }

    async fn subscribe(&self, group: Group, topics: &[Topic], start: StartAt) -> Result<Box<dyn Subscription>, BusError> {
        let mode = match start {
            StartAt::Acknowledged => Mode::Shared(group),
            StartAt::Latest => Mode::Private(locked(&self.shared.log).ends(topics)),
        };
        Ok(Box::new(MemorySubscription::new(Arc::clone(&self.shared), mode, topics)))
    }

    async fn lag(&self, group: Group, topics: &[Topic]) -> Result<u64, BusError> {
        Ok(locked(&self.shared.log).lag(group, topics))
    }

    fn has_dead_letter_topics(&self) -> bool {
        self.shared.has_dead_letter_topics.load(Ordering::Relaxed)
    }
}
