use super::apart::EndsApart;
use super::member::Member;
use super::wire;
use async_trait::async_trait;
use commerce_core::messaging::{BusError, Delivery, Source, Subscription};
use futures_util::{FutureExt, StreamExt};
use rdkafka::consumer::{CommitMode, Consumer, StreamConsumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::BorrowedMessage;
use rdkafka::{Message, Offset, TopicPartitionList};
use std::time::Duration;

/// How long storing the last acknowledgement and leaving the group may take.
const CLOSE_MAX: Duration = Duration::from_secs(10);

/// How long what a subscription does with its acknowledgements lasts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Memory {
    /// The broker keeps them for the group.
    Kept,
    /// Nobody keeps them.
    None,
}

/// One reader.
pub(super) struct KafkaSubscription {
    consumer: EndsApart<StreamConsumer<Member>>,
    member: Member,
    memory: Memory,
    /// What went wrong behind the messages that were answered last.
    failed: Option<BusError>,
}

impl KafkaSubscription {
    pub(super) fn new(consumer: StreamConsumer<Member>, memory: Memory) -> Self {
        let member = Member::clone(consumer.context());
        Self { consumer: EndsApart::new(consumer), member, memory, failed: None }
    }

    /// Waits for something and takes what is there then, perhaps nothing that matters.
    async fn take(&mut self, max: usize) -> Result<Vec<Delivery>, BusError> {
        let mut deliveries = Vec::new();
        let mut messages = self.consumer.stream();
        // Nothing is in hand while it waits: a poll that is given up has taken nothing.
        let mut found = messages.next().await;
        // What was taken away before this message came, the message is none of.
        self.member.taken_away();
        let failed = loop {
            match found.map(|found| self.met(found)).transpose() {
                Ok(delivery) => deliveries.extend(delivery.flatten()),
                Err(error) => break Some(error),
            }
            found = if deliveries.len() < max { messages.next().now_or_never().flatten() } else { None };
            if found.is_none() {
                break None;
            }
        };
        drop(messages);
        // A partition went while its messages were taken: they come again to whoever has it now.
        let taken_away = self.member.taken_away();
        deliveries.retain(|Delivery { source, .. }| !taken_away.contains(&(source.topic, source.partition)));
        match failed {
            Some(error) if deliveries.is_empty() => Err(error),
            failed => {
                self.failed = failed;
                Ok(deliveries)
            }
        }
    }

    fn unavailable(&self, error: &KafkaError) -> BusError {
        BusError(self.member.told().reason(error).into())
    }

    /// Answers what a message is; `None` if an error was met that passes by itself.
    fn met(&self, found: Result<BorrowedMessage<'_>, KafkaError>) -> Result<Option<Delivery>, BusError> {
        match found {
            Ok(message) => Ok(self.member.topic(message.topic()).map(|topic| {
                let source = Source { topic, partition: message.partition(), offset: message.offset() };
                wire::delivery(source, &message)
            })),
            Err(error) if passes(&error) => {
                tracing::debug!(group = self.member.group().name(), %error, "reading goes on by itself");
                Ok(None)
            }
            Err(error) => Err(self.unavailable(&error)),
        }
    }
}

/// Whether the client library mends this itself. One that was too slow for its group joins it anew at the next poll.
fn passes(error: &KafkaError) -> bool {
    use RDKafkaErrorCode as Code;
    let KafkaError::MessageConsumption(code) = error else { return false };
    matches!(
        code,
        Code::BrokerTransportFailure
            | Code::AllBrokersDown
            | Code::Resolve
            | Code::OperationTimedOut
            | Code::WaitingForCoordinator
            | Code::PollExceeded
            | Code::NotLeaderForPartition
            | Code::LeaderNotAvailable
            | Code::CoordinatorNotAvailable
            | Code::NotCoordinator
            | Code::CoordinatorLoadInProgress
            | Code::RequestTimedOut
            | Code::NetworkException
            | Code::BrokerNotAvailable
    )
}

#[async_trait]
impl Subscription for KafkaSubscription {
    async fn poll(&mut self, max: usize) -> Result<Vec<Delivery>, BusError> {
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        let deliveries = loop {
            let deliveries = self.take(max.max(1)).await?;
            if !deliveries.is_empty() {
                break deliveries;
            }
        };
        for delivery in &deliveries {
            self.member.polled(delivery.source);
        }
        Ok(deliveries)
    }

    async fn acknowledge(&mut self) -> Result<(), BusError> {
        let polled = self.member.take_polled();
        if self.memory == Memory::None || polled.is_empty() {
            return Ok(());
        }
        let mut offsets = TopicPartitionList::new();
        for ((topic, partition), offset) in &polled {
            let name = self.member.name(*topic).unwrap_or_default();
            offsets.add_partition_offset(name, *partition, Offset::Offset(*offset)).map_err(|error| self.unavailable(&error))?;
        }
        match self.consumer.store_offsets(&offsets) {
            Ok(()) => {
                self.member.acknowledged(polled);
                Ok(())
            }
            // All of them are somebody else's by now: they come again there.
            Err(KafkaError::StoreOffset(RDKafkaErrorCode::State | RDKafkaErrorCode::UnknownPartition)) => Ok(()),
            Err(error) => Err(self.unavailable(&error)),
        }
    }

    async fn close(self: Box<Self>) -> Result<(), BusError> {
        let Self { consumer, member, memory, .. } = *self;
        let store = move |consumer: &StreamConsumer<Member>| match memory {
            Memory::Kept => consumer.commit_consumer_state(CommitMode::Sync),
            Memory::None => Ok(()),
        };
        let late = || BusError(format!("the group was not left within {} s", CLOSE_MAX.as_secs()).into());
        match tokio::time::timeout(CLOSE_MAX, consumer.end(store)).await.map_err(|_late| late())? {
            Some(Ok(()) | Err(KafkaError::ConsumerCommit(RDKafkaErrorCode::NoOffset))) => Ok(()),
            Some(Err(error)) => Err(BusError(member.told().reason(&error).into())),
            None => Err(BusError("the reader ended by itself".into())),
        }
    }
}
