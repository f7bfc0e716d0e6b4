use crate::order::Quantity;
use crate::{ErrorCode, OptionId, OrderId, StockEntryId, Timestamp};

const STOCK_MAX: i64 = 1_000_000_000;

/// Why stock cannot be taken or changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StockError {
    /// The number of units would leave 0–1,000,000,000.
    #[error("stock must stay from 0 to {STOCK_MAX}")]
    OutOfRange,
    /// Fewer units are left than asked for.
    #[error("option {option_id} has {left} units left: order fewer, or another option")]
    OutOfStock {
        /// The option.
        option_id: OptionId,
        /// The units left.
        left: u32,
    },
    /// There is no such option.
    #[error("option {0} does not exist")]
    OptionNotFound(OptionId),
}

impl StockError {
    /// The stable code of the refusal.
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::OutOfRange => ErrorCode::InvalidStock,
            Self::OutOfStock { .. } => ErrorCode::OutOfStock,
            Self::OptionNotFound(_) => ErrorCode::OptionNotFound,
        }
    }
}

/// Units on the shelf: 0–1,000,000,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct StockQuantity(u32);

impl StockQuantity {
    /// Sold out.
    pub const ZERO: Self = Self(0);
    /// The most units of an option.
    pub const MAX: i64 = STOCK_MAX;

    /// Checks a number of units.
    ///
    /// # Errors
    /// [`StockError::OutOfRange`] outside 0–1,000,000,000.
    pub fn new(units: i64) -> Result<Self, StockError> {
        match u32::try_from(units) {
            Ok(small) if units <= STOCK_MAX => Ok(Self(small)),
            _ => Err(StockError::OutOfRange),
        }
    }

    /// The number of units.
    pub const fn units(self) -> u32 {
        self.0
    }
}

/// Why the number of units changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StockEntryKind {
    /// The option was put on sale.
    Initial,
    /// An administrator counted or restocked.
    Adjust,
    /// An order took units.
    Reserve,
    /// An order gave units back.
    Release,
}

impl StockEntryKind {
    /// The kind as it is stored: `INITIAL`, `ADJUST`, `RESERVE` or `RELEASE`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Initial => "INITIAL",
            Self::Adjust => "ADJUST",
            Self::Reserve => "RESERVE",
            Self::Release => "RELEASE",
        }
    }

    /// Reads what [`StockEntryKind::as_str`] writes.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Initial, Self::Adjust, Self::Reserve, Self::Release].into_iter().find(|kind| kind.as_str() == text)
    }
}

/// A line of the stock ledger that is not stored yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewStockEntry {
    /// The option.
    pub option_id: OptionId,
    /// Why.
    pub kind: StockEntryKind,
    /// By how many units; negative if they left the shelf.
    pub delta: i64,
    /// The order that took or gave back.
    pub order_id: Option<OrderId>,
    /// What the administrator wrote.
    pub reason: Option<String>,
    /// When.
    pub at: Timestamp,
}

/// A line of the append-only stock ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StockEntry {
    /// Rises with every change of the same option.
    pub id: StockEntryId,
    /// What happened.
    pub change: NewStockEntry,
}

/// What an order reserved of an option, less what it released.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reservation {
    /// The order.
    pub order_id: OrderId,
    /// The option.
    pub option_id: OptionId,
    /// The units it holds at present; zero once everything was given back.
    pub units: u32,
}

/// The units of one option.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stock {
    /// The option.
    pub option_id: OptionId,
    /// The units left.
    pub quantity: StockQuantity,
    /// Counts the saves: a save is refused if another one came between. See [`StockRepository::save`](super::StockRepository::save).
    pub version: u32,
}

impl Stock {
    /// Puts a new option on the shelf.
    pub fn open(option_id: OptionId, quantity: StockQuantity, now: Timestamp) -> (Self, NewStockEntry) {
        let stock = Self { option_id, quantity, version: 0 };
        let entry = Self::entry(option_id, StockEntryKind::Initial, i64::from(quantity.0), None, now);
        (stock, entry)
    }

    /// Adds `delta` units, or takes them away if it is negative.
    ///
    /// # Errors
    /// [`StockError::OutOfRange`] if the stock would leave 0–1,000,000,000.
    pub fn adjust(&mut self, delta: i64, reason: &str, now: Timestamp) -> Result<NewStockEntry, StockError> {
        self.shift(delta)?;
        Ok(Self::adjusted(self.option_id, delta, reason, now))
    }

    /// What the ledger says of an adjustment that is in the stock already.
    pub(super) fn adjusted(option_id: OptionId, delta: i64, reason: &str, now: Timestamp) -> NewStockEntry {
        NewStockEntry { reason: Some(reason.to_owned()), ..Self::entry(option_id, StockEntryKind::Adjust, delta, None, now) }
    }

    /// Takes units for an order.
    ///
    /// # Errors
    /// [`StockError::OutOfStock`] if fewer are left.
    pub fn reserve(&mut self, quantity: Quantity, order_id: OrderId, now: Timestamp) -> Result<NewStockEntry, StockError> {
        let delta = -i64::from(quantity.units());
        self.shift(delta).map_err(|_| StockError::OutOfStock { option_id: self.option_id, left: self.quantity.0 })?;
        Ok(Self::entry(self.option_id, StockEntryKind::Reserve, delta, Some(order_id), now))
    }

    /// Puts the units of an order back.
    ///
    /// # Errors
    /// [`StockError::OutOfRange`] if the stock would pass 1,000,000,000.
    pub fn release(&mut self, units: u32, order_id: OrderId, now: Timestamp) -> Result<NewStockEntry, StockError> {
        let delta = i64::from(units);
        self.shift(delta)?;
        Ok(Self::entry(self.option_id, StockEntryKind::Release, delta, Some(order_id), now))
    }

    fn shift(&mut self, delta: i64) -> Result<(), StockError> {
        let units = i64::from(self.quantity.0).checked_add(delta).ok_or(StockError::OutOfRange)?;
        self.quantity = StockQuantity::new(units)?;
        Ok(())
    }

    fn entry(option_id: OptionId, kind: StockEntryKind, delta: i64, order_id: Option<OrderId>, at: Timestamp) -> NewStockEntry {
        NewStockEntry { option_id, kind, delta, order_id, reason: None, at }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(0);

    fn stock(units: i64) -> Stock {
        Stock::open(OptionId::new(1).unwrap(), StockQuantity::new(units).unwrap(), NOW).0
    }

    #[test]
    fn stock_is_from_0_to_a_billion() {
        assert!(StockQuantity::new(-1).is_err());
        assert!(StockQuantity::new(1_000_000_000).is_ok());
        assert!(StockQuantity::new(1_000_000_001).is_err());
        assert!(StockQuantity::new(i64::MAX).is_err());
    }

    #[test]
    fn an_order_takes_the_last_unit_and_no_more() {
        let (order, one) = (OrderId::new(1).unwrap(), Quantity::new(1).unwrap());
        let mut stock = stock(1);
        assert_eq!(stock.reserve(one, order, NOW).unwrap().delta, -1);
        assert_eq!(stock.reserve(one, order, NOW).unwrap_err().code(), ErrorCode::OutOfStock);
        assert_eq!(stock.quantity, StockQuantity::ZERO);
    }

    #[test]
    fn an_adjustment_that_leaves_the_range_changes_nothing() {
        let mut stock = stock(5);
        for delta in [-6, 1_000_000_000, i64::MIN, i64::MAX] {
            assert_eq!(stock.adjust(delta, "count", NOW), Err(StockError::OutOfRange));
        }
        assert_eq!(stock.quantity.units(), 5);
        assert_eq!(stock.adjust(-5, "count", NOW).unwrap().reason.as_deref(), Some("count"));
    }
}
