use crate::messaging::SoldUnits;
use crate::{BusinessCalendar, BusinessDay, OrderId, ProductId, Timestamp};
use async_trait::async_trait;
use std::error::Error;

/// Why a board could not answer. Whether it did what it was asked for is not known: asking again is safe.
#[derive(Debug, thiserror::Error)]
#[error("the ranking board is unavailable")]
pub struct BoardError(#[from] pub Box<dyn Error + Send + Sync>);

/// Whether a sale counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SaleState {
    /// It was paid.
    Paid,
    /// It was paid and given back: it counts no more.
    Refunded,
}

impl SaleState {
    /// The state as it is stored: `PAID` or `REFUNDED`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Paid => "PAID",
            Self::Refunded => "REFUNDED",
        }
    }

    /// Reads `PAID` or `REFUNDED`.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Paid, Self::Refunded].into_iter().find(|state| state.as_str() == text)
    }
}

/// An order that was paid, as the ranking sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sale {
    /// The order.
    pub order_id: OrderId,
    /// When it was paid: the day it counts on.
    pub paid_at: Timestamp,
    /// What was sold, each product once.
    pub units: Vec<SoldUnits>,
    /// Whether it counts.
    pub state: SaleState,
}

/// A day that has a board.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BoardDay {
    /// The day.
    pub day: BusinessDay,
    /// Whether every sale of the day so far is known to have been counted: not so after the board was lost.
    pub whole: bool,
}

/// How many full days the ranking looks back; today is left out.
pub const WINDOW_DAYS: u32 = 3;

/// Daily boards, which count what was sold, and the ranking over the three full days before a day.
///
/// It counts orders, not events: of each order it knows whether it was paid or refunded, so that it makes no difference how often, in which
/// order or from where it hears of it. A board that is rebuilt while sales are recorded so comes out right.
#[async_trait]
pub trait RankingBoard: Send + Sync {
    /// The calendar whose days are counted; `None` for an empty board.
    ///
    /// # Errors
    /// [`BoardError`] if the board cannot be reached.
    async fn calendar(&self) -> Result<Option<BusinessCalendar>, BoardError>;

    /// Forgets everything and counts by this calendar from now on.
    ///
    /// # Errors
    /// [`BoardError`] if the board cannot be reached.
    async fn reset(&self, calendar: BusinessCalendar) -> Result<(), BoardError>;

    /// Counts sales of a day, in one atomic step for each sale. A paid order MUST be added unless the board has heard of it; a refunded one MUST
    /// be taken back if it was added, and never be added later; anything else MUST change nothing.
    ///
    /// # Errors
    /// [`BoardError`] if some may not have been counted.
    async fn record(&self, day: BusinessDay, sales: &[Sale]) -> Result<(), BoardError>;

    /// The days that have a board, ascending.
    ///
    /// # Errors
    /// [`BoardError`] if the board cannot be reached.
    async fn days(&self) -> Result<Vec<BoardDay>, BoardError>;

    /// Forgets the sales of a day and that it was whole, to count them anew. The ranking over it stays until it is made again. `fence` is that of
    /// the lock under which the day is counted: `false`, and nothing is changed, if the day was cleared under a later one.
    ///
    /// # Errors
    /// [`BoardError`] if the board cannot be reached.
    async fn clear(&self, day: BusinessDay, fence: u64) -> Result<bool, BoardError>;

    /// Notes that every sale of a day so far was counted. Only whoever cleared the day last may: `false`, and nothing is changed, if `fence` is not
    /// that of the last [`clear`](Self::clear), or if the day was forgotten or anything of it was lost since.
    ///
    /// # Errors
    /// [`BoardError`] if the board cannot be reached.
    async fn mark_whole(&self, day: BusinessDay, fence: u64) -> Result<bool, BoardError>;

    /// What was sold on a day, at most `limit` products, ascending by product, from above `after`; products of which everything was given back
    /// are left out.
    ///
    /// # Errors
    /// [`BoardError`] if the board cannot be reached.
    async fn sold(&self, day: BusinessDay, after: Option<ProductId>, limit: usize) -> Result<Vec<SoldUnits>, BoardError>;

    /// Makes the ranking of `today`: what was sold on the [`WINDOW_DAYS`] days before, in one atomic step. It replaces the one there was. `false`, and
    /// nothing is changed, unless each of these days is whole: whoever counts one of them anew makes the ranking then.
    ///
    /// # Errors
    /// [`BoardError`] if the board cannot be reached.
    async fn aggregate(&self, today: BusinessDay) -> Result<bool, BoardError>;

    /// The first `limit` products of the ranking of `today`, best sellers first, ties broken by the smaller id; `None` if it was not made.
    ///
    /// # Errors
    /// [`BoardError`] if the board cannot be reached.
    async fn top(&self, today: BusinessDay, limit: usize) -> Result<Option<Vec<SoldUnits>>, BoardError>;

    /// Forgets the boards and rankings of days before `before`.
    ///
    /// # Errors
    /// [`BoardError`] if the board cannot be reached.
    async fn forget(&self, before: BusinessDay) -> Result<(), BoardError>;
}
