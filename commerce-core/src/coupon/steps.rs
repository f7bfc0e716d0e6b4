use super::{CouponError, UserCoupon, UserCouponState};
use crate::messaging::{
    CouponApplied, CouponRejected, Envelope, Event, EventHandler, EventType, Group, OrderClosed, Rejection, StockReserved,
};
use crate::order::OrderStatus;
use crate::store::{Loaded, StoreError, UnitOfWork, ascending};
use crate::{Clock, OrderId, Timestamp, UserCouponId};
use async_trait::async_trait;
use std::collections::HashSet;
use std::sync::Arc;

/// The coupons' steps of the saga: uses the coupon of an order whose stock is taken, and takes it back when the order ends. An order without
/// a coupon passes by: it goes on from its reserved stock directly.
pub struct CouponSteps {
    /// When a step is done.
    pub clock: Arc<dyn Clock>,
}

type Held = Loaded<UserCouponId, (UserCoupon, super::Coupon)>;

#[async_trait]
impl EventHandler for CouponSteps {
    fn group(&self) -> Group {
        Group::Coupon
    }

    fn handles(&self) -> &'static [EventType] {
        &[EventType::StockReserved, EventType::OrderCancelled, EventType::OrderExpired, EventType::OrderRefunded]
    }

    fn concerns(event: &Event) -> bool {
        user_coupon(event).is_some()
    }

    async fn handle(&self, uow: &mut dyn UnitOfWork, events: &[Envelope]) -> Result<Vec<Result<(), Rejection>>, StoreError> {
        let now = self.clock.now();
        let ids = ascending(events.iter().filter_map(|envelope| user_coupon(&envelope.event)));
        if ids.is_empty() {
            return Ok(events.iter().map(|_| Ok(())).collect());
        }
        // A coupon is used only for an order that waits for it: the inbox does not keep an event for ever, and a coupon that was refused or
        // given back shows no trace of the order.
        let reserved = ascending(events.iter().filter_map(reserved_with_coupon));
        let orders = if reserved.is_empty() { Vec::new() } else { uow.orders().lock(&reserved).await? };
        let pending: HashSet<_> = orders.iter().filter(|order| order.status == OrderStatus::Pending).map(|order| order.id).collect();
        let mut held = Loaded::new(uow.coupons().lock_user_coupons(&ids).await?, |(user_coupon, _)| user_coupon.id);
        let mut appended = Vec::new();
        for envelope in events {
            match (&envelope.event, user_coupon(&envelope.event)) {
                (Event::StockReserved(reserved), Some(id)) if pending.contains(&reserved.order_id) => {
                    appended.extend(apply(&mut held, id, reserved, now).map(|event| envelope.leads_to(event, now)));
                }
                (Event::OrderCancelled(closed) | Event::OrderExpired(closed) | Event::OrderRefunded(closed), Some(id)) => {
                    give_back(&mut held, id, closed);
                }
                _ => {}
            }
        }
        let changed: Vec<_> = held.into_changed().into_iter().map(|(user_coupon, _)| user_coupon).collect();
        if !changed.is_empty() {
            uow.coupons().save_user_coupons(&changed).await?;
        }
        if !appended.is_empty() {
            uow.outbox().append(appended).await?;
        }
        Ok(events.iter().map(|_| Ok(())).collect())
    }
}

/// What follows from using the coupon; nothing if the order holds it already.
fn apply(held: &mut Held, id: UserCouponId, reserved: &StockReserved, now: Timestamp) -> Option<Event> {
    let StockReserved { order_id, user_id, original_price, items, .. } = reserved.clone();
    if held.get(id).is_some_and(|(user_coupon, _)| holds(user_coupon, order_id)) {
        return None;
    }
    let used = held.change(id, |(user_coupon, coupon)| user_coupon.apply(coupon, user_id, order_id, original_price, now));
    Some(match used.unwrap_or(Err(CouponError::UserCouponNotFound(id))) {
        Ok(discount) => Event::CouponApplied(CouponApplied { order_id, discount, items }),
        Err(refusal) => Event::CouponRejected(CouponRejected { order_id, code: refusal.code(), items }),
    })
}

fn give_back(held: &mut Held, id: UserCouponId, closed: &OrderClosed) {
    // Not held by this order means that it was given back already: nothing to change.
    let _given_back = held.change(id, |(user_coupon, _)| user_coupon.give_back(closed.order_id).then_some(()).ok_or(()));
}

fn holds(user_coupon: &UserCoupon, order: OrderId) -> bool {
    matches!(user_coupon.state, UserCouponState::Used { order_id, .. } if order_id == order)
}

/// The order whose coupon is to be used now.
fn reserved_with_coupon(envelope: &Envelope) -> Option<OrderId> {
    match &envelope.event {
        Event::StockReserved(reserved) if reserved.user_coupon_id.is_some() => Some(reserved.order_id),
        _ => None,
    }
}

fn user_coupon(event: &Event) -> Option<UserCouponId> {
    match event {
        Event::StockReserved(reserved) => reserved.user_coupon_id,
        Event::OrderCancelled(closed) | Event::OrderExpired(closed) | Event::OrderRefunded(closed) => closed.user_coupon_id,
        _ => None,
    }
}
