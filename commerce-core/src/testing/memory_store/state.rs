use super::right::Right;
use crate::coupon::{Coupon, CouponRequest, Position, UserCoupon};
use crate::idempotency::{IdempotencyKey, IdempotencyRecord, KeyOwner};
use crate::messaging::{DeadLetter, Envelope, Group, Message};
use crate::order::Order;
use crate::payment::Payment;
use crate::point::{PointAccount, PointEntry};
use crate::product::Product;
use crate::stock::{Stock, StockEntry};
use crate::store::StoreError;
use crate::user::User;
use crate::{
    CouponId, DeadLetterId, EventId, ID_MAX, InvalidId, OptionId, OrderId, PaymentId, PointEntryId, ProductId, StockEntryId, TaskId,
    Timestamp, UserCouponId, UserId,
};
use imbl::{OrdMap, OrdSet};
use std::collections::BTreeSet;
use std::ops::Bound;
use std::sync::Arc;

/// All tables and their indexes. A clone shares its nodes with the original, so that it costs next to nothing.
#[derive(Clone, Default)]
pub(crate) struct State {
    pub(super) right: Right,
    pub(crate) users: OrdMap<UserId, User>,
    pub(crate) user_by_email: OrdMap<String, UserId>,
    pub(crate) accounts: OrdMap<UserId, PointAccount>,
    pub(crate) point_entries: OrdMap<(UserId, PointEntryId), PointEntry>,
    pub(crate) products: OrdMap<ProductId, Product>,
    pub(crate) product_of_option: OrdMap<OptionId, ProductId>,
    pub(crate) stock: OrdMap<OptionId, Stock>,
    pub(crate) stock_entries: OrdMap<(OptionId, StockEntryId), StockEntry>,
    /// The sum of what an order took of an option (positive) and gave back.
    pub(crate) reserved: OrdMap<(OrderId, OptionId), i64>,
    pub(crate) coupons: OrdMap<CouponId, Coupon>,
    pub(crate) user_coupons: OrdMap<UserCouponId, UserCoupon>,
    pub(crate) user_coupon_by_holder: OrdMap<(UserId, CouponId), UserCouponId>,
    pub(crate) user_coupon_by_position: OrdMap<(CouponId, Position), UserCouponId>,
    pub(crate) user_coupon_by_task: OrdMap<TaskId, UserCouponId>,
    pub(crate) coupon_requests: OrdMap<TaskId, CouponRequest>,
    pub(crate) orders: OrdMap<OrderId, Arc<Order>>,
    pub(crate) orders_by_user: OrdSet<(UserId, Timestamp, OrderId)>,
    pub(crate) payments: OrdMap<PaymentId, Payment>,
    /// The unique key behind "at most one completed payment per order".
    pub(crate) completed_payment: OrdMap<OrderId, PaymentId>,
    pub(crate) payments_by_order: OrdSet<(OrderId, PaymentId)>,
    /// What the present unit of work appended.
    pub(crate) appended: Vec<Envelope>,
    /// How much of that was asked for.
    pub(super) told: usize,
    pub(crate) outbox: OrdMap<EventId, OutboxEntry>,
    pub(crate) unsent: OrdSet<EventId>,
    pub(crate) inbox: OrdMap<(Group, EventId), Timestamp>,
    pub(crate) dead_letters: OrdMap<DeadLetterId, DeadLetter>,
    pub(crate) idempotency: OrdMap<(KeyOwner, IdempotencyKey), IdempotencyRecord>,
    /// The last fence of each lock under which something was written.
    pub(crate) fences: OrdMap<String, u64>,
    /// The last number given to a point entry, a stock entry, an event or a dead letter.
    last_number: i64,
}

/// A row of the outbox.
#[derive(Clone)]
pub(crate) struct OutboxEntry {
    pub(crate) message: Arc<Message>,
    pub(crate) claimed_until: Option<Timestamp>,
    pub(crate) sent_at: Option<Timestamp>,
}

impl State {
    /// The next id that the store itself gives.
    pub(super) fn next_id<Id: TryFrom<i64>>(&mut self) -> Result<Id, StoreError> {
        self.last_number += 1;
        Id::try_from(self.last_number).map_err(|_| StoreError::Corrupt("no ids are left".to_owned()))
    }
}

/// The error for a unique key that exists.
pub(super) fn duplicate(constraint: &str) -> StoreError {
    StoreError::Duplicate { constraint: constraint.to_owned() }
}

/// Inserts a row unless its key exists.
pub(super) fn insert_new<K: Ord + Clone, V: Clone>(table: &mut OrdMap<K, V>, key: K, value: V, constraint: &str) -> Result<(), StoreError> {
    match table.insert(key, value) {
        None => Ok(()),
        Some(_) => Err(duplicate(constraint)),
    }
}

/// The rows with these keys, ascending and each once.
pub(super) fn pick<K: Ord + Copy, V: Clone>(table: &OrdMap<K, V>, keys: &[K]) -> Vec<V> {
    let keys: BTreeSet<K> = keys.iter().copied().collect();
    keys.iter().filter_map(|key| table.get(key)).cloned().collect()
}

/// The rows whose keys follow `after`, ascending.
pub(super) fn following<K: Ord + Clone, V: Clone>(table: &OrdMap<K, V>, after: Option<K>) -> impl Iterator<Item = &V> {
    let from = after.map_or(Bound::Unbounded, Bound::Excluded);
    table.range::<_, K>((from, Bound::Unbounded)).map(|(_, row)| row)
}

/// `limit` as a number of rows.
pub(super) fn rows(limit: u32) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}

/// The smallest id of a kind, where a range begins.
pub(super) fn smallest<Id: TryFrom<i64, Error = InvalidId>>() -> Id {
    Id::try_from(1).expect("1 is an id")
}

/// The largest id of a kind, where a range ends.
pub(super) fn largest<Id: TryFrom<i64, Error = InvalidId>>() -> Id {
    Id::try_from(ID_MAX).expect("the largest id is an id")
}
