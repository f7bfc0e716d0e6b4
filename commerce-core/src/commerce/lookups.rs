use crate::coupon::{Coupon, CouponRequest, RequestOutcome, UserCoupon};
use crate::product::Product;
use crate::store::{Lookup, OrderView, Store, StoreError};
use crate::{CouponId, OrderId, ProductId, TaskId};
use async_trait::async_trait;
use std::collections::HashMap;
use std::sync::Arc;

/// Finds orders for everyone who asks at the same time.
pub(super) struct OrderLookup(pub(super) Arc<dyn Store>);

#[async_trait]
impl Lookup for OrderLookup {
    type Key = OrderId;
    type Value = OrderView;

    async fn look_up(&self, keys: &[OrderId]) -> Result<HashMap<OrderId, OrderView>, StoreError> {
        Ok(self.0.queries().orders(keys).await?.into_iter().map(|view| (view.order.id, view)).collect())
    }
}

/// Finds products for everyone who asks at the same time.
pub(super) struct ProductLookup(pub(super) Arc<dyn Store>);

#[async_trait]
impl Lookup for ProductLookup {
    type Key = ProductId;
    type Value = Arc<Product>;

    async fn look_up(&self, keys: &[ProductId]) -> Result<HashMap<ProductId, Arc<Product>>, StoreError> {
        Ok(self.0.queries().products(keys).await?.into_iter().map(|product| (product.id, Arc::new(product))).collect())
    }
}

/// Finds coupons for everyone who asks at the same time.
pub(super) struct CouponLookup(pub(super) Arc<dyn Store>);

#[async_trait]
impl Lookup for CouponLookup {
    type Key = CouponId;
    type Value = Arc<Coupon>;

    async fn look_up(&self, keys: &[CouponId]) -> Result<HashMap<CouponId, Arc<Coupon>>, StoreError> {
        Ok(self.0.queries().coupons_by_id(keys).await?.into_iter().map(|coupon| (coupon.id, Arc::new(coupon))).collect())
    }
}

/// Finds requests for coupons for everyone who asks at the same time.
pub(super) struct RequestLookup(pub(super) Arc<dyn Store>);

#[async_trait]
impl Lookup for RequestLookup {
    type Key = TaskId;
    type Value = CouponRequest;

    async fn look_up(&self, keys: &[TaskId]) -> Result<HashMap<TaskId, CouponRequest>, StoreError> {
        let found = self.0.queries().coupon_requests(keys).await?;
        let mut found: HashMap<_, _> = found.into_iter().map(|request| (request.task_id, request)).collect();
        // A decided request is not kept for ever, but what was issued for it is.
        for task in keys {
            if !found.contains_key(task)
                && let Some(held) = self.0.queries().user_coupon_of_task(*task).await?
            {
                found.insert(*task, request_of(&held));
            }
        }
        Ok(found)
    }
}

fn request_of(held: &UserCoupon) -> CouponRequest {
    let UserCoupon { id: user_coupon_id, user_id, coupon_id, position, task_id, issued_at, .. } = *held;
    let outcome = RequestOutcome::Issued { at: issued_at };
    CouponRequest { task_id, coupon_id, user_id, user_coupon_id, position, admitted_at: issued_at, outcome }
}
