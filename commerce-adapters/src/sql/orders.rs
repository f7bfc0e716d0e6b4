use super::statements::{Guard, Update, by_key, insert, insert_new, select_in, update};
use super::{Backend, Fields, Link, SqlUnitOfWork};
use crate::sql::fields::corrupt;
use async_trait::async_trait;
use commerce_core::OrderId;
use commerce_core::order::{Order, OrderItem, OrderRepository, OrderStatus, Quantity};
use commerce_core::product::{OptionName, ProductName, UnitPrice};
use commerce_core::store::StoreError;
use std::collections::BTreeSet;

pub(super) const COLUMNS: &str = "id, user_id, user_coupon_id, original_price, discount, total, status, failure, ordered_at, expires_at, \
     updated_at, version";
const ITEM_COLUMNS: &str = "order_id, line, option_id, product_id, product_name, option_name, unit_price, quantity";
/// Behind the columns of an order: an item, which [`join_items`] brings.
pub(super) const JOINED_ITEM: &str = "i.order_id, i.option_id, i.product_id, i.product_name, i.option_name, i.unit_price, i.quantity";
/// Joins the items of orders, by the key of both: see [`by_key`].
pub(super) fn join_items<DB: Backend>() -> String {
    format!("LEFT JOIN order_items i{} ON i.order_id = orders.id", by_key::<DB>())
}

const SAVE: Update = Update {
    table: "orders",
    key: "id",
    columns: &["original_price", "discount", "total", "status", "failure", "updated_at"],
    guard: Guard::Version,
};

/// Reads [`COLUMNS`] as an order without items.
pub(super) fn read<DB: Backend>(row: &mut Fields<'_, DB>) -> Result<Order, StoreError> {
    Ok(Order {
        id: row.whole()?,
        user_id: row.whole()?,
        user_coupon_id: row.opt_whole()?,
        items: Vec::new(),
        original_price: row.money()?,
        discount: row.money()?,
        total: row.money()?,
        status: row.word(OrderStatus::parse)?,
        failure: row.opt_code()?,
        ordered_at: row.at()?,
        expires_at: row.at()?,
        updated_at: row.at()?,
        version: row.whole()?,
    })
}

fn read_item<DB: Backend>(row: &mut Fields<'_, DB>) -> Result<OrderItem, StoreError> {
    Ok(OrderItem {
        option_id: row.whole()?,
        product_id: row.whole()?,
        product_name: row.parsed(ProductName::parse)?,
        option_name: row.parsed(OptionName::parse)?,
        unit_price: UnitPrice::new(row.int()?).map_err(corrupt)?,
        quantity: Quantity::new(row.int()?).map_err(corrupt)?,
    })
}

/// Reads [`JOINED_ITEM`]; nothing if the order has none.
pub(super) fn read_joined_item<DB: Backend>(row: &mut Fields<'_, DB>) -> Result<Option<OrderItem>, StoreError> {
    row.opt_whole::<OrderId>()?.map(|_order| read_item(row)).transpose()
}

/// Gives orders their items, in any order of the orders.
///
/// A pending order has none. It is not asked for any, because it may have got some since it was read: a reader without a transaction
/// would see half of a change.
pub(super) async fn add_items<'o, DB: Backend>(
    link: &mut dyn Link<DB>,
    orders: impl Iterator<Item = &'o mut Order> + Send,
) -> Result<(), StoreError> {
    let mut settled: Vec<&mut Order> = orders.filter(|order| order.status != OrderStatus::Pending).collect();
    settled.sort_unstable_by_key(|order| order.id);
    let ids: Vec<i64> = settled.iter().map(|order| order.id.get()).collect();
    let head = "SELECT order_id, option_id, product_id, product_name, option_name, unit_price, quantity FROM order_items WHERE order_id IN";
    let read = |row: &mut Fields<'_, DB>| Ok((row.whole::<OrderId>()?, read_item(row)?));
    for (order_id, item) in select_in(link, head, ids, " ORDER BY order_id, line", read).await? {
        if let Ok(at) = settled.binary_search_by_key(&order_id, |order| order.id) {
            settled[at].items.push(item);
        }
    }
    Ok(())
}

/// Orders with their items, ascending by id; `lock` stands behind the SELECT. Items are locked with their orders, without which nobody writes them.
pub(super) async fn by_id<DB: Backend>(link: &mut dyn Link<DB>, ids: &[OrderId], lock: &str) -> Result<Vec<Order>, StoreError> {
    let head = format!("SELECT {COLUMNS}, {JOINED_ITEM} FROM orders{} {} WHERE orders.id IN", by_key::<DB>(), join_items::<DB>());
    let tail = format!(" ORDER BY orders.id, i.line{lock}");
    let read = |row: &mut Fields<'_, DB>| Ok((read(row)?, read_joined_item(row)?));
    let rows = select_in(link, &head, ids.iter().map(|id| id.get()), &tail, read).await?;
    Ok(with_items(rows, |order| order))
}

/// Puts together what a join has told once for each item; `order` shows the order in it.
pub(super) fn with_items<T>(rows: Vec<(T, Option<OrderItem>)>, order: impl Fn(&mut T) -> &mut Order) -> Vec<T> {
    let mut orders = Vec::<T>::with_capacity(rows.len());
    for (mut row, item) in rows {
        let id = order(&mut row).id;
        if orders.last_mut().is_none_or(|last| order(last).id != id) {
            orders.push(row);
        }
        if let Some(last) = orders.last_mut() {
            order(last).items.extend(item);
        }
    }
    orders
}

/// An order that a unit of work has placed or locked.
pub(super) struct Kept {
    /// As it is now. Items it has are stored.
    order: Order,
    /// Whether it is stored; one that was placed is written with the commit.
    is_stored: bool,
    /// Whether there can be stock that is reserved for it.
    pub(super) may_hold_stock: bool,
}

impl<DB: Backend> SqlUnitOfWork<DB> {
    /// Those of the orders that are kept, ascending by id.
    fn kept(&self, ids: &[OrderId]) -> Vec<Order> {
        ids.iter().collect::<BTreeSet<_>>().into_iter().filter_map(|id| self.orders.get(id)).map(|kept| kept.order.clone()).collect()
    }

    /// Writes the orders that were placed, as they have become since.
    pub(super) async fn write_placed(&mut self) -> Result<(), StoreError> {
        let placed = self.orders.values_mut().filter(|kept| !kept.is_stored);
        let orders: Vec<Order> = placed
            .map(|kept| {
                kept.is_stored = true;
                kept.order.clone()
            })
            .collect();
        let added = insert(self.link(), "orders", COLUMNS, &orders, |mut row, order| {
            row.push_bind(order.id.get());
            row.push_bind(order.user_id.get());
            row.push_bind(order.user_coupon_id.map(i64::from));
            row.push_bind(order.original_price.krw());
            row.push_bind(order.discount.krw());
            row.push_bind(order.total.krw());
            row.push_bind(order.status.as_str());
            row.push_bind(order.failure.map(commerce_core::ErrorCode::as_str).map(str::to_owned));
            row.push_bind(order.ordered_at.millis());
            row.push_bind(order.expires_at.millis());
            row.push_bind(order.updated_at.millis());
            row.push_bind(i64::from(order.version));
        });
        added.await.map(drop)
    }

    /// Writes changes of orders that are stored.
    async fn save_stored(&mut self, orders: &[&Order]) -> Result<(), StoreError> {
        let updated = update(self.link(), &SAVE, orders, |order| {
            [
                order.id.get().into(),
                order.original_price.krw().into(),
                order.discount.krw().into(),
                order.total.krw().into(),
                order.status.as_str().into(),
                order.failure.map(|code| code.as_str().to_owned()).into(),
                order.updated_at.millis().into(),
                order.version.into(),
            ]
        });
        updated.await
    }

    /// Writes the items of orders that have none stored yet. Items never change, so what is stored already stays.
    async fn write_items(&mut self, orders: &[Order]) -> Result<(), StoreError> {
        let fresh = orders.iter().filter(|order| self.orders.get(&order.id).is_none_or(|kept| kept.order.items.is_empty()));
        let lines: Vec<(OrderId, i64, &OrderItem)> =
            fresh.flat_map(|order| (0..).zip(&order.items).map(|(line, item)| (order.id, line, item))).collect();
        let added = insert_new(self.link(), ["order_items", "order_id"], ITEM_COLUMNS, &lines, |mut row, (order_id, line, item)| {
            row.push_bind(order_id.get());
            row.push_bind(*line);
            row.push_bind(item.option_id.get());
            row.push_bind(item.product_id.get());
            row.push_bind(item.product_name.as_str().to_owned());
            row.push_bind(item.option_name.as_str().to_owned());
            row.push_bind(item.unit_price.amount().krw());
            row.push_bind(i64::from(item.quantity.units()));
        });
        added.await.map(drop)
    }
}

#[async_trait]
impl<DB: Backend> OrderRepository for SqlUnitOfWork<DB> {
    async fn insert(&mut self, orders: &[Order]) -> Result<(), StoreError> {
        // They are written with the commit: most have changed by then.
        let ids: BTreeSet<_> = orders.iter().map(|order| order.id).collect();
        if ids.len() < orders.len() || ids.iter().any(|id| self.orders.contains_key(id)) {
            return Err(StoreError::Duplicate { constraint: "orders".to_owned() });
        }
        let placed = |order: &Order| Kept { order: order.clone(), is_stored: false, may_hold_stock: false };
        self.orders.extend(orders.iter().map(|order| (order.id, placed(order))));
        Ok(())
    }

    async fn lock(&mut self, ids: &[OrderId]) -> Result<Vec<Order>, StoreError> {
        let (for_update, kept) = (self.for_update(), |id: &&OrderId| self.orders.contains_key(id));
        let unknown: Vec<OrderId> = ids.iter().filter(|id| !kept(id)).copied().collect();
        if unknown.is_empty() {
            return Ok(self.kept(ids));
        }
        let orders = by_id::<DB>(self.link(), &unknown, for_update).await?;
        if for_update != DB::FOR_UPDATE {
            // They are read, and not locked: what they are the next time is for the store to say.
            let mut orders = [orders, self.kept(ids)].concat();
            orders.sort_unstable_by_key(|order| order.id);
            return Ok(orders);
        }
        self.orders.extend(orders.into_iter().map(|order| (order.id, Kept { order, is_stored: true, may_hold_stock: true })));
        Ok(self.kept(ids))
    }

    async fn save(&mut self, orders: &[Order]) -> Result<(), StoreError> {
        let stored: Vec<_> = orders.iter().filter(|order| self.orders.get(&order.id).is_none_or(|kept| kept.is_stored)).collect();
        // Of one that is kept it is known already, and of one that is not stored nobody else knows.
        if orders.iter().any(|order| self.orders.get(&order.id).is_some_and(|kept| kept.order.version != order.version)) {
            return Err(StoreError::Conflict);
        }
        self.save_stored(&stored).await?;
        self.write_items(orders).await?;
        for order in orders {
            if let Some(kept) = self.orders.get_mut(&order.id) {
                // Items that are stored stay as they are.
                let items = if kept.order.items.is_empty() { order.items.clone() } else { std::mem::take(&mut kept.order.items) };
                kept.order = Order { version: order.version + 1, items, ..order.clone() };
            }
        }
        Ok(())
    }
}
