use crate::messaging::SoldUnits;
use crate::ranking::{BoardDay, BoardError, RankingBoard, Sale, SaleState, WINDOW_DAYS};
use crate::{BusinessCalendar, BusinessDay, OrderId, ProductId};
use async_trait::async_trait;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A [`RankingBoard`] in memory. Clones share what they count.
#[derive(Debug, Clone, Default)]
pub struct MemoryBoard {
    boards: Arc<Mutex<Boards>>,
}

#[derive(Debug, Default)]
struct Boards {
    calendar: Option<BusinessCalendar>,
    days: BTreeMap<BusinessDay, Day>,
    /// Under which grant each day was cleared last.
    fences: BTreeMap<BusinessDay, u64>,
    rankings: BTreeMap<BusinessDay, Vec<SoldUnits>>,
}

#[derive(Debug, Default)]
struct Day {
    whole: bool,
    orders: BTreeMap<OrderId, SaleState>,
    sold: BTreeMap<ProductId, u64>,
}

impl MemoryBoard {
    /// An empty board.
    pub fn new() -> Self {
        Self::default()
    }

    /// Forgets everything, as a flush would.
    pub fn wipe(&self) {
        *self.boards() = Boards::default();
    }

    fn boards(&self) -> MutexGuard<'_, Boards> {
        self.boards.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Day {
    fn record(&mut self, sale: &Sale) {
        let known = self.orders.get(&sale.order_id).copied();
        if known >= Some(sale.state) {
            return;
        }
        self.orders.insert(sale.order_id, sale.state);
        for SoldUnits { product_id, units } in &sale.units {
            let sold = self.sold.entry(*product_id).or_default();
            match (known, sale.state) {
                (None, SaleState::Paid) => *sold += units,
                (Some(SaleState::Paid), SaleState::Refunded) => *sold -= units,
                _ => {}
            }
        }
        self.sold.retain(|_, units| *units > 0);
    }
}

#[async_trait]
impl RankingBoard for MemoryBoard {
    async fn calendar(&self) -> Result<Option<BusinessCalendar>, BoardError> {
        Ok(self.boards().calendar)
    }

    async fn reset(&self, calendar: BusinessCalendar) -> Result<(), BoardError> {
        *self.boards() = Boards { calendar: Some(calendar), ..Boards::default() };
        Ok(())
    }

    async fn record(&self, day: BusinessDay, sales: &[Sale]) -> Result<(), BoardError> {
        let mut boards = self.boards();
        let day = boards.days.entry(day).or_default();
        for sale in sales {
            day.record(sale);
        }
        Ok(())
    }

    async fn days(&self) -> Result<Vec<BoardDay>, BoardError> {
        Ok(self.boards().days.iter().map(|(day, board)| BoardDay { day: *day, whole: board.whole }).collect())
    }

    async fn clear(&self, day: BusinessDay, fence: u64) -> Result<bool, BoardError> {
        let mut boards = self.boards();
        if boards.fences.get(&day).is_some_and(|last| *last > fence) {
            return Ok(false);
        }
        boards.fences.insert(day, fence);
        boards.days.remove(&day);
        Ok(true)
    }

    async fn mark_whole(&self, day: BusinessDay, fence: u64) -> Result<bool, BoardError> {
        let mut boards = self.boards();
        let last = boards.fences.get(&day) == Some(&fence);
        if last {
            boards.days.entry(day).or_default().whole = true;
        }
        Ok(last)
    }

    async fn sold(&self, day: BusinessDay, after: Option<ProductId>, limit: usize) -> Result<Vec<SoldUnits>, BoardError> {
        let boards = self.boards();
        let sold = boards.days.get(&day).into_iter().flat_map(|board| &board.sold);
        let sold = sold.map(|(product_id, units)| SoldUnits { product_id: *product_id, units: *units });
        Ok(sold.filter(|it| Some(it.product_id) > after).take(limit).collect())
    }

    async fn aggregate(&self, today: BusinessDay) -> Result<bool, BoardError> {
        let mut boards = self.boards();
        let window = today.before(WINDOW_DAYS)..today;
        if boards.days.range(window.clone()).filter(|(_, day)| day.whole).count() < WINDOW_DAYS as usize {
            return Ok(false);
        }
        let mut sold = BTreeMap::<ProductId, u64>::new();
        for day in boards.days.range(window).map(|(_, day)| day) {
            day.sold.iter().for_each(|(product, units)| *sold.entry(*product).or_default() += units);
        }
        let mut ranking: Vec<_> = sold.into_iter().map(|(product_id, units)| SoldUnits { product_id, units }).collect();
        ranking.sort_by_key(|it| (Reverse(it.units), it.product_id));
        boards.rankings.insert(today, ranking);
        Ok(true)
    }

    async fn top(&self, today: BusinessDay, limit: usize) -> Result<Option<Vec<SoldUnits>>, BoardError> {
        Ok(self.boards().rankings.get(&today).map(|ranking| ranking.iter().take(limit).copied().collect()))
    }

    async fn forget(&self, before: BusinessDay) -> Result<(), BoardError> {
        let mut boards = self.boards();
        boards.days.retain(|day, _| *day >= before);
        boards.fences.retain(|day, _| *day >= before);
        boards.rankings.retain(|day, _| *day >= before);
        Ok(())
    }
}
