//! The shop as a few plain numbers: one log of facts, and how far each group has come in it.

use super::orders::{Action, COUPON_LIFE, OPTIONS, POINTS};
use commerce_core::messaging::Group;
use commerce_core::order::OrderStatus;
use std::collections::BTreeMap;
use std::time::Duration;

#[derive(Debug, Clone, Copy)]
enum Fact {
    Created(usize),
    StockReserved(usize),
    StockRejected(usize),
    CouponApplied(usize),
    CouponRejected(usize),
    Closed(usize),
}

#[derive(Debug)]
struct Order {
    user: usize,
    lines: BTreeMap<usize, i64>,
    coupon: Option<usize>,
    status: OrderStatus,
    total: i64,
    held: bool,
    expires_at: Duration,
}

/// What the model says; indexes stand for ids.
#[derive(Debug)]
pub(super) struct Model {
    now: Duration,
    pub(super) balances: Vec<i64>,
    pub(super) stock: Vec<i64>,
    /// Which order holds the coupon of the user with the same index.
    pub(super) coupons: Vec<Option<usize>>,
    orders: Vec<Order>,
    log: Vec<Fact>,
    read: BTreeMap<Group, usize>,
}

impl Model {
    pub(super) fn new() -> Self {
        let (balances, stock) = (POINTS.to_vec(), OPTIONS.iter().map(|(_, stock)| *stock).collect());
        let coupons = vec![None; POINTS.len()];
        Self { now: Duration::ZERO, balances, stock, coupons, orders: Vec::new(), log: Vec::new(), read: BTreeMap::new() }
    }

    /// Where each order stands, and what it costs.
    pub(super) fn orders(&self) -> Vec<(OrderStatus, i64)> {
        self.orders.iter().map(|order| (order.status, order.total)).collect()
    }

    /// Whether a group has something to do.
    pub(super) fn quiet(&self) -> bool {
        crate::shop::SAGA.iter().all(|group| self.read.get(group).copied().unwrap_or_default() == self.log.len())
    }

    /// Does what a command or the clock does; `payment_deadline` is how long orders can be paid.
    pub(super) fn act(&mut self, action: &Action, payment_deadline: Duration) {
        match *action {
            Action::Place { user, ref lines, coupon } => {
                let mut merged = BTreeMap::new();
                for &(option, units) in lines {
                    *merged.entry(option).or_default() += units;
                }
                let (status, expires_at) = (OrderStatus::Pending, self.now + payment_deadline);
                self.log.push(Fact::Created(self.orders.len()));
                self.orders.push(Order { user, lines: merged, coupon, status, total: 0, held: false, expires_at });
            }
            Action::Pay { order, user } => {
                let Some((order, now)) = self.orders.get_mut(order).map(|order| (order, self.now)) else { return };
                let payable = order.status == OrderStatus::AwaitingPayment && now < order.expires_at && order.user == user;
                if payable && self.balances[user] >= order.total {
                    self.balances[user] -= order.total;
                    order.status = OrderStatus::Completed;
                }
            }
            Action::Cancel { order, user } => self.close(order, Some(user), OrderStatus::AwaitingPayment, OrderStatus::Cancelled),
            Action::Refund { order } => {
                if let Some(paid) = self.orders.get(order).filter(|order| order.status == OrderStatus::Completed) {
                    self.balances[paid.user] += paid.total;
                    self.close(order, None, OrderStatus::Completed, OrderStatus::Refunded);
                }
            }
            Action::Expire => {
                let mut overdue: Vec<_> = (0..self.orders.len()).filter(|&order| self.orders[order].expires_at <= self.now).collect();
                overdue.sort_by_key(|&order| (self.orders[order].expires_at, order));
                for order in overdue {
                    self.close(order, None, OrderStatus::AwaitingPayment, OrderStatus::Expired);
                }
            }
            Action::Advance { minutes } => self.now += Duration::from_mins(minutes),
            Action::Charge { user, amount } => self.balances[user] += amount,
            Action::Adjust { option, delta } if self.stock[option] + delta >= 0 => self.stock[option] += delta,
            Action::Adjust { .. } | Action::Deliver(_) | Action::Repeat | Action::Retell | Action::Fault(_) => {}
        }
    }

    fn close(&mut self, id: usize, user: Option<usize>, from: OrderStatus, to: OrderStatus) {
        let Some(order) = self.orders.get_mut(id) else { return };
        if order.status == from && user.is_none_or(|user| user == order.user) {
            order.status = to;
            self.log.push(Fact::Closed(id));
        }
    }

    /// Lets a group read everything there is now.
    pub(super) fn deliver(&mut self, group: Group) {
        let there_is = self.log.len();
        let read = self.read.insert(group, there_is).unwrap_or_default();
        for place in read..there_is {
            let fact = self.log[place];
            let leads_to = match group {
                Group::Stock => self.stock_step(fact),
                Group::Coupon => self.coupon_step(fact),
                _ => self.order_step(fact),
            };
            self.log.extend(leads_to);
        }
    }

    fn stock_step(&mut self, fact: Fact) -> Option<Fact> {
        match fact {
            Fact::Created(id) => {
                let order = &mut self.orders[id];
                if order.lines.iter().any(|(&option, &units)| self.stock[option] < units) {
                    return Some(Fact::StockRejected(id));
                }
                order.lines.iter().for_each(|(&option, units)| self.stock[option] -= units);
                order.held = true;
                Some(Fact::StockReserved(id))
            }
            Fact::CouponRejected(id) | Fact::Closed(id) => {
                let order = &mut self.orders[id];
                order.lines.iter().filter(|_| order.held).for_each(|(&option, units)| self.stock[option] += units);
                order.held = false;
                None
            }
            _ => None,
        }
    }

    fn coupon_step(&mut self, fact: Fact) -> Option<Fact> {
        match fact {
            Fact::StockReserved(id) => {
                let coupon = self.orders[id].coupon?;
                let usable = coupon == self.orders[id].user && self.coupons[coupon].is_none() && self.now < COUPON_LIFE;
                if usable {
                    self.coupons[coupon] = Some(id);
                }
                Some(if usable { Fact::CouponApplied(id) } else { Fact::CouponRejected(id) })
            }
            Fact::Closed(id) => {
                self.coupons.iter_mut().filter(|holder| **holder == Some(id)).for_each(|holder| *holder = None);
                None
            }
            _ => None,
        }
    }

    fn order_step(&mut self, fact: Fact) -> Option<Fact> {
        let (id, status) = match fact {
            Fact::StockReserved(id) if self.orders[id].coupon.is_none() => (id, OrderStatus::AwaitingPayment),
            Fact::CouponApplied(id) => (id, OrderStatus::AwaitingPayment),
            Fact::StockRejected(id) | Fact::CouponRejected(id) => (id, OrderStatus::Failed),
            _ => return None,
        };
        let order = &mut self.orders[id];
        order.status = status;
        if status == OrderStatus::AwaitingPayment {
            let original: i64 = order.lines.iter().map(|(&option, units)| OPTIONS[option].0 * units).sum();
            order.total = if order.coupon.is_some() { original - original / 10 } else { original };
        }
        None
    }
}
