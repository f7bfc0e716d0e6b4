//! Reads outside of units of work, on a pool of connections.

mod coupons;
mod dead_letters;
mod idempotency;
mod orders;
mod products;
mod users;

use super::{Backend, coupon_requests, sales};
use async_trait::async_trait;
use commerce_core::coupon::{Coupon, CouponRequest, UserCoupon};
use commerce_core::idempotency::{Claim, IdempotencyRecord};
use commerce_core::messaging::DeadLetter;
use commerce_core::payment::Payment;
use commerce_core::product::Product;
use commerce_core::ranking::Sale;
use commerce_core::store::{
    CouponPage, OrderCursor, OrderPage, OrderView, PageLimit, PointEntryPage, ProductFilter, ProductPage, Queries, SaleCursor, StoreError,
};
use commerce_core::user::{Email, User};
use commerce_core::{CouponId, DeadLetterId, Money, OrderId, PaymentId, PointEntryId, ProductId, TaskId, Timestamp, UserCouponId, UserId};
use sqlx::Pool;

/// The reads of a store.
pub(crate) struct SqlQueries<DB: Backend> {
    pool: Pool<DB>,
}

impl<DB: Backend> SqlQueries<DB> {
    /// Reads on these connections.
    pub(crate) fn new(pool: Pool<DB>) -> Self {
        Self { pool }
    }

    /// A connection of the pool.
    pub(crate) async fn connection(&self) -> Result<DB::Reader, StoreError> {
        self.pool.acquire().await.map(DB::Reader::from).map_err(DB::error)
    }

    /// Closes the connections once nobody reads any more.
    pub(crate) async fn close(&self) {
        self.pool.close().await;
    }
}

/// One row more than a page holds tells whether another page follows.
fn page_rows(limit: PageLimit) -> i64 {
    i64::try_from(limit.get()).unwrap_or(i64::MAX - 1) + 1
}

#[async_trait]
impl<DB: Backend> Queries for SqlQueries<DB> {
    async fn user(&self, id: UserId) -> Result<Option<User>, StoreError> {
        users::user::<DB>(&mut self.connection().await?, id).await
    }

    async fn user_by_email(&self, email: &Email) -> Result<Option<User>, StoreError> {
        users::user_by_email::<DB>(&mut self.connection().await?, email).await
    }

    async fn has_users(&self) -> Result<bool, StoreError> {
        users::has_users::<DB>(&mut self.connection().await?).await
    }

    async fn balance(&self, user: UserId) -> Result<Option<Money>, StoreError> {
        users::balance::<DB>(&mut self.connection().await?, user).await
    }

    async fn point_entries(&self, user: UserId, before: Option<PointEntryId>, limit: PageLimit) -> Result<PointEntryPage, StoreError> {
        users::point_entries::<DB>(&mut self.connection().await?, user, before, limit).await
    }

    async fn products(&self, ids: &[ProductId]) -> Result<Vec<Product>, StoreError> {
        products::products::<DB>(&mut self.connection().await?, ids).await
    }

    async fn find_products(&self, filter: &ProductFilter, after: Option<ProductId>, limit: PageLimit) -> Result<ProductPage, StoreError> {
        products::find_products::<DB>(&mut self.connection().await?, filter, after, limit).await
    }

    async fn orders(&self, ids: &[OrderId]) -> Result<Vec<OrderView>, StoreError> {
        orders::orders::<DB>(&mut self.connection().await?, ids).await
    }

    async fn orders_of(&self, user: UserId, before: Option<OrderCursor>, limit: PageLimit) -> Result<OrderPage, StoreError> {
        orders::orders_of::<DB>(&mut self.connection().await?, user, before, limit).await
    }

    async fn overdue_orders(&self, now: Timestamp, limit: u32) -> Result<Vec<OrderId>, StoreError> {
        orders::overdue_orders::<DB>(&mut self.connection().await?, now, limit).await
    }

    async fn payment(&self, id: PaymentId) -> Result<Option<Payment>, StoreError> {
        orders::payment::<DB>(&mut self.connection().await?, id).await
    }

    async fn sales(&self, from: Timestamp, to: Timestamp, after: Option<SaleCursor>, limit: u32) -> Result<Vec<Sale>, StoreError> {
        sales::sales::<DB>(&mut self.connection().await?, from, to, after, limit).await
    }

    async fn coupons_by_id(&self, ids: &[CouponId]) -> Result<Vec<Coupon>, StoreError> {
        coupons::coupons_by_id::<DB>(&mut self.connection().await?, ids).await
    }

    async fn coupons(&self, after: Option<CouponId>, limit: PageLimit) -> Result<CouponPage, StoreError> {
        coupons::coupons::<DB>(&mut self.connection().await?, after, limit).await
    }

    async fn user_coupons(&self, user: UserId) -> Result<Vec<(UserCoupon, Coupon)>, StoreError> {
        coupons::user_coupons::<DB>(&mut self.connection().await?, user).await
    }

    async fn issued_of(&self, coupon: CouponId, after: Option<UserCouponId>, limit: u32) -> Result<Vec<UserCoupon>, StoreError> {
        coupons::issued_of::<DB>(&mut self.connection().await?, coupon, after, limit).await
    }

    async fn user_coupon_of_task(&self, task: TaskId) -> Result<Option<UserCoupon>, StoreError> {
        coupons::user_coupon_of_task::<DB>(&mut self.connection().await?, task).await
    }

    async fn coupon_requests(&self, tasks: &[TaskId]) -> Result<Vec<CouponRequest>, StoreError> {
        coupon_requests::by_task::<DB>(&mut self.connection().await?, tasks, "").await
    }

    async fn pending_requests(&self, after: Option<TaskId>, limit: u32) -> Result<Vec<CouponRequest>, StoreError> {
        coupon_requests::pending::<DB>(&mut self.connection().await?, after, limit).await
    }

    async fn idempotency_record(&self, claim: &Claim) -> Result<Option<IdempotencyRecord>, StoreError> {
        idempotency::record::<DB>(&mut self.connection().await?, claim).await
    }

    async fn dead_letters(&self, after: Option<DeadLetterId>, limit: PageLimit) -> Result<Vec<DeadLetter>, StoreError> {
        dead_letters::dead_letters::<DB>(&mut self.connection().await?, after, limit).await
    }

    async fn dead_letter(&self, id: DeadLetterId) -> Result<Option<DeadLetter>, StoreError> {
        dead_letters::dead_letter::<DB>(&mut self.connection().await?, id).await
    }
}
