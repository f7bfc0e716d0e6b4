use super::{OptionDetails, Product};
use crate::OptionId;
use crate::store::StoreError;
use async_trait::async_trait;

/// The products of a unit of work.
#[async_trait]
pub trait ProductRepository: Send {
    /// Adds products with their options; their stock is opened through [`StockRepository::open`](crate::stock::StockRepository::open).
    ///
    /// # Errors
    /// MUST fail with [`StoreError::Duplicate`] if an id exists.
    async fn insert(&mut self, products: &[Product]) -> Result<(), StoreError>;

    /// The present names and prices of these options, in ascending id order; unknown ids are left out. Nothing is locked.
    async fn option_details(&mut self, ids: &[OptionId]) -> Result<Vec<OptionDetails>, StoreError>;
}
