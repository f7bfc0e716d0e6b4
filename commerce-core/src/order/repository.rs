use super::Order;
use crate::OrderId;
use crate::store::StoreError;
use async_trait::async_trait;

/// The orders of a unit of work.
#[async_trait]
pub trait OrderRepository: Send {
    /// Adds orders that were just placed; they have no items yet.
    ///
    /// # Errors
    /// MUST fail with [`StoreError::Duplicate`], at the latest with the commit, if an id exists.
    async fn insert(&mut self, orders: &[Order]) -> Result<(), StoreError>;

    /// These orders with their items, locked until the unit of work ends, in ascending id order; unknown ids are left out.
    async fn lock(&mut self, ids: &[OrderId]) -> Result<Vec<Order>, StoreError>;

    /// Writes orders. The stored version becomes `version + 1`. Items MUST be written when an order leaves
    /// [`OrderStatus::Pending`](super::OrderStatus::Pending) with them, and never change afterwards.
    ///
    /// # Errors
    /// MUST fail with [`StoreError::Conflict`] unless every stored version still is the `version` that was read.
    async fn save(&mut self, orders: &[Order]) -> Result<(), StoreError>;
}
