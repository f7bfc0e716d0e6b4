//! Options of which units are taken.

use crate::guards::{Books, Goods};
use async_trait::async_trait;
use commerce_core::guard::{CounterInFront, GuardFor, InProcessCounter};
use commerce_core::stock::{
    AdjustStock, NewStockEntry, Stock, StockAdjustment, StockAdjustmentInPlace, StockEntryKind, StockError, StockQuantity, StockRation,
};
use commerce_core::store::{Store, StoreError};
use commerce_core::{Clock, OptionId, Timestamp};
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

const UNITS: i64 = 1_000_000_000;
const PAGE_ROWS: u32 = 5_000;
const OPENED_TOGETHER: usize = 500;
const BELIEVED: Duration = Duration::from_secs(1);
const REASON: &str = "sold";

pub(super) struct Shelf;

#[async_trait]
impl Goods for Shelf {
    const BENCH: &'static str = "stock_guard";
    const CHANGE: i64 = -1;

    type UseCase = StockAdjustment;
    type InPlace = StockAdjustmentInPlace;
    type Read = Stock;

    fn use_case(clock: Arc<dyn Clock>) -> StockAdjustment {
        StockAdjustment { clock }
    }

    fn in_place(clock: Arc<dyn Clock>) -> StockAdjustmentInPlace {
        StockAdjustmentInPlace { clock }
    }

    fn command(row: i64) -> AdjustStock {
        AdjustStock { option_id: option(row), delta: Self::CHANGE, reason: REASON.to_owned() }
    }

    fn is_done(verdict: &Result<StockQuantity, StockError>) -> bool {
        verdict.is_ok()
    }

    async fn open(store: &dyn Store, rows: Range<i64>, sold_out: bool) -> Result<(), StoreError> {
        let units = StockQuantity::new(if sold_out { 0 } else { UNITS }).expect("a quantity");
        let opened: Vec<(Stock, NewStockEntry)> = rows.map(|row| Stock::open(option(row), units, Timestamp::from_millis(0))).collect();
        for opened in opened.chunks(OPENED_TOGETHER) {
            let (stock, entries): (Vec<_>, Vec<_>) = opened.iter().cloned().unzip();
            let mut uow = store.begin().await?;
            uow.stock().open(&stock, &entries).await?;
            uow.commit().await?;
        }
        Ok(())
    }

    async fn read(store: &dyn Store, row: i64) -> Result<Stock, StoreError> {
        let mut uow = store.begin_unlocked().await?;
        uow.stock().lock(&[option(row)]).await?.pop().ok_or(StoreError::Conflict)
    }

    async fn overwrite(store: &dyn Store, row: i64, mut read: Stock) -> Result<(), StoreError> {
        let entry = read.adjust(Self::CHANGE, REASON, Timestamp::from_millis(0)).map_err(|refusal| StoreError::Backend(refusal.into()))?;
        let mut uow = store.begin().await?;
        let now = uow.stock().lock(&[option(row)]).await?.pop().ok_or(StoreError::Conflict)?;
        uow.stock().save(&[Stock { version: now.version, ..read }], &[entry]).await?;
        uow.commit().await
    }

    async fn books(store: &dyn Store) -> Result<Books, StoreError> {
        let (mut snapshot, mut books) = (store.snapshot().await?, Books::new());
        let mut after = None;
        loop {
            let page = snapshot.stock_entries(after, PAGE_ROWS).await?;
            after = page.last().map(|entry| (entry.change.option_id, entry.id));
            for entry in &page {
                let account = books.entry(entry.change.option_id.get()).or_default();
                if entry.change.kind == StockEntryKind::Initial {
                    // What is there now is compared with this below.
                    account.changed -= entry.change.delta;
                } else {
                    account.ledger += entry.change.delta;
                    account.lines += 1;
                }
            }
            if after.is_none() {
                break;
            }
        }
        let mut after = None;
        loop {
            let page = snapshot.stock(after, PAGE_ROWS).await?;
            after = page.last().map(|stock| stock.option_id);
            for stock in &page {
                books.entry(stock.option_id.get()).or_default().changed += i64::from(stock.quantity.units());
            }
            if after.is_none() {
                return Ok(books);
            }
        }
    }

    fn in_front(guard: Arc<GuardFor<StockAdjustment>>, store: Arc<dyn Store>) -> Option<Arc<GuardFor<StockAdjustment>>> {
        Some(Arc::new(CounterInFront::new(guard, StockRation, Arc::new(InProcessCounter::new()), store, BELIEVED)))
    }
}

fn option(row: i64) -> OptionId {
    OptionId::new(row).expect("an id")
}
