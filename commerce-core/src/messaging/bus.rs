use super::{Group, Message, Topic};
use async_trait::async_trait;
use std::error::Error;

/// Why the bus could not do its work. It will pass: callers wait and try again.
#[derive(Debug, thiserror::Error)]
#[error("the message bus is unavailable")]
pub struct BusError(#[from] pub Box<dyn Error + Send + Sync>);

/// Where a message was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Source {
    /// The topic.
    pub topic: Topic,
    /// The partition.
    pub partition: i32,
    /// The place in the partition.
    pub offset: i64,
}

/// A message handed to a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Where it was found.
    pub source: Source,
    /// The message.
    pub message: Message,
    /// Why the bus could not read it, if it could not: somebody else has written it. The message then holds what there was to read, under an
    /// id that no event has and that is the same whenever it comes.
    pub unreadable: Option<String>,
}

impl Delivery {
    /// A message that could be read.
    pub const fn new(source: Source, message: Message) -> Self {
        Self { source, message, unreadable: None }
    }
}

/// Where a group begins to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartAt {
    /// Behind what it acknowledged last; at the very beginning if it never did.
    Acknowledged,
    /// Behind everything there is now: for groups whose effects matter to the present process only. Nothing is acknowledged durably.
    Latest,
}

/// A log of messages that several groups read, each at its own pace.
///
/// Delivery is at least once, and in order among messages with the same aggregate id. A message MAY come twice; consumers use the inbox.
#[async_trait]
pub trait MessageBus: Send + Sync {
    /// Writes messages durably. A bus that reads the outbox itself has nothing to do here.
    ///
    /// # Errors
    /// [`BusError`] if it is not certain that all of them are written; some of them may be.
    async fn publish(&self, messages: &[Message]) -> Result<(), BusError>;

    /// Begins to read topics on behalf of a group.
    ///
    /// # Errors
    /// [`BusError`] if the bus cannot be reached.
    async fn subscribe(&self, group: Group, topics: &[Topic], start: StartAt) -> Result<Box<dyn Subscription>, BusError>;

    /// How many messages of its topics a group has not acknowledged.
    ///
    /// # Errors
    /// [`BusError`] if the bus cannot be reached.
    async fn lag(&self, group: Group, topics: &[Topic]) -> Result<u64, BusError>;

    /// Whether a copy of each dead letter is to travel to the topic [`Topic::dead_letter_name`] too. The letter in the store is what counts.
    fn has_dead_letter_topics(&self) -> bool {
        false
    }
}

/// One reader of a group.
#[async_trait]
pub trait Subscription: Send {
    /// Waits for at least one message and answers at most `max`. Messages that were polled but not acknowledged come again after the
    /// subscription is dropped. It MUST be safe to cancel: a message is lost to nobody.
    ///
    /// # Errors
    /// [`BusError`] if the bus cannot be reached.
    async fn poll(&mut self, max: usize) -> Result<Vec<Delivery>, BusError>;

    /// Notes that everything polled so far is handled. It MAY become durable a moment later; [`close`](Self::close) waits for that.
    ///
    /// # Errors
    /// [`BusError`] if the bus cannot be reached.
    async fn acknowledge(&mut self) -> Result<(), BusError>;

    /// Ends the subscription; what was acknowledged is durable then.
    ///
    /// # Errors
    /// [`BusError`] if the bus cannot be reached.
    async fn close(self: Box<Self>) -> Result<(), BusError>;
}
