use super::log::{Log, Place};
use super::{BusMischief, Shared, locked};
use crate::messaging::{BusError, Delivery, Group, Subscription, Topic};
use crate::store::Random;
use crate::testing::SeededRandom;
use async_trait::async_trait;
use std::collections::HashMap;
use std::sync::Arc;

const DUPLICATED_PERCENT: u8 = 10;
const HELD_BACK_PERCENT: u8 = 40;
const FORGOTTEN_PERCENT: u8 = 15;
const FORGOTTEN_MAX: u64 = 3;
/// Enough that a message is never held back for ever.
const TRIES_MAX: usize = 50;

/// How a subscription remembers what it has read.
pub(super) enum Mode {
    /// With its group.
    Shared(Group),
    /// For itself: the offset it reads next.
    Private(HashMap<Place, usize>),
}

/// One reader.
pub(super) struct MemorySubscription {
    shared: Arc<Shared>,
    mode: Mode,
    places: Vec<Place>,
    reader: u64,
    /// The partition the next poll begins with: each gets its turn.
    turn: usize,
}

impl MemorySubscription {
    pub(super) fn new(shared: Arc<Shared>, mode: Mode, topics: &[Topic]) -> Self {
        let reader = locked(&shared.log).new_reader();
        Self { shared, mode, places: Log::places(topics), reader, turn: 0 }
    }

    /// Whether anything is there now, held back or not.
    fn ready(&self) -> bool {
        let log = locked(&self.shared.log);
        self.places.iter().any(|place| match &self.mode {
            Mode::Shared(group) => log.can_take(*group, self.reader, *place),
            Mode::Private(offsets) => log.has_more(*place, offsets.get(place).copied().unwrap_or_default()),
        })
    }

    /// What is there now. Nothing is awaited between taking messages and answering them: a poll that is cancelled has taken none.
    fn take(&mut self, max: usize) -> Vec<Delivery> {
        let shared = Arc::clone(&self.shared);
        let (mut log, faults) = (locked(&shared.log), locked(&shared.faults));
        // Who misbehaves leaves room for repetitions.
        let room = if faults.is_some() { max - max / 4 } else { max };
        let (mut taken, mut held_back) = (Vec::new(), 0);
        self.turn += 1;
        for index in 0..self.places.len() {
            let place = self.places[(self.turn + index) % self.places.len()];
            let room = room - taken.len();
            let wanted = faults.as_ref().map_or(room, |random| hold_back(random, room)).min(room);
            let (found, more) = match &mut self.mode {
                Mode::Shared(group) => {
                    let found = log.take(*group, self.reader, place, wanted);
                    (found, log.can_take(*group, self.reader, place))
                }
                Mode::Private(offsets) => {
                    let offset = offsets.entry(place).or_default();
                    let found = log.read(place, *offset, wanted);
                    *offset += found.len();
                    (found, log.has_more(place, *offset))
                }
            };
            held_back += u64::from(wanted < room && more);
            taken.extend(found);
        }
        let Some(random) = &*faults else { return taken };
        let delivered = taken.len();
        let deliveries = duplicate(random, taken, max);
        let mut mischief = locked(&shared.mischief);
        mischief.held_back += held_back;
        mischief.overtaken += u64::from(held_back > 0 && delivered > 0);
        mischief.repeated += (deliveries.len() - delivered) as u64;
        deliveries
    }
}

/// How many messages of a partition are let through now.
fn hold_back(random: &SeededRandom, max: usize) -> usize {
    if random.happens(HELD_BACK_PERCENT) { usize::try_from(random.up_to(2)).unwrap_or(0) } else { max }
}

/// Repeats some deliveries, each right behind itself, as far as `max` allows.
fn duplicate(random: &SeededRandom, deliveries: Vec<Delivery>, max: usize) -> Vec<Delivery> {
    let mut room = max - deliveries.len();
    let mut repeated = Vec::with_capacity(max.min(2 * deliveries.len()));
    for delivery in deliveries {
        if room > 0 && random.happens(DUPLICATED_PERCENT) {
            room -= 1;
            repeated.push(delivery.clone());
        }
        repeated.push(delivery);
    }
    repeated
}

fn forgotten(random: &SeededRandom, mischief: &mut BusMischief) -> usize {
    let messages = if random.happens(FORGOTTEN_PERCENT) { random.up_to(FORGOTTEN_MAX) } else { 0 };
    mischief.forgotten += u64::from(messages > 0);
    usize::try_from(messages).unwrap_or(0)
}

#[async_trait]
impl Subscription for MemorySubscription {
    async fn poll(&mut self, max: usize) -> Result<Vec<Delivery>, BusError> {
        let shared = Arc::clone(&self.shared);
        loop {
            let mut changed = std::pin::pin!(shared.changed.notified());
            changed.as_mut().enable();
            // What is held back at one try may be let through at the next.
            let tries = if locked(&shared.faults).is_some() { TRIES_MAX } else { 1 };
            let tries = if self.ready() { tries } else { 0 };
            if let Some(taken) = (0..tries).map(|_| self.take(max.max(1))).find(|taken| !taken.is_empty()) {
                return Ok(taken);
            }
            changed.await;
        }
    }

    async fn acknowledge(&mut self) -> Result<(), BusError> {
        if let Mode::Shared(group) = self.mode {
            let (mut log, faults) = (locked(&self.shared.log), locked(&self.shared.faults));
            let forget = || faults.as_ref().map_or(0, |random| forgotten(random, &mut locked(&self.shared.mischief)));
            log.acknowledge(group, self.reader, forget);
        }
        self.shared.changed.notify_waiters();
        Ok(())
    }

    async fn close(self: Box<Self>) -> Result<(), BusError> {
        Ok(())
    }
}

impl Drop for MemorySubscription {
    fn drop(&mut self) {
        if let Mode::Shared(group) = self.mode {
            locked(&self.shared.log).leave(group, self.reader);
        }
        self.shared.changed.notify_waiters();
    }
}
