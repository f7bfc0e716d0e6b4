use super::State;
use super::state::{insert_new, largest, pick, smallest};
use crate::stock::{NewStockEntry, Reservation, Stock, StockEntry, StockEntryKind, StockQuantity, StockRepository};
use crate::store::StoreError;
use crate::{OptionId, OrderId};
use async_trait::async_trait;
use std::collections::BTreeSet;

#[async_trait]
impl StockRepository for State {
    async fn lock(&mut self, options: &[OptionId]) -> Result<Vec<Stock>, StoreError> {
        Ok(pick(&self.stock, options))
    }

    async fn open(&mut self, stock: &[Stock], entries: &[NewStockEntry]) -> Result<(), StoreError> {
        self.begin_to_write().await?;
        for shelf in stock {
            insert_new(&mut self.stock, shelf.option_id, shelf.clone(), "stock")?;
        }
        self.append_stock_entries(entries)
    }

    async fn save(&mut self, stock: &[Stock], entries: &[NewStockEntry]) -> Result<(), StoreError> {
        self.begin_to_write().await?;
        for shelf in stock {
            let stored = self.stock.get_mut(&shelf.option_id).filter(|stored| stored.version == shelf.version);
            *stored.ok_or(StoreError::Conflict)? = Stock { version: shelf.version + 1, ..shelf.clone() };
        }
        self.append_stock_entries(entries)
    }

    async fn shift(&mut self, option: OptionId, delta: i64) -> Result<Option<StockQuantity>, StoreError> {
        self.begin_to_write().await?;
        let Some(stored) = self.stock.get_mut(&option) else { return Ok(None) };
        let Ok(quantity) = StockQuantity::new(i64::from(stored.quantity.units()).saturating_add(delta)) else { return Ok(None) };
        *stored = Stock { quantity, version: stored.version + 1, ..*stored };
        Ok(Some(quantity))
    }

    async fn reservations(&mut self, orders: &[OrderId]) -> Result<Vec<Reservation>, StoreError> {
        Ok(self.reservations_of(orders))
    }
}

impl State {
    fn append_stock_entries(&mut self, entries: &[NewStockEntry]) -> Result<(), StoreError> {
        for change in entries {
            let id = self.next_id()?;
            if let (StockEntryKind::Reserve | StockEntryKind::Release, Some(order_id)) = (change.kind, change.order_id) {
                *self.reserved.entry((order_id, change.option_id)).or_default() -= change.delta;
            }
            self.stock_entries.insert((change.option_id, id), StockEntry { id, change: change.clone() });
        }
        Ok(())
    }

    /// An order that gave back more than it took holds nothing: the audit sees it in the sums of the option.
    pub(super) fn reservations_of(&self, orders: &[OrderId]) -> Vec<Reservation> {
        let orders: BTreeSet<OrderId> = orders.iter().copied().collect();
        let of_order = |order_id: OrderId| {
            let every_option = (order_id, smallest())..=(order_id, largest());
            self.reserved.range::<_, (OrderId, OptionId)>(every_option)
        };
        let reservation =
            |(&(order_id, option_id), &units): (&_, &i64)| Reservation { order_id, option_id, units: u32::try_from(units).unwrap_or(0) };
        orders.into_iter().flat_map(of_order).map(reservation).collect()
    }
}
