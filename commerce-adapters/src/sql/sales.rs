//! What was sold, by the time of the payments.

use super::statements::{fetch, select_in};
use super::{Backend, Fields, Link};
use crate::sql::fields::corrupt;
use commerce_core::messaging::SoldUnits;
use commerce_core::payment::PaymentStatus;
use commerce_core::ranking::{Sale, SaleState};
use commerce_core::store::{SaleCursor, StoreError};
use commerce_core::{OrderId, ProductId, Timestamp};
use sqlx::QueryBuilder;
use std::collections::HashMap;

fn read<DB: Backend>(row: &mut Fields<'_, DB>) -> Result<Sale, StoreError> {
    let (order_id, paid_at) = (row.whole()?, row.at()?);
    let state = match row.word(PaymentStatus::parse)? {
        PaymentStatus::Completed => SaleState::Paid,
        PaymentStatus::Refunded => SaleState::Refunded,
        PaymentStatus::Failed => return Err(corrupt("a failed payment among the sales")),
    };
    Ok(Sale { order_id, paid_at, units: Vec::new(), state })
}

fn read_units<DB: Backend>(row: &mut Fields<'_, DB>) -> Result<SoldUnits, StoreError> {
    Ok(SoldUnits { product_id: row.whole()?, units: row.whole()? })
}

/// A page of sales, ascending by time and order.
pub(super) async fn sales<DB: Backend>(
    link: &mut dyn Link<DB>,
    from: Timestamp,
    to: Timestamp,
    after: Option<SaleCursor>,
    limit: u32,
) -> Result<Vec<Sale>, StoreError> {
    let mut query =
        QueryBuilder::<DB>::new("SELECT order_id, created_at, status FROM payments WHERE status <> 'FAILED' AND created_at >= ");
    let first = after.map_or(from, |after| after.paid_at.max(from));
    query.push_bind(first.millis()).push(" AND created_at < ").push_bind(to.millis());
    let (at, order) = after.map_or((i64::MIN, 0), |after| (after.paid_at.millis(), after.order_id.get()));
    query.push(" AND (created_at > ").push_bind(at).push(" OR order_id > ").push_bind(order);
    query.push(") ORDER BY created_at, order_id LIMIT ").push_bind(i64::from(limit));
    let mut sales = fetch(link, query, read).await?;
    // What an order is made of does not change once it is paid: both statements tell of the same.
    let head = "SELECT order_id, product_id, CAST(SUM(quantity) AS SIGNED) FROM order_items WHERE order_id IN";
    let orders = sales.iter().map(|sale| sale.order_id.get());
    let tail = " GROUP BY order_id, product_id ORDER BY order_id, product_id";
    let mut units = HashMap::<OrderId, Vec<SoldUnits>>::new();
    for (order, of_product) in select_in(link, head, orders, tail, |row| Ok((row.whole()?, read_units(row)?))).await? {
        units.entry(order).or_default().push(of_product);
    }
    for sale in &mut sales {
        sale.units = units.remove(&sale.order_id).unwrap_or_default();
    }
    Ok(sales)
}

/// What was sold and not given back: a page of products, ascending.
pub(super) async fn sold<DB: Backend>(
    link: &mut dyn Link<DB>,
    from: Timestamp,
    to: Timestamp,
    after: Option<ProductId>,
    limit: u32,
) -> Result<Vec<SoldUnits>, StoreError> {
    // The first condition is that of the index of what was not refused.
    let mut query = QueryBuilder::<DB>::new(
        "SELECT i.product_id, CAST(SUM(i.quantity) AS SIGNED) FROM payments p JOIN order_items i ON i.order_id = p.order_id \
         WHERE p.status <> 'FAILED' AND p.status = 'COMPLETED' AND p.created_at >= ",
    );
    query.push_bind(from.millis()).push(" AND p.created_at < ").push_bind(to.millis());
    query.push(" AND i.product_id > ").push_bind(after.map_or(0, i64::from));
    query.push(" GROUP BY i.product_id ORDER BY i.product_id LIMIT ").push_bind(i64::from(limit));
    fetch(link, query, read_units).await
}
