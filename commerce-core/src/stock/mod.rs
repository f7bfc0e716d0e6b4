//! Live stock: the contended heart of a shop.

mod adjust;
mod repository;
mod shelf;
mod steps;

pub use adjust::{AdjustStock, StockAdjustment};
pub use repository::StockRepository;
pub use shelf::{NewStockEntry, Reservation, Stock, StockEntry, StockEntryKind, StockError, StockQuantity};
pub use steps::StockSteps;
