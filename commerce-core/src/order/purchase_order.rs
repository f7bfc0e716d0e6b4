use super::Quantity;
use crate::product::{OptionDetails, OptionName, ProductName, UnitPrice};
use crate::{ErrorCode, Money, OptionId, OrderId, ProductId, Timestamp, UserCouponId, UserId};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Why an order cannot be placed or changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OrderError {
    /// The quantity of a line, as sent or merged, is outside 1–10,000.
    #[error("the quantity of a line must be from 1 to 10000 units, also where lines with the same option are taken together")]
    InvalidQuantity,
    /// There is no line, or there are more than 100.
    #[error("an order must have 1 to 100 lines")]
    InvalidLineCount,
    /// There is no such user.
    #[error("user {0} does not exist")]
    UserNotFound(UserId),
    /// There is no such order, or it is someone else's.
    #[error("order {0} does not exist")]
    NotFound(OrderId),
    /// The order is not waiting for payment, so it cannot be cancelled.
    #[error("order {order_id} is {status}: only an order that is AWAITING_PAYMENT can be cancelled")]
    CannotCancel {
        /// The order.
        order_id: OrderId,
        /// What it is instead.
        status: OrderStatus,
    },
    /// The order is not waiting for payment, so it cannot be paid.
    #[error("order {order_id} is {status}: only an order that is AWAITING_PAYMENT can be paid")]
    CannotPay {
        /// The order.
        order_id: OrderId,
        /// What it is instead.
        status: OrderStatus,
    },
    /// The payment deadline has passed.
    #[error("the payment deadline of order {0} has passed: place the order again")]
    DeadlinePassed(OrderId),
    /// The order cannot go from the state it is in to the one asked for.
    #[error("order {order_id} cannot go from {from} to {to}")]
    InvalidTransition {
        /// The order.
        order_id: OrderId,
        /// The state it is in.
        from: OrderStatus,
        /// The state asked for.
        to: OrderStatus,
    },
}

impl OrderError {
    /// The stable code of the refusal.
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::InvalidQuantity | Self::InvalidLineCount => ErrorCode::InvalidOrderQuantity,
            Self::UserNotFound(_) => ErrorCode::InactiveUser,
            Self::NotFound(_) => ErrorCode::ResourceNotFound,
            Self::CannotCancel { .. } => ErrorCode::CannotCancelOrder,
            Self::CannotPay { .. } | Self::DeadlinePassed(_) => ErrorCode::CannotPayOrder,
            Self::InvalidTransition { .. } => ErrorCode::InternalServerError,
        }
    }
}

/// Where an order stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum OrderStatus {
    /// Placed; the saga is taking stock and coupon.
    Pending,
    /// Everything is taken; to be paid until the deadline.
    AwaitingPayment,
    /// Paid.
    Completed,
    /// A step of the saga was refused.
    Failed,
    /// Given up by its user before payment.
    Cancelled,
    /// Not paid in time.
    Expired,
    /// Paid, then given back.
    Refunded,
}

impl OrderStatus {
    /// Every status.
    pub const ALL: [Self; 7] =
        [Self::Pending, Self::AwaitingPayment, Self::Completed, Self::Failed, Self::Cancelled, Self::Expired, Self::Refunded];

    /// The status as it is written, such as `AWAITING_PAYMENT`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::AwaitingPayment => "AWAITING_PAYMENT",
            Self::Completed => "COMPLETED",
            Self::Failed => "FAILED",
            Self::Cancelled => "CANCELLED",
            Self::Expired => "EXPIRED",
            Self::Refunded => "REFUNDED",
        }
    }

    /// Reads what [`OrderStatus::as_str`] writes.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }

    /// Whether an event stream about the order ends here. A completed order can still be refunded.
    pub const fn ends_stream(self) -> bool {
        !matches!(self, Self::Pending | Self::AwaitingPayment)
    }

    /// Whether the order gave back what it had taken, or never took it.
    pub const fn holds_nothing(self) -> bool {
        matches!(self, Self::Failed | Self::Cancelled | Self::Expired | Self::Refunded)
    }

    /// Whether the states are drawn with an arrow from `self` to `next`.
    pub const fn may_become(self, next: Self) -> bool {
        matches!(
            (self, next),
            (Self::Pending, Self::AwaitingPayment | Self::Failed)
                | (Self::AwaitingPayment, Self::Completed | Self::Cancelled | Self::Expired)
                | (Self::Completed, Self::Refunded)
        )
    }
}

impl fmt::Display for OrderStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What was ordered of one option, with the names and the price of the moment its stock was reserved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderItem {
    /// The option.
    pub option_id: OptionId,
    /// The product it belonged to.
    pub product_id: ProductId,
    /// The product's name.
    pub product_name: ProductName,
    /// The option's name.
    pub option_name: OptionName,
    /// The price of one unit.
    pub unit_price: UnitPrice,
    /// How many units.
    pub quantity: Quantity,
}

impl OrderItem {
    /// Takes down what an option is and costs now.
    pub fn snapshot(details: &OptionDetails, quantity: Quantity) -> Self {
        let OptionDetails { option_id, product_id, product_name, option_name, unit_price } = details.clone();
        Self { option_id, product_id, product_name, option_name, unit_price, quantity }
    }

    /// The price of the line. It cannot overflow: a unit costs at most 10^9 and a line has at most 10^4 units.
    pub fn price(&self) -> Money {
        self.unit_price.amount().checked_mul(self.quantity.units()).unwrap_or(Money::MAX)
    }

    /// The price of all lines. It cannot overflow: there are at most 100 lines of at most 10^13 each.
    pub fn total(items: &[Self]) -> Money {
        items.iter().fold(Money::ZERO, |sum, item| sum.checked_add(item.price()).unwrap_or(Money::MAX))
    }
}

/// An order of one user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// The order's id.
    pub id: OrderId,
    /// Who ordered.
    pub user_id: UserId,
    /// The coupon to be used.
    pub user_coupon_id: Option<UserCouponId>,
    /// What was ordered; empty until the stock is reserved.
    pub items: Vec<OrderItem>,
    /// The price of the items.
    pub original_price: Money,
    /// What the coupon takes off.
    pub discount: Money,
    /// What is to be paid: original price − discount.
    pub total: Money,
    /// Where it stands.
    pub status: OrderStatus,
    /// Which step failed, of an order that is [`OrderStatus::Failed`].
    pub failure: Option<ErrorCode>,
    /// When it was placed.
    pub ordered_at: Timestamp,
    /// The payment deadline: from here on it cannot be paid.
    pub expires_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Counts the saves: a save is refused if another one came between. See [`OrderRepository::save`](super::OrderRepository::save).
    pub version: u32,
}

impl Order {
    /// Places an order; what it holds and costs is known once its stock is reserved.
    pub fn place(id: OrderId, user_id: UserId, user_coupon_id: Option<UserCouponId>, now: Timestamp, expires_at: Timestamp) -> Self {
        Self {
            id,
            user_id,
            user_coupon_id,
            items: Vec::new(),
            original_price: Money::ZERO,
            discount: Money::ZERO,
            total: Money::ZERO,
            status: OrderStatus::Pending,
            failure: None,
            ordered_at: now,
            expires_at,
            updated_at: now,
            version: 0,
        }
    }

    /// Takes over what was reserved and what comes off: the order waits for its payment.
    ///
    /// # Errors
    /// [`OrderError::InvalidTransition`] unless the order is pending.
    pub fn confirm(&mut self, items: Vec<OrderItem>, discount: Money, now: Timestamp) -> Result<(), OrderError> {
        self.become_status(OrderStatus::AwaitingPayment, now)?;
        self.original_price = OrderItem::total(&items);
        self.discount = discount.min(self.original_price);
        self.total = self.original_price.checked_sub(self.discount).unwrap_or(Money::ZERO);
        self.items = items;
        Ok(())
    }

    /// Takes down which step was refused.
    ///
    /// # Errors
    /// [`OrderError::InvalidTransition`] unless the order is pending.
    pub fn fail(&mut self, code: ErrorCode, now: Timestamp) -> Result<(), OrderError> {
        self.become_status(OrderStatus::Failed, now)?;
        self.failure = Some(code);
        Ok(())
    }

    /// Whether the order can be paid at `now`.
    ///
    /// # Errors
    /// [`OrderError::CannotPay`] unless it awaits payment, [`OrderError::DeadlinePassed`] from its deadline on.
    pub fn check_payable(&self, now: Timestamp) -> Result<(), OrderError> {
        match self.status {
            OrderStatus::AwaitingPayment if now < self.expires_at => Ok(()),
            OrderStatus::AwaitingPayment => Err(OrderError::DeadlinePassed(self.id)),
            status => Err(OrderError::CannotPay { order_id: self.id, status }),
        }
    }

    /// Marks the order as paid.
    ///
    /// # Errors
    /// What [`Order::check_payable`] says.
    pub fn complete(&mut self, now: Timestamp) -> Result<(), OrderError> {
        self.check_payable(now)?;
        self.become_status(OrderStatus::Completed, now)
    }

    /// Gives the order up.
    ///
    /// # Errors
    /// [`OrderError::CannotCancel`] unless it awaits payment.
    pub fn cancel(&mut self, now: Timestamp) -> Result<(), OrderError> {
        let refusal = OrderError::CannotCancel { order_id: self.id, status: self.status };
        self.become_status(OrderStatus::Cancelled, now).map_err(|_| refusal)
    }

    /// Whether the payment deadline has passed without a payment.
    pub fn overdue(&self, now: Timestamp) -> bool {
        self.status == OrderStatus::AwaitingPayment && now >= self.expires_at
    }

    /// Ends an order whose payment deadline has passed; whether it did.
    pub fn expire(&mut self, now: Timestamp) -> bool {
        self.overdue(now) && self.become_status(OrderStatus::Expired, now).is_ok()
    }

    /// Marks a paid order as given back.
    ///
    /// # Errors
    /// [`OrderError::InvalidTransition`] unless it is completed.
    pub fn refund(&mut self, now: Timestamp) -> Result<(), OrderError> {
        self.become_status(OrderStatus::Refunded, now)
    }

    fn become_status(&mut self, next: OrderStatus, now: Timestamp) -> Result<(), OrderError> {
        if !self.status.may_become(next) {
            return Err(OrderError::InvalidTransition { order_id: self.id, from: self.status, to: next });
        }
        self.status = next;
        self.updated_at = now;
        Ok(())
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
