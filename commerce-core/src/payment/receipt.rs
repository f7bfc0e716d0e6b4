use crate::order::OrderError;
use crate::point::PointError;
use crate::{ErrorCode, Money, OrderId, PaymentId, Timestamp, UserId};
use std::fmt;

/// Why a payment cannot be made or given back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PaymentError {
    /// The order cannot be paid.
    #[error(transparent)]
    Order(#[from] OrderError),
    /// The points do not suffice, or cannot be given back.
    #[error(transparent)]
    Point(#[from] PointError),
    /// There is no such payment, or it is someone else's.
    #[error("payment {0} does not exist")]
    NotFound(PaymentId),
    /// The payment is not completed, so it cannot be given back.
    #[error("payment {payment_id} is {status}: only a COMPLETED payment can be refunded")]
    CannotRefund {
        /// The payment.
        payment_id: PaymentId,
        /// What it is instead.
        status: PaymentStatus,
    },
}

impl PaymentError {
    /// The stable code of the refusal.
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::Order(refusal) => refusal.code(),
            Self::Point(refusal) => refusal.code(),
            Self::NotFound(_) => ErrorCode::ResourceNotFound,
            Self::CannotRefund { .. } => ErrorCode::CannotRefundPayment,
        }
    }
}

/// With what an order is paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PaymentMethod {
    /// The user's points.
    Point,
}

impl PaymentMethod {
    /// The method as it is written: `POINT`.
    pub const fn as_str(self) -> &'static str {
        "POINT"
    }

    /// Reads `POINT`.
    pub fn parse(text: &str) -> Option<Self> {
        (text == "POINT").then_some(Self::Point)
    }
}

/// How a payment ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PaymentStatus {
    /// The order is paid.
    Completed,
    /// The attempt was refused.
    Failed,
    /// The points were given back.
    Refunded,
}

impl PaymentStatus {
    /// The status as it is written: `COMPLETED`, `FAILED` or `REFUNDED`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Completed => "COMPLETED",
            Self::Failed => "FAILED",
            Self::Refunded => "REFUNDED",
        }
    }

    /// Reads what [`PaymentStatus::as_str`] writes.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Completed, Self::Failed, Self::Refunded].into_iter().find(|status| status.as_str() == text)
    }
}

impl fmt::Display for PaymentStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An attempt to pay an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    /// The payment's id.
    pub id: PaymentId,
    /// The order.
    pub order_id: OrderId,
    /// Who paid.
    pub user_id: UserId,
    /// With what.
    pub method: PaymentMethod,
    /// How much: the order's total.
    pub amount: Money,
    /// How it ended.
    pub status: PaymentStatus,
    /// Why it failed, of a payment that is [`PaymentStatus::Failed`].
    pub failure: Option<ErrorCode>,
    /// When it was made.
    pub at: Timestamp,
}

impl Payment {
    /// Gives the payment back.
    ///
    /// # Errors
    /// [`PaymentError::CannotRefund`] unless it is completed.
    pub fn refund(&mut self) -> Result<(), PaymentError> {
        match self.status {
            PaymentStatus::Completed => {
                self.status = PaymentStatus::Refunded;
                Ok(())
            }
            status => Err(PaymentError::CannotRefund { payment_id: self.id, status }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_completed_payment_is_refunded_and_once() {
        let mut payment = Payment {
            id: PaymentId::new(1).unwrap(),
            order_id: OrderId::new(1).unwrap(),
            user_id: UserId::new(1).unwrap(),
            method: PaymentMethod::Point,
            amount: Money::ZERO,
            status: PaymentStatus::Completed,
            failure: None,
            at: Timestamp::from_millis(0),
        };
        assert_eq!(payment.refund(), Ok(()));
        assert_eq!(payment.refund().unwrap_err().code(), ErrorCode::CannotRefundPayment);
        payment.status = PaymentStatus::Failed;
        assert_eq!(payment.refund().unwrap_err().code(), ErrorCode::CannotRefundPayment);
    }
}
