use super::{BoardError, RankingBoard, horizon, window};
use crate::lock::{HeldLock, LockError, LockName, Locks, Tenure};
use crate::messaging::SoldUnits;
use crate::store::{SaleCursor, Store, StoreError};
use crate::{BusinessCalendar, BusinessDay};
use std::collections::HashSet;
use std::sync::Arc;

/// How many sales are counted at once.
const PAGE_ROWS: u32 = 500;

/// Why a ranking could not be had.
#[derive(Debug, thiserror::Error)]
pub enum RankingError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The lock service failed.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The board failed.
    #[error(transparent)]
    Board(#[from] BoardError),
    /// Another process makes it, and takes long.
    #[error("the ranking is being made: ask again in a moment")]
    InTheMaking,
    /// It could not be read a moment ago, and is not asked for again so soon.
    #[error("the ranking cannot be read right now: ask again in a second")]
    OutOfReach,
}

/// Sees to it that the boards are whole and that there is a ranking: from what was counted, and from the store where that was lost.
#[derive(Clone)]
pub struct RankingKeeper {
    /// What is true.
    pub store: Arc<dyn Store>,
    /// Where it is counted.
    pub board: Arc<dyn RankingBoard>,
    /// What keeps two processes from making the same ranking.
    pub locks: Locks,
    /// Which day an instant belongs to.
    pub calendar: BusinessCalendar,
}

impl RankingKeeper {
    /// Rebuilds the boards of today and of the window that are not whole, makes the ranking of `today` unless it is there and right, and forgets old
    /// boards. Answers how many boards and rankings it made; `None` if another process is at it.
    ///
    /// # Errors
    /// [`RankingError`]; what is missing is made the next time.
    pub async fn prepare(&self, today: BusinessDay) -> Result<Option<u64>, RankingError> {
        self.under_lock(async |held| self.prepare_under(today, held).await).await
    }

    /// Counts a day anew from the store, and makes the ranking of `today` anew. Answers how many sales there were; `None` if another process is at
    /// it.
    ///
    /// # Errors
    /// [`RankingError`]; the day is counted anew the next time.
    pub async fn rebuild(&self, day: BusinessDay, today: BusinessDay) -> Result<Option<u64>, RankingError> {
        self.under_lock(async |held| {
            self.keep_calendar().await?;
            let sales = self.rebuild_day(day, held).await?;
            if self.board.top(today, 1).await?.is_some() {
                self.aggregate(today).await?;
            }
            Ok(sales)
        })
        .await
    }

    /// The first `limit` products of the ranking of `today`; `None` if it was not made, or by another calendar.
    ///
    /// # Errors
    /// [`BoardError`] if the board cannot be reached.
    pub async fn ranking(&self, today: BusinessDay, limit: usize) -> Result<Option<Vec<SoldUnits>>, BoardError> {
        let by_this_calendar = self.board.calendar().await? == Some(self.calendar);
        if by_this_calendar { self.board.top(today, limit).await } else { Ok(None) }
    }

    /// Whether the board of a day is kept, as those of the present days are.
    pub fn keeps(&self, day: BusinessDay, today: BusinessDay) -> bool {
        (horizon(today)..=today).contains(&day)
    }

    async fn under_lock(&self, work: impl AsyncFnOnce(&HeldLock) -> Result<u64, RankingError>) -> Result<Option<u64>, RankingError> {
        let Some(held) = self.locks.try_lock(&[LockName::only("ranking")], Tenure::JOB).await? else { return Ok(None) };
        let outcome = work(&held).await;
        held.release().await?;
        outcome.map(Some)
    }

    async fn prepare_under(&self, today: BusinessDay, held: &HeldLock) -> Result<u64, RankingError> {
        self.keep_calendar().await?;
        let whole = self.board.days().await?.into_iter().filter(|board| board.whole);
        let whole: HashSet<_> = whole.map(|board| board.day).collect();
        let (mut made, mut changed) = (0, false);
        for day in today.since(window(today).start) {
            if !whole.contains(&day) {
                self.rebuild_day(day, held).await?;
                made += 1;
                changed |= day != today;
            }
        }
        if changed || self.board.top(today, 1).await?.is_none() {
            self.aggregate(today).await?;
            made += 1;
        }
        self.board.forget(horizon(today)).await?;
        Ok(made)
    }

    async fn aggregate(&self, today: BusinessDay) -> Result<(), RankingError> {
        // Whoever begins to count one of its days anew meanwhile makes the ranking afterwards.
        if self.board.aggregate(today).await? { Ok(()) } else { Err(RankingError::InTheMaking) }
    }

    async fn keep_calendar(&self) -> Result<(), RankingError> {
        let counted_by = self.board.calendar().await?;
        if counted_by == Some(self.calendar) {
            return Ok(());
        }
        if let Some(other) = counted_by {
            tracing::warn!(from = other.name(), to = self.calendar.name(), "the business time zone has changed: sales are counted anew");
        }
        Ok(self.board.reset(self.calendar).await?)
    }

    /// A sale whose event is recorded before the board is cleared is stored by then, and so is counted from the store; one whose event is recorded
    /// later is known to the board twice, which makes no difference.
    async fn rebuild_day(&self, day: BusinessDay, held: &HeldLock) -> Result<u64, RankingError> {
        let (from, to) = (self.calendar.start_of(day), self.calendar.start_of(day.next()));
        if !self.board.clear(day, held.fence()).await? {
            return Err(RankingError::InTheMaking);
        }
        let (mut after, mut counted) = (None, 0);
        loop {
            let sales = self.store.queries().sales(from, to, after, PAGE_ROWS).await?;
            self.board.record(day, &sales).await?;
            counted += sales.len() as u64;
            after = sales.last().map(|sale| SaleCursor { paid_at: sale.paid_at, order_id: sale.order_id });
            if held.is_lost() {
                return Err(RankingError::InTheMaking);
            }
            if sales.len() < PAGE_ROWS as usize {
                break;
            }
        }
        // Whoever has lost the lock must not call the day whole: another may just have begun it anew.
        if !self.board.mark_whole(day, held.fence()).await? {
            return Err(RankingError::InTheMaking);
        }
        tracing::info!(%day, sales = counted, "counted the sales of a day anew");
        Ok(counted)
    }
}
