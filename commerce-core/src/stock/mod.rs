//! Live stock: the contended heart of a shop.

mod adjust;
mod adjust_in_place;
mod repository;
mod shelf;
mod steps;

pub use adjust::{AdjustStock, StockAdjustment};
pub use adjust_in_place::{StockAdjustmentInPlace, StockRation};
pub use repository::StockRepository;
pub use shelf::{NewStockEntry, Reservation, Stock, StockEntry, StockEntryKind, StockError, StockQuantity};
pub use steps::StockSteps;
