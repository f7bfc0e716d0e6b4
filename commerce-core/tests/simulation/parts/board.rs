use super::{Call, Plug};
use async_trait::async_trait;
use commerce_core::messaging::SoldUnits;
use commerce_core::ranking::{BoardDay, BoardError, RankingBoard, Sale};
use commerce_core::testing::MemoryBoard;
use commerce_core::{BusinessCalendar, BusinessDay, ProductId};
use std::sync::Arc;

/// The boards as one process sees them.
pub(crate) struct PluggedBoard {
    pub(crate) inner: MemoryBoard,
    pub(crate) plug: Arc<Plug>,
}

#[async_trait]
impl RankingBoard for PluggedBoard {
    async fn calendar(&self) -> Result<Option<BusinessCalendar>, BoardError> {
        self.plug.reach(Call::Board, self.inner.calendar()).await
    }

    async fn reset(&self, calendar: BusinessCalendar) -> Result<(), BoardError> {
        self.plug.reach(Call::Board, self.inner.reset(calendar)).await
    }

    async fn record(&self, day: BusinessDay, sales: &[Sale]) -> Result<(), BoardError> {
        self.plug.reach(Call::Board, self.inner.record(day, sales)).await
    }

    async fn days(&self) -> Result<Vec<BoardDay>, BoardError> {
        self.plug.reach(Call::Board, self.inner.days()).await
    }

    async fn clear(&self, day: BusinessDay, fence: u64) -> Result<bool, BoardError> {
        self.plug.reach(Call::Board, self.inner.clear(day, fence)).await
    }

    async fn mark_whole(&self, day: BusinessDay, fence: u64) -> Result<bool, BoardError> {
        self.plug.reach(Call::Board, self.inner.mark_whole(day, fence)).await
    }

    async fn sold(&self, day: BusinessDay, after: Option<ProductId>, limit: usize) -> Result<Vec<SoldUnits>, BoardError> {
        self.plug.reach(Call::Board, self.inner.sold(day, after, limit)).await
    }

    async fn aggregate(&self, today: BusinessDay) -> Result<bool, BoardError> {
        self.plug.reach(Call::Board, self.inner.aggregate(today)).await
    }

    async fn top(&self, today: BusinessDay, limit: usize) -> Result<Option<Vec<SoldUnits>>, BoardError> {
        self.plug.reach(Call::Board, self.inner.top(today, limit)).await
    }

    async fn forget(&self, before: BusinessDay) -> Result<(), BoardError> {
        self.plug.reach(Call::Board, self.inner.forget(before)).await
    }
}
