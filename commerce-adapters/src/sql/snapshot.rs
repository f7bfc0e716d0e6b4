use super::statements::{fetch, select_in};
use super::{Backend, Fields, Link, coupon_requests, coupons, orders, payments, points, read_whole, sales, stock};
use async_trait::async_trait;
use commerce_core::audit::AuditSnapshot;
use commerce_core::coupon::{Coupon, CouponRequest, UserCoupon};
use commerce_core::messaging::SoldUnits;
use commerce_core::order::Order;
use commerce_core::payment::Payment;
use commerce_core::point::{PointAccount, PointEntry};
use commerce_core::stock::{Reservation, Stock, StockEntry};
use commerce_core::store::StoreError;
use commerce_core::{CouponId, EventId, OptionId, OrderId, PointEntryId, ProductId, StockEntryId, Timestamp, UserCouponId, UserId};
use sqlx::QueryBuilder;

/// A connection in a read transaction that has begun to see one moment. It is given back when the snapshot is dropped.
pub(crate) struct SqlSnapshot<DB: Backend> {
    link: Box<dyn Link<DB>>,
}

type Read<DB, T> = fn(&mut Fields<'_, DB>) -> Result<T, StoreError>;

impl<DB: Backend> SqlSnapshot<DB> {
    /// Takes over a connection in a read transaction.
    pub(crate) fn new(link: Box<dyn Link<DB>>) -> Self {
        Self { link }
    }

    /// A page of a table in the order of its key.
    async fn page<T: Send>(
        &mut self,
        [columns, table, key]: [&str; 3],
        after: Option<i64>,
        limit: u32,
        read: Read<DB, T>,
    ) -> Result<Vec<T>, StoreError> {
        let mut query = QueryBuilder::<DB>::new(format!("SELECT {columns} FROM {table} WHERE {key} > "));
        query.push_bind(after.unwrap_or(0)).push(format_args!(" ORDER BY {key} LIMIT ")).push_bind(i64::from(limit));
        fetch(self.link.as_mut(), query, read).await
    }

    /// A page of a table in the order of two columns, of which `id` is its key; `index` has them. The rest of the group the last page ended in comes from
    /// a query of its own: comparing pairs makes some databases read the whole group again for each page.
    async fn page_of_groups<T: Send>(
        &mut self,
        [columns, table, group, index]: [&str; 4],
        after: Option<(i64, i64)>,
        limit: u32,
        read: Read<DB, T>,
    ) -> Result<Vec<T>, StoreError> {
        let (last_group, last_id) = after.unwrap_or((0, 0));
        let head = format!("SELECT {columns} FROM {table}{} WHERE {group}", DB::by_index(index));
        let mut query = QueryBuilder::<DB>::new(format!("{head} = "));
        query.push_bind(last_group).push(" AND id > ").push_bind(last_id).push(" ORDER BY id LIMIT ").push_bind(i64::from(limit));
        let mut rows = fetch(self.link.as_mut(), query, read).await?;
        let rest = i64::from(limit) - i64::try_from(rows.len()).unwrap_or(i64::MAX);
        if rest > 0 {
            let mut query = QueryBuilder::<DB>::new(format!("{head} > "));
            query.push_bind(last_group).push(format_args!(" ORDER BY {group}, id LIMIT ")).push_bind(rest);
            rows.append(&mut fetch(self.link.as_mut(), query, read).await?);
        }
        Ok(rows)
    }
}

#[async_trait]
impl<DB: Backend> AuditSnapshot for SqlSnapshot<DB> {
    async fn accounts(&mut self, after: Option<UserId>, limit: u32) -> Result<Vec<PointAccount>, StoreError> {
        let table = [points::ACCOUNT_COLUMNS, "point_accounts", "user_id"];
        self.page(table, after.map(i64::from), limit, points::read_account).await
    }

    async fn point_entries(&mut self, after: Option<(UserId, PointEntryId)>, limit: u32) -> Result<Vec<PointEntry>, StoreError> {
        let after = after.map(|(user, id)| (user.get(), id.get()));
        self.page_of_groups([points::ENTRY_COLUMNS, "point_entries", "user_id", "point_entries_user"], after, limit, points::read_entry)
            .await
    }

    async fn stock(&mut self, after: Option<OptionId>, limit: u32) -> Result<Vec<Stock>, StoreError> {
        self.page([stock::COLUMNS, "stocks", "option_id"], after.map(i64::from), limit, stock::read).await
    }

    async fn stock_entries(&mut self, after: Option<(OptionId, StockEntryId)>, limit: u32) -> Result<Vec<StockEntry>, StoreError> {
        let after = after.map(|(option, id)| (option.get(), id.get()));
        self.page_of_groups([stock::ENTRY_COLUMNS, "stock_entries", "option_id", "stock_entries_option"], after, limit, stock::read_entry)
            .await
    }

    async fn orders(&mut self, after: Option<OrderId>, limit: u32) -> Result<Vec<Order>, StoreError> {
        let mut page = self.page([orders::COLUMNS, "orders", "id"], after.map(i64::from), limit, orders::read).await?;
        orders::add_items::<DB>(self.link.as_mut(), page.iter_mut()).await?;
        Ok(page)
    }

    async fn reservations(&mut self, orders: &[OrderId]) -> Result<Vec<Reservation>, StoreError> {
        stock::reservations::<DB>(self.link.as_mut(), orders).await
    }

    async fn payments_of(&mut self, orders: &[OrderId]) -> Result<Vec<Payment>, StoreError> {
        let head = format!("SELECT {} FROM payments WHERE order_id IN", payments::COLUMNS);
        let orders = orders.iter().map(|id| id.get());
        select_in(self.link.as_mut(), &head, orders, " ORDER BY order_id, id", payments::read).await
    }

    async fn point_entries_of(&mut self, orders: &[OrderId]) -> Result<Vec<PointEntry>, StoreError> {
        let head = format!("SELECT {} FROM point_entries WHERE order_id IN", points::ENTRY_COLUMNS);
        let orders = orders.iter().map(|id| id.get());
        let mut entries = select_in(self.link.as_mut(), &head, orders, "", points::read_entry).await?;
        entries.sort_unstable_by_key(|entry| entry.id);
        Ok(entries)
    }

    async fn orphans(&mut self, limit: u32) -> Result<Vec<OrderId>, StoreError> {
        let mut query = QueryBuilder::<DB>::new("SELECT order_id FROM (");
        let mut union = query.separated(" UNION ");
        for table in ["payments", "stock_entries", "user_coupons", "point_entries"] {
            union.push(format_args!(
                "SELECT t.order_id FROM {table} t WHERE t.order_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM orders o WHERE o.id = t.order_id)"
            ));
        }
        query.push(") orphans ORDER BY order_id LIMIT ").push_bind(i64::from(limit));
        fetch(self.link.as_mut(), query, read_whole).await
    }

    async fn coupons(&mut self, after: Option<CouponId>, limit: u32) -> Result<Vec<Coupon>, StoreError> {
        self.page([coupons::COLUMNS, "coupons", "id"], after.map(i64::from), limit, coupons::read).await
    }

    async fn user_coupons(&mut self, after: Option<(CouponId, UserCouponId)>, limit: u32) -> Result<Vec<UserCoupon>, StoreError> {
        let after = after.map(|(coupon, id)| (coupon.get(), id.get()));
        self.page_of_groups([coupons::HELD_COLUMNS, "user_coupons", "coupon_id", "user_coupons_coupon"], after, limit, coupons::read_held)
            .await
    }

    async fn user_coupons_by_id(&mut self, ids: &[UserCouponId]) -> Result<Vec<(UserCoupon, Coupon)>, StoreError> {
        let head = format!("{} WHERE h.id IN", coupons::SELECT_PAIRS);
        let ids = ids.iter().map(|id| id.get());
        select_in(self.link.as_mut(), &head, ids, " ORDER BY h.id", coupons::read_pair).await
    }

    async fn user_coupons_held_by(&mut self, orders: &[OrderId]) -> Result<Vec<UserCoupon>, StoreError> {
        let head = format!("SELECT {} FROM user_coupons WHERE order_id IN", coupons::HELD_COLUMNS);
        let orders = orders.iter().map(|id| id.get());
        let mut found = select_in(self.link.as_mut(), &head, orders, "", coupons::read_held).await?;
        found.sort_unstable_by_key(|user_coupon| user_coupon.id);
        Ok(found)
    }

    async fn orders_by_id(&mut self, ids: &[OrderId]) -> Result<Vec<Order>, StoreError> {
        orders::by_id::<DB>(self.link.as_mut(), ids, "").await
    }

    async fn pending_requests(&mut self, limit: u32) -> Result<Vec<CouponRequest>, StoreError> {
        coupon_requests::pending::<DB>(self.link.as_mut(), None, limit).await
    }

    async fn sold(&mut self, from: Timestamp, to: Timestamp, after: Option<ProductId>, limit: u32) -> Result<Vec<SoldUnits>, StoreError> {
        sales::sold::<DB>(self.link.as_mut(), from, to, after, limit).await
    }

    async fn undelivered(&mut self, limit: u32) -> Result<Vec<EventId>, StoreError> {
        let mut query = QueryBuilder::<DB>::new("SELECT seq FROM outbox");
        query
            .push(DB::by_index("outbox_unsent"))
            .push(" WHERE ")
            .push(DB::UNDELIVERED)
            .push(" ORDER BY seq LIMIT ")
            .push_bind(i64::from(limit));
        fetch(self.link.as_mut(), query, read_whole).await
    }
}
