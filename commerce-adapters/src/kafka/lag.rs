use super::KafkaOptions;
use super::acknowledged::Acknowledged;
use super::member::Place;
use super::probe::Probe;
use commerce_core::messaging::{BusError, Group, Topic};
use rdkafka::{Offset, TopicPartitionList};
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::Mutex;

/// How far a group is behind in a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartitionLag {
    /// The topic.
    pub topic: Topic,
    /// The partition.
    pub partition: i32,
    /// How many messages it has not acknowledged.
    pub messages: u64,
}

/// Asks how far groups are behind, with a probe for each group that was ever asked for.
#[derive(Default)]
pub(super) struct Lags(Mutex<HashMap<Group, Arc<Probe>>>);

impl Lags {
    pub(super) async fn of(
        &self,
        options: &KafkaOptions,
        probe: &Probe,
        acknowledged: &Acknowledged,
        group: Group,
        topics: &[Topic],
    ) -> Result<Vec<PartitionLag>, BusError> {
        let names: HashMap<String, Topic> = topics.iter().map(|topic| (options.named(topic.name()), *topic)).collect();
        let partitions = probe.partitions(names.keys().cloned().collect()).await?;
        // In this order: what comes in between counts as unread, and nothing as read that is not there yet.
        let stored = offsets(&names, &self.member(options, group).await?.acknowledged(partitions.clone()).await?);
        let begins = offsets(&names, &probe.offsets(partitions.clone(), Offset::Beginning).await?);
        let ends = offsets(&names, &probe.offsets(partitions, Offset::End).await?);
        let lag = |(&place, &end): (&Place, &i64)| {
            let here = acknowledged.of(group, place).filter(|offset| *offset <= end);
            let read = [stored.get(&place).copied(), begins.get(&place).copied(), here].into_iter().flatten().max().unwrap_or(0);
            PartitionLag { topic: place.0, partition: place.1, messages: u64::try_from(end - read).unwrap_or(0) }
        };
        let mut lags: Vec<_> = ends.iter().map(lag).collect();
        lags.sort_unstable_by_key(|lag| (lag.topic, lag.partition));
        Ok(lags)
    }

    async fn member(&self, options: &KafkaOptions, group: Group) -> Result<Arc<Probe>, BusError> {
        let mut members = self.0.lock().await;
        if let Some(member) = members.get(&group) {
            return Ok(Arc::clone(member));
        }
        let member = Arc::new(Probe::open(options, Some(&options.named(group.name()))).map_err(|error| BusError(error.into()))?);
        members.insert(group, Arc::clone(&member));
        Ok(member)
    }
}

/// The offsets that are known.
fn offsets(names: &HashMap<String, Topic>, partitions: &TopicPartitionList) -> HashMap<Place, i64> {
    let offset = |element: &rdkafka::topic_partition_list::TopicPartitionListElem<'_>| match element.offset() {
        Offset::Offset(offset) => Some(((*names.get(element.topic())?, element.partition()), offset)),
        _ => None,
    };
    partitions.elements().iter().filter_map(offset).collect()
}
