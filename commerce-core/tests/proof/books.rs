//! The books of a shop, reckoned from what is stored without the shop's help.

use crate::shop::Shop;
use commerce_core::audit::{AuditOptions, AuditSnapshot};
use commerce_core::coupon::UserCouponState;
use commerce_core::order::OrderStatus;
use commerce_core::stock::StockEntryKind;
use commerce_core::store::Store;
use commerce_core::{OptionId, OrderId, UserCouponId, UserId};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

const ALL: u32 = u32::MAX;

/// What is stored, as a test compares it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Books {
    pub(crate) balances: BTreeMap<UserId, i64>,
    pub(crate) stock: BTreeMap<OptionId, i64>,
    pub(crate) held_coupons: BTreeMap<UserCouponId, Option<OrderId>>,
    pub(crate) orders: BTreeMap<OrderId, (OrderStatus, i64)>,
    /// How many entries the ledgers have: something done twice and undone once shows here.
    entries: usize,
}

impl Books {
    /// Reads the books while anything may be under way, and checks that every ledger balances.
    pub(crate) async fn under_way(shop: &Shop) -> Self {
        let mut snapshot = shop.memory.snapshot().await.unwrap();
        let (balances, point_entries) = balances(snapshot.as_mut()).await;
        let (stock, stock_entries) = stock(snapshot.as_mut()).await;
        let held_coupons = snapshot.user_coupons(None, ALL).await.unwrap().into_iter().map(|coupon| match coupon.state {
            UserCouponState::Issued => (coupon.id, None),
            UserCouponState::Used { order_id, .. } => (coupon.id, Some(order_id)),
        });
        let held_coupons = held_coupons.collect();
        let orders = snapshot.orders(None, ALL).await.unwrap();
        let orders = orders.into_iter().map(|order| (order.id, (order.status, order.total.krw()))).collect();
        Self { balances, stock, held_coupons, orders, entries: point_entries + stock_entries }
    }

    /// Reads the books of a shop in which nothing is under way any more, checks what orders hold, and lets the audit look as well.
    pub(crate) async fn close(shop: &Shop) -> Self {
        let books = Self::under_way(shop).await;
        let mut snapshot = shop.memory.snapshot().await.unwrap();
        assert_eq!(snapshot.undelivered(ALL).await.unwrap(), [], "the outbox is drained");
        assert!(books.orders.values().all(|(status, _)| *status != OrderStatus::Pending), "no order is left behind: {books:?}");
        check_holdings(snapshot.as_mut()).await;
        // Nothing is on its way: what does not add up now never will.
        let options = AuditOptions { settle: Duration::ZERO, ..AuditOptions::default() };
        let report = shop.commerce.audit(options, &mut |_| {}).await.unwrap();
        assert!(report.is_clean(), "{report:#?}");
        books
    }
}

async fn balances(snapshot: &mut dyn AuditSnapshot) -> (BTreeMap<UserId, i64>, usize) {
    let mut balances = BTreeMap::<UserId, i64>::new();
    let entries = snapshot.point_entries(None, ALL).await.unwrap();
    for entry in &entries {
        let balance = balances.entry(entry.change.user_id).or_default();
        *balance += entry.change.kind.sign() * entry.change.amount.krw();
        assert_eq!(*balance, entry.change.balance_after.krw(), "the running balance of {entry:?}");
    }
    for account in snapshot.accounts(None, ALL).await.unwrap() {
        assert_eq!(account.balance.krw(), *balances.entry(account.user_id).or_default(), "the balance of user {}", account.user_id);
    }
    (balances, entries.len())
}

async fn stock(snapshot: &mut dyn AuditSnapshot) -> (BTreeMap<OptionId, i64>, usize) {
    let mut stock = BTreeMap::<OptionId, i64>::new();
    let entries = snapshot.stock_entries(None, ALL).await.unwrap();
    for entry in &entries {
        *stock.entry(entry.change.option_id).or_default() += entry.change.delta;
    }
    for shelf in snapshot.stock(None, ALL).await.unwrap() {
        assert_eq!(i64::from(shelf.quantity.units()), stock[&shelf.option_id], "the stock of option {}", shelf.option_id);
    }
    (stock, entries.len())
}

/// Orders that wait for payment or are paid hold exactly their stock and their coupon, and nobody else holds anything.
async fn check_holdings(snapshot: &mut dyn AuditSnapshot) {
    let mut orders = snapshot.orders(None, ALL).await.unwrap();
    orders.retain(|order| matches!(order.status, OrderStatus::AwaitingPayment | OrderStatus::Completed));
    let mut reserved = BTreeMap::<(OrderId, OptionId), i64>::new();
    for entry in snapshot.stock_entries(None, ALL).await.unwrap() {
        if matches!(entry.change.kind, StockEntryKind::Reserve | StockEntryKind::Release) {
            *reserved.entry((entry.change.order_id.unwrap(), entry.change.option_id)).or_default() -= entry.change.delta;
        }
    }
    reserved.retain(|_, units| *units != 0);
    let items = orders.iter().flat_map(|order| order.items.iter().map(move |item| (order.id, item)));
    let ordered = items.map(|(order, item)| ((order, item.option_id), i64::from(item.quantity.units()))).collect();
    assert_eq!(reserved, ordered, "orders hold exactly what they reserved");

    let coupons = snapshot.user_coupons(None, ALL).await.unwrap();
    let used = coupons.into_iter().filter_map(|coupon| match coupon.state {
        UserCouponState::Used { order_id, .. } => Some((order_id, coupon.id)),
        UserCouponState::Issued => None,
    });
    let used: BTreeSet<_> = used.collect();
    let wanted = orders.iter().filter_map(|order| Some((order.id, order.user_coupon_id?))).collect();
    assert_eq!(used, wanted, "a coupon is used by the order that holds it and by no other");
}
