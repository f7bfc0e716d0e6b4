use super::{Order, OrderError};
use crate::messaging::{Event, NewEvent, OrderClosed};
use crate::store::{Handler, Loaded, StoreError, UnitOfWork, ascending};
use crate::user::Actor;
use crate::{Clock, OrderId};
use async_trait::async_trait;
use std::sync::Arc;

/// Gives an order up before its payment.
#[derive(Debug, Clone)]
pub struct CancelOrder {
    /// The order.
    pub id: OrderId,
    /// Who asks.
    pub actor: Actor,
    /// The W3C `traceparent` of the request.
    pub trace_parent: Option<String>,
}

/// The use case "cancel". What the order holds goes back by the event.
pub struct CancelOrders {
    /// When it is done.
    pub clock: Arc<dyn Clock>,
}

#[async_trait]
impl Handler for CancelOrders {
    type Command = CancelOrder;
    type Verdict = Result<Order, OrderError>;

    async fn handle(&self, uow: &mut dyn UnitOfWork, batch: &[CancelOrder]) -> Result<Vec<Self::Verdict>, StoreError> {
        let now = self.clock.now();
        let orders = uow.orders().lock(&ascending(batch.iter().map(|command| command.id))).await?;
        let mut orders = Loaded::new(orders, |order| order.id);
        let mut events = Vec::new();
        let verdicts = batch
            .iter()
            .map(|command| {
                let cancelled = orders.change(command.id, |order| {
                    if !command.actor.may_act_for(order.user_id) {
                        return Err(OrderError::NotFound(command.id));
                    }
                    order.cancel(now).map(|()| order.clone())
                });
                let order = cancelled.unwrap_or(Err(OrderError::NotFound(command.id)))?;
                let event = Event::OrderCancelled(OrderClosed::unpaid(&order));
                events.push(NewEvent { occurred_at: now, trace_parent: command.trace_parent.clone(), event });
                Ok(order)
            })
            .collect();
        if !events.is_empty() {
            uow.orders().save(&orders.into_changed()).await?;
            uow.outbox().append(events).await?;
        }
        Ok(verdicts)
    }
}
