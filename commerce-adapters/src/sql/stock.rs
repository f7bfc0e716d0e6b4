use super::statements::{Guard, Shift, Update, by_key, insert, select_in, shift, update};
use super::{Backend, Fields, Link, SqlUnitOfWork};
use crate::sql::fields::corrupt;
use async_trait::async_trait;
use commerce_core::stock::{NewStockEntry, Reservation, Stock, StockEntry, StockEntryKind, StockQuantity, StockRepository};
use commerce_core::store::StoreError;
use commerce_core::{OptionId, OrderId};

pub(super) const COLUMNS: &str = "option_id, quantity, version";
pub(super) const ENTRY_COLUMNS: &str = "id, option_id, kind, delta, order_id, reason, created_at";
const SAVE: Update = Update { table: "stocks", key: "option_id", columns: &["quantity"], guard: Guard::Version };
const SHIFT: Shift = Shift { table: "stocks", key: "option_id", column: "quantity", max: StockQuantity::MAX };

/// Reads [`COLUMNS`].
pub(super) fn read<DB: Backend>(row: &mut Fields<'_, DB>) -> Result<Stock, StoreError> {
    let option_id = row.whole()?;
    let quantity = StockQuantity::new(row.int()?).map_err(corrupt)?;
    Ok(Stock { option_id, quantity, version: row.whole()? })
}

/// Reads [`ENTRY_COLUMNS`].
pub(super) fn read_entry<DB: Backend>(row: &mut Fields<'_, DB>) -> Result<StockEntry, StoreError> {
    Ok(StockEntry {
        id: row.whole()?,
        change: NewStockEntry {
            option_id: row.whole()?,
            kind: row.word(StockEntryKind::parse)?,
            delta: row.int()?,
            order_id: row.opt_whole()?,
            reason: row.opt_text()?,
            at: row.at()?,
        },
    })
}

/// What orders reserved less what they released.
pub(super) async fn reservations<DB: Backend>(link: &mut dyn Link<DB>, orders: &[OrderId]) -> Result<Vec<Reservation>, StoreError> {
    let head = "SELECT order_id, option_id, CAST(-SUM(delta) AS SIGNED) FROM stock_entries WHERE order_id IN";
    let tail = " GROUP BY order_id, option_id ORDER BY order_id, option_id";
    let read = |row: &mut Fields<'_, DB>| Ok(Reservation { order_id: row.whole()?, option_id: row.whole()?, units: row.whole()? });
    select_in(link, head, orders.iter().map(|id| id.get()), tail, read).await
}

impl<DB: Backend> SqlUnitOfWork<DB> {
    async fn append_stock_entries(&mut self, entries: &[NewStockEntry]) -> Result<(), StoreError> {
        let columns = "option_id, kind, delta, order_id, reason, created_at";
        let added = insert(self.link(), "stock_entries", columns, entries, |mut row, entry| {
            row.push_bind(entry.option_id.get());
            row.push_bind(entry.kind.as_str());
            row.push_bind(entry.delta);
            row.push_bind(entry.order_id.map(i64::from));
            row.push_bind(entry.reason.clone());
            row.push_bind(entry.at.millis());
        });
        added.await?;
        for order in entries.iter().filter_map(|entry| entry.order_id) {
            if let Some(kept) = self.orders.get_mut(&order) {
                kept.may_hold_stock = true;
            }
        }
        Ok(())
    }
}

#[async_trait]
impl<DB: Backend> StockRepository for SqlUnitOfWork<DB> {
    async fn lock(&mut self, options: &[OptionId]) -> Result<Vec<Stock>, StoreError> {
        // Others wait for the hottest rows of all: what can be written before they are locked is.
        self.write_points().await?;
        let head = format!("SELECT {COLUMNS} FROM stocks{} WHERE option_id IN", by_key::<DB>());
        let tail = format!(" ORDER BY option_id{}", self.for_update());
        select_in(self.link(), &head, options.iter().map(|id| id.get()), &tail, read).await
    }

    async fn open(&mut self, stock: &[Stock], entries: &[NewStockEntry]) -> Result<(), StoreError> {
        let added = insert(self.link(), "stocks", COLUMNS, stock, |mut row, stock| {
            row.push_bind(stock.option_id.get());
            row.push_bind(i64::from(stock.quantity.units()));
            row.push_bind(i64::from(stock.version));
        });
        added.await?;
        self.append_stock_entries(entries).await
    }

    async fn save(&mut self, stock: &[Stock], entries: &[NewStockEntry]) -> Result<(), StoreError> {
        let updated =
            update(self.link(), &SAVE, stock, |stock| [stock.option_id.get().into(), stock.quantity.units().into(), stock.version.into()]);
        updated.await?;
        self.append_stock_entries(entries).await
    }

    async fn shift(&mut self, option: OptionId, delta: i64) -> Result<Option<StockQuantity>, StoreError> {
        let quantity = shift(self.link(), &SHIFT, option.get(), delta).await?;
        quantity.map(StockQuantity::new).transpose().map_err(corrupt)
    }

    async fn reservations(&mut self, orders: &[OrderId]) -> Result<Vec<Reservation>, StoreError> {
        let may_hold = |order: &&OrderId| self.orders.get(order).is_none_or(|kept| kept.may_hold_stock);
        let orders: Vec<OrderId> = orders.iter().filter(may_hold).copied().collect();
        reservations::<DB>(self.link(), &orders).await
    }
}
