use crate::coupon::{Coupon, CouponRequest, UserCoupon};
use crate::messaging::SoldUnits;
use crate::order::Order;
use crate::payment::Payment;
use crate::point::{PointAccount, PointEntry};
use crate::stock::{Reservation, Stock, StockEntry};
use crate::store::StoreError;
use crate::{CouponId, EventId, OptionId, OrderId, PointEntryId, ProductId, StockEntryId, Timestamp, UserCouponId, UserId};
use async_trait::async_trait;

/// Everything that is stored, as it stood at one moment, in pages of at most `limit` rows that follow `after`.
///
/// All pages of a snapshot MUST show the same moment, while others go on writing.
#[async_trait]
pub trait AuditSnapshot: Send {
    /// Point accounts, ascending by user.
    async fn accounts(&mut self, after: Option<UserId>, limit: u32) -> Result<Vec<PointAccount>, StoreError>;
    /// The ledger of points, ascending by (user, entry).
    async fn point_entries(&mut self, after: Option<(UserId, PointEntryId)>, limit: u32) -> Result<Vec<PointEntry>, StoreError>;
    /// Stock, ascending by option.
    async fn stock(&mut self, after: Option<OptionId>, limit: u32) -> Result<Vec<Stock>, StoreError>;
    /// The ledger of stock, ascending by (option, entry).
    async fn stock_entries(&mut self, after: Option<(OptionId, StockEntryId)>, limit: u32) -> Result<Vec<StockEntry>, StoreError>;
    /// Orders with their items, ascending by id.
    async fn orders(&mut self, after: Option<OrderId>, limit: u32) -> Result<Vec<Order>, StoreError>;
    /// What these orders reserved less what they released, as
    /// [`StockRepository::reservations`](crate::stock::StockRepository::reservations) has it.
    async fn reservations(&mut self, orders: &[OrderId]) -> Result<Vec<Reservation>, StoreError>;
    /// All payments of these orders, ascending by (order, payment).
    async fn payments_of(&mut self, orders: &[OrderId]) -> Result<Vec<Payment>, StoreError>;
    /// All ledger entries of points that name these orders, ascending by entry.
    async fn point_entries_of(&mut self, orders: &[OrderId]) -> Result<Vec<PointEntry>, StoreError>;
    /// The orders that payments, stock entries, used coupons or point entries name but that do not exist, ascending; at most `limit`.
    async fn orphans(&mut self, limit: u32) -> Result<Vec<OrderId>, StoreError>;
    /// Coupons, ascending by id.
    async fn coupons(&mut self, after: Option<CouponId>, limit: u32) -> Result<Vec<Coupon>, StoreError>;
    /// User coupons, ascending by (coupon, id).
    async fn user_coupons(&mut self, after: Option<(CouponId, UserCouponId)>, limit: u32) -> Result<Vec<UserCoupon>, StoreError>;
    /// These user coupons with their coupons, ascending by id.
    async fn user_coupons_by_id(&mut self, ids: &[UserCouponId]) -> Result<Vec<(UserCoupon, Coupon)>, StoreError>;
    /// The user coupons that these orders hold, ascending by id.
    async fn user_coupons_held_by(&mut self, orders: &[OrderId]) -> Result<Vec<UserCoupon>, StoreError>;
    /// Orders of these ids with their items, ascending.
    async fn orders_by_id(&mut self, ids: &[OrderId]) -> Result<Vec<Order>, StoreError>;
    /// Requests for coupons that are not decided, ascending by task; at most `limit`.
    async fn pending_requests(&mut self, limit: u32) -> Result<Vec<CouponRequest>, StoreError>;
    /// What was sold through payments made in `from..to` that are completed: at most `limit` products, ascending, from above `after`.
    async fn sold(&mut self, from: Timestamp, to: Timestamp, after: Option<ProductId>, limit: u32) -> Result<Vec<SoldUnits>, StoreError>;
    /// Outbox rows that are not delivered to everybody who is to have them, ascending; at most `limit`.
    async fn undelivered(&mut self, limit: u32) -> Result<Vec<EventId>, StoreError>;
}
