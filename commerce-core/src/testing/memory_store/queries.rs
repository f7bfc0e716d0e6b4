use super::state::{following, largest, pick, rows, smallest};
use super::{MemoryStore, State};
use crate::coupon::{Coupon, UserCoupon};
use crate::messaging::DeadLetter;
use crate::order::{Order, OrderStatus};
use crate::payment::{Payment, PaymentStatus};
use crate::point::PointEntry;
use crate::product::Product;
use crate::store::{
    CouponPage, OrderCursor, OrderPage, OrderView, Page, PageLimit, PointEntryPage, ProductFilter, ProductPage, Queries, SoldProduct,
    StoreError, ascending,
};
use crate::user::{Email, User};
use crate::{CouponId, DeadLetterId, Money, OrderId, PaymentId, PointEntryId, ProductId, TaskId, Timestamp, UserId};
use async_trait::async_trait;
use std::cmp::Reverse;
use std::collections::BTreeMap;

#[async_trait]
impl Queries for MemoryStore {
    async fn user(&self, id: UserId) -> Result<Option<User>, StoreError> {
        Ok(self.state().users.get(&id).cloned())
    }

    async fn user_by_email(&self, email: &Email) -> Result<Option<User>, StoreError> {
        let state = self.state();
        Ok(state.user_by_email.get(&email.unique_key()).and_then(|id| state.users.get(id)).cloned())
    }

    async fn has_users(&self) -> Result<bool, StoreError> {
        Ok(!self.state().users.is_empty())
    }

    async fn balance(&self, user: UserId) -> Result<Option<Money>, StoreError> {
        Ok(self.state().accounts.get(&user).map(|account| account.balance))
    }

    async fn point_entries(&self, user: UserId, before: Option<PointEntryId>, limit: PageLimit) -> Result<PointEntryPage, StoreError> {
        let state = self.state();
        let from = (user, smallest());
        let entries: Vec<PointEntry> = match before {
            Some(before) => newest(state.point_entries.range::<_, (UserId, PointEntryId)>(from..(user, before)), limit),
            None => newest(state.point_entries.range::<_, (UserId, PointEntryId)>(from..=(user, largest())), limit),
        };
        Ok(Page::cut(entries, limit, |entry| entry.id))
    }

    async fn products(&self, ids: &[ProductId]) -> Result<Vec<Product>, StoreError> {
        let state = self.state();
        Ok(pick(&state.products, ids).iter().map(|product| state.with_stock(product)).collect())
    }

    async fn find_products(&self, filter: &ProductFilter, after: Option<ProductId>, limit: PageLimit) -> Result<ProductPage, StoreError> {
        let state = self.state();
        let matching = following(&state.products, after).filter(|product| matches(filter, product));
        let found = matching.take(limit.get() + 1).map(|product| state.with_stock(product)).collect();
        Ok(Page::cut(found, limit, |product| product.id))
    }

    async fn best_sellers(&self, from: Timestamp, to: Timestamp, limit: PageLimit) -> Result<Vec<SoldProduct>, StoreError> {
        let state = self.state();
        let mut sold = BTreeMap::<ProductId, i64>::new();
        let counts = |payment: &&Payment| payment.status == PaymentStatus::Completed && payment.at >= from && payment.at < to;
        for payment in state.payments.values().filter(counts) {
            for item in state.orders.get(&payment.order_id).iter().flat_map(|order| &order.items) {
                *sold.entry(item.product_id).or_default() += i64::from(item.quantity);
            }
        }
        let mut ranked: Vec<_> = sold.into_iter().map(|(product_id, sold)| SoldProduct { product_id, sold }).collect();
        ranked.sort_by_key(|product| (Reverse(product.sold), product.product_id));
        ranked.truncate(limit.get());
        Ok(ranked)
    }

    async fn orders(&self, ids: &[OrderId]) -> Result<Vec<OrderView>, StoreError> {
        let (state, ids) = (self.state(), ascending(ids.iter().copied()));
        Ok(ids.iter().filter_map(|id| state.orders.get(id)).map(|order| state.view(order)).collect())
    }

    async fn orders_of(&self, user: UserId, before: Option<OrderCursor>, limit: PageLimit) -> Result<OrderPage, StoreError> {
        let state = self.state();
        let from = (user, Timestamp::from_millis(i64::MIN), smallest());
        let end = before.map_or((user, Timestamp::from_millis(i64::MAX), largest()), |before| (user, before.ordered_at, before.id));
        let ids = state.orders_by_user.range::<_, (UserId, Timestamp, OrderId)>(from..end).rev().map(|&(_, _, id)| id);
        let views = ids.filter_map(|id| state.orders.get(&id)).take(limit.get() + 1).map(|order| state.view(order)).collect();
        Ok(Page::cut(views, limit, |view: &OrderView| OrderCursor { ordered_at: view.order.ordered_at, id: view.order.id }))
    }

    async fn overdue_orders(&self, now: Timestamp, limit: u32) -> Result<Vec<OrderId>, StoreError> {
        let state = self.state();
        let overdue = state.orders.values().filter(|order| order.status == OrderStatus::AwaitingPayment && order.expires_at <= now);
        let mut overdue: Vec<_> = overdue.map(|order| (order.expires_at, order.id)).collect();
        overdue.sort_unstable();
        Ok(overdue.into_iter().take(rows(limit)).map(|(_, id)| id).collect())
    }

    async fn payment(&self, id: PaymentId) -> Result<Option<Payment>, StoreError> {
        Ok(self.state().payments.get(&id).cloned())
    }

    async fn coupon(&self, id: CouponId) -> Result<Option<Coupon>, StoreError> {
        Ok(self.state().coupons.get(&id).cloned())
    }

    async fn coupons(&self, after: Option<CouponId>, limit: PageLimit) -> Result<CouponPage, StoreError> {
        let state = self.state();
        let coupons = following(&state.coupons, after).take(limit.get() + 1).cloned().collect();
        Ok(Page::cut(coupons, limit, |coupon: &Coupon| coupon.id))
    }

    async fn user_coupons(&self, user: UserId) -> Result<Vec<(UserCoupon, Coupon)>, StoreError> {
        let state = self.state();
        let held = state.user_coupon_by_holder.range::<_, (UserId, CouponId)>((user, smallest())..=(user, largest()));
        let ids: Vec<_> = held.map(|(_, id)| *id).collect();
        pick(&state.user_coupons, &ids).into_iter().map(|held| state.with_coupon(held)).collect()
    }

    async fn user_coupon_of_task(&self, task: TaskId) -> Result<Option<UserCoupon>, StoreError> {
        let state = self.state();
        Ok(state.user_coupon_by_task.get(&task).and_then(|id| state.user_coupons.get(id)).cloned())
    }

    async fn dead_letters(&self, after: Option<DeadLetterId>, limit: PageLimit) -> Result<Vec<DeadLetter>, StoreError> {
        let state = self.state();
        let waiting = following(&state.dead_letters, after).filter(|letter| letter.replayed_at.is_none());
        Ok(waiting.take(limit.get()).cloned().collect())
    }

    async fn dead_letter(&self, id: DeadLetterId) -> Result<Option<DeadLetter>, StoreError> {
        Ok(self.state().dead_letters.get(&id).cloned())
    }
}

impl State {
    fn view(&self, order: &Order) -> OrderView {
        let of_order = (order.id, smallest())..=(order.id, largest());
        let ids = self.payments_by_order.range::<_, (OrderId, PaymentId)>(of_order).map(|(_, id)| id);
        let mut payments = ids.filter_map(|id| self.payments.get(id));
        let payment_id = payments.find(|payment| payment.status != PaymentStatus::Failed).map(|payment| payment.id);
        OrderView { order: order.clone(), payment_id }
    }
}

/// One row more than a page, the last ones first.
fn newest<'a, K: 'a, V: Clone + 'a>(rows: impl DoubleEndedIterator<Item = (&'a K, &'a V)>, limit: PageLimit) -> Vec<V> {
    rows.rev().take(limit.get() + 1).map(|(_, row)| row.clone()).collect()
}

fn matches(filter: &ProductFilter, product: &Product) -> bool {
    let contains = |text: &str, part: &str| text.to_ascii_lowercase().contains(&part.to_ascii_lowercase());
    filter.category.is_none_or(|category| category == product.category)
        && filter.text.as_deref().is_none_or(|part| contains(product.name.as_str(), part) || contains(product.description.as_str(), part))
}
