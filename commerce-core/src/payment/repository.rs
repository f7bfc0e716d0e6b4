use super::Payment;
use crate::PaymentId;
use crate::store::StoreError;
use async_trait::async_trait;

/// The payments of a unit of work.
#[async_trait]
pub trait PaymentRepository: Send {
    /// Adds payments.
    ///
    /// # Errors
    /// MUST fail with [`StoreError::Duplicate`] if an id exists, or if an order would have a second payment that is
    /// [`PaymentStatus::Completed`](super::PaymentStatus::Completed): by a unique key, so that it holds whatever was read before.
    async fn insert(&mut self, payments: &[Payment]) -> Result<(), StoreError>;

    /// These payments, in ascending id order; unknown ids are left out. Callers lock the order of a payment before they change it.
    async fn find(&mut self, ids: &[PaymentId]) -> Result<Vec<Payment>, StoreError>;

    /// Writes the status of these payments.
    ///
    /// # Errors
    /// MUST fail with [`StoreError::Conflict`] if one of them does not exist.
    async fn save(&mut self, payments: &[Payment]) -> Result<(), StoreError>;
}
