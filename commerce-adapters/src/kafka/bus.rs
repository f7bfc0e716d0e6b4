use super::KafkaOptions;
use super::acknowledged::Acknowledged;
use super::lag::{Lags, PartitionLag};
use super::member::Member;
use super::probe::{Probe, missing};
use super::publisher::Publisher;
use super::subscription::{KafkaSubscription, Memory};
use async_trait::async_trait;
use commerce_core::messaging::{BusError, Group, Message, MessageBus, StartAt, Subscription, Topic};
use rdkafka::consumer::{Consumer, StreamConsumer};
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaConfRes;
use rdkafka::{Offset, TopicPartitionList};
use std::sync::Arc;

/// What a reader begins with.
const DEFAULTS: [(&str, &str); 7] = [
    // A process that was killed is missed after this time, and others take over its partitions.
    ("session.timeout.ms", "10000"),
    ("heartbeat.interval.ms", "2000"),
    // One that lives and cannot go on, because its store does not answer, leaves its partitions to others after this time.
    ("max.poll.interval.ms", "60000"),
    // An acknowledgement is stored this much later: after a kill so much comes again, and the inbox passes it over.
    ("auto.commit.interval.ms", "500"),
    ("fetch.wait.max.ms", "500"),
    // What is read ahead, of a partition and altogether.
    ("queued.min.messages", "10000"),
    ("queued.max.messages.kbytes", "16384"),
];

/// Partitions move one by one: a member that is busy, or waits for its store, keeps nobody else from reading meanwhile. What is acknowledged is
/// what the reader says, and never what was fetched.
const MUSTS: [(&str, &str); 3] =
    [("partition.assignment.strategy", "cooperative-sticky"), ("enable.auto.offset.store", "false"), ("allow.auto.create.topics", "false")];

/// Why the bus cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// A property that cannot be so. Its value is not shown: it may be a secret.
    #[error("the Kafka property {property} cannot be set so: {reason}")]
    Property {
        /// The property.
        property: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// Properties that do not go together.
    #[error("Kafka cannot be used with these properties: {0}")]
    Properties(String),
    /// No broker answers.
    #[error("no Kafka broker at {brokers} answers: {reason}")]
    Unreachable {
        /// Where it was tried.
        brokers: String,
        /// What went wrong last.
        reason: String,
    },
    /// Topics the shop needs.
    #[error("{}", missing(&.0.iter().map(String::as_str).collect::<Vec<_>>()))]
    TopicsMissing(Vec<String>),
}

impl From<KafkaError> for ConnectError {
    fn from(error: KafkaError) -> Self {
        match error {
            KafkaError::ClientConfig(RDKafkaConfRes::RD_KAFKA_CONF_UNKNOWN, _, property, _) => {
                Self::Property { property, reason: "there is no such property" }
            }
            KafkaError::ClientConfig(_, _, property, _) => Self::Property { property, reason: "it does not take this value" },
            error => Self::Properties(error.to_string()),
        }
    }
}

impl ConnectError {
    pub(super) fn unreachable(options: &KafkaOptions, error: &BusError) -> Self {
        Self::Unreachable { brokers: options.brokers().to_owned(), reason: error.0.to_string() }
    }
}

/// A message bus on Kafka. Messages with the same aggregate id are in one partition, and stay in order there.
///
/// It must be made and used within a tokio runtime.
pub struct KafkaBus {
    options: KafkaOptions,
    probe: Probe,
    publisher: Publisher,
    acknowledged: Arc<Acknowledged>,
    lags: Lags,
}

impl KafkaBus {
    /// Connects to the brokers. One must answer within five seconds, and have all topics.
    ///
    /// # Errors
    /// [`ConnectError`].
    pub async fn connect(options: &KafkaOptions) -> Result<Self, ConnectError> {
        let (probe, publisher) = (Probe::open(options, None)?, Publisher::open(options)?);
        let names = topic_names(options);
        let shapes = probe.shapes(names.clone()).await.map_err(|error| ConnectError::unreachable(options, &error))?;
        let missing: Vec<_> = names.into_iter().zip(shapes).filter(|(_, shape)| shape.is_none()).map(|(name, _)| name).collect();
        if !missing.is_empty() {
            return Err(ConnectError::TopicsMissing(missing));
        }
        Ok(Self { options: options.clone(), probe, publisher, acknowledged: Arc::default(), lags: Lags::default() })
    }

    /// Whether a broker answers.
    ///
    /// # Errors
    /// [`BusError`] if none does within five seconds.
    pub async fn ping(&self) -> Result<(), BusError> {
        self.probe.shapes(vec![self.options.named(Topic::Order.name())]).await.map(drop)
    }

    /// Waits until everything that was published is written. Close the subscriptions first.
    ///
    /// # Errors
    /// [`BusError`] if it takes too long.
    pub async fn close(&self) -> Result<(), BusError> {
        self.publisher.flush().await
    }

    /// How many messages of each partition a group has not acknowledged.
    ///
    /// # Errors
    /// [`BusError`] if the brokers cannot be asked.
    pub async fn partition_lags(&self, group: Group, topics: &[Topic]) -> Result<Vec<PartitionLag>, BusError> {
        self.lags.of(&self.options, &self.probe, &self.acknowledged, group, topics).await
    }

    fn names(&self, topics: &[Topic]) -> Vec<String> {
        topics.iter().map(|topic| self.options.named(topic.name())).collect()
    }

    /// A reader that nobody has told yet what to read.
    fn reader(&self, group: Group, topics: &[Topic], musts: &[(&str, &str)]) -> Result<StreamConsumer<Member>, BusError> {
        let musts: Vec<_> = MUSTS.iter().chain(musts).copied().collect();
        let mut config = self.options.client(&DEFAULTS, &musts);
        config.set("group.id", self.options.named(group.name()));
        let names = self.names(topics).into_iter().zip(topics.iter().copied());
        config
            .create_with_context(Member::new(group, names, Arc::clone(&self.acknowledged)))
            .map_err(|error| BusError(ConnectError::from(error).into()))
    }

    /// Shares the topics with the other members of the group.
    fn join(&self, group: Group, topics: &[Topic]) -> Result<StreamConsumer<Member>, BusError> {
        let reader = self.reader(group, topics, &[("enable.auto.commit", "true"), ("auto.offset.reset", "earliest")])?;
        let names = self.names(topics);
        reader.subscribe(&names.iter().map(String::as_str).collect::<Vec<_>>()).map_err(|error| BusError(error.into()))?;
        Ok(reader)
    }

    /// Reads every partition for itself, from its end on. It belongs to no group, so that it leaves nothing behind on the brokers.
    fn follow(&self, group: Group, topics: &[Topic], ends: &TopicPartitionList) -> Result<StreamConsumer<Member>, BusError> {
        let reader = self.reader(group, topics, &[("enable.auto.commit", "false"), ("auto.offset.reset", "latest")])?;
        reader.assign(ends).map_err(|error| BusError(error.into()))?;
        Ok(reader)
    }
}

/// Every topic of a shop, its dead letters included.
pub(super) fn topic_names(options: &KafkaOptions) -> Vec<String> {
    Topic::ALL.into_iter().flat_map(|topic| [topic.name(), topic.dead_letter_name()]).map(|name| options.named(name)).collect()
}

#[async_trait]
impl MessageBus for KafkaBus {
    async fn publish(&self, messages: &[Message]) -> Result<(), BusError> {
        let known = |name: &str| Topic::ALL.iter().any(|topic| [topic.name(), topic.dead_letter_name()].contains(&name));
        if let Some(stray) = messages.iter().find(|message| !known(&message.topic)) {
            return Err(BusError(format!("unknown topic {:?}", stray.topic).into()));
        }
        let messages: Vec<_> = messages.iter().map(|message| (self.options.named(&message.topic), message)).collect();
        self.publisher.publish(&messages).await
    }

    async fn subscribe(&self, group: Group, topics: &[Topic], start: StartAt) -> Result<Box<dyn Subscription>, BusError> {
        let partitions = self.probe.partitions(self.names(topics)).await?;
        let (reader, memory) = match start {
            StartAt::Acknowledged => (self.join(group, topics)?, Memory::Kept),
            StartAt::Latest => (self.follow(group, topics, &self.probe.offsets(partitions, Offset::End).await?)?, Memory::None),
        };
        Ok(Box::new(KafkaSubscription::new(reader, memory)))
    }

    async fn lag(&self, group: Group, topics: &[Topic]) -> Result<u64, BusError> {
        Ok(self.partition_lags(group, topics).await?.iter().map(|partition| partition.messages).sum())
    }

    fn has_dead_letter_topics(&self) -> bool {
        true
    }
}
