//! What people were told. At the end all of it must still be true.

use commerce_core::notify::TaskUpdate;
use commerce_core::order::OrderStatus;
use commerce_core::{CouponId, OrderId, PaymentId, TaskId, UserId};
use std::collections::{BTreeMap, BTreeSet};

/// What somebody knows of a change it asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate<T> {
    /// It was told that it took place.
    Done(T),
    /// It was told that it did not.
    NotDone,
    /// It was never told.
    Unknown,
}

/// Points paid in; no two amounts are the same.
#[derive(Debug)]
pub(crate) struct ChargeTold {
    pub(crate) user: UserId,
    pub(crate) amount: i64,
    pub(crate) fate: Fate<()>,
}

/// An order under one of several ids: one for each time it was asked for.
#[derive(Debug)]
pub(crate) struct OrderTold {
    pub(crate) ids: Vec<OrderId>,
    pub(crate) fate: Fate<OrderId>,
}

/// A request for a coupon.
#[derive(Debug)]
pub(crate) struct TaskTold {
    pub(crate) user: UserId,
    pub(crate) coupon: CouponId,
    pub(crate) outcome: Option<TaskUpdate>,
}

#[derive(Debug, Default)]
pub(crate) struct Told {
    pub(crate) charges: Vec<ChargeTold>,
    pub(crate) orders: Vec<OrderTold>,
    /// Where an order was said to stand.
    pub(crate) stands: BTreeMap<OrderId, BTreeSet<&'static str>>,
    /// Payments that were said to be made, of which order.
    pub(crate) paid: BTreeMap<PaymentId, OrderId>,
    pub(crate) refund_asked: BTreeSet<PaymentId>,
    pub(crate) refunded: BTreeSet<PaymentId>,
    pub(crate) tasks: BTreeMap<TaskId, TaskTold>,
    /// Addresses somebody was registered with.
    pub(crate) registered: BTreeSet<String>,
    pub(crate) made_coupons: BTreeSet<CouponId>,
    /// Stock that was adjusted, by the reason that was given.
    pub(crate) adjusted: BTreeMap<String, Fate<()>>,
    numbers: i64,
}

impl Told {
    /// A number nobody else in the run has.
    pub(crate) fn number(&mut self) -> i64 {
        self.numbers += 1;
        self.numbers
    }

    pub(crate) fn order_stands(&mut self, id: OrderId, status: OrderStatus) {
        self.stands.entry(id).or_default().insert(status.as_str());
    }
}
