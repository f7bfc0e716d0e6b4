//! The books of a shop, reckoned from what is stored without the shop's help.

use crate::shop::Shop;
use commerce_core::coupon::UserCouponState;
use commerce_core::order::{Order, OrderStatus};
use commerce_core::stock::StockEntryKind;
use commerce_core::store::Store;
use commerce_core::{OptionId, OrderId, UserCouponId, UserId};
use std::collections::BTreeMap;

const ALL: u32 = u32::MAX;

/// What is stored, as a test compares it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Books {
    pub(crate) balances: BTreeMap<UserId, i64>,
    pub(crate) stock: BTreeMap<OptionId, i64>,
    pub(crate) held_coupons: BTreeMap<UserCouponId, Option<OrderId>>,
    pub(crate) orders: BTreeMap<OrderId, (OrderStatus, i64)>,
    pub(crate) entries: usize,
}

impl Books {
    /// Reads the books and checks that every ledger balances.
    pub(crate) async fn read(shop: &Shop) -> Self {
        let mut snapshot = shop.memory.snapshot().await.unwrap();
        let (mut balances, mut stock) = (BTreeMap::<UserId, i64>::new(), BTreeMap::<OptionId, i64>::new());
        let point_entries = snapshot.point_entries(None, ALL).await.unwrap();
        for entry in &point_entries {
            let balance = balances.entry(entry.change.user_id).or_default();
            *balance += entry.change.kind.sign() * entry.change.amount.krw();
            assert_eq!(*balance, entry.change.balance_after.krw(), "the running balance of {entry:?}");
        }
        let stock_entries = snapshot.stock_entries(None, ALL).await.unwrap();
        for entry in &stock_entries {
            *stock.entry(entry.change.option_id).or_default() += entry.change.delta;
        }
        for account in snapshot.accounts(None, ALL).await.unwrap() {
            assert_eq!(account.balance.krw(), *balances.entry(account.user_id).or_default(), "the balance of user {}", account.user_id);
        }
        for shelf in snapshot.stock(None, ALL).await.unwrap() {
            assert_eq!(i64::from(shelf.quantity.units()), *stock.entry(shelf.option_id).or_default(), "the stock of {}", shelf.option_id);
        }
        let orders = snapshot.orders(None, ALL).await.unwrap();
        let mut reserved = BTreeMap::<(OrderId, OptionId), i64>::new();
        for entry in stock_entries.iter().filter(|entry| matches!(entry.change.kind, StockEntryKind::Reserve | StockEntryKind::Release)) {
            *reserved.entry((entry.change.order_id.unwrap(), entry.change.option_id)).or_default() -= entry.change.delta;
        }
        reserved.retain(|_, units| *units != 0);
        assert_eq!(reserved, orders.iter().flat_map(held).collect(), "orders hold exactly what they reserved");

        let held_coupons = snapshot.user_coupons(None, ALL).await.unwrap().into_iter().map(|coupon| match coupon.state {
            UserCouponState::Issued => (coupon.id, None),
            UserCouponState::Used { order_id, .. } => (coupon.id, Some(order_id)),
        });
        let held_coupons = held_coupons.collect();
        let users_of_coupons =
            orders.iter().filter(|order| holds(order.status)).filter_map(|order| Some((order.user_coupon_id?, order.id)));
        let used: BTreeMap<UserCouponId, OrderId> = users_of_coupons.collect();
        let held: BTreeMap<_, _> = BTreeMap::<_, Option<OrderId>>::iter(&held_coupons).filter_map(|(id, by)| Some((*id, (*by)?))).collect();
        assert_eq!(held, used, "a coupon is used by the order that holds it and by no other");
        let orders = orders.into_iter().map(|order| (order.id, (order.status, order.total.krw()))).collect();
        Self { balances, stock, held_coupons, orders, entries: point_entries.len() + stock_entries.len() }
    }

    /// Reads the books of a shop in which nothing is under way, and lets the audit look as well.
    pub(crate) async fn close(shop: &Shop) -> Self {
        let books = Self::read(shop).await;
        assert!(books.orders.values().all(|(status, _)| *status != OrderStatus::Pending), "no order is left behind: {books:?}");
        let undelivered = shop.memory.snapshot().await.unwrap().undelivered(ALL).await.unwrap();
        assert_eq!(undelivered, [], "the outbox is drained");
        books
    }
}

const fn holds(status: OrderStatus) -> bool {
    matches!(status, OrderStatus::AwaitingPayment | OrderStatus::Completed)
}

fn held(order: &Order) -> Vec<((OrderId, OptionId), i64)> {
    let items = order.items.iter().filter(|_| holds(order.status));
    items.map(|item| ((order.id, item.option_id), i64::from(item.quantity.units()))).collect()
}
