use super::state::{following, largest, pick, rows, smallest};
use super::{MemoryStore, State};
use crate::coupon::{Coupon, CouponRequest, UserCoupon};
use crate::idempotency::{Claim, IdempotencyRecord};
use crate::messaging::{DeadLetter, SoldUnits};
use crate::order::{Order, OrderStatus};
use crate::payment::{Payment, PaymentStatus};
use crate::point::PointEntry;
use crate::product::{OptionStock, Product};
use crate::ranking::{Sale, SaleState};
use crate::store::{
    CouponPage, OrderCursor, OrderPage, OrderView, Page, PageLimit, PointEntryPage, ProductFilter, ProductPage, Queries, SaleCursor,
    StoreError, ascending,
};
use crate::user::{Email, User};
use crate::{CouponId, DeadLetterId, Money, OrderId, PaymentId, PointEntryId, ProductId, TaskId, Timestamp, UserCouponId, UserId};
use async_trait::async_trait;

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

    async fn stock_of_products(&self, ids: &[ProductId]) -> Result<Vec<OptionStock>, StoreError> {
        let of = |Product { id: product_id, options, .. }: Product| {
            options.into_iter().map(move |option| OptionStock { product_id, option_id: option.id, stock: option.stock })
        };
        Ok(self.products(ids).await?.into_iter().flat_map(of).collect())
    }

    async fn find_products(&self, filter: &ProductFilter, after: Option<ProductId>, limit: PageLimit) -> Result<ProductPage, StoreError> {
        let state = self.state();
        let matching = following(&state.products, after).filter(|product| matches(filter, product));
        let found = matching.take(limit.get() + 1).map(|product| state.with_stock(product)).collect();
        Ok(Page::cut(found, limit, |product| product.id))
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

    async fn sales(&self, from: Timestamp, to: Timestamp, after: Option<SaleCursor>, limit: u32) -> Result<Vec<Sale>, StoreError> {
        let state = self.state();
        let place = |sale: &Sale| (sale.paid_at, sale.order_id);
        let after = after.map(|after| (after.paid_at, after.order_id));
        let mut sales: Vec<_> = state.sales().filter(|sale| (from..to).contains(&sale.paid_at) && Some(place(sale)) > after).collect();
        sales.sort_by_key(place);
        sales.truncate(rows(limit));
        Ok(sales)
    }

    async fn coupons_by_id(&self, ids: &[CouponId]) -> Result<Vec<Coupon>, StoreError> {
        Ok(pick(&self.state().coupons, ids))
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

    async fn issued_of(&self, coupon: CouponId, after: Option<UserCouponId>, limit: u32) -> Result<Vec<UserCoupon>, StoreError> {
        let state = self.state();
        Ok(following(&state.user_coupons, after).filter(|held| held.coupon_id == coupon).take(rows(limit)).cloned().collect())
    }

    async fn coupon_requests(&self, tasks: &[TaskId]) -> Result<Vec<CouponRequest>, StoreError> {
        Ok(pick(&self.state().coupon_requests, tasks))
    }

    async fn pending_requests(&self, after: Option<TaskId>, limit: u32) -> Result<Vec<CouponRequest>, StoreError> {
        let state = self.state();
        let pending = following(&state.coupon_requests, after).filter(|request| request.is_pending());
        Ok(pending.take(rows(limit)).cloned().collect())
    }

    async fn idempotency_record(&self, claim: &Claim) -> Result<Option<IdempotencyRecord>, StoreError> {
        Ok(self.state().idempotency.get(&(claim.owner, claim.key.clone())).cloned())
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
    /// Every order that was paid.
    pub(super) fn sales(&self) -> impl Iterator<Item = Sale> {
        self.payments.values().filter_map(|payment| {
            let state = match payment.status {
                PaymentStatus::Completed => SaleState::Paid,
                PaymentStatus::Refunded => SaleState::Refunded,
                PaymentStatus::Failed => return None,
            };
            let order = self.orders.get(&payment.order_id)?;
            Some(Sale { order_id: order.id, paid_at: payment.at, units: SoldUnits::of(order), state })
        })
    }

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
