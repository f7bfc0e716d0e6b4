use super::{NewStockEntry, Reservation, Stock, StockQuantity};
use crate::store::StoreError;
use crate::{OptionId, OrderId};
use async_trait::async_trait;

/// The stock of a unit of work.
#[async_trait]
pub trait StockRepository: Send {
    /// The stock of these options, locked until the unit of work ends, in ascending id order; unknown ids are left out.
    async fn lock(&mut self, options: &[OptionId]) -> Result<Vec<Stock>, StoreError>;

    /// Adds the stock of new options with its first ledger entries.
    ///
    /// # Errors
    /// MUST fail with [`StoreError::Duplicate`] if an option has stock.
    async fn open(&mut self, stock: &[Stock], entries: &[NewStockEntry]) -> Result<(), StoreError>;

    /// Writes stock and appends what changed it to the ledger, in the order given. The stored version becomes `version + 1`.
    ///
    /// # Errors
    /// MUST fail with [`StoreError::Conflict`] unless every stored version still is the `version` that was read.
    async fn save(&mut self, stock: &[Stock], entries: &[NewStockEntry]) -> Result<(), StoreError>;

    /// Adds `delta` units to the stock of an option by one statement, if it stays from 0 to 1,000,000,000, and answers how many there are then; `None`,
    /// and nothing is changed, if it would not, or if the option has no stock. The row is locked from then on, and its version rises. The ledger entry is
    /// left to [`save`](Self::save), which takes entries without stock.
    async fn shift(&mut self, option: OptionId, delta: i64) -> Result<Option<StockQuantity>, StoreError>;

    /// What these orders reserved less what they released, ascending by order and option. An option that an order gave back entirely is
    /// listed with zero units, an order that never reserved anything is left out.
    async fn reservations(&mut self, orders: &[OrderId]) -> Result<Vec<Reservation>, StoreError>;
}
