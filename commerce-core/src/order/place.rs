use super::{Order, OrderError, OrderLines};
use crate::messaging::{Event, NewEvent, OrderCreated};
use crate::store::{Handler, StoreError, UnitOfWork, ascending};
use crate::{Clock, OrderId, UserCouponId, UserId};
use async_trait::async_trait;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

/// Places an order. Stock and coupon are taken by the saga afterwards.
#[derive(Debug, Clone)]
pub struct PlaceOrder {
    /// The id it is to have.
    pub id: OrderId,
    /// Who orders.
    pub user_id: UserId,
    /// The coupon to be used.
    pub user_coupon_id: Option<UserCouponId>,
    /// What is ordered.
    pub lines: OrderLines,
    /// The W3C `traceparent` of the request.
    pub trace_parent: Option<String>,
}

/// The use case "place order".
pub struct PlaceOrders {
    /// When it is done.
    pub clock: Arc<dyn Clock>,
    /// How long an order can be paid.
    pub payment_deadline: Duration,
}

#[async_trait]
impl Handler for PlaceOrders {
    type Command = PlaceOrder;
    type Verdict = Result<Order, OrderError>;

    async fn handle(&self, uow: &mut dyn UnitOfWork, batch: &[PlaceOrder]) -> Result<Vec<Self::Verdict>, StoreError> {
        let now = self.clock.now();
        let expires_at = now.plus(self.payment_deadline);
        let users = uow.users().existing(&ascending(batch.iter().map(|command| command.user_id))).await?;
        let users: HashSet<_> = users.into_iter().collect();
        let mut events = Vec::with_capacity(batch.len());
        let verdicts: Vec<_> = batch
            .iter()
            .map(|PlaceOrder { id, user_id, user_coupon_id, lines, trace_parent }| {
                if !users.contains(user_id) {
                    return Err(OrderError::UserNotFound(*user_id));
                }
                let created = OrderCreated { order_id: *id, user_id: *user_id, user_coupon_id: *user_coupon_id, lines: lines.clone() };
                events.push(NewEvent { occurred_at: now, trace_parent: trace_parent.clone(), event: Event::OrderCreated(created) });
                Ok(Order::place(*id, *user_id, *user_coupon_id, now, expires_at))
            })
            .collect();
        let orders: Vec<_> = verdicts.iter().flatten().cloned().collect();
        if !orders.is_empty() {
            uow.orders().insert(&orders).await?;
            uow.outbox().append(events).await?;
        }
        Ok(verdicts)
    }

    /// The order as it is when the saga's steps have been taken in the commit that places it; else it is pending.
    async fn conclude(&self, uow: &mut dyn UnitOfWork, command: &PlaceOrder, verdict: &mut Self::Verdict) -> Result<(), StoreError> {
        if let Ok(order) = verdict
            && let Some(now) = uow.orders().lock(&[command.id]).await?.pop()
        {
            *order = now;
        }
        Ok(())
    }
}
