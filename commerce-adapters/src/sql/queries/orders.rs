use super::page_rows;
use crate::sql::statements::{fetch, select_in};
use crate::sql::{Backend, Fields, Link, orders, payments, read_whole};
use commerce_core::payment::Payment;
use commerce_core::store::{OrderCursor, OrderPage, OrderView, Page, PageLimit, StoreError};
use commerce_core::{OrderId, PaymentId, Timestamp, UserId};
use sqlx::QueryBuilder;

/// Selects orders with the payments that completed them, and of what is `joined` to them the columns `more`, up to the condition. One statement, so
/// that all is of one moment. Of an order's payments at most one has not failed.
fn select_views<DB: Backend>(more: &str, joined: &str) -> String {
    let (columns, by_order) = (orders::COLUMNS, DB::by_index("payments_order"));
    let paid = format!("SELECT id AS payment_id, order_id AS paid_order_id FROM payments{by_order} WHERE status <> 'FAILED'");
    format!("SELECT {columns}, payment_id{more} FROM orders LEFT JOIN ({paid}) paid ON paid_order_id = orders.id{joined} WHERE ")
}

fn read_view<DB: Backend>(row: &mut Fields<'_, DB>) -> Result<OrderView, StoreError> {
    Ok(OrderView { order: orders::read(row)?, payment_id: row.opt_whole()? })
}

pub(super) async fn orders<DB: Backend>(link: &mut dyn Link<DB>, ids: &[OrderId]) -> Result<Vec<OrderView>, StoreError> {
    let items = [format!(", {}", orders::JOINED_ITEM), format!(" {}", orders::join_items::<DB>())];
    let head = format!("{}orders.id IN", select_views::<DB>(&items[0], &items[1]));
    let read = |row: &mut Fields<'_, DB>| Ok((read_view(row)?, orders::read_joined_item(row)?));
    let rows = select_in(link, &head, ids.iter().map(|id| id.get()), " ORDER BY orders.id, i.line", read).await?;
    Ok(orders::with_items(rows, |view| &mut view.order))
}

pub(super) async fn orders_of<DB: Backend>(
    link: &mut dyn Link<DB>,
    user: UserId,
    before: Option<OrderCursor>,
    limit: PageLimit,
) -> Result<OrderPage, StoreError> {
    let (at, id) = before.map_or((i64::MAX, i64::MAX), |before| (before.ordered_at.millis(), before.id.get()));
    let mut query = QueryBuilder::<DB>::new(select_views::<DB>("", ""));
    query.push("user_id = ").push_bind(user.get()).push(" AND ordered_at <= ").push_bind(at);
    query.push(" AND (ordered_at < ").push_bind(at).push(" OR id < ").push_bind(id);
    query.push(") ORDER BY ordered_at DESC, id DESC LIMIT ").push_bind(page_rows(limit));
    let views = fetch(link, query, read_view).await?;
    let cursor = |view: &OrderView| OrderCursor { ordered_at: view.order.ordered_at, id: view.order.id };
    let mut page = Page::cut(views, limit, cursor);
    orders::add_items::<DB>(link, page.items.iter_mut().map(|view| &mut view.order)).await?;
    Ok(page)
}

pub(super) async fn overdue_orders<DB: Backend>(link: &mut dyn Link<DB>, now: Timestamp, limit: u32) -> Result<Vec<OrderId>, StoreError> {
    let mut query = QueryBuilder::<DB>::new("SELECT id FROM orders WHERE status = 'AWAITING_PAYMENT' AND expires_at <= ");
    query.push_bind(now.millis()).push(" ORDER BY expires_at, id LIMIT ").push_bind(i64::from(limit));
    fetch(link, query, read_whole).await
}

pub(super) async fn payment<DB: Backend>(link: &mut dyn Link<DB>, id: PaymentId) -> Result<Option<Payment>, StoreError> {
    let mut query = QueryBuilder::<DB>::new("SELECT ");
    query.push(payments::COLUMNS).push(" FROM payments WHERE id = ").push_bind(id.get());
    Ok(fetch(link, query, payments::read).await?.pop())
}
