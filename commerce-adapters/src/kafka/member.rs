use super::acknowledged::Acknowledged;
use super::told::Told;
use commerce_core::messaging::{Group, Source, Topic};
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, ConsumerContext, Rebalance};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::{ClientContext, TopicPartitionList};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A partition of a topic.
pub(super) type Place = (Topic, i32);

/// A member of a group: what it has polled of the partitions it holds at present.
#[derive(Clone)]
pub(super) struct Member {
    group: Group,
    told: Told,
    /// What the topics are called on the broker.
    topics: Arc<HashMap<String, Topic>>,
    acknowledged: Arc<Acknowledged>,
    hands: Arc<Mutex<Hands>>,
}

#[derive(Default)]
struct Hands {
    /// The offset behind what was polled and is not acknowledged.
    polled: HashMap<Place, i64>,
    /// What was taken away since that was last asked.
    taken_away: Vec<Place>,
}

impl Member {
    pub(super) fn new(group: Group, topics: impl IntoIterator<Item = (String, Topic)>, acknowledged: Arc<Acknowledged>) -> Self {
        let topics = Arc::new(topics.into_iter().collect());
        Self { group, told: Told::default(), topics, acknowledged, hands: Arc::default() }
    }

    pub(super) const fn group(&self) -> Group {
        self.group
    }

    pub(super) const fn told(&self) -> &Told {
        &self.told
    }

    pub(super) fn topic(&self, name: &str) -> Option<Topic> {
        self.topics.get(name).copied()
    }

    pub(super) fn name(&self, topic: Topic) -> Option<&str> {
        self.topics.iter().find(|(_, known)| **known == topic).map(|(name, _)| name.as_str())
    }

    /// The partitions that were taken away since this was last asked.
    pub(super) fn taken_away(&self) -> Vec<Place> {
        std::mem::take(&mut self.hands().taken_away)
    }

    /// Notes that everything up to here is in the hands of the reader.
    pub(super) fn polled(&self, Source { topic, partition, offset }: Source) {
        self.hands().polled.insert((topic, partition), offset + 1);
    }

    /// What was polled of the partitions that are still held; it is asked once.
    pub(super) fn take_polled(&self) -> HashMap<Place, i64> {
        std::mem::take(&mut self.hands().polled)
    }

    /// Notes that what was polled is on its way to the brokers' memory.
    pub(super) fn acknowledged(&self, polled: HashMap<Place, i64>) {
        self.acknowledged.note(self.group, polled);
    }

    fn hands(&self) -> MutexGuard<'_, Hands> {
        self.hands.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn places(&self, partitions: &TopicPartitionList) -> Vec<Place> {
        let place = |(topic, partition): (String, i32)| Some((self.topic(&topic)?, partition));
        partitions.to_topic_map().into_keys().filter_map(place).collect()
    }
}

impl ClientContext for Member {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.told.log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.told.error(error, reason);
    }

    fn stats_raw(&self, statistics: &[u8]) {
        self.told.stats_raw(statistics);
    }
}

impl ConsumerContext for Member {
    /// Lets go of what others are to have now. This runs within a poll, and never beside an acknowledgement.
    fn pre_rebalance(&self, _: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        let group = self.group.name();
        match rebalance {
            Rebalance::Assign(partitions) => {
                tracing::debug!(group, partitions = partitions.count(), "partitions come");
                self.acknowledged.forget(self.group, &self.places(partitions));
            }
            Rebalance::Revoke(partitions) => {
                let places = self.places(partitions);
                tracing::debug!(group, partitions = places.len(), "partitions go");
                let mut hands = self.hands();
                hands.polled.retain(|place, _| !places.contains(place));
                hands.taken_away.extend(places);
            }
            Rebalance::Error(error) => tracing::warn!(group, %error, "partitions cannot be shared out"),
        }
    }

    fn commit_callback(&self, result: KafkaResult<()>, _: &TopicPartitionList) {
        match result {
            Ok(()) | Err(KafkaError::ConsumerCommit(RDKafkaErrorCode::NoOffset)) => {}
            Err(error) => tracing::debug!(group = self.group.name(), %error, "an acknowledgement is not stored: some messages come again"),
        }
    }
}
