//! Events: how they are written with the change that caused them, travel, and are handled exactly once.

mod bury;
mod bus;
mod consumer;
mod dead_letter;
mod effect;
mod envelope;
mod event;
mod inbox;
mod outbox;
mod reader;
mod relay;
mod work;

pub use bus::{BusError, Delivery, MessageBus, Source, StartAt, Subscription};
pub(crate) use consumer::follow_within_commit;
pub use consumer::{Consumer, EventHandler, Rejection, SagaPace};
pub use dead_letter::{DeadLetter, DeadLetterCopy, DeadLetterRepository, NewDeadLetter, ReplayDeadLetter, ReplayDeadLetters};
pub use effect::{Effect, EffectConsumer, EffectError};
pub use envelope::{Correlation, DecodeError, Envelope, Message, NewEvent};
pub use event::{
    AggregateType, CouponApplied, CouponIssueFailed, CouponIssueRequested, CouponIssued, CouponRejected, Event, EventType,
    GateRebuildAsked, OrderClosed, OrderConfirmed, OrderCreated, OrderFailed, OrderPaid, SoldUnits, StockRejected, StockReserved, Topic,
};
pub use inbox::{Group, Groups, InboxRepository};
pub use outbox::{Claimed, OutboxRepository, OutboxRow};
pub use reader::fan_out;
pub use relay::Relay;
pub(crate) use work::topics;
