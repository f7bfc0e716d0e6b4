use super::State;
use super::state::{following, pick, rows};
use crate::audit::AuditSnapshot;
use crate::coupon::{Coupon, CouponRequest, UserCoupon, UserCouponState};
use crate::messaging::SoldUnits;
use crate::order::Order;
use crate::payment::Payment;
use crate::point::{PointAccount, PointEntry};
use crate::ranking::SaleState;
use crate::stock::{Reservation, Stock, StockEntry};
use crate::store::StoreError;
use crate::{CouponId, EventId, OptionId, OrderId, PointEntryId, ProductId, StockEntryId, Timestamp, UserCouponId, UserId};
use async_trait::async_trait;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A state that nobody changes. Look-ups that only an audit makes go through whole tables.
pub(super) struct MemorySnapshot(pub(super) State);

fn page<'a, V: Clone + 'a>(found: impl Iterator<Item = &'a V>, limit: u32) -> Vec<V> {
    found.take(rows(limit)).cloned().collect()
}

fn set(orders: &[OrderId]) -> BTreeSet<OrderId> {
    orders.iter().copied().collect()
}

fn holder(user_coupon: &UserCoupon) -> Option<OrderId> {
    match user_coupon.state {
        UserCouponState::Issued => None,
        UserCouponState::Used { order_id, .. } => Some(order_id),
    }
}

#[async_trait]
impl AuditSnapshot for MemorySnapshot {
    async fn accounts(&mut self, after: Option<UserId>, limit: u32) -> Result<Vec<PointAccount>, StoreError> {
        Ok(page(following(&self.0.accounts, after), limit))
    }

    async fn point_entries(&mut self, after: Option<(UserId, PointEntryId)>, limit: u32) -> Result<Vec<PointEntry>, StoreError> {
        Ok(page(following(&self.0.point_entries, after), limit))
    }

    async fn stock(&mut self, after: Option<OptionId>, limit: u32) -> Result<Vec<Stock>, StoreError> {
        Ok(page(following(&self.0.stock, after), limit))
    }

    async fn stock_entries(&mut self, after: Option<(OptionId, StockEntryId)>, limit: u32) -> Result<Vec<StockEntry>, StoreError> {
        Ok(page(following(&self.0.stock_entries, after), limit))
    }

    async fn orders(&mut self, after: Option<OrderId>, limit: u32) -> Result<Vec<Order>, StoreError> {
        Ok(following(&self.0.orders, after).take(rows(limit)).map(|order| Order::clone(order)).collect())
    }

    async fn reservations(&mut self, orders: &[OrderId]) -> Result<Vec<Reservation>, StoreError> {
        Ok(self.0.reservations_of(orders))
    }

    async fn payments_of(&mut self, orders: &[OrderId]) -> Result<Vec<Payment>, StoreError> {
        let orders = set(orders);
        let mut found: Vec<Payment> = self.0.payments.values().filter(|payment| orders.contains(&payment.order_id)).cloned().collect();
        found.sort_by_key(|payment| (payment.order_id, payment.id));
        Ok(found)
    }

    async fn point_entries_of(&mut self, orders: &[OrderId]) -> Result<Vec<PointEntry>, StoreError> {
        let orders = set(orders);
        let names = |entry: &&PointEntry| entry.change.order_id.is_some_and(|order| orders.contains(&order));
        let mut found: Vec<PointEntry> = self.0.point_entries.values().filter(names).cloned().collect();
        found.sort_by_key(|entry| entry.id);
        Ok(found)
    }

    async fn orphans(&mut self, limit: u32) -> Result<Vec<OrderId>, StoreError> {
        let state = &self.0;
        let by_payments = state.payments.values().map(|payment| payment.order_id);
        let by_stock = state.stock_entries.values().filter_map(|entry| entry.change.order_id);
        let by_points = state.point_entries.values().filter_map(|entry| entry.change.order_id);
        let by_coupons = state.user_coupons.values().filter_map(holder);
        let named: BTreeSet<OrderId> = by_payments.chain(by_stock).chain(by_points).chain(by_coupons).collect();
        Ok(named.into_iter().filter(|order| !state.orders.contains_key(order)).take(rows(limit)).collect())
    }

    async fn coupons(&mut self, after: Option<CouponId>, limit: u32) -> Result<Vec<Coupon>, StoreError> {
        Ok(page(following(&self.0.coupons, after), limit))
    }

    async fn user_coupons(&mut self, after: Option<(CouponId, UserCouponId)>, limit: u32) -> Result<Vec<UserCoupon>, StoreError> {
        let key = |held: &UserCoupon| (held.coupon_id, held.id);
        let mut found: Vec<&UserCoupon> = self.0.user_coupons.values().filter(|held| Some(key(held)) > after).collect();
        found.sort_by_key(|held| key(held));
        Ok(page(found.into_iter(), limit))
    }

    async fn user_coupons_by_id(&mut self, ids: &[UserCouponId]) -> Result<Vec<(UserCoupon, Coupon)>, StoreError> {
        pick(&self.0.user_coupons, ids).into_iter().map(|held| self.0.with_coupon(held)).collect()
    }

    async fn user_coupons_held_by(&mut self, orders: &[OrderId]) -> Result<Vec<UserCoupon>, StoreError> {
        let orders = set(orders);
        let held = |user_coupon: &&UserCoupon| holder(user_coupon).is_some_and(|order| orders.contains(&order));
        Ok(self.0.user_coupons.values().filter(held).cloned().collect())
    }

    async fn orders_by_id(&mut self, ids: &[OrderId]) -> Result<Vec<Order>, StoreError> {
        Ok(pick(&self.0.orders, ids).into_iter().map(Arc::unwrap_or_clone).collect())
    }

    async fn pending_requests(&mut self, limit: u32) -> Result<Vec<CouponRequest>, StoreError> {
        Ok(page(self.0.coupon_requests.values().filter(|request| request.is_pending()), limit))
    }

    async fn sold(&mut self, from: Timestamp, to: Timestamp, after: Option<ProductId>, limit: u32) -> Result<Vec<SoldUnits>, StoreError> {
        let mut sold = BTreeMap::<ProductId, u64>::new();
        let counts = |state, paid_at| state == SaleState::Paid && (from..to).contains(&paid_at);
        for sale in self.0.sales().filter(|sale| counts(sale.state, sale.paid_at)) {
            sale.units.iter().for_each(|it| *sold.entry(it.product_id).or_default() += it.units);
        }
        let sold = sold.into_iter().map(|(product_id, units)| SoldUnits { product_id, units });
        Ok(sold.filter(|it| Some(it.product_id) > after).take(rows(limit)).collect())
    }

    async fn undelivered(&mut self, limit: u32) -> Result<Vec<EventId>, StoreError> {
        Ok(self.0.unsent.iter().take(rows(limit)).copied().collect())
    }
}
