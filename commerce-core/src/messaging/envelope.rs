use super::{Event, EventType, Group, Groups};
use crate::{CouponId, EventId, OrderId, TaskId, Timestamp};
use std::fmt;

const VERSION: u16 = 1;

/// What a chain of events belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Correlation {
    /// The saga of an order.
    Order(OrderId),
    /// A request for a coupon.
    Task(TaskId),
    /// What an operator asked of a coupon's gate.
    Coupon(CouponId),
}

/// Writes `order-7`, `task-7` or `coupon-7`.
impl fmt::Display for Correlation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Order(id) => write!(f, "order-{id}"),
            Self::Task(id) => write!(f, "task-{id}"),
            Self::Coupon(id) => write!(f, "coupon-{id}"),
        }
    }
}

impl Correlation {
    fn of(event: &Event) -> Self {
        match event {
            Event::OrderCreated(e) => Self::Order(e.order_id),
            Event::StockReserved(e) => Self::Order(e.order_id),
            Event::StockRejected(e) => Self::Order(e.order_id),
            Event::CouponApplied(e) => Self::Order(e.order_id),
            Event::CouponRejected(e) => Self::Order(e.order_id),
            Event::OrderConfirmed(e) => Self::Order(e.order_id),
            Event::OrderFailed(e) => Self::Order(e.order_id),
            Event::OrderPaid(e) => Self::Order(e.order_id),
            Event::OrderCancelled(e) | Event::OrderExpired(e) | Event::OrderRefunded(e) => Self::Order(e.order_id),
            Event::CouponIssueRequested(e) => Self::Task(e.task_id),
            Event::CouponIssued(e) => Self::Task(e.task_id),
            Event::CouponIssueFailed(e) => Self::Task(e.task_id),
            Event::GateRebuildAsked(e) => Self::Coupon(e.coupon_id),
        }
    }
}

/// An event on its way into the outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    /// When it happened.
    pub occurred_at: Timestamp,
    /// The W3C `traceparent` of the request that started the chain.
    pub trace_parent: Option<String>,
    /// What happened.
    pub event: Event,
}

impl NewEvent {
    /// An event without a trace.
    pub fn new(event: Event, occurred_at: Timestamp) -> Self {
        Self { occurred_at, trace_parent: None, event }
    }

    /// The event as a row or message, but for its id.
    pub fn encode(&self, id: EventId) -> Message {
        let event_type = self.event.event_type();
        Message {
            id,
            event_type: event_type.as_str().to_owned(),
            version: VERSION,
            topic: event_type.topic().name().to_owned(),
            aggregate_type: event_type.aggregate_type().as_str().to_owned(),
            aggregate_id: self.event.aggregate_id(),
            occurred_at: self.occurred_at,
            correlation: Correlation::of(&self.event).to_string(),
            trace_parent: self.trace_parent.clone(),
            only_for: None,
            handled_by: Groups::default(),
            payload: self.event.to_json(),
        }
    }
}

/// An event as it is stored and travels: nothing of it was interpreted yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Unique, and the same over every redelivery.
    pub id: EventId,
    /// The name of the event's type.
    pub event_type: String,
    /// The version of the payload.
    pub version: u16,
    /// The name of the topic.
    pub topic: String,
    /// The kind of aggregate it is about.
    pub aggregate_type: String,
    /// The aggregate: messages of a topic with the same one stay in order.
    pub aggregate_id: i64,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// What it belongs to.
    pub correlation: String,
    /// The W3C `traceparent` of the request that started the chain.
    pub trace_parent: Option<String>,
    /// The only group that is to handle it: set when a dead letter is replayed.
    pub only_for: Option<Group>,
    /// The groups that handled it in the unit of work that appended it: they have nothing left to do.
    pub handled_by: Groups,
    /// The payload as JSON.
    pub payload: String,
}

impl Message {
    /// Whether there is something left to do for a group, as far as the message itself tells.
    pub fn is_for(&self, group: Group) -> bool {
        self.only_for.is_none_or(|only| only == group) && !self.handled_by.contains(group)
    }
}

/// Why a message cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// Nobody knows the type.
    #[error("unknown event type {0:?}")]
    UnknownType(String),
    /// The payload has a version from the future.
    #[error("unknown version {version} of {event_type}")]
    UnknownVersion {
        /// The type.
        event_type: String,
        /// The version.
        version: u16,
    },
    /// The payload is not what its type says.
    #[error("the payload of {event_type} cannot be read")]
    Payload {
        /// The type.
        event_type: String,
        /// What was wrong.
        source: serde_json::Error,
    },
}

/// An event as handlers see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// Unique, and the same over every redelivery.
    pub id: EventId,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// The W3C `traceparent` of the request that started the chain.
    pub trace_parent: Option<String>,
    /// What happened.
    pub event: Event,
}

impl Envelope {
    /// Reads a message.
    ///
    /// # Errors
    /// [`DecodeError`] if its type, version or payload is not known: reading it again will not help.
    pub fn decode(message: &Message) -> Result<Self, DecodeError> {
        let event_type = || message.event_type.clone();
        let parsed = EventType::parse(&message.event_type).ok_or_else(|| DecodeError::UnknownType(event_type()))?;
        if message.version != VERSION {
            return Err(DecodeError::UnknownVersion { event_type: event_type(), version: message.version });
        }
        let event =
            Event::from_json(parsed, &message.payload).map_err(|source| DecodeError::Payload { event_type: event_type(), source })?;
        Ok(Self { id: message.id, occurred_at: message.occurred_at, trace_parent: message.trace_parent.clone(), event })
    }

    /// An event that this one leads to: it belongs to the same trace.
    pub fn leads_to(&self, event: Event, occurred_at: Timestamp) -> NewEvent {
        NewEvent { occurred_at, trace_parent: self.trace_parent.clone(), event }
    }
}
