//! Payments: points for an order, once.

mod pay;
mod receipt;
mod refund;
mod repository;

pub use pay::{Pay, PayOrder};
pub use receipt::{Payment, PaymentError, PaymentMethod, PaymentStatus};
pub use refund::{Refund, RefundPayment};
pub use repository::PaymentRepository;
