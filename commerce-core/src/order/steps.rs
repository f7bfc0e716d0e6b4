use super::{Order, OrderError, OrderItem, OrderStatus};
use crate::messaging::{Envelope, Event, EventHandler, EventType, Group, OrderConfirmed, OrderFailed, Rejection};
use crate::store::{Loaded, StoreError, UnitOfWork, ascending};
use crate::{Clock, ErrorCode, Money, OrderId, Timestamp};
use async_trait::async_trait;
use std::sync::Arc;

/// The orders' steps of the saga: an order waits for its payment once everything is taken, or fails with the step that was refused.
pub struct OrderSteps {
    /// When a step is done.
    pub clock: Arc<dyn Clock>,
}

/// What an event asks of an order.
enum Step<'a> {
    Confirm { items: &'a [OrderItem], discount: Money },
    Fail(ErrorCode),
}

#[async_trait]
impl EventHandler for OrderSteps {
    fn group(&self) -> Group {
        Group::Order
    }

    fn handles(&self) -> &'static [EventType] {
        &[EventType::StockReserved, EventType::StockRejected, EventType::CouponApplied, EventType::CouponRejected]
    }

    fn concerns(event: &Event) -> bool {
        step(event).is_some()
    }

    async fn handle(&self, uow: &mut dyn UnitOfWork, events: &[Envelope]) -> Result<Vec<Result<(), Rejection>>, StoreError> {
        let now = self.clock.now();
        let ids = ascending(events.iter().filter_map(|envelope| step(&envelope.event).map(|(order_id, _)| order_id)));
        if ids.is_empty() {
            return Ok(events.iter().map(|_| Ok(())).collect());
        }
        let mut orders = Loaded::new(uow.orders().lock(&ids).await?, |order| order.id);
        let mut appended = Vec::with_capacity(events.len());
        let outcomes = events
            .iter()
            .map(|envelope| {
                let Some((order_id, step)) = step(&envelope.event) else { return Ok(()) };
                if orders.get(order_id).is_some_and(|order| step.is_done(order)) {
                    return Ok(());
                }
                let taken = orders.change(order_id, |order| step.take(order, now));
                let event = taken.unwrap_or(Err(OrderError::NotFound(order_id))).map_err(|refusal| Rejection(refusal.to_string()))?;
                appended.push(envelope.leads_to(event, now));
                Ok(())
            })
            .collect();
        let changed = orders.into_changed();
        if !changed.is_empty() {
            uow.orders().save(&changed).await?;
            uow.outbox().append(appended).await?;
        }
        Ok(outcomes)
    }
}

/// The step an event asks for; `None` for reserved stock that still waits for its coupon.
fn step(event: &Event) -> Option<(OrderId, Step<'_>)> {
    match event {
        Event::StockReserved(e) if e.user_coupon_id.is_none() => {
            Some((e.order_id, Step::Confirm { items: &e.items, discount: Money::ZERO }))
        }
        Event::CouponApplied(e) => Some((e.order_id, Step::Confirm { items: &e.items, discount: e.discount })),
        Event::StockRejected(e) => Some((e.order_id, Step::Fail(e.code))),
        Event::CouponRejected(e) => Some((e.order_id, Step::Fail(e.code))),
        _ => None,
    }
}

impl Step<'_> {
    /// Whether the order went this way already: the message came again.
    fn is_done(&self, order: &Order) -> bool {
        match self {
            Self::Confirm { .. } => !matches!(order.status, OrderStatus::Pending | OrderStatus::Failed),
            Self::Fail(_) => order.status == OrderStatus::Failed,
        }
    }

    fn take(self, order: &mut Order, now: Timestamp) -> Result<Event, OrderError> {
        match self {
            Self::Confirm { items, discount } => {
                order.confirm(items.to_vec(), discount, now)?;
                Ok(Event::OrderConfirmed(OrderConfirmed { order_id: order.id, total: order.total }))
            }
            Self::Fail(code) => {
                order.fail(code, now)?;
                Ok(Event::OrderFailed(OrderFailed { order_id: order.id, code }))
            }
        }
    }
}
