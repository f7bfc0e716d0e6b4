use super::{Envelope, Group, Message, NewEvent};
use crate::store::StoreError;
use crate::{EventId, Timestamp};
use async_trait::async_trait;

/// A message a relay has claimed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxRow {
    /// The row, which is the event's id unless the message is replayed.
    pub row: EventId,
    /// The message.
    pub message: Message,
}

/// What a relay was given to carry.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Claimed {
    /// The rows, in ascending order.
    pub rows: Vec<OutboxRow>,
    /// Whether there are rows whose turn it is not, because an earlier one of their aggregate is with another relay.
    pub held_back: bool,
}

/// The events of a unit of work: written with the change that caused them, published afterwards.
#[async_trait]
pub trait OutboxRepository: Send {
    /// Adds events in the order given. Their ids, given by the store, are unique.
    async fn append(&mut self, events: Vec<NewEvent>) -> Result<(), StoreError>;

    /// The events that [`append`](Self::append) added in this unit of work since this was last asked, in the order they were added, but for those that
    /// were [claimed](Self::claim) since. Their ids count in this unit of work only: a store may give others with the commit.
    async fn appended(&mut self) -> Result<Vec<Envelope>, StoreError>;

    /// Notes in events that [`appended`](Self::appended) answered that `group` handles them in this unit of work: see [`Message::handled_by`].
    ///
    /// # Errors
    /// Fails if one of them was not appended in this unit of work, or was [claimed](Self::claim) since.
    async fn handled(&mut self, group: Group, events: &[EventId]) -> Result<(), StoreError>;

    /// Adds a message under the id it has, to be handled by [`Message::only_for`] again.
    async fn append_again(&mut self, message: &Message) -> Result<(), StoreError>;

    /// Takes at most `limit` unsent rows that nobody has claimed until after `now`, in ascending order, and claims them until `until`.
    /// Two relays MUST NOT be given the same row. A row that commits late, below one that was seen, MUST be found all the same.
    ///
    /// A row MUST NOT be given as long as an earlier one of the same topic and aggregate is unsent and with another relay, be its claim
    /// committed or not: with several relays, and after the death of one, the events of an aggregate travel in order. Such rows MUST NOT keep the
    /// rows of other aggregates from being given; a look at a few thousand of them is enough.
    async fn claim(&mut self, now: Timestamp, until: Timestamp, limit: u32) -> Result<Claimed, StoreError>;

    /// Marks rows as sent.
    async fn mark_sent(&mut self, rows: &[EventId], now: Timestamp) -> Result<(), StoreError>;
}
