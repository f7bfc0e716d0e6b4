use super::KafkaOptions;
use super::apart::EndsApart;
use super::told::Told;
use commerce_core::messaging::BusError;
use rdkafka::consumer::{Consumer, StreamConsumer};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::{Offset, TopicPartitionList};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::task::AbortOnDropHandle;

/// How long a broker may take to answer a question.
pub(super) const ANSWER_MAX: Duration = Duration::from_secs(5);

/// Asks brokers, and reads no messages.
pub(super) struct Probe {
    client: Arc<EndsApart<StreamConsumer<Told>>>,
    told: Told,
    _listening: AbortOnDropHandle<()>,
}

/// What a topic is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shape {
    pub(super) partitions: usize,
    /// Of the partition that has the fewest.
    pub(super) replicas: usize,
}

impl Probe {
    /// A probe; one that asks how far a group has come is to be given its name on the broker.
    pub(super) fn open(options: &KafkaOptions, group: Option<&str>) -> KafkaResult<Self> {
        let mut config = options.client(&[], &[("allow.auto.create.topics", "false"), ("enable.auto.commit", "false")]);
        if let Some(group) = group {
            config.set("group.id", group);
        }
        let told = Told::default();
        let client: StreamConsumer<Told> = config.create_with_context(told.clone())?;
        let client = Arc::new(EndsApart::new(client));
        let listener = Arc::clone(&client);
        // No message comes, but what the library has to tell.
        let listening = tokio::spawn(async move {
            loop {
                let _told = listener.recv().await;
            }
        });
        Ok(Self { client, told, _listening: AbortOnDropHandle::new(listening) })
    }

    /// Asks on a thread where it may block.
    async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&StreamConsumer<Told>) -> KafkaResult<T> + Send + 'static,
    ) -> Result<T, BusError> {
        let client = Arc::clone(&self.client);
        let answer = tokio::task::spawn_blocking(move || question(&client)).await;
        answer.map_err(|error| BusError(error.into()))?.map_err(|error| self.unavailable(&error))
    }

    fn unavailable(&self, error: &KafkaError) -> BusError {
        BusError(self.told.reason(error).into())
    }

    /// The shapes of topics; `None` for one that does not exist.
    pub(super) async fn shapes(&self, topics: Vec<String>) -> Result<Vec<Option<Shape>>, BusError> {
        self.ask(move |client| topics.iter().map(|topic| shape(client, topic)).collect()).await
    }

    /// Every partition of these topics.
    pub(super) async fn partitions(&self, topics: Vec<String>) -> Result<TopicPartitionList, BusError> {
        let shapes = self.shapes(topics.clone()).await?;
        let mut partitions = TopicPartitionList::new();
        for (topic, shape) in topics.iter().zip(shapes) {
            let shape = shape.ok_or_else(|| BusError(missing(&[topic.as_str()]).into()))?;
            for partition in 0..i32::try_from(shape.partitions).unwrap_or(i32::MAX) {
                partitions.add_partition(topic, partition);
            }
        }
        Ok(partitions)
    }

    /// Where partitions begin or end, whichever `at` says.
    pub(super) async fn offsets(&self, mut partitions: TopicPartitionList, at: Offset) -> Result<TopicPartitionList, BusError> {
        self.ask(move |client| {
            partitions.set_all_offsets(at)?;
            let offsets = client.offsets_for_times(partitions, ANSWER_MAX)?;
            offsets.elements().iter().try_for_each(rdkafka::topic_partition_list::TopicPartitionListElem::error)?;
            Ok(offsets)
        })
        .await
    }

    /// How far the group has acknowledged partitions.
    pub(super) async fn acknowledged(&self, partitions: TopicPartitionList) -> Result<TopicPartitionList, BusError> {
        self.ask(move |client| client.committed_offsets(partitions, ANSWER_MAX)).await
    }
}

fn shape(client: &StreamConsumer<Told>, name: &str) -> KafkaResult<Option<Shape>> {
    let metadata = client.fetch_metadata(Some(name), ANSWER_MAX)?;
    let topic = metadata.topics().iter().find(|topic| topic.name() == name && topic.error().is_none());
    Ok(topic.map(|topic| Shape {
        partitions: topic.partitions().len(),
        replicas: topic.partitions().iter().map(|partition| partition.replicas().len()).min().unwrap_or_default(),
    }))
}

/// What to say of topics that do not exist.
pub(super) fn missing(topics: &[&str]) -> String {
    format!("the brokers have no topic {}: make the topics with commerce-admin topics", topics.join(", "))
}
