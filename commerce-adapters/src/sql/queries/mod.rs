//! Reads outside of units of work, on a pool of connections.

mod coupons;
mod dead_letters;
mod idempotency;
mod orders;
mod products;
mod users;

use super::{Backend, Lender, Link, coupon_requests, products as product_rows, sales};
use async_trait::async_trait;
use commerce_core::coupon::{Coupon, CouponRequest, UserCoupon};
use commerce_core::idempotency::{Claim, IdempotencyRecord};
use commerce_core::messaging::DeadLetter;
use commerce_core::payment::Payment;
use commerce_core::product::{OptionStock, Product};
use commerce_core::ranking::Sale;
use commerce_core::store::{
    CouponPage, OrderCursor, OrderPage, OrderView, PageLimit, PointEntryPage, ProductFilter, ProductPage, Queries, SaleCursor, StoreError,
};
use commerce_core::user::{Email, User};
use commerce_core::{CouponId, DeadLetterId, Money, OrderId, PaymentId, PointEntryId, ProductId, TaskId, Timestamp, UserCouponId, UserId};

/// The reads of a store.
pub(crate) struct SqlQueries<DB: Backend> {
    lender: Box<dyn Lender<DB>>,
}

impl<DB: Backend> SqlQueries<DB> {
    /// Reads on connections that are lent by `lender`.
    pub(crate) fn new(lender: impl Lender<DB>) -> Self {
        Self { lender: Box::new(lender) }
    }

    /// A connection to read on.
    pub(crate) async fn link(&self) -> Result<Box<dyn Link<DB>>, StoreError> {
        self.lender.lend().await
    }

    /// Closes the connections once nobody reads any more.
    pub(crate) async fn close(&self) {
        self.lender.close().await;
    }
}

/// One row more than a page holds tells whether another page follows.
fn page_rows(limit: PageLimit) -> i64 {
    i64::try_from(limit.get()).unwrap_or(i64::MAX - 1) + 1
}

#[async_trait]
impl<DB: Backend> Queries for SqlQueries<DB> {
    async fn user(&self, id: UserId) -> Result<Option<User>, StoreError> {
        users::user(self.link().await?.as_mut(), id).await
    }

    async fn user_by_email(&self, email: &Email) -> Result<Option<User>, StoreError> {
        users::user_by_email(self.link().await?.as_mut(), email).await
    }

    async fn has_users(&self) -> Result<bool, StoreError> {
        users::has_users(self.link().await?.as_mut()).await
    }

    async fn balance(&self, user: UserId) -> Result<Option<Money>, StoreError> {
        users::balance(self.link().await?.as_mut(), user).await
    }

    async fn point_entries(&self, user: UserId, before: Option<PointEntryId>, limit: PageLimit) -> Result<PointEntryPage, StoreError> {
        users::point_entries(self.link().await?.as_mut(), user, before, limit).await
    }

    async fn products(&self, ids: &[ProductId]) -> Result<Vec<Product>, StoreError> {
        products::products(self.link().await?.as_mut(), ids).await
    }

    async fn stock_of_products(&self, ids: &[ProductId]) -> Result<Vec<OptionStock>, StoreError> {
        product_rows::stock_of(self.link().await?.as_mut(), ids).await
    }

    async fn find_products(&self, filter: &ProductFilter, after: Option<ProductId>, limit: PageLimit) -> Result<ProductPage, StoreError> {
        products::find_products(self.link().await?.as_mut(), filter, after, limit).await
    }

    async fn orders(&self, ids: &[OrderId]) -> Result<Vec<OrderView>, StoreError> {
        orders::orders(self.link().await?.as_mut(), ids).await
    }

    async fn orders_of(&self, user: UserId, before: Option<OrderCursor>, limit: PageLimit) -> Result<OrderPage, StoreError> {
        orders::orders_of(self.link().await?.as_mut(), user, before, limit).await
    }

    async fn overdue_orders(&self, now: Timestamp, limit: u32) -> Result<Vec<OrderId>, StoreError> {
        orders::overdue_orders(self.link().await?.as_mut(), now, limit).await
    }

    async fn payment(&self, id: PaymentId) -> Result<Option<Payment>, StoreError> {
        orders::payment(self.link().await?.as_mut(), id).await
    }

    async fn sales(&self, from: Timestamp, to: Timestamp, after: Option<SaleCursor>, limit: u32) -> Result<Vec<Sale>, StoreError> {
        sales::sales(self.link().await?.as_mut(), from, to, after, limit).await
    }

    async fn coupons_by_id(&self, ids: &[CouponId]) -> Result<Vec<Coupon>, StoreError> {
        coupons::coupons_by_id(self.link().await?.as_mut(), ids).await
    }

    async fn coupons(&self, after: Option<CouponId>, limit: PageLimit) -> Result<CouponPage, StoreError> {
        coupons::coupons(self.link().await?.as_mut(), after, limit).await
    }

    async fn user_coupons(&self, user: UserId) -> Result<Vec<(UserCoupon, Coupon)>, StoreError> {
        coupons::user_coupons(self.link().await?.as_mut(), user).await
    }

    async fn issued_of(&self, coupon: CouponId, after: Option<UserCouponId>, limit: u32) -> Result<Vec<UserCoupon>, StoreError> {
        coupons::issued_of(self.link().await?.as_mut(), coupon, after, limit).await
    }

    async fn user_coupon_of_task(&self, task: TaskId) -> Result<Option<UserCoupon>, StoreError> {
        coupons::user_coupon_of_task(self.link().await?.as_mut(), task).await
    }

    async fn coupon_requests(&self, tasks: &[TaskId]) -> Result<Vec<CouponRequest>, StoreError> {
        coupon_requests::by_task(self.link().await?.as_mut(), tasks, "").await
    }

    async fn pending_requests(&self, after: Option<TaskId>, limit: u32) -> Result<Vec<CouponRequest>, StoreError> {
        coupon_requests::pending(self.link().await?.as_mut(), after, limit).await
    }

    async fn idempotency_record(&self, claim: &Claim) -> Result<Option<IdempotencyRecord>, StoreError> {
        idempotency::record(self.link().await?.as_mut(), claim).await
    }

    async fn dead_letters(&self, after: Option<DeadLetterId>, limit: PageLimit) -> Result<Vec<DeadLetter>, StoreError> {
        dead_letters::dead_letters(self.link().await?.as_mut(), after, limit).await
    }

    async fn dead_letter(&self, id: DeadLetterId) -> Result<Option<DeadLetter>, StoreError> {
        dead_letters::dead_letter(self.link().await?.as_mut(), id).await
    }
}
