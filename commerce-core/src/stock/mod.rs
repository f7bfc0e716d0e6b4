//! Live stock: the contended heart of a shop.

mod adjust;
mod repository;
mod steps;
mod shelf;

pub use adjust::{AdjustStock, StockAdjustment};
pub use repository::StockRepository;
pub use steps::StockSteps;
pub use shelf::{NewStockEntry, Reservation, Stock, StockEntry, StockEntryKind, StockError, StockQuantity};
