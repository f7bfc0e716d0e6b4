use crate::messaging::Event;
use crate::order::{Order, OrderStatus};
use crate::{ErrorCode, Money, OrderId, Timestamp};
use serde::{Deserialize, Serialize};

/// What a client that watches an order is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderUpdate {
    /// The order.
    pub id: OrderId,
    /// Where it stands.
    pub status: OrderStatus,
    /// What is to be paid, or was.
    pub total_price: Money,
    /// Which step failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure_code: Option<ErrorCode>,
    /// Since when it stands there.
    pub at: Timestamp,
}

impl OrderUpdate {
    /// The present state of an order.
    pub fn of(order: &Order) -> Self {
        Self { id: order.id, status: order.status, total_price: order.total, failure_code: order.failure, at: order.updated_at }
    }

    pub(super) fn from_event(event: &Event, at: Timestamp) -> Option<Self> {
        let update = |id, status, total_price| Some(Self { id, status, total_price, failure_code: None, at });
        match event {
            Event::OrderConfirmed(e) => update(e.order_id, OrderStatus::AwaitingPayment, e.total),
            Event::OrderPaid(e) => update(e.order_id, OrderStatus::Completed, e.total),
            Event::OrderCancelled(e) => update(e.order_id, OrderStatus::Cancelled, e.total),
            Event::OrderExpired(e) => update(e.order_id, OrderStatus::Expired, e.total),
            Event::OrderRefunded(e) => update(e.order_id, OrderStatus::Refunded, e.total),
            Event::OrderFailed(e) => {
                update(e.order_id, OrderStatus::Failed, Money::ZERO).map(|it| Self { failure_code: Some(e.code), ..it })
            }
            _ => None,
        }
    }

    /// How far along an order is: updates that do not lead further are old news.
    pub(crate) const fn progress(&self) -> u8 {
        match self.status {
            OrderStatus::Pending => 0,
            OrderStatus::AwaitingPayment => 1,
            OrderStatus::Completed | OrderStatus::Failed | OrderStatus::Cancelled | OrderStatus::Expired => 2,
            OrderStatus::Refunded => 3,
        }
    }
}
