use super::StoreError;
use crate::coupon::{Coupon, CouponRequest, UserCoupon};
use crate::idempotency::{Claim, IdempotencyRecord};
use crate::messaging::DeadLetter;
use crate::order::Order;
use crate::payment::Payment;
use crate::point::PointEntry;
use crate::product::{Category, OptionStock, Product};
use crate::ranking::Sale;
use crate::user::{Email, User};
use crate::{CouponId, DeadLetterId, Money, OrderId, PaymentId, PointEntryId, ProductId, TaskId, Timestamp, UserCouponId, UserId};
use async_trait::async_trait;

/// How many items a page holds: 1–100, 20 if nobody says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageLimit(u8);

impl PageLimit {
    /// The most items of a page.
    pub const MAX: u8 = 100;

    /// Checks a limit; `None` outside 1–100.
    pub fn new(items: i64) -> Option<Self> {
        u8::try_from(items).ok().filter(|items| (1..=Self::MAX).contains(items)).map(Self)
    }

    /// The number of items.
    pub const fn get(self) -> usize {
        self.0 as usize
    }
}

impl Default for PageLimit {
    fn default() -> Self {
        Self(20)
    }
}

/// A part of a list, and where the next part begins. It is made by asking for one item more than the limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T, C> {
    /// The items, at most [`PageLimit::get`].
    pub items: Vec<T>,
    /// Where the next page begins; `None` on the last one.
    pub next: Option<C>,
}

impl<T, C> Page<T, C> {
    /// Cuts `rows`, of which one more than `limit` was asked for, to a page. `cursor` says where a page that follows an item begins.
    pub fn cut(mut rows: Vec<T>, limit: PageLimit, cursor: impl FnOnce(&T) -> C) -> Self {
        let more = rows.len() > limit.get();
        rows.truncate(limit.get());
        let next = if more { rows.last().map(cursor) } else { None };
        Self { items: rows, next }
    }
}

/// Points to an order in a list that is newest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrderCursor {
    /// When the last order of the page before was placed.
    pub ordered_at: Timestamp,
    /// Its id.
    pub id: OrderId,
}

/// An order with the payment that completed it, if any; a refunded payment still counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderView {
    /// The order.
    pub order: Order,
    /// The payment.
    pub payment_id: Option<PaymentId>,
}

/// Which products a list shows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProductFilter {
    /// Only this shelf.
    pub category: Option<Category>,
    /// Only products whose name or description contains this text, ignoring the case of ASCII letters; taken literally.
    pub text: Option<String>,
}

/// Points to a sale in a list that is oldest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SaleCursor {
    /// When the last order of the page before was paid.
    pub paid_at: Timestamp,
    /// Its id.
    pub order_id: OrderId,
}

/// A page of ledger entries, newest first.
pub type PointEntryPage = Page<PointEntry, PointEntryId>;
/// A page of orders, newest first.
pub type OrderPage = Page<OrderView, OrderCursor>;
/// A page of products, ascending by id.
pub type ProductPage = Page<Product, ProductId>;
/// A page of coupons, ascending by id.
pub type CouponPage = Page<Coupon, CouponId>;

/// Reads that change nothing and lock nothing, on connections of their own. They MUST see everything that was committed before they began.
#[async_trait]
pub trait Queries: Send + Sync {
    /// A user by its id.
    async fn user(&self, id: UserId) -> Result<Option<User>, StoreError>;
    /// A user by its address, ignoring case.
    async fn user_by_email(&self, email: &Email) -> Result<Option<User>, StoreError>;
    /// Whether there is any user.
    async fn has_users(&self) -> Result<bool, StoreError>;
    /// A user's balance; `None` if there is no such user.
    async fn balance(&self, user: UserId) -> Result<Option<Money>, StoreError>;
    /// A user's ledger, newest first, from below `before`.
    async fn point_entries(&self, user: UserId, before: Option<PointEntryId>, limit: PageLimit) -> Result<PointEntryPage, StoreError>;
    /// Products by their ids, ascending; unknown ids are left out.
    async fn products(&self, ids: &[ProductId]) -> Result<Vec<Product>, StoreError>;
    /// The stock of all options of these products, ascending by (product, option); unknown ids are left out.
    async fn stock_of_products(&self, ids: &[ProductId]) -> Result<Vec<OptionStock>, StoreError>;
    /// Products that match a filter, ascending by id, from above `after`.
    async fn find_products(&self, filter: &ProductFilter, after: Option<ProductId>, limit: PageLimit) -> Result<ProductPage, StoreError>;
    /// Orders with their items by their ids, ascending; unknown ids are left out.
    async fn orders(&self, ids: &[OrderId]) -> Result<Vec<OrderView>, StoreError>;
    /// An order with its items.
    async fn order(&self, id: OrderId) -> Result<Option<OrderView>, StoreError> {
        Ok(self.orders(&[id]).await?.pop())
    }
    /// A user's orders, newest first (by time, then id), from below `before`.
    async fn orders_of(&self, user: UserId, before: Option<OrderCursor>, limit: PageLimit) -> Result<OrderPage, StoreError>;
    /// At most `limit` orders that await payment and whose deadline is not after `now`, the oldest deadline first.
    async fn overdue_orders(&self, now: Timestamp, limit: u32) -> Result<Vec<OrderId>, StoreError>;
    /// A payment.
    async fn payment(&self, id: PaymentId) -> Result<Option<Payment>, StoreError>;
    /// At most `limit` sales whose payments were made in `from..to`, ascending by (time, order), from above `after`.
    async fn sales(&self, from: Timestamp, to: Timestamp, after: Option<SaleCursor>, limit: u32) -> Result<Vec<Sale>, StoreError>;
    /// Coupons by their ids, ascending; unknown ids are left out.
    async fn coupons_by_id(&self, ids: &[CouponId]) -> Result<Vec<Coupon>, StoreError>;
    /// A coupon.
    async fn coupon(&self, id: CouponId) -> Result<Option<Coupon>, StoreError> {
        Ok(self.coupons_by_id(&[id]).await?.pop())
    }
    /// All coupons, ascending by id, from above `after`.
    async fn coupons(&self, after: Option<CouponId>, limit: PageLimit) -> Result<CouponPage, StoreError>;
    /// What a user holds, each with its coupon, ascending by id.
    async fn user_coupons(&self, user: UserId) -> Result<Vec<(UserCoupon, Coupon)>, StoreError>;
    /// What was issued of a coupon, at most `limit`, ascending by id, from above `after`.
    async fn issued_of(&self, coupon: CouponId, after: Option<UserCouponId>, limit: u32) -> Result<Vec<UserCoupon>, StoreError>;
    /// What was issued for a task.
    async fn user_coupon_of_task(&self, task: TaskId) -> Result<Option<UserCoupon>, StoreError>;
    /// Requests for coupons by their tasks, ascending; unknown tasks are left out.
    async fn coupon_requests(&self, tasks: &[TaskId]) -> Result<Vec<CouponRequest>, StoreError>;
    /// Requests for coupons that are not decided, at most `limit`, ascending by task, from above `after`.
    async fn pending_requests(&self, after: Option<TaskId>, limit: u32) -> Result<Vec<CouponRequest>, StoreError>;
    /// The answer that is kept under a key, whatever request it was given to.
    async fn idempotency_record(&self, claim: &Claim) -> Result<Option<IdempotencyRecord>, StoreError>;
    /// Events that could not be handled and were not replayed, ascending by id, from above `after`, at most `limit`.
    async fn dead_letters(&self, after: Option<DeadLetterId>, limit: PageLimit) -> Result<Vec<DeadLetter>, StoreError>;
    /// An event that could not be handled.
    async fn dead_letter(&self, id: DeadLetterId) -> Result<Option<DeadLetter>, StoreError>;
}
