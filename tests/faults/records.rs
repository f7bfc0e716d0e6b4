//! What is in Kafka, as somebody sees it who knows nothing of the shop.

use super::servers::Server;
use super::stage::Stage;
use commerce_core::messaging::Topic;
use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::OwnedMessage;
use rdkafka::producer::{FutureProducer, FutureRecord};
use rdkafka::{ClientConfig, Message, Offset, TopicPartitionList};
use std::time::Duration;
use tokio::time::{Instant, timeout};

const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// The topics of a shop.
pub(crate) struct Records {
    config: ClientConfig,
    topics: Vec<String>,
}

impl Records {
    pub(crate) fn of(stage: &Stage) -> Self {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", stage.servers.address_of(Server::Kafka).to_string()).set("group.id", "nobody");
        let topics = Topic::ALL.iter().map(|topic| format!("{}.{}", stage.premises().name(), topic.name())).collect();
        Self { config, topics }
    }

    /// Takes everything out that is there.
    pub(crate) async fn taken_out(&self) -> Vec<OwnedMessage> {
        let (config, topics) = (self.config.clone(), self.topics.clone());
        let (records, ends) = tokio::task::spawn_blocking(move || read(&config, &topics)).await.expect("they are read");
        let admin: AdminClient<DefaultClientContext> = self.config.create().expect("a client");
        let deleted = admin.delete_records(&ends, &AdminOptions::new()).await.expect("they are taken out");
        assert!(deleted.elements().iter().all(|partition| partition.error().is_ok()), "they are taken out");
        records
    }

    /// Puts records in, in the order given.
    pub(crate) async fn written(&self, records: &[&OwnedMessage]) {
        let producer: FutureProducer = self.config.create().expect("a client");
        let mut sent = Vec::new();
        for record in records {
            let mut next = FutureRecord::<[u8], [u8]>::to(record.topic());
            next.key = record.key();
            next.payload = record.payload();
            next.headers = record.headers().cloned();
            sent.push(producer.send_result(next).map_err(|(error, _)| error).expect("there is room for it"));
        }
        for delivery in sent {
            let written = timeout(ANSWER_WITHIN, delivery).await.expect("in time").expect("the producer is there");
            written.map_err(|(error, _)| error).expect("it is written");
        }
    }

    /// Puts something into a topic that is no event.
    pub(crate) async fn spoiled(&self, topic: Topic, key: &str, headers: &[(&str, &str)], payload: &[u8]) {
        let name = self.topics.iter().find(|name| name.ends_with(&format!(".{}", topic.name()))).expect("the topic");
        let headers = headers.iter().fold(rdkafka::message::OwnedHeaders::new(), |headers, (key, value)| {
            headers.insert(rdkafka::message::Header { key, value: Some(value.as_bytes()) })
        });
        let producer: FutureProducer = self.config.create().expect("a client");
        let record = FutureRecord::to(name).key(key).payload(payload).headers(headers);
        let written = producer.send(record, ANSWER_WITHIN).await;
        written.map_err(|(error, _)| error).expect("it is written");
    }
}

/// Reads everything that is there; answers where it ends, too.
fn read(config: &ClientConfig, topics: &[String]) -> (Vec<OwnedMessage>, TopicPartitionList) {
    let consumer: BaseConsumer = config.create().expect("a client");
    let (mut from, mut ends, mut left) = (TopicPartitionList::new(), TopicPartitionList::new(), 0);
    for topic in topics {
        let metadata = consumer.fetch_metadata(Some(topic), ANSWER_WITHIN).expect("the topic");
        for partition in metadata.topics()[0].partitions() {
            let (low, high) = consumer.fetch_watermarks(topic, partition.id(), ANSWER_WITHIN).expect("where it begins and ends");
            from.add_partition_offset(topic, partition.id(), Offset::Offset(low)).expect("a place");
            ends.add_partition_offset(topic, partition.id(), Offset::Offset(high)).expect("a place");
            left += high - low;
        }
    }
    consumer.assign(&from).expect("it is read from there");
    let mut records = Vec::new();
    let deadline = Instant::now() + ANSWER_WITHIN;
    while left > 0 {
        assert!(Instant::now() < deadline, "{left} records do not come");
        if let Some(found) = consumer.poll(Duration::from_millis(100)) {
            let found = found.expect("a record").detach();
            let end = ends.find_partition(found.topic(), found.partition()).map(|end| end.offset());
            if end.and_then(Offset::to_raw).is_some_and(|end| found.offset() < end) {
                records.push(found);
                left -= 1;
            }
        }
    }
    (records, ends)
}
