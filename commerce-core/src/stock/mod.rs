//! Live stock: the contended heart of a shop.

mod adjust;
mod release;
mod repository;
mod reserve;
mod shelf;

pub use adjust::{AdjustStock, StockAdjustment};
pub use release::release;
pub use repository::StockRepository;
pub use reserve::StockSteps;
pub use shelf::{NewStockEntry, Reservation, Stock, StockEntry, StockEntryKind, StockError, StockQuantity};
